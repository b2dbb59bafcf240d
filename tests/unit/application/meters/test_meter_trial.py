"""The live test: findings with what the station knows of its sockets and of the building."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from borne.application.meters.meter_trial import MeterTrials, Polls
from borne.application.meters.own_current import OwnCurrent
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.measurement import Measurement
from borne.domain.settings.choices import MeterLocation
from borne.domain.settings.entry import Amps
from borne.domain.settings.snapshot import Settings
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal
from borne.foundation.messages import Message
from borne.foundation.units import PerPhase
from tests.support.virtual_time import virtual_time

ADDRESS = MeterAddress("siemens_7km2200", host="192.168.1.2")
V230 = PerPhase.same(230.0)


class Sockets:
    """The billing meters of the station."""

    def __init__(self) -> None:
        self.changed: Signal[int] = Signal()
        self.readings: dict[int, MeterReading] = {}
        self.blind_connectors: tuple[int, ...] = ()

    def draw(self, *amps: float) -> None:
        self.readings[1] = MeterReading(0, PerPhase(*amps), V230, 0.0, 0.0)
        self.changed.emit(1)


def measured(*amps: float) -> Measurement:
    current_a = PerPhase(*amps)
    power_w = current_a.times(V230)
    at_s = asyncio.get_running_loop().time()
    return Measurement(at_s, V230, current_a, power_w, power_w.total, 1, 0, 50.0)


class Bench:
    """A trial whose polls come from the test."""

    def __init__(self, *polls: Sequence[float], **settings: Any) -> None:
        self.sockets = Sockets()
        self.polls = polls
        self.error: Message | None = None
        values = Settings(stored={"DLMExternalMeterLocation": MeterLocation.INCLUDING, **settings})
        clock = Clock(
            asyncio.get_running_loop().time, datetime(2026, 3, 1, tzinfo=UTC), ClockTrust.NTP
        )
        own_current = OwnCurrent(self.sockets, lambda: values)
        self.trial = MeterTrials(self._poll, lambda: values, own_current, clock)

    async def _poll(self, address: MeterAddress) -> Polls:
        assert address == ADDRESS
        measurements = []
        for number, amps in enumerate(self.polls):
            if number:
                await asyncio.sleep(1)
                self.sockets.draw(16, 0, 0)
                await asyncio.sleep(1)
            measurements.append(measured(*amps))
        await asyncio.sleep(0.5)
        return Polls(measurements, "model", self.error)


@virtual_time
async def test_a_good_meter() -> None:
    bench = Bench((1, 2, 3), (17, 2, 3))
    result = await bench.trial(ADDRESS)
    assert result.good
    assert (result.age_s, result.duration_s, result.model) == (0.5, 2.5, "model")


@virtual_time
async def test_sockets_that_begin_to_draw_show_the_order_of_the_phases() -> None:
    result = await Bench((1, 2, 3), (1, 18, 3)).trial(ADDRESS)
    assert [found.code.value for found in result.findings] == ["phase-order"]
    beside = Bench((1, 2, 3), (1, 18, 3), DLMExternalMeterLocation=MeterLocation.EXCLUDING)
    assert (await beside.trial(ADDRESS)).good


@virtual_time
async def test_the_main_limit_bounds_the_currents() -> None:
    limit = Bench((200, 2, 3), DLMMainDistributionLimit=Amps(35, 35, 35))
    result = await limit.trial(ADDRESS)
    assert [found.code.value for found in result.findings] == ["implausible"]


@virtual_time
async def test_a_silent_meter() -> None:
    bench = Bench()
    bench.error = Message("gone")
    result = await bench.trial(ADDRESS)
    assert (result.good, result.measurements, result.age_s) == (False, [], None)
    assert str(result.error) == "gone"
