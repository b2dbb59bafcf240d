"""Timing of IEC 61851-1 Table A.6 and Annex A.5, on virtual time."""

import asyncio

import pytest

from borne.domain.station.board import (
    PilotDigital,
    PilotInterrupt,
    PilotNominal,
    PilotOff,
    PilotState,
    PilotStateF,
)
from borne.foundation.units import PerPhase
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time

B, C, D, E = PilotState.B, PilotState.C, PilotState.D, PilotState.E
BOARD_LIMIT_S = 0.1
VEHICLE_STOP_S = 3.0


def opened_at(bench: Bench) -> float:
    at_s = bench.when_contactor(closed=False)
    assert at_s is not None, "the contactor stayed closed"
    return at_s


@virtual_time
async def test_seq_1_1_plugged_vehicle_is_b() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.plug()
    await asyncio.sleep(1)
    assert bench.when_pilot(B) == 0.03


@virtual_time
async def test_seq_1_2_simplified_pilot_is_c_at_once() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.plug(vehicle="tricycle")
    await asyncio.sleep(1)
    assert bench.when_pilot(C) == 0.03
    assert bench.when_pilot(B) is None


@virtual_time
async def test_seq_3_and_4_contactor_closes_within_3_s_after_s2() -> None:
    bench = await Bench().start()
    await bench.plug()
    await asyncio.sleep(1)
    bench.forget()
    bench.offer(16)
    await asyncio.sleep(3)
    assert bench.when_pilot(C) == 1.03
    assert bench.when_contactor(closed=True) == 1.05


@virtual_time
async def test_seq_2_2_unplugged_under_load_opens_within_100_ms() -> None:
    bench = await Bench().charging()
    bench.socket.unplug()
    await asyncio.sleep(1)
    assert opened_at(bench) <= BOARD_LIMIT_S


@pytest.mark.parametrize("cause", ["vehicle-signal", "pilot-open", "diode-check"])
@virtual_time
async def test_damaged_pilot_opens_within_100_ms(cause: str) -> None:
    bench = await Bench().charging()
    await bench.cause(cause)
    await asyncio.sleep(1)
    assert opened_at(bench) <= BOARD_LIMIT_S


@virtual_time
async def test_state_f_opens_within_100_ms() -> None:
    bench = await Bench().charging()
    bench.board.set_pilot(PilotStateF())
    await asyncio.sleep(1)
    assert opened_at(bench) <= BOARD_LIMIT_S
    assert bench.when_pilot(PilotState.F) is not None


@virtual_time
async def test_seq_8_vehicle_that_opens_s2_is_off_within_100_ms() -> None:
    bench = await Bench().charging()
    await bench.simulator.change_vehicle(1, {"wants_charge": False})
    await asyncio.sleep(1)
    assert bench.when_pilot(B) == 0.03
    assert opened_at(bench) <= BOARD_LIMIT_S


@pytest.mark.parametrize("reaction_s", [0.0, 1.0, 5.0])
@virtual_time
async def test_seq_6_new_duty_cycle_is_followed_in_5_s(reaction_s: float) -> None:
    bench = await Bench().charging(current_a=16, reaction_s=reaction_s)
    bench.board.set_pilot(PilotNominal(10))
    await asyncio.sleep(reaction_s + 0.001)
    assert bench.socket.current_a == PerPhase(10, 10, 10)


@virtual_time
async def test_seq_6_duty_cycles_that_change_faster_than_it_reacts_are_followed() -> None:
    bench = await Bench().charging(current_a=16, reaction_s=5)
    for current_a in (12, 11, 10):
        bench.board.set_pilot(PilotNominal(current_a))
        await asyncio.sleep(2)
    assert bench.socket.current_a == PerPhase(10, 10, 10)


@pytest.mark.parametrize(("reaction_s", "stops_after_s"), [(0.0, 0.0), (1.0, 1.0), (5.0, 3.0)])
@virtual_time
async def test_seq_9_vehicle_stops_and_opens_s2_in_3_s(
    reaction_s: float, stops_after_s: float
) -> None:
    bench = await Bench().charging(reaction_s=reaction_s)
    bench.board.set_pilot(PilotOff())
    await asyncio.sleep(VEHICLE_STOP_S + 0.1)
    assert bench.socket.current_a.total == 0
    assert bench.when_pilot(B) == stops_after_s + 0.03


@virtual_time
async def test_seq_10_2_stubborn_vehicle_draws_until_it_is_cut_off() -> None:
    bench = await Bench().charging(ignores_stop=True)
    bench.board.set_pilot(PilotOff())
    await asyncio.sleep(6)
    assert bench.socket.current_a == PerPhase(16, 16, 16)
    bench.board.allow_contactor(False)
    await asyncio.sleep(0.02)
    assert bench.socket.current_a.total == 0


@virtual_time
async def test_power_fail_is_e_and_drops_the_contactor() -> None:
    bench = await Bench().charging()
    bench.world.cut_power()
    assert bench.view()["pilot"]["high_v"] == 0.0
    await asyncio.sleep(0.02)
    assert not bench.view()["contactor_closed"]


@virtual_time
async def test_a_5_3_interruption_wakes_a_sleeping_vehicle() -> None:
    bench = await Bench().start()
    await bench.plug(vehicle="sleepy")
    bench.offer(16)
    await asyncio.sleep(60)
    assert bench.when_pilot(C) is None
    bench.board.set_pilot(PilotInterrupt(4))
    bench.forget()
    await asyncio.sleep(10)
    assert bench.when_pilot(C) == 5.03
    assert bench.socket.current_a == PerPhase(16, 16, 16)


@virtual_time
async def test_interruption_is_not_reported_and_opens_under_load() -> None:
    bench = await Bench().charging(reaction_s=5)
    bench.board.set_pilot(PilotInterrupt(1))
    await asyncio.sleep(0.5)
    assert opened_at(bench) <= BOARD_LIMIT_S
    assert bench.when_pilot(PilotState.A) is None


@virtual_time
async def test_watchdog_falls_to_pilot_off_after_3_s_of_silence() -> None:
    bench = await Bench().charging(reaction_s=5)
    bench.board.keep_alive()
    bench.keeps_alive = False
    await asyncio.sleep(4)
    assert opened_at(bench) == pytest.approx(3.02)
    assert bench.socket.generator.duty_percent == 100.0


@virtual_time
async def test_digital_duty_cycle_starts_no_simple_vehicle() -> None:
    bench = await Bench().start()
    await bench.plug()
    bench.board.set_pilot(PilotDigital())
    bench.board.allow_contactor(True)
    await asyncio.sleep(10)
    assert bench.when_pilot(C) is None


@virtual_time
async def test_contactor_waits_for_pwm_and_a_good_diode() -> None:
    bench = await Bench().start()
    await bench.plug(vehicle="tricycle")
    bench.board.allow_contactor(True)
    await asyncio.sleep(2)
    assert bench.when_contactor(closed=True) is None
    bench.offer(10)
    await asyncio.sleep(1)
    assert bench.when_contactor(closed=True) is not None


@virtual_time
async def test_bridged_diode_never_closes() -> None:
    bench = await Bench().start()
    await bench.plug(vehicle="faulty")
    bench.offer(16)
    await asyncio.sleep(30)
    assert bench.when_contactor(closed=True) is None


@virtual_time
async def test_state_d_is_reported_and_closes_when_allowed() -> None:
    bench = await Bench().start()
    await bench.plug(vehicle="ventilated")
    bench.board.set_pilot(PilotNominal(16))
    await asyncio.sleep(3)
    assert bench.when_pilot(D) is not None
    assert bench.when_contactor(closed=True) is None
    bench.board.allow_contactor(True)
    await asyncio.sleep(1)
    assert bench.socket.current_a == PerPhase(16, 16, 16)
