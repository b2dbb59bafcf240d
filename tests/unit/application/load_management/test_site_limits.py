"""The limit of the group and its sources (manual 7.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest

from borne.application.load_management.learnt_skew import LearntSkew
from borne.application.load_management.site_limits import SiteLimits
from borne.application.settings.running import RunningSettings
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.load_status import SiteLimitRow
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.settings.choices import DlmInput1, DlmInput2, DlmRole, MeterLocation, OffOn
from borne.domain.settings.entry import Amps
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import Message
from borne.foundation.units import ZERO, PerPhase
from tests.support.virtual_time import virtual_time

SAME = PerPhase.same
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
BASE: dict[str, Any] = {
    "DLMRole": DlmRole.MASTER,
    "DLMEVSESubDistributionLimit": Amps(63, 63, 63),
    "DLMOperatorEVSESubDistributionLimit": Amps(63, 63, 63),
    "TimeZone": "Europe/Paris",
}
METER: dict[str, Any] = {
    "DLMExternalMeterSupport": True,
    "DLMMainDistributionLimit": Amps(100, 100, 100),
    "DLMExternalMeterLocation": MeterLocation.EXCLUDING,
}


class Inputs:
    def __init__(self) -> None:
        self.levels: dict[int, bool] = {1: False, 2: False}
        self.changed: Signal[None] = Signal()

    def active(self, number: int) -> bool:
        return self.levels[number]

    def subscribe(self, listener: Callable[[int, bool], None]) -> Unsubscribe:
        return self.changed.subscribe(lambda _: listener(1, True))

    def set(self, number: int, level: bool) -> None:
        self.levels[number] = level
        self.changed.emit(None)


class Meter:
    def __init__(self) -> None:
        self.changed: Signal[SiteMeterStatus] = Signal()
        self.model = ""
        self.status = SiteMeterStatus(SiteMeterState.SILENT, SAME(9999))

    def show(
        self,
        amps: float | None,
        *,
        digital_input: bool | None = None,
        doubt: str = "",
    ) -> None:
        now_s = asyncio.get_running_loop().time()
        state = SiteMeterState.DOUBTED if doubt else SiteMeterState.OK
        current_a = None if amps is None else SAME(amps)
        self.status = SiteMeterStatus(
            SiteMeterState.SILENT if amps is None else state,
            SAME(9999),
            self.model,
            current_a=current_a,
            measurement=Measurement(now_s, digital_input=digital_input),
            age_s=0.0,
            reason=Message(doubt) if doubt else None,
            shown_a=current_a,
            changes_only=True,
        )
        self.changed.emit(self.status)


class Bench:
    def __init__(
        self,
        now: datetime = NOON,
        trust: ClockTrust = ClockTrust.NTP,
        inputs: Inputs | None = None,
        **settings: Any,
    ) -> None:
        self.settings = RunningSettings(Settings(stored=BASE | settings))
        self.clock = Clock(asyncio.get_running_loop().time, now, trust)
        self.meter = Meter()
        self.limits = SiteLimits(self.settings, inputs, self.meter, self.clock)
        self.news: list[bool] = []
        self.limits.start()
        self.limits.changed.subscribe(self.news.append)

    def put(self, **settings: Any) -> None:
        self.settings.replace(self.settings().with_values(settings))

    def row(self, source: LimitCause) -> SiteLimitRow:
        (found,) = (row for row in self.limits.rows if row.source is source)
        return found

    @property
    def sources(self) -> list[LimitCause]:
        return [row.source for row in self.limits.rows]


@virtual_time
async def test_the_fuse_of_the_board_and_the_operators_limit() -> None:
    bench = Bench(DLMOperatorEVSESubDistributionLimit=Amps(63, 40, 63))
    assert bench.limits.limit_a == PerPhase(63, 40, 63)
    assert bench.row(LimitCause.SUB_DISTRIBUTION).effective == (True, False, True)
    assert bench.row(LimitCause.OPERATOR).effective == (False, True, False)
    assert str(bench.row(LimitCause.OPERATOR).reason) == "Set by the operator: 63/40/63 A."
    assert bench.row(LimitCause.OPERATOR).since == NOON


@virtual_time
async def test_a_changed_setting_acts_at_once() -> None:
    bench = Bench()
    bench.put(DLMOperatorEVSESubDistributionLimit=Amps(20, 20, 20))
    assert bench.limits.limit_a == SAME(20)
    bench.put(DLMOperatorEVSESubDistributionLimit=Amps(30, 30, 30))
    assert bench.limits.limit_a == SAME(30)
    assert bench.news == [True, False]


@virtual_time
async def test_the_operators_limit_is_never_above_the_fuse() -> None:
    bench = Bench(
        DLMEVSESubDistributionLimit=Amps(32, 32, 32),
        DLMOperatorEVSESubDistributionLimit=Amps(80, 80, 80),
    )
    assert bench.limits.limit_a == SAME(32)
    assert "80 A, cut to the fuse of the board: 32 A" in str(bench.row(LimitCause.OPERATOR).reason)


# Scheduler ---------------------------------------------------------------------------------------


def night(*windows: str) -> dict[str, Any]:
    return {"DLMMaxCurrentScheduler": True, "DLMMaxCurrentSchedule": windows}


@virtual_time
async def test_a_window_begins_and_ends_with_the_local_time() -> None:
    bench = Bench(**night("13:30;14:00;10,12,14"))  # Paris is an hour ahead
    assert LimitCause.SCHEDULER not in bench.sources
    await asyncio.sleep(30 * 60 + 1)
    row = bench.row(LimitCause.SCHEDULER)
    assert (bench.limits.limit_a, row.until) == (PerPhase(10, 12, 14), NOON + timedelta(hours=1))
    assert str(row.reason) == "Scheduler from 13:30 to 14:00: 10/12/14 A."
    await asyncio.sleep(30 * 60)
    assert bench.limits.limit_a == SAME(63)
    assert bench.news == [True, False]


@virtual_time
async def test_of_overlapping_windows_the_lowest_counts_across_midnight() -> None:
    bench = Bench(**night("22:00;06:00;20,20,20", "12:00;14:00;30,30,30", "13:00;13:30;16,16,16"))
    assert bench.limits.limit_a == SAME(16)
    await asyncio.sleep(31 * 60)
    assert bench.limits.limit_a == SAME(30)
    await asyncio.sleep(9 * 3600)
    assert bench.limits.limit_a == SAME(20)
    assert bench.row(LimitCause.SCHEDULER).until == datetime(2026, 12, 1, 5, 0, tzinfo=UTC)


@virtual_time
async def test_a_whole_day_has_no_end() -> None:
    bench = Bench(**night("00:00;24:00;20,20,20"))
    assert bench.row(LimitCause.SCHEDULER).until is None


@virtual_time
async def test_without_a_clock_every_window_counts() -> None:
    bench = Bench(trust=ClockTrust.NONE, **night("22:00;06:00;20,20,20", "01:00;02:00;10,10,10"))
    assert bench.limits.limit_a == SAME(10)
    bench.clock.observe(NOON, ClockTrust.NTP)
    assert bench.limits.limit_a == SAME(63)


@virtual_time
async def test_a_step_of_the_clock_is_looked_at_at_once() -> None:
    bench = Bench(**night("22:00;06:00;20,20,20"))
    bench.clock.observe(NOON.replace(hour=23), ClockTrust.NTP)
    assert bench.limits.limit_a == SAME(20)
    bench.clock.observe(NOON, ClockTrust.NTP)
    assert bench.limits.limit_a == SAME(63)


@pytest.mark.parametrize(
    ("date", "at_utc", "local"),
    [("2026-03-29", "01:00", "forward"), ("2026-10-25", "01:00", "back")],
)
@virtual_time
async def test_daylight_saving_moves_the_window(date: str, at_utc: str, local: str) -> None:
    """The clocks of Paris jump at 01:00 UTC: 2:00 to 3:00, or 3:00 to 2:00."""
    start = datetime.fromisoformat(f"{date}T{at_utc}:00+00:00") - timedelta(minutes=10)
    bench = Bench(start, **night("02:00;03:00;20,20,20"))
    assert bench.limits.limit_a == (SAME(63) if local == "forward" else SAME(20))
    await asyncio.sleep(11 * 60)
    assert bench.limits.limit_a == (SAME(63) if local == "forward" else SAME(20))
    await asyncio.sleep(61 * 60)
    assert bench.limits.limit_a == SAME(63)


@virtual_time
async def test_a_window_within_the_hour_that_comes_twice() -> None:
    start = datetime(2026, 10, 25, 0, 25, tzinfo=UTC)
    bench = Bench(start, **night("02:30;04:00;20,20,20"))
    seen = []
    for _ in range(16):
        seen.append(bench.limits.limit_a == SAME(20))
        await asyncio.sleep(10 * 60)
    assert seen == [False, True, True, True, False, False, False] + [True] * 9


# Inputs ------------------------------------------------------------------------------------------

ONE: dict[str, Any] = {
    "DLMExternalInput1Config": DlmInput1.OPTO_1,
    "DLMExternalInput1Limit": Amps(8, 9, 10),
}
INVERTED: dict[str, Any] = {
    "DLMExternalInput2Config": DlmInput2.OPTO_2_INVERTED,
    "DLMExternalInput2Limit": Amps(7, 7, 7),
}


@virtual_time
async def test_an_input_limits_while_it_is_active() -> None:
    inputs = Inputs()
    bench = Bench(inputs=inputs, **ONE)
    assert bench.limits.limit_a == SAME(63)
    inputs.set(1, True)
    assert bench.limits.limit_a == PerPhase(8, 9, 10)
    text = "External input 1 is active: 8/9/10 A."
    assert str(bench.row(LimitCause.EXTERNAL_INPUT).reason) == text
    inputs.set(1, False)
    assert bench.limits.limit_a == SAME(63)
    assert bench.news == [True, False]


@virtual_time
async def test_an_inverted_input_limits_while_it_is_open() -> None:
    inputs = Inputs()
    bench = Bench(inputs=inputs, **INVERTED)
    assert bench.limits.limit_a == SAME(7)
    inputs.set(2, True)
    assert bench.limits.limit_a == SAME(63)


@pytest.mark.parametrize("settings", [ONE, INVERTED], ids=["normal", "inverted"])
@virtual_time
async def test_an_input_that_cannot_be_read_counts_as_active(settings: dict[str, Any]) -> None:
    without = Bench(**settings)
    assert without.limits.limit_a.l1 in {7, 8}
    broken = Inputs()
    broken.levels.clear()
    assert Bench(inputs=broken, **settings).limits.limit_a.l1 in {7, 8}


@virtual_time
async def test_the_digital_input_of_the_second_meter() -> None:
    bench = Bench(
        **METER,
        DLMMeterDigitalInputConfig=OffOn.ON,
        DLMMeterDigitalInputLimit=Amps(10, 10, 10),
    )
    assert bench.row(LimitCause.EXTERNAL_INPUT).amps == SAME(10)  # silent: it counts as active
    bench.meter.show(0, digital_input=False)
    assert LimitCause.EXTERNAL_INPUT not in bench.sources
    bench.meter.show(0, digital_input=True)
    assert bench.limits.limit_a == SAME(10)
    bench.meter.show(0, digital_input=None)
    assert "not known" in str(bench.row(LimitCause.EXTERNAL_INPUT).reason)


# Main distribution -------------------------------------------------------------------------------


@virtual_time
async def test_a_connection_of_100_a_with_a_building_of_37_a() -> None:
    bench = Bench(**METER, DLMExternalLoadHeadroom=Amps(2, 2, 2))
    bench.meter.show(37)
    row = bench.row(LimitCause.EXTERNAL_LOAD)
    assert (bench.limits.limit_a, row.amps) == (SAME(61), SAME(61))
    text = "Main distribution 100 A, less 2 A headroom and 37 A of the building."
    assert str(row.reason) == text
    assert (row.age_s, row.fallback_a) == (0.0, ZERO)
    assert bench.limits.external_a == SAME(37)


@virtual_time
async def test_a_rise_counts_at_once_and_a_fall_on_average() -> None:
    bench = Bench(**METER, DLMExternalLoadAveraging=10)
    bench.meter.show(50)
    await asyncio.sleep(20)
    bench.meter.show(80)
    assert bench.limits.limit_a == SAME(20)
    await asyncio.sleep(20)
    bench.meter.show(50)
    assert bench.limits.limit_a == SAME(20)
    await asyncio.sleep(5)
    assert bench.limits.limit_a == SAME(35)
    await asyncio.sleep(6)
    assert bench.limits.limit_a == SAME(50)
    bench.put(DLMExternalLoadAveraging=300)
    assert bench.limits.limit_a.l1 < 50


@virtual_time
async def test_a_silent_meter_leaves_what_the_fallback_leaves() -> None:
    bench = Bench(**METER)
    assert bench.limits.limit_a == ZERO
    assert bench.limits.external_a == SAME(9999)
    bench.meter.show(37)
    assert bench.limits.limit_a == SAME(63)
    bench.meter.show(None)
    assert bench.limits.limit_a == ZERO
    assert bench.row(LimitCause.EXTERNAL_LOAD_FALLBACK).effective == (True, True, True)
    bench.put(DLMExternalLoadFallback=Amps(80, 80, 80))
    assert bench.limits.limit_a == SAME(20)
    assert bench.news == [False, True, False]


@virtual_time
async def test_without_a_main_limit_nothing_is_left() -> None:
    bench = Bench(DLMExternalMeterSupport=True)
    bench.meter.show(5)
    assert bench.limits.limit_a == ZERO


@virtual_time
async def test_export_counts_as_zero() -> None:
    bench = Bench(**METER | {"DLMMainDistributionLimit": Amps(40, 40, 40)})
    bench.meter.show(-30)
    assert bench.limits.limit_a == SAME(40)


@virtual_time
async def test_a_doubted_meter_is_worded() -> None:
    bench = Bench(**METER)
    bench.meter.show(37, doubt="It does not follow.")
    assert str(bench.row(LimitCause.EXTERNAL_LOAD).reason).endswith("It does not follow.")


@virtual_time
async def test_including_subtracts_what_the_stations_draw() -> None:
    bench = Bench(**METER | {"DLMExternalMeterLocation": MeterLocation.INCLUDING})
    bench.limits.note_drawn(ZERO)
    bench.meter.show(60)
    await asyncio.sleep(40)
    assert bench.limits.limit_a == SAME(40)
    bench.meter.show(80)
    bench.limits.note_drawn(SAME(20))
    await asyncio.sleep(60)  # the first step may still be the building's
    assert bench.limits.external_a == SAME(60)
    bench.put(DLMExternalMeterLocation=MeterLocation.EXCLUDING)
    assert bench.limits.limit_a == SAME(20)


@virtual_time
async def test_what_was_learnt_of_a_meter_counts_for_that_meter() -> None:
    """A rise of the stations is theirs, at the time at which the known meter shows it."""
    for model, external_a in (("known", 60.0), ("another", 80.0)):
        bench = Bench(**METER | {"DLMExternalMeterLocation": MeterLocation.INCLUDING})
        bench.limits.remember(LearntSkew("known", 5, 6))
        bench.meter.model = model
        bench.limits.note_drawn(ZERO)
        bench.meter.show(60)
        await asyncio.sleep(60)
        bench.limits.note_drawn(SAME(20))
        await asyncio.sleep(5.5)
        bench.meter.show(80)
        await asyncio.sleep(5)
        assert bench.limits.external_a == SAME(external_a)
        assert (bench.limits.learnt is not None) is (model == "known")


@virtual_time
async def test_an_answer_of_another_meter_does_not_make_forget_the_known_one() -> None:
    """One answer that does not count, and one of a meter that was accepted."""
    for accepted in (False, True):
        bench = Bench(**METER | {"DLMExternalMeterLocation": MeterLocation.INCLUDING})
        bench.meter.model = "Acme"
        bench.limits.note_drawn(ZERO)
        bench.meter.show(30)
        await asyncio.sleep(60)
        bench.limits.note_drawn(SAME(16))
        await asyncio.sleep(5.5)
        bench.meter.show(46)
        await asyncio.sleep(60)
        learnt = bench.limits.learnt
        assert learnt is not None
        own = bench.meter.status
        bench.meter.status = replace(
            own, serial_number="4711", accepted_serial_number="" if accepted else "4710"
        )
        bench.meter.changed.emit(bench.meter.status)
        bench.meter.status = own
        bench.meter.changed.emit(own)
        assert bench.limits.learnt == learnt


@virtual_time
async def test_a_polled_meter_is_not_read_twice() -> None:
    """What it showed before it was late is not what it shows now."""
    bench = Bench(**METER | {"DLMExternalMeterLocation": MeterLocation.INCLUDING})
    bench.limits.note_drawn(ZERO)
    bench.meter.show(30)
    at_s = asyncio.get_running_loop().time()
    status = bench.meter.status
    bench.meter.status = SiteMeterStatus(
        status.state,
        status.fallback_a,
        current_a=status.current_a,
        shown_a=status.shown_a,
        measurement=Measurement(at_s),
    )
    await asyncio.sleep(15)
    assert bench.limits.external_a == SAME(9999)  # nothing new for longer than a meter may be late


# From outside ------------------------------------------------------------------------------------


@virtual_time
async def test_the_backends_station_limit_counts_for_the_group_if_set() -> None:
    bench = Bench()
    bench.limits.put_backend(16.0)
    assert bench.limits.limit_a == SAME(63)
    bench.put(DLMBackendLimitIsGroup=True)
    assert bench.limits.limit_a == SAME(16)
    bench.limits.put_backend(nan)
    assert bench.limits.limit_a == ZERO
    bench.limits.put_backend(None)
    assert bench.limits.limit_a == SAME(63)


@virtual_time
async def test_an_energy_manager_that_falls_silent_leaves_its_fallback() -> None:
    bench = Bench()
    bench.limits.put_manager("hems", SAME(30), lasts_s=60, fallback_a=SAME(10))
    bench.limits.put_manager("other", SAME(40))
    assert bench.limits.limit_a == SAME(30)
    await asyncio.sleep(61)
    assert bench.limits.limit_a == SAME(10)
    assert "hems is silent" in str(bench.limits.rows[2].reason)
    bench.limits.withdraw_manager("other")
    assert bench.limits.limit_a == SAME(10)
    bench.limits.put_manager("hems", SAME(inf))
    assert bench.limits.limit_a == ZERO
    bench.limits.withdraw_manager("hems")
    assert bench.limits.limit_a == SAME(63)


@virtual_time
async def test_since_is_kept_while_a_source_holds() -> None:
    bench = Bench(**METER)
    bench.meter.show(37)
    await asyncio.sleep(60)
    bench.meter.show(40)
    assert bench.row(LimitCause.EXTERNAL_LOAD).since == NOON


@virtual_time
async def test_after_the_end_nothing_changes() -> None:
    inputs = Inputs()
    bench = Bench(inputs=inputs, **ONE, **METER)
    bench.limits.abort()
    inputs.set(1, True)
    bench.put(DLMOperatorEVSESubDistributionLimit=Amps(20, 20, 20))
    await asyncio.sleep(10)
    assert bench.news == []
