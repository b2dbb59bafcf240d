"""Simulated meters: registers, readings, silence."""

import asyncio

import pytest

from borne.adapters.simulation.hardware import external_meter
from borne.adapters.simulation.register import EnergyRegister
from borne.application.ports import MeterReading, MeterSilent
from borne.foundation.units import PerPhase
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time


def test_register_counts_whole_wh_between_events() -> None:
    register = EnergyRegister(start_wh=1000, now_s=0.0)
    register.set_power(3600.0, now_s=10.0)
    assert [register.read_wh(s) for s in (10.0, 10.9, 11.0, 12.5, 20.0)] == [
        1000,
        1000,
        1001,
        1002,
        1010,
    ]


def test_register_does_not_count_export() -> None:
    register = EnergyRegister(start_wh=5, now_s=0.0)
    register.set_power(-5000.0, now_s=0.0)
    assert register.read_wh(3600.0) == 5


@virtual_time
async def test_one_hour_at_16_a_is_11040_wh() -> None:
    bench = await Bench().charging(16)
    before = await bench.meter.read()
    await asyncio.sleep(3600)
    after = await bench.meter.read()
    assert after.register_wh - before.register_wh == 11040
    assert after.current_a == PerPhase(16, 16, 16)
    assert after.voltage_v == PerPhase(230, 230, 230)
    assert after.power_w == 11040.0
    assert after.at_s - before.at_s == 3600.0


@virtual_time
async def test_meter_tells_changes_and_nothing_else() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.plug()
    bench.offer(16)
    await asyncio.sleep(600)
    bench.offer(10)
    await asyncio.sleep(600)
    told = [r.current_a.l1 for r in bench.readings if isinstance(r, MeterReading)]
    assert told == [16, 10]


@pytest.mark.parametrize("cause", ["meter-ocpp", "rcd-meter-loss"])
@virtual_time
async def test_silent_meter(cause: str) -> None:
    bench = await Bench().charging(16)
    await bench.cause(cause)
    await asyncio.sleep(1)
    assert [type(reading) for reading in bench.readings] == [MeterSilent]
    with pytest.raises(MeterSilent):
        await bench.meter.read()
    await bench.cause(cause, active=False)
    await asyncio.sleep(0)
    assert isinstance(bench.readings[-1], MeterReading)


@virtual_time
async def test_dead_meter_link_is_silence_while_the_register_counts() -> None:
    bench = await Bench().charging(16)
    before = await bench.meter.read()
    await bench.simulator.set_link("meter", up=False, mode="blackhole")
    await asyncio.sleep(360)
    with pytest.raises(MeterSilent):
        await bench.meter.read()
    await bench.simulator.set_link("meter", up=True, mode=None)
    assert (await bench.meter.read()).register_wh - before.register_wh == 1104


@pytest.mark.parametrize(
    ("cause", "shift_wh"), [("meter-backwards", -1_000), ("meter-jump", 5_000_000)]
)
@virtual_time
async def test_tampered_register_is_told_and_stays(cause: str, shift_wh: int) -> None:
    bench = await Bench().start()
    before = await bench.meter.read()
    await bench.cause(cause)
    await bench.cause(cause)
    await asyncio.sleep(0)
    await bench.cause(cause, active=False)
    after = await bench.meter.read()
    assert after.register_wh - before.register_wh == shift_wh
    assert bench.readings == [after]


@virtual_time
async def test_replaced_meter_has_another_number_and_starts_low() -> None:
    bench = await Bench().charging(16)
    before = bench.meter.serial_number
    await bench.cause("meter-replaced", wh=7)
    assert bench.meter.serial_number != before
    assert (await bench.meter.read()).register_wh == 7


@virtual_time
async def test_external_meter_sums_building_roof_and_sockets() -> None:
    bench = await Bench().charging(16, phases=1)
    meter = external_meter(bench.world)
    told: list[MeterReading | MeterSilent] = []
    meter.subscribe(told.append)
    await meter.start()
    await bench.simulator.set_site({"building_a": [1, 2, 3], "pv_w": 690})
    await asyncio.sleep(0)
    reading = await meter.read()
    assert reading.current_a == PerPhase(16, 1, 2)
    assert told == [reading]
    before_wh = reading.register_wh
    await asyncio.sleep(3600)
    assert (await meter.read()).register_wh - before_wh == 19 * 230
    await meter.stop()


@virtual_time
async def test_external_meter_unreachable() -> None:
    bench = await Bench().start()
    meter = external_meter(bench.world)
    await bench.cause("meter-external")
    with pytest.raises(MeterSilent):
        await meter.read()
    assert (await bench.meter.read()).power_w == 0.0


@virtual_time
async def test_stopped_meter_tells_nothing() -> None:
    bench = await Bench().charging(16)
    await bench.meter.stop()
    await bench.cause("phase-loss")
    await asyncio.sleep(1)
    assert bench.readings == []


@virtual_time
async def test_meter_that_is_silent_at_the_start_says_so() -> None:
    bench = Bench()
    await bench.cause("meter-ocpp")
    await bench.start()
    assert [type(reading) for reading in bench.readings] == [MeterSilent]
