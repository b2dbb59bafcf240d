"""What is billed when meters, power and clock fail: a whole station on virtual time, with causes of
the simulated world; what a backend would receive is read from the queue (decisions 0125 to 0128).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from borne.domain.principals import SYSTEM
from borne.domain.station.faults import Fault
from borne.domain.station.session import SessionFlag
from borne.domain.station.transaction_messages import MessageKind
from borne.foundation.clock import ClockTrust
from tests.support.billing import REPORTED, billed_wh, check_messages, running_station
from tests.support.virtual_time import run_virtual

FREE = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
METERS_THAT_LIE = [
    ("meter-step", -5),
    ("meter-step", -500_000),
    ("meter-step", 500),
    ("meter-step", 5_000_000),
    ("meter-backwards", None),
    ("meter-jump", None),
    ("meter-replaced", 0),
    ("meter-exchanged", 0),
    ("meter-exchanged", 900_000_000),
    ("meter-frozen", None),
    ("meter-factor", 10),
    ("meter-factor", 2),
    ("meter-factor", 0.3),
]


@pytest.mark.parametrize(
    ("cause", "value", "interval_s"),
    [
        *((cause, value, 10) for cause, value in METERS_THAT_LIE),
        *((cause, value, 900) for cause, value in METERS_THAT_LIE if value in (-5, 10, None)),
    ],
)
def test_a_wrong_meter_bills_only_the_believed_energy(
    tmp_path: Path, cause: str, value: object, interval_s: int
) -> None:
    async def scenario() -> None:
        async with running_station(tmp_path, MeterValueSampleInterval=interval_s) as at:
            await at.charge()
            shown_wh = at.shown_wh
            assert shown_wh > 300
            await at.cause(cause, value)
            for _ in range(30):
                await asyncio.sleep(5)
                at.connector()
            record = await at.session()
            true_wh = at.socket.energy_wh
            assert shown_wh <= billed_wh(record) <= true_wh * 1.1 + 20
            assert SessionFlag.METER_FAULT in record.flags
            assert not record.billable
            assert Fault.METER_IMPLAUSIBLE in at.faults
            assert not at.socket.contactor.closed
            messages = await at.messages()
            assert [m.message.kind for m in messages].count(MessageKind.STOP) == 1
            check_messages(messages)

    run_virtual(scenario())


def test_another_meter_is_shown_as_soon_as_its_session_is_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_station(tmp_path) as at:
            await at.charge()
            await at.cause("meter-exchanged", 777)
            await asyncio.sleep(30)
            assert (await at.session()).end is not None
            assert at.connector()["register_wh"] == at.socket.register_wh == 777

    run_virtual(scenario())


def test_a_jump_of_a_polled_meter_is_noticed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_station(tmp_path, MeterValueSampleInterval=5) as at:
            await at.cause("meter-polled")
            await at.charge()
            shown_wh = at.shown_wh
            await at.cause("meter-jump")
            await asyncio.sleep(30)
            record = await at.session()
            assert shown_wh <= billed_wh(record) <= shown_wh + 20
            assert not record.billable
            check_messages(await at.messages())

    run_virtual(scenario())


def test_energy_since_the_last_sample_is_billed_though_the_meter_is_silent(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running_station(tmp_path, MeterValueSampleInterval=900) as at:
            await at.charge(60)
            shown_wh = at.shown_wh
            await at.cause("meter-ocpp")
            await asyncio.sleep(60)
            record = await at.session()
            assert billed_wh(record) >= shown_wh > 150
            assert SessionFlag.METER_SILENT_AT_STOP in record.flags
            assert record.billable, "it is less than what flowed"

    run_virtual(scenario())


@pytest.mark.parametrize("settings", [REPORTED, FREE], ids=["billed", "free"])
@pytest.mark.parametrize(
    ("cause", "value"),
    [
        ("meter-ocpp", None),
        ("meter-garbage", None),
        ("meter-nan", "register"),
        ("meter-nan", "current"),
    ],
)
def test_over_current_protection_is_never_blind(
    tmp_path: Path, cause: str, value: object, settings: dict[str, str]
) -> None:
    """A rogue car draws 30 A and no meter reports it."""

    async def scenario() -> None:
        async with running_station(tmp_path, **settings, OperatorCurrentLimit=16) as at:
            await at.cause("meter-polled")
            await at.charge(20)
            await at.cause(cause, value)
            await at.simulator.change_vehicle(1, {"rogue_a": 30.0})
            read = at.station.metering.read(1)
            assert await read is None
            await asyncio.sleep(5.1)
            assert at.connector()["offered_a"] == [6.0] * 3
            assert "meter" in {row["source"] for row in at.connector()["limits"]}
            await asyncio.sleep(5)
            assert Fault.METER_BILLING in at.faults
            await asyncio.sleep(7)
            assert not at.socket.contactor.closed
            assert (await at.session()).end is not None
            await at.cause(cause, active=False)
            await at.station.metering.read(1)
            await asyncio.sleep(1)
            assert Fault.METER_BILLING not in at.faults
            assert "meter" not in {row["source"] for row in at.connector()["limits"]}

    run_virtual(scenario())


def test_a_meter_without_a_power_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_station(tmp_path) as at:
            await at.cause("meter-nan", "power")
            await at.charge()
            assert at.connector()["power_w"] == 11_040
            assert at.faults == set()
            await at.simulator.unplug(1, force=True)
            await asyncio.sleep(10)
            record = await at.session()
            assert billed_wh(record) == at.socket.energy_wh
            assert record.billable
            messages = await at.messages()
            assert len(messages) > 10
            check_messages(messages)

    run_virtual(scenario())


class TestPower:
    @pytest.mark.parametrize("relative_wh", [500_000, 5_000, 5, -500_000])
    def test_a_meter_exchanged_while_the_station_was_off_bills_nothing_new(
        self, tmp_path: Path, relative_wh: int
    ) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path) as at:
                await at.charge()
                shown_wh = at.shown_wh
                await at.host.cut()
                register_wh = at.socket.register_wh + relative_wh
                await at.cause("meter-exchanged", max(0, register_wh))
                await asyncio.sleep(60)
                await at.host.restore()
                await asyncio.sleep(60)
                record = await at.session()
                assert shown_wh - 1 <= billed_wh(record) <= shown_wh
                assert SessionFlag.METER_FAULT in record.flags
                assert not record.billable
                assert Fault.METER_IMPLAUSIBLE in at.faults
                check_messages(await at.messages())

        run_virtual(scenario())

    @pytest.mark.parametrize("resume", ["on", "off"])
    @pytest.mark.parametrize(
        ("step_wh", "believed"), [(0, True), (300, True), (5_000, False), (-5, False)]
    )
    def test_what_the_same_meter_counted_meanwhile_is_believed_if_it_can_have_flowed(
        self, tmp_path: Path, step_wh: int, believed: bool, resume: str
    ) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path, RestartTransactionAfterPowerLoss=resume) as at:
                await at.charge()
                shown_wh = at.shown_wh
                await at.host.cut()
                if step_wh:
                    await at.cause("meter-step", step_wh)
                await asyncio.sleep(60)
                await at.host.restore()
                await asyncio.sleep(1)
                await at.simulator.unplug(1, force=True)
                await asyncio.sleep(10)
                record = await at.session()
                min_wh = shown_wh + step_wh if believed else shown_wh
                assert min_wh <= billed_wh(record) <= min_wh + 4, "a second before the cut"
                assert (SessionFlag.METER_FAULT not in record.flags) is believed
                assert record.billable is believed
                check_messages(await at.messages())

        run_virtual(scenario())

    def test_a_session_goes_on_through_power_cuts_with_every_watt_hour(
        self, tmp_path: Path
    ) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path, MeterValueSampleInterval=900) as at:
                await at.charge()
                for _ in range(5):
                    await at.off_for(20)
                    await asyncio.sleep(90)
                await at.simulator.unplug(1, force=True)
                await asyncio.sleep(10)
                record = await at.session()
                assert abs(billed_wh(record) - at.socket.energy_wh) <= 1
                assert record.billable
                check_messages(await at.messages())

        run_virtual(scenario())

    def test_a_doubt_outlives_a_power_cut(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path, RestartTransactionAfterPowerLoss="off") as at:
                await at.charge()
                await at.cause("meter-step", -5)
                await asyncio.sleep(0.05)
                await at.off_for(5)
                await asyncio.sleep(1)
                record = await at.session()
                assert SessionFlag.METER_FAULT in record.flags
                assert not record.billable

        run_virtual(scenario())

    def test_a_meter_exchanged_between_two_sessions_raises_no_doubt(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path) as at:
                await at.host.cut()
                await at.cause("meter-exchanged", 17)
                await at.host.restore()
                await asyncio.sleep(10)
                assert at.faults == set()
                await at.charge()
                await at.simulator.unplug(1, force=True)
                await asyncio.sleep(10)
                record = await at.session()
                assert record.start.meter_start_wh == 17
                assert record.start.meter_serial == at.socket.meter_serial
                assert record.billable

        run_virtual(scenario())

    @pytest.mark.parametrize("harm", ["missing", "empty", "damaged"])
    def test_without_the_accounts_the_journal_s_samples_hold(
        self, tmp_path: Path, harm: str
    ) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path) as at:
                await at.charge()
                await at.host.cut()
                file = tmp_path / "meters"
                match harm:
                    case "missing":
                        file.unlink()
                    case "empty":
                        file.write_bytes(b"")
                    case _:
                        file.write_bytes(b"\0" * 100_000)
                await asyncio.sleep(10)
                await at.host.restore()
                await asyncio.sleep(60)
                await at.simulator.unplug(1, force=True)
                await asyncio.sleep(10)
                record = await at.session()
                assert abs(billed_wh(record) - at.socket.energy_wh) <= 1
                assert record.billable

        run_virtual(scenario())


class TestClock:
    @pytest.mark.parametrize(
        "step", [timedelta(hours=-1), timedelta(days=400), timedelta(days=-400)], ids=str
    )
    @pytest.mark.parametrize("then", ["unplug", "power cut", "restart"])
    def test_a_clock_that_is_set_moves_no_date_of_a_running_session(
        self, tmp_path: Path, step: timedelta, then: str
    ) -> None:
        async def scenario() -> None:
            async with running_station(tmp_path) as at:
                await at.charge(300)
                at.host.clock.observe(at.host.clock.now() + step, ClockTrust.BACKEND)
                at.wall_error += step
                await asyncio.sleep(300)
                match then:
                    case "power cut":
                        await at.off_for(60)
                        await asyncio.sleep(60)
                    case "restart":
                        await at.host.restart(SYSTEM, "now")
                        await asyncio.sleep(60)
                await at.simulator.unplug(1, force=True)
                await asyncio.sleep(10)
                record = await at.session()
                assert record.end is not None
                assert record.end.at.wall is not None
                assert record.start.at.wall is not None
                duration = record.end.at.wall - record.start.at.wall
                if then == "power cut" and step > timedelta():
                    assert duration >= timedelta(seconds=600), (
                        "the duration without power is unknown"
                    )
                else:
                    assert timedelta(seconds=600) <= duration < timedelta(seconds=750)
                check_messages(await at.messages())

        run_virtual(scenario())


def test_pulses_are_over_current(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_station(tmp_path, OperatorCurrentLimit=6) as at:
            await at.charge(20)
            await at.cause("car-pulses", {"high_a": 30, "high_s": 6.5, "low_a": 6, "low_s": 0.5})
            await asyncio.sleep(20)
            assert Fault.OVER_CURRENT in at.faults
            assert not at.socket.contactor.closed

    run_virtual(scenario())
