"""An external meter whose values are late."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from borne.adapters.simulation import late_values
from borne.adapters.simulation.hardware import external_meter
from borne.adapters.simulation.late_values import LateValues, MeterDelay
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import World
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from borne.foundation.units import PerPhase
from tests.support.virtual_time import virtual_time


class Street:
    """A building of 10 A, and a meter before it."""

    def __init__(self, skew_s: float, period_s: float) -> None:
        self.world = World(1, random.Random(3))
        self.world.site.building_a = PerPhase.same(10)
        self.late = LateValues(self.world, "building", MeterDelay(skew_s, period_s))
        self.began_s = self.world.loop.time()

    async def until(self, at_s: float) -> None:
        await asyncio.sleep(self.began_s + at_s - self.world.loop.time())

    async def load(self, amps: float) -> None:
        await Simulator(self.world).set_site({"building_a": amps})

    def shown_a(self) -> float | None:
        return self.late().current_a[0]

    async def shown_at(self, moments_s: Sequence[float]) -> list[float | None]:
        shown: list[float | None] = []
        for at_s in moments_s:
            await self.until(at_s)
            shown.append(self.shown_a())
        return shown


@virtual_time
async def test_a_change_is_shown_at_the_first_period_after_the_skew() -> None:
    street = Street(skew_s=7, period_s=5)
    assert street.shown_a() == 10
    await street.until(4)
    await street.load(20)  # shown from 15 s on
    await street.until(6)
    await street.load(30)  # 15 s, too
    await street.until(9)
    await street.load(40)  # 20 s
    assert await street.shown_at([11.5, 14.9, 15.1, 19.9, 20.1]) == [10, 10, 30, 30, 40]
    assert street.late().power_w == PerPhase.same(40 * 230)


@virtual_time
async def test_without_a_period_each_change_is_shown_after_the_skew() -> None:
    street = Street(skew_s=3, period_s=0)
    await street.load(20)
    await street.until(1)
    await street.load(30)
    assert await street.shown_at([2.9, 3.1, 3.9, 4.1]) == [10, 20, 20, 30]


@virtual_time
async def test_the_meter_reports_a_change_when_it_becomes_visible() -> None:
    street = Street(skew_s=2, period_s=1)
    meter = external_meter(street.world, "building", street.late)
    reports: list[tuple[float, float | None]] = []

    def note(reading: Measurement | MeterSilent) -> None:
        assert isinstance(reading, Measurement)
        now_s = street.world.loop.time() - street.began_s
        reports.append((round(now_s, 3), reading.current_a[0]))

    meter.subscribe(note)
    await meter.start()
    await street.until(0.5)
    await street.load(20)
    await street.until(1.25)
    await street.load(30)
    await street.until(10)
    assert [report for report in reports if report[0] > 0] == [(3.0, 20), (4.0, 30)]


@virtual_time
async def test_the_history_is_bounded() -> None:
    street = Street(skew_s=30, period_s=1)
    last = late_values.MAX_HISTORY + 99
    for number in range(1, last + 1):
        await street.load(number % 900)
        await street.until(number / 1000)
    assert street.shown_a() == last - late_values.MAX_HISTORY + 1
    await street.until(60)
    assert street.shown_a() == last % 900


@virtual_time
async def test_a_closed_meter_follows_the_world_no_longer() -> None:
    street = Street(skew_s=2, period_s=0)
    await street.load(20)
    street.late.close()
    touched: list[World] = []
    street.world.changed.subscribe(touched.append)
    await street.until(10)
    assert touched == []
