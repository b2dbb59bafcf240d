"""Who may charge and who may stop, as a strict central system sees it (OCPP 1.6 sections 1.6, 3.5,
3.10; manual 5.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ocpp.exceptions import InternalError
from ocpp.v16 import call
from ocpp.v16.enums import AvailabilityType, MessageTrigger

from borne.domain.settings.choices import FreeChargingMode as Mode
from tests.conformance.ocpp16.rig import OTHER_CARD, OTHER_TAG, TAG, Rig, rig
from tests.conformance.ocpp16.test_local_list import entry, send
from tests.conformance.ocpp16.test_reservation import reserve
from tests.support.central_system import Ledger
from tests.support.running_station import CARD

GROUP = {"parent_id_tag": "Family"}


async def _start_by_card(bench: Rig) -> None:
    await bench.charging()


async def _start_remotely(bench: Rig) -> None:
    await bench.configure(AuthorizeRemoteTxRequests=False)
    await bench.plug()
    await bench.status("Preparing")
    await bench.call(call.RemoteStartTransaction(id_tag=TAG, connector_id=1))
    await bench.status("Charging")
    await bench.station.until(lambda c: bool(c["session"] and c["session"]["transaction_id"]))
    assert not bench.ledger.of("Authorize")


@pytest.mark.parametrize("start", [_start_by_card, _start_remotely])
@pytest.mark.parametrize("cut", [False, True], ids=["", "after a power cut"])
async def test_a_group_from_the_start_answer_lets_its_cards_stop(
    tmp_path: Path, start: Any, cut: bool
) -> None:
    ledger = Ledger(parents={OTHER_TAG: "FAMILY"}, at_start={TAG: GROUP})
    async with rig(tmp_path, ledger) as bench:
        await start(bench)
        await bench.settled()
        if cut:
            while bench.station.services.status.snapshot().backend.queue:
                await bench.call(call.GetLocalListVersion())
            await bench.station.host.cut()
            await bench.station.host.restore()
            await bench.station.until_online()
        await bench.swipe(OTHER_CARD)
        (stop,) = await ledger.wait_for("StopTransaction")
        assert (stop["id_tag"], stop.get("reason", "Local")) == (OTHER_TAG, "Local")
        assert len(ledger.of("Authorize", id_tag=OTHER_TAG)) == 1


async def test_a_card_of_a_group_stops_at_a_reader_that_sockets_share(tmp_path: Path) -> None:
    """No car waits at the other socket: the card is for a session."""
    ledger = Ledger(parents={TAG: "Family", OTHER_TAG: "Family"})
    async with rig(tmp_path, ledger) as bench:
        await bench.charging()
        await bench.station.simulator.set_fault("mcb-type2", active=True, connector=2)
        await bench.status("Faulted", 2)
        await bench.swipe(OTHER_CARD, connector=None)
        (stop,) = await ledger.wait_for("StopTransaction")
        assert stop["id_tag"] == OTHER_TAG


@pytest.mark.parametrize("asks", [True, False])
async def test_an_unknown_card_of_the_group_is_asked_about(tmp_path: Path, asks: bool) -> None:
    """SendAuthorizeForStop, with an empty cache: asked about, or of no account."""
    ledger = Ledger(parents={TAG: "Family", OTHER_TAG: "Family"})
    settings: dict[str, Any] = {"SendAuthorizeForStop": asks, "AuthorizationCacheEnabled": "off"}
    async with rig(tmp_path, ledger, **settings) as bench:
        await bench.charging()
        await bench.swipe(OTHER_CARD)
        await bench.settled()
        assert len(ledger.of("Authorize", id_tag=OTHER_TAG)) == asks
        if asks:
            await ledger.wait_for("StopTransaction", id_tag=OTHER_TAG)
        else:
            assert not ledger.of("StopTransaction")


async def _refuse(action: str, _: Any) -> None:
    if action == "Authorize":
        raise InternalError("no data base")


@pytest.mark.parametrize("listed", [False, True], ids=["unknown", "on the list"])
async def test_an_authorize_answered_with_an_error_is_refused(tmp_path: Path, listed: bool) -> None:
    """AllowOfflineTxForUnknownId applies when there is no answer (section 3.5.4)."""
    ledger = Ledger(meanwhile=_refuse)
    async with rig(tmp_path, ledger, IfInDoubtAllowCharging="on") as bench:
        if listed:
            assert await send(bench, 1, entry(TAG)) == "Accepted"
        await bench.plug()
        await bench.swipe()
        await ledger.wait_for("Authorize")
        await bench.station.until(lambda c: c["led"] == "rejected")
        await bench.settled()
        assert not ledger.of("StartTransaction")


@pytest.mark.parametrize("blocked_by", ["StartTransaction", "Authorize"])
async def test_a_local_list_conflict_is_reported_until_the_next_list(
    tmp_path: Path, blocked_by: str
) -> None:
    """LocalListConflict (section 3.5.2)."""
    ledger = Ledger(
        at_start={TAG: {"status": "Blocked"}} if blocked_by == "StartTransaction" else {}
    )
    if blocked_by == "Authorize":
        ledger.judge = lambda tag: "Blocked" if tag == TAG else "Accepted"
    pre_authorize = "true" if blocked_by == "StartTransaction" else "false"
    async with rig(tmp_path, ledger, LocalPreAuthorize=pre_authorize) as bench:
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        await bench.plug()
        await bench.swipe()
        (conflict,) = await ledger.wait_for(
            "StatusNotification", connector_id=0, error_code="LocalListConflict"
        )
        assert conflict["status"] == "Available"
        assert await send(bench, 2, entry(TAG, "Blocked")) == "Accepted"
        await bench.status("Available", 0, count=3)
        assert ledger.of("StatusNotification", connector_id=0)[-1]["error_code"] == "NoError"


async def test_a_list_that_agrees_with_the_answers_is_no_conflict(tmp_path: Path) -> None:
    ledger = Ledger(at_start={TAG: {"status": "ConcurrentTx"}})
    async with rig(tmp_path, ledger, LocalPreAuthorize="true") as bench:
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        await bench.plug()
        await bench.swipe()
        await ledger.wait_for("StopTransaction", reason="DeAuthorized")
        await bench.settled()
        assert len(ledger.of("StatusNotification", connector_id=0)) == 1


FREE_TAG = "everybody"
MODES = {
    # tag of the transaction, whether a card is needed
    Mode.NO_OCPP: (None, False),
    Mode.STATUS_WITHOUT_AUTH: (None, False),
    Mode.STATUS_WITH_AUTH: (None, True),
    Mode.FULL_FIXED_WITH_AUTH: (FREE_TAG, True),
    Mode.FULL_FIXED_WITHOUT_AUTH: (FREE_TAG, False),
    Mode.FULL_ANY_RFID: (TAG, True),
}


@pytest.mark.parametrize("mode", MODES)
async def test_free_charging_reports_what_its_mode_prescribes(tmp_path: Path, mode: Mode) -> None:
    """Manual 5.2: no card is reported in modes 1 to 5, and none is asked about."""
    tag, needs_card = MODES[mode]
    silent = mode is Mode.NO_OCPP
    settings: dict[str, Any] = {
        "FreeCharging": "on",
        "FreeChargingMode": mode.value,
        "FreeChargingRfidTag": FREE_TAG,
        "ClockAlignedDataInterval": 1,
        "StopTxnSampledData": "Energy.Active.Import.Register",
    }
    async with rig(tmp_path, booted=not silent, **settings) as bench:
        await bench.station.until_online()
        await bench.plug()
        if needs_card:
            await bench.swipe(CARD)
        await bench.station.until_state("charging")
        trigger = call.TriggerMessage(
            requested_message=MessageTrigger.status_notification, connector_id=1
        )
        answer = await bench.call(trigger)
        assert answer.status == ("Rejected" if silent else "Accepted")
        if needs_card:
            await bench.swipe(OTHER_CARD)  # of no account, in each mode
            await bench.swipe(CARD)
        else:
            await bench.unplug(force=True)
        await bench.station.until_state("finishing" if needs_card else "available")
        if tag is not None:
            await bench.ledger.wait_for("StopTransaction")
        await bench.settled()
        seen = [seen for seen in bench.ledger.seen if seen.action != "BootNotification"]
        actions = {seen.action for seen in seen}
        expected = {"Heartbeat"} if silent else {"Heartbeat", "StatusNotification"}
        transaction = {"StartTransaction", "StopTransaction"} if tag is not None else set()
        assert actions - {"MeterValues"} == expected | transaction
        assert tag is not None or "MeterValues" not in actions
        tags = {s.payload["id_tag"] for s in seen if "id_tag" in s.payload}
        assert tags == ({tag} if tag is not None else set())
        ends = [s.payload.get("id_tag") for s in seen if s.action == "StopTransaction"]
        assert ends == ([tag if needs_card else None] if tag is not None else [])
        unmentioned = {CARD, TAG, OTHER_CARD, OTHER_TAG} - {tag}
        assert not any(word in str(s.payload) for s in seen for word in unmentioned)


@pytest.mark.parametrize("how", ["switched off", "broken"])
async def test_a_card_at_a_socket_out_of_service_is_not_asked_about(
    tmp_path: Path, how: str
) -> None:
    async with rig(tmp_path) as bench:
        if how == "broken":
            await bench.station.simulator.set_fault("mcb-type2", active=True, connector=1)
            await bench.status("Faulted")
        else:
            await bench.call(
                call.ChangeAvailability(connector_id=1, type=AvailabilityType.inoperative)
            )
            await bench.status("Unavailable")
        await bench.swipe()
        await bench.settled()
        assert not bench.ledger.of("Authorize")
        await bench.plug(2)
        await bench.swipe(connector=None)  # the reader that both share means the other one
        await bench.ledger.wait_for("StartTransaction", connector_id=2)


async def test_an_expired_reservation_is_rejected(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench, seconds=-1.0) == "Rejected"
        await bench.settled()
        assert bench.ledger.statuses(1) == ["Available"]


async def test_a_connection_timeout_of_zero_is_rejected(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        for value, answer in (("0", "Rejected"), ("1", "Accepted")):
            asked = call.ChangeConfiguration(key="ConnectionTimeOut", value=value)
            assert (await bench.call(asked)).status == answer
