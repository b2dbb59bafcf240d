"""What central systems and their users complain about in stations of many makers (the list is in
docs/conformance.md): this one does none of it. Every frame is also held against the schemas.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ocpp.exceptions import InternalError
from ocpp.v16 import call
from ocpp.v16.enums import MessageTrigger, ResetType

from borne.adapters.ocpp.charge_point.config import ConnectionConfig
from tests.conformance.ocpp16.rig import OTHER_CARD, TAG, Rig, rig
from tests.conformance.ocpp16.test_core_values import samples
from tests.conformance.ocpp16.test_smart_charging import DEFAULT, composite, profile, send
from tests.support.central_system import Ledger
from tests.support.running_station import CARD
from tests.support.timeouts import TEST_TIMEOUT_S

CURRENT_PHASES = {"L1", "L2", "L3", "N"}
VOLTAGE_PHASES = CURRENT_PHASES - {"N"} | {"L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"}
UNITS = {
    "Energy": {"Wh", "kWh"},
    "Power": {"W", "kW"},
    "Current": {"A"},
    "Voltage": {"V"},
    "Frequency": {"Hertz"},
    "Temperature": {"Celsius"},
}
MEASURANDS = (
    "Energy.Active.Import.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Export.Register",
    "Energy.Reactive.Import.Register",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "Current.Import",
    "Current.Export",
    "Current.Offered",
    "Voltage",
    "Frequency",
    "Temperature",
    "SoC",
    "RPM",
)


def refusing(*actions: str, times: int = 1_000_000) -> Callable[[str, Any], Awaitable[None]]:
    """A central system that fails to process these actions, a number of times."""
    left = dict.fromkeys(actions, times)

    async def meanwhile(action: str, _: Any) -> None:
        if left.get(action, 0) > 0:
            left[action] -= 1
            raise InternalError("not today")

    return meanwhile


async def trigger(bench: Rig, what: MessageTrigger) -> str:
    return str((await bench.call(call.TriggerMessage(requested_message=what))).status)


async def read(bench: Rig, *keys: str) -> Any:
    return await bench.call(call.GetConfiguration(key=list(keys)))


async def change(bench: Rig, key: str, value: str) -> str:
    return str((await bench.call(call.ChangeConfiguration(key=key, value=value))).status)


async def remote_start(bench: Rig, connector: int = 1) -> str:
    request = call.RemoteStartTransaction(id_tag=TAG, connector_id=connector)
    return str((await bench.call(request)).status)


async def remote_stop(bench: Rig, transaction: int) -> str:
    request = call.RemoteStopTransaction(transaction_id=transaction)
    return str((await bench.call(request)).status)


async def test_q01_later_messages_carry_the_id_of_the_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path, MeterValueSampleInterval=1) as bench:
        await bench.charging()
        await bench.ledger.wait_for("MeterValues", connector_id=1)
        await bench.stop()
        await bench.ledger.wait_for("StopTransaction")
        answer = bench.ledger.of("MeterValues") + bench.ledger.of("StopTransaction")
        assert {message["transaction_id"] for message in answer} == {1001}


async def test_q02_a_long_configuration_is_complete_and_has_text_values(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = (await read(bench)).configuration_key
        assert len(answer) > 100
        for entry in answer:
            assert isinstance(entry["value"], str)
            assert isinstance(entry["readonly"], bool)


async def test_q03_a_boot_notification_can_be_triggered_on_a_new_connection(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        for boots in (2, 3, 4):
            assert await trigger(bench, MessageTrigger.boot_notification) == "Accepted"
            await bench.ledger.wait_for("BootNotification", boots)
            await bench.settled()
            if boots == 2:
                await bench.offline()
                await bench.online()


async def test_q03_an_error_to_the_boot_starts_no_loop(tmp_path: Path) -> None:
    ledger = Ledger(meanwhile=refusing("BootNotification", times=1))
    async with rig(tmp_path, ledger, booted=False) as bench:
        await bench.station.until_backend(lambda view: "boot: " in view.last_error)
        await bench.settled()
        assert len(ledger.of("BootNotification")) == 1
        assert len(bench.central.handshakes) == 1
        assert await trigger(bench, MessageTrigger.boot_notification) == "Accepted"
        await bench.booted()


async def test_q04_the_status_of_every_connector_is_sent(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        first = [answer["connector_id"] for answer in bench.ledger.of("StatusNotification")[:3]]
        assert first == [0, 1, 2]
        await bench.offline()
        for connector in (1, 2):
            await bench.plug(connector)
            await bench.station.until_state("preparing", connector)
        await bench.online()
        for connector in (1, 2):
            await bench.status("Preparing", connector)


async def test_q05_required_texts_are_not_empty(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        (boot,) = bench.ledger.of("BootNotification")
        assert all(value for value in boot.values()), boot
        for key in ("ChargePointVendor", "ChargePointModel", "ChargePointID"):
            assert await change(bench, key, "") in {"Rejected", "NotSupported"}


async def test_q06_identity_and_sub_protocol_are_in_the_handshake(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        (shaken,) = bench.central.handshakes
        assert (shaken.path, shaken.sub_protocol) == ("/ocpp/CP-1", "ocpp1.6")


async def test_q07_pings_are_answered_and_silence_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "borne.adapters.ocpp.backend_settings.ConnectionConfig",
        partial(ConnectionConfig, pong_timeout_s=0.2),
    )
    async with rig(tmp_path, WebSocketPingInterval=1) as bench:
        (charge_point,) = bench.central.charge_points.values()
        async with asyncio.timeout(TEST_TIMEOUT_S):
            await (await charge_point._connection.ping())
        links = bench.station.simulator
        await links.set_link("backend", up=False, mode="blackhole")
        await bench.station.until_backend(lambda view: view.link != "connected")
        await links.set_link("backend", up=True, mode=None)
        await bench.station.until_online()
        await bench.central.wait_for_handshake(2)


async def test_q08_dates_are_correct_and_current(tmp_path: Path) -> None:
    """Also when the station starts without a date, and after a lost connection."""
    began = datetime.now(UTC) - timedelta(seconds=1)
    options = {"wall": lambda: datetime(1970, 1, 1, tzinfo=UTC)}
    async with rig(tmp_path, options=options) as bench:
        await bench.offline()
        await bench.plug()
        await bench.station.until_state("preparing")
        await bench.online()
        await bench.status("Preparing")
        dates = [
            bench.time(answer["timestamp"])
            for answer in bench.ledger.of("StatusNotification")
            if "timestamp" in answer
        ]
        assert dates
        assert all(began < date <= datetime.now(UTC) + timedelta(seconds=1) for date in dates)
        assert dates == sorted(dates)


async def test_q09_meter_values_use_the_enumerations_of_the_standard(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        offered = [
            m for m in MEASURANDS if await change(bench, "MeterValuesSampledData", m) == "Accepted"
        ]
        assert await change(bench, "MeterValuesSampledData", ",".join(offered)) == "Accepted"
        await bench.configure(MeterValueSampleInterval=1)
        await bench.charging()
        (values, *_) = await bench.ledger.wait_for("MeterValues", connector_id=1)
        assert samples(values)
        for sample in samples(values):
            kind = sample["measurand"].split(".")[0]
            assert sample["value"]
            assert float(sample["value"]) >= 0
            if kind in UNITS and sample["measurand"] != "Power.Factor":
                assert sample["unit"] in UNITS[kind] | {"var", "kvar", "varh", "kvarh"}
            if kind == "Current":
                assert sample.get("phase", "L1") in CURRENT_PHASES
            if kind == "Voltage":
                assert sample.get("phase", "L1") in VOLTAGE_PHASES
        imported = {s["phase"] for s in samples(values) if s["measurand"] == "Current.Import"}
        assert imported == {"L1", "L2", "L3"}


async def test_q10_measurands_can_be_tried_one_by_one(tmp_path: Path) -> None:
    """As evcc and Home Assistant do. A refused value changes nothing."""
    async with rig(tmp_path) as bench:
        key = "MeterValuesSampledData"
        (most,) = (await read(bench, f"{key}MaxLength")).configuration_key
        assert int(most["value"]) >= 10
        before = len(bench.ledger.seen)
        value = ""
        for measurand in MEASURANDS:
            status = await change(bench, key, measurand)
            assert status in {"Accepted", "Rejected"}
            value = measurand if status == "Accepted" else value
            (entry,) = (await read(bench, key)).configuration_key
            assert entry == {"key": key, "readonly": False, "value": value}
        assert await change(bench, key, f"{MEASURANDS[0]},Nonsense") == "Rejected"
        several = "Energy.Active.Import.Register,Current.Import,Voltage"
        assert await change(bench, key, several) == "Accepted"
        assert len(bench.ledger.seen) == before
        assert len(bench.central.handshakes) == 1


async def test_q11_only_the_requested_keys_are_answered(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await read(bench, "heartbeatinterval", "Nonsense", "NumberOfConnectors", "")
        assert [(entry["key"], entry["readonly"]) for entry in answer.configuration_key] == [
            ("HeartbeatInterval", False),
            ("NumberOfConnectors", True),
        ]
        assert answer.unknown_key == ["Nonsense", ""]


async def test_q12_units_of_charging_profiles_are_listed(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await read(bench, "ChargingScheduleAllowedChargingRateUnit")
        assert answer.configuration_key[0]["value"] == "Current,Power"


async def test_q13_profiles_of_every_level_are_obeyed(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        (entry,) = (await read(bench, "ChargeProfileMaxStackLevel")).configuration_key
        for connector, (level, limit) in enumerate(((1, 7.0), (int(entry["value"]), 9.0))):
            answer = profile(DEFAULT, {0: limit}, number=level, level=level)
            assert await send(bench, answer, connector) == "Accepted"
            assert await composite(bench) == {0: limit}
        await bench.charging()
        await bench.station.until(lambda c: c["offered_a"][0] == 9.0)


async def test_q14_after_a_remote_stop_the_next_start_needs_no_unplugging(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await remote_stop(bench, 1001) == "Accepted"
        await bench.status("Finishing")
        await bench.ledger.wait_for("StopTransaction")
        await bench.settled()
        assert bench.ledger.statuses(1)[-1] == "Finishing"
        assert await remote_start(bench) == "Accepted"
        await bench.ledger.wait_for("StartTransaction", 2)
        await bench.status("Charging", count=2)


async def test_q15_accepted_commands_are_carried_out(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await remote_start(bench, 2) == "Accepted"
        await bench.status("Preparing", 2)
        await bench.plug(2)
        await bench.ledger.wait_for("StartTransaction", connector_id=2)
        await bench.status("Charging", 2)
        await bench.settled()
        assert await remote_stop(bench, 1001) == "Accepted"
        await bench.ledger.wait_for("StopTransaction", transaction_id=1001)


async def test_q16_a_stop_that_is_always_refused_is_given_up(tmp_path: Path) -> None:
    ledger = Ledger(meanwhile=refusing("StopTransaction"))
    async with rig(
        tmp_path, ledger, TransactionMessageAttempts=2, TransactionMessageRetryInterval=0
    ) as bench:
        await bench.charging()
        await bench.settled()
        assert not ledger.of("StopTransaction")  # it does not end by itself
        await bench.stop()
        await bench.unplug()
        await bench.charging(2)
        await ledger.wait_for("StartTransaction", connector_id=2)
        assert len(ledger.of("StopTransaction")) == 2
        assert len(ledger.of("StartTransaction")) == 2


async def test_q17_a_start_is_reported_as_preparing_then_charging(tmp_path: Path) -> None:
    """A slow car is not SuspendedEV within MinimumStatusDuration."""
    async with rig(tmp_path, MinimumStatusDuration=1) as bench:
        await bench.plug(reaction_s=0.5)
        await bench.status("Preparing")
        await bench.swipe()
        await bench.status("Charging")
        assert bench.ledger.statuses(1) == ["Available", "Preparing", "Charging"]


async def test_q18_before_acceptance_only_boot_notifications_are_sent(tmp_path: Path) -> None:
    ledger = Ledger(boot_status="Pending", interval_s=2)
    async with rig(tmp_path, ledger, booted=False, IfInDoubtAllowCharging="on") as bench:
        await ledger.wait_for("BootNotification")
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        assert {seen.action for seen in ledger.seen} == {"BootNotification"}
        ledger.boot_status = "Accepted"
        await ledger.wait_for("StartTransaction")
        boots = len(ledger.of("BootNotification"))
        assert {seen.action for seen in ledger.seen[:boots]} == {"BootNotification"}


@pytest.mark.parametrize(
    ("settings", "tag"),
    [
        ({}, TAG),
        ({"RFIDTagLetterCase": "upper"}, TAG.upper()),
        ({"RFIDTagLetterCase": "lower_inverted"}, bytes.fromhex(CARD)[::-1].hex()),
    ],
    ids=["as it is", "upper case", "turned round"],
)
async def test_q19_a_card_number_is_written_the_same_everywhere(
    tmp_path: Path, settings: dict[str, Any], tag: str
) -> None:
    async with rig(tmp_path, **settings) as bench:
        await bench.charging()
        await bench.swipe(OTHER_CARD)  # else the reader takes it for the same holding
        await bench.swipe()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        authorize, (start,) = bench.ledger.of("Authorize")[0], bench.ledger.of("StartTransaction")
        assert {authorize["id_tag"], start["id_tag"], stop["id_tag"]} == {tag}


async def test_q19_longer_cards_than_the_standard_allows_are_not_sent(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.plug()
        await bench.station.card_token("x" * 21)
        await bench.station.card(OTHER_CARD)
        await bench.ledger.wait_for("StartTransaction")
        assert all(len(answer["id_tag"]) <= 20 for answer in bench.ledger.of("Authorize"))


async def test_q20_the_password_is_sent_as_its_bytes(tmp_path: Path) -> None:
    async with rig(tmp_path, AuthorizationKey="a password of 16", SecurityProfile=1) as bench:
        assert await change(bench, "AuthorizationKey", "ff" * 16) == "Accepted"
        shaken = await bench.central.wait_for_handshake(2)
        assert shaken.authorization == "Basic Q1AtMTr/////////////////////"


async def test_q22_a_hard_reset_waits_for_the_answer_to_its_stop(tmp_path: Path) -> None:
    open_when_asked = asyncio.Event()

    async def meanwhile(action: str, charge_point: Any) -> None:
        if action == "StopTransaction":
            pong = await charge_point._connection.ping()
            await asyncio.wait_for(pong, TEST_TIMEOUT_S)
            open_when_asked.set()

    async with rig(tmp_path, Ledger(meanwhile=meanwhile)) as bench:
        await bench.charging()
        assert (await bench.call(call.Reset(type=ResetType.hard))).status == "Accepted"
        await bench.ledger.wait_for("BootNotification", 2)
        assert open_when_asked.is_set()
        # It was answered: after the restart there is no second one.
        await bench.ledger.wait_for("StatusNotification", 2, connector_id=2)
        await bench.settled()
        (stop,) = bench.ledger.of("StopTransaction")
        assert stop["reason"] == "HardReset"


async def test_q22_a_backend_that_does_not_answer_does_not_hold_a_reset_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("borne.adapters.ocpp.backend.SHUTDOWN_TIMEOUT_S", 0.2)
    answering = asyncio.Event()

    async def meanwhile(action: str, _: Any) -> None:
        if action == "StopTransaction":
            await answering.wait()

    async with rig(tmp_path, Ledger(meanwhile=meanwhile)) as bench:
        await bench.charging()
        assert (await bench.call(call.Reset(type=ResetType.soft))).status == "Accepted"
        await bench.ledger.wait_for("StopTransaction")
        await bench.central.wait_for_handshake(2)
        answering.set()
        first, again = await bench.ledger.wait_for("StopTransaction", 2)
        assert first == again
        assert first["reason"] == "SoftReset"


async def test_q23_a_message_that_is_always_refused_does_not_block_the_queue(
    tmp_path: Path,
) -> None:
    ledger = Ledger(meanwhile=refusing("MeterValues"))
    async with rig(
        tmp_path,
        ledger,
        TransactionMessageAttempts=1,
        MeterValueSampleInterval=1,
        IfInDoubtAllowCharging="on",
    ) as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_queue(3)
        await bench.stop()
        await bench.online()
        await ledger.wait_for("StopTransaction", transaction_id=1001)
        assert len(ledger.of("MeterValues")) >= 2


async def test_q24_commands_are_answered_while_an_answer_is_awaited(tmp_path: Path) -> None:
    crossed: list[Any] = []

    async def meanwhile(action: str, charge_point: Any) -> None:
        if action == "Authorize":
            socket = charge_point._connection
            await socket.send('[2,"crossing","GetConfiguration",{"key":["HeartbeatInterval"]}]')
            crossed.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))

    async with rig(tmp_path, Ledger(meanwhile=meanwhile)) as bench:
        await bench.charging()
        ((kind, message_id, answer),) = crossed
        assert (kind, message_id) == (3, "crossing")
        assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"


async def test_q25_raw_messages_can_be_exported(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await read(bench, "HeartbeatInterval")
        backend = bench.station.services.backend
        assert backend is not None
        log = [entry for entry in backend.message_log() if entry.text]
        frames = [json.loads(entry.text) for entry in log]
        ids = {kind: {f[1] for f in frames if f[0] == kind} for kind in (2, 3)}
        assert ids[2] == ids[3]  # every question with its answer
        actions = {frame[2] for frame in frames if frame[0] == 2}
        assert {"BootNotification", "StatusNotification", "GetConfiguration"} <= actions
