"""Simulated meters: registers, readings, silence."""

import asyncio
import math

import pytest

from borne.adapters.simulation.hardware import external_meter
from borne.adapters.simulation.register import EnergyRegister
from borne.application.ports.hardware import MeterSilent
from borne.application.ports.simulator import SimulatorError
from borne.domain.meters.measurement import Measurement
from borne.domain.station.reading import MeterReading
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
async def test_a_meter_reports_changes_only() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.plug()
    bench.offer(16)
    await asyncio.sleep(600)
    bench.offer(10)
    await asyncio.sleep(600)
    currents = [r.current_a.l1 for r in bench.readings if isinstance(r, MeterReading)]
    assert currents == [16, 10]


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
async def test_a_tampered_register_is_reported_and_stays(cause: str, shift_wh: int) -> None:
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
    currents: list[Measurement | MeterSilent] = []
    meter.subscribe(currents.append)
    await meter.start()
    await bench.simulator.set_site({"building_a": [1, 2, 3], "pv_w": 690})
    await asyncio.sleep(0)
    reading = await meter.read()
    assert reading.current_a == PerPhase(16, 1, 2)
    assert currents == [reading]
    before_wh = reading.import_wh
    await asyncio.sleep(3600)
    after_wh = (await meter.read()).import_wh
    assert before_wh is not None
    assert after_wh is not None
    assert after_wh - before_wh == 19 * 230
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
async def test_a_stopped_meter_reports_nothing() -> None:
    bench = await Bench().charging(16)
    await bench.meter.stop()
    await bench.cause("phase-loss")
    await asyncio.sleep(1)
    assert bench.readings == []


@virtual_time
async def test_a_meter_that_is_silent_at_the_start_reports_it() -> None:
    bench = Bench()
    await bench.cause("meter-ocpp")
    await bench.start()
    assert [type(reading) for reading in bench.readings] == [MeterSilent]


# Meters that fail ------------------------------------------------------------------------------


@virtual_time
async def test_a_step_of_the_register_is_signed_and_done_once_for_each_value() -> None:
    bench = await Bench().start()
    before = (await bench.meter.read()).register_wh
    for value, shifted_wh in ((500, 500), (500, 500), (-20, 480)):
        await bench.cause_with("meter-step", value)
        assert (await bench.meter.read()).register_wh - before == shifted_wh
    await bench.cause("meter-step", active=False)
    await bench.cause_with("meter-step", -20)
    assert (await bench.meter.read()).register_wh - before == 460


@virtual_time
async def test_a_frozen_register_goes_on_from_where_it_stood() -> None:
    bench = await Bench().charging(16)
    before = (await bench.meter.read()).register_wh
    await bench.cause("meter-frozen")
    await asyncio.sleep(3600)
    frozen = await bench.meter.read()
    assert (frozen.register_wh, frozen.power_w) == (before, 11040.0)
    await bench.cause("meter-frozen", active=False)
    await asyncio.sleep(1800)
    assert (await bench.meter.read()).register_wh - before == 5520


@virtual_time
async def test_the_world_knows_the_true_energy_whatever_the_meter_shows() -> None:
    bench = await Bench().charging(16)
    shown, true = bench.view()["register_wh"], bench.view()["energy_wh"]
    await bench.cause_with("meter-factor", 10)
    await asyncio.sleep(3600)
    assert bench.view()["register_wh"] - shown == 110_400
    assert bench.view()["energy_wh"] - true == 11_040
    await bench.cause("meter-factor", active=False)
    await asyncio.sleep(3600)
    assert bench.view()["register_wh"] - shown == 121_440


@pytest.mark.parametrize(
    ("value", "missing"),
    [("register", ["register_wh"]), ("power", ["power_w"]), ("current", ["current_a"])],
)
@virtual_time
async def test_a_meter_that_reports_not_a_number(value: str, missing: list[str]) -> None:
    def unknown(reading: MeterReading | MeterSilent) -> list[str]:
        assert isinstance(reading, MeterReading)
        found: dict[str, list[float]] = {
            "register_wh": [reading.register_wh],
            "power_w": [reading.power_w],
            "current_a": list(reading.current_a),
            "voltage_v": list(reading.voltage_v),
        }
        return [key for key, values in found.items() if all(math.isnan(v) for v in values)]

    bench = await Bench().charging(16)
    await bench.cause_with("meter-nan", value)
    await asyncio.sleep(1)
    assert [unknown(reading) for reading in bench.readings] == [missing]
    assert unknown(await bench.meter.read()) == missing
    await bench.cause("meter-nan", active=False)
    assert unknown(await bench.meter.read()) == []


@virtual_time
async def test_a_meter_with_invalid_answers_raises_another_error_than_silence() -> None:
    bench = await Bench().charging(16)
    await bench.cause("meter-garbage")
    await asyncio.sleep(1)
    with pytest.raises(ValueError, match="checksum") as caught:
        await bench.meter.read()
    assert not isinstance(caught.value, MeterSilent)
    assert bench.readings == []
    await bench.cause("meter-garbage", active=False)
    await asyncio.sleep(0)
    assert isinstance(bench.readings[-1], MeterReading)


@virtual_time
async def test_a_polled_meter_answers_and_reports_nothing_by_itself() -> None:
    bench = await Bench().start()
    await bench.cause("meter-polled")
    await bench.plug()
    bench.offer(16)
    await asyncio.sleep(10)
    await bench.cause("meter-ocpp")
    await bench.cause("meter-ocpp", active=False)
    assert bench.readings == []
    assert (await bench.meter.read()).current_a == PerPhase(16, 16, 16)


@virtual_time
async def test_a_meter_is_exchanged_while_the_station_has_no_power() -> None:
    bench = await Bench().charging(16)
    before = bench.meter.serial_number
    bench.world.cut_power()
    await bench.cause_with("meter-exchanged", 123_456)
    bench.world.restore_power()
    await bench.start()
    assert bench.meter.serial_number != before
    assert (await bench.meter.read()).register_wh == 123_456


@virtual_time
async def test_a_car_that_draws_in_pulses() -> None:
    bench = await Bench().charging(6)
    pulses = {"high_a": 30, "high_s": 6.5, "low_a": 5, "low_s": 0.5}
    await bench.cause_with("car-pulses", pulses)
    seen = []
    for wait_s in (0.1, 6.3, 0.2, 0.3, 0.2, 6.4):
        await asyncio.sleep(wait_s)
        seen.append((await bench.meter.read()).current_a.l1)
    assert seen == [30, 30, 5, 5, 30, 5]
    bench.board.allow_contactor(False)
    await asyncio.sleep(60)
    assert (await bench.meter.read()).current_a.l1 == 0
    bench.offer(6)
    await asyncio.sleep(2)
    assert (await bench.meter.read()).current_a.l1 == 30
    await bench.cause("car-pulses", active=False)
    assert (await bench.meter.read()).current_a.l1 == 6


@pytest.mark.parametrize(
    ("cause", "value", "words"),
    [
        ("meter-step", 0.5, "value: "),
        ("meter-step", 10**10, "value: "),
        ("meter-exchanged", -1, "value: "),
        ("meter-factor", -1, "value: "),
        ("meter-factor", math.inf, "value: "),
        ("meter-nan", "voltage", "'register', 'power' or 'current'"),
        ("meter-nan", 3, "value: "),
        ("meter-frozen", 3, "does not take a value"),
        ("car-pulses", {"high_a": 30, "wait_s": 1}, "value.wait_s"),
        ("car-pulses", {"high_s": 0}, "value.high_s"),
        ("car-pulses", 30, "value: "),
        ("disk-full", 0, "does not take a value"),
        ("other", 0, "error_code"),
    ],
)
@virtual_time
async def test_an_invalid_value_is_refused(cause: str, value: object, words: str) -> None:
    bench = Bench()
    with pytest.raises(SimulatorError, match=words) as caught:
        await bench.cause_with(cause, value)
    assert caught.value.code == "invalid"
    assert not any(row["active"] for row in bench.simulator.faults())
