"""Times of IEC 61851-1 Table A.6 in a whole station, measured at wires and contacts of the
simulated world: from what the vehicle does to what it sees and gets. Virtual time, no backend,
no card is needed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.wire import Drive
from borne.app import Host, HostOptions
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import EXTERNAL_INPUT
from borne.domain.principals import SYSTEM
from borne.domain.station import pilot
from borne.foundation.units import PerPhase
from tests.support.running_station import store_settings
from tests.support.simulated_world import world_of
from tests.support.virtual_time import run_virtual

FREE = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
CAR: dict[str, Any] = {"battery_kwh": 1000, "reaction_s": 1.0, "max_a": 32}
TICK_S = 0.001


class RunningStation:
    """One socket whose events are timed."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.simulator = Simulator(world_of(host))
        self.socket: Socket = world_of(host).sockets[1]

    @property
    def pwm(self) -> bool:
        return self.socket.generator.drive is Drive.PWM

    @property
    def state_f(self) -> bool:
        return self.socket.generator.drive is Drive.LOW

    @property
    def offer_a(self) -> float:
        offered = pilot.offer_of_duty(self.socket.generator.duty_percent)
        return offered.current_a if self.pwm else 0.0

    @property
    def closed(self) -> bool:
        return self.socket.contactor.closed

    @property
    def locked(self) -> bool:
        return self.socket.lock.holds

    async def plug(self, **vehicle: Any) -> None:
        await self.simulator.plug(1, CAR | vehicle)

    async def charge(self, **vehicle: Any) -> None:
        await self.plug(**vehicle)
        await asyncio.sleep(20)
        assert self.closed

    async def change(self, **vehicle: Any) -> None:
        await self.simulator.change_vehicle(1, vehicle)

    async def limit(self, amps: float) -> None:
        """Somebody with a right to it sets a limit."""
        station = self.host.station
        assert station is not None
        now = self.host.clock.now()
        row = LimitRow(EXTERNAL_INPUT, PerPhase.same(amps), LimitCause.SETTING, now)
        station.limits.put(1, row)

    async def stop(self) -> None:
        station = self.host.station
        assert station is not None
        await station.control.stop(1, SYSTEM)

    async def until(self, reached: Callable[[], bool], longest_s: float = 30.0) -> float:
        """Seconds until the condition holds."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not reached():
            assert loop.time() - began_s < longest_s, "it never came"
            await asyncio.sleep(TICK_S)
        return loop.time() - began_s

    async def never(self, unwanted: Callable[[], bool], seconds: float) -> None:
        """Assert that the condition does not become true."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + seconds
        while loop.time() < until_s:
            assert not unwanted()
            await asyncio.sleep(TICK_S * 10)


@asynccontextmanager
async def running_station(data: Path, **settings: Any) -> AsyncIterator[RunningStation]:
    limits = {"MaximumCurrent": 32, "InstallationCurrentLimit": 32, "OperatorCurrentLimit": 32}
    changes = {**FREE, **limits, **settings}
    store_settings(data, {name: str(value) for name, value in changes.items()})
    host = Host(HostOptions(data, live=False, rng=random.Random(3), control_socket=False))
    await host.start()
    try:
        await asyncio.sleep(1)
        yield RunningStation(host)
    finally:
        await host.stop()


def _run(data: Path, scenario: Callable[[RunningStation], Any], **settings: Any) -> None:
    async def run() -> None:
        async with running_station(data, **settings) as at:
            await scenario(at)

    run_virtual(run())


def test_1_1_3_1_plug_in_lock_then_pwm(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.plug(wants_charge=False)
        locked_s = await at.until(lambda: at.locked)
        assert locked_s < 1.0, "feedback within a second"
        pwm_s = await at.until(lambda: at.pwm)
        assert pwm_s < 0.5
        assert at.offer_a == 32.0
        await at.never(lambda: at.closed, 60)

    _run(tmp_path, scenario)


def test_1_2_3_2_simplified_pilot(tmp_path: Path) -> None:
    """Plugged in state C; PWM comes with the session, energy with PWM and diode."""

    async def scenario(at: RunningStation) -> None:
        await at.plug(simplified_pilot=True)
        while not at.closed:
            assert at.pwm or not at.closed
            await asyncio.sleep(TICK_S)
        assert at.pwm
        assert at.locked

    _run(tmp_path, scenario)


def test_2_1_unplugged_in_b_pwm_ends_within_two_seconds(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.plug(wants_charge=False)
        await asyncio.sleep(10)
        assert at.pwm
        await at.simulator.unplug(1, force=True)
        assert await at.until(lambda: not at.pwm) < 2.0

    _run(tmp_path, scenario)


def test_2_2_unplugged_while_charging_open_within_100_ms(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.simulator.unplug(1, force=True)
        assert await at.until(lambda: not at.closed) <= 0.1

    _run(tmp_path, scenario)


def test_2_2_pilot_lost_while_charging_open_within_100_ms(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.simulator.set_fault("pilot-open", active=True, connector=1)
        assert await at.until(lambda: not at.closed) <= 0.1

    _run(tmp_path, scenario)


def test_4_vehicle_asks_closed_within_three_seconds(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.plug(wants_charge=False)
        await asyncio.sleep(10)
        await at.change(wants_charge=True)
        vehicle = at.socket.vehicle
        assert vehicle is not None
        await at.until(lambda: vehicle.s2_closed)
        assert await at.until(lambda: at.closed) < 3.0

    _run(tmp_path, scenario)


def test_4_ventilation_only_where_there_is_some(tmp_path: Path) -> None:
    async def without(at: RunningStation) -> None:
        await at.plug(ventilation=True)
        await at.never(lambda: at.closed, 30)

    async def having(at: RunningStation) -> None:
        await at.plug(ventilation=True)
        await at.until(lambda: at.closed)

    for folder, scenario, setting in (("off", without, "off"), ("on", having, "on")):
        data = tmp_path / folder
        data.mkdir()
        _run(data, scenario, VentilationAvailable=setting)


def test_6_new_limits_every_five_seconds_lower_ones_at_once(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.limit(10)
        assert await at.until(lambda: at.offer_a == 10.0) < 0.1
        await at.limit(20)
        raised_s = await at.until(lambda: at.offer_a == 20.0)
        assert 4.9 < raised_s < 5.1
        await at.limit(8)
        assert await at.until(lambda: at.offer_a == 8.0) < 0.1
        assert at.closed

    _run(tmp_path, scenario)


def test_8_vehicle_has_enough_open_within_100_ms(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.change(wants_charge=False)
        vehicle = at.socket.vehicle
        assert vehicle is not None
        await at.until(lambda: not vehicle.s2_closed)
        assert await at.until(lambda: not at.closed) <= 0.1

    _run(tmp_path, scenario)


def test_9_stop_gives_the_vehicle_time_to_switch_off_first(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge(reaction_s=2.0)
        await at.stop()
        assert await at.until(lambda: not at.pwm) < 0.1
        assert at.closed
        opened_s = await at.until(lambda: not at.closed)
        assert 1.9 < opened_s < 2.2
        assert at.socket.current_a.total == 0.0
        assert await at.until(lambda: not at.locked) < 1.5

    _run(tmp_path, scenario)


def test_10_2_a_vehicle_that_ignores_the_stop_is_cut_off_after_six_seconds(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge(ignores_stop=True)
        await at.stop()
        await at.until(lambda: not at.pwm)
        assert 5.9 < await at.until(lambda: not at.closed) < 6.2

    _run(tmp_path, scenario)


def test_pause_and_resume(tmp_path: Path) -> None:
    """Below 6 A: x1, three seconds for the vehicle; afterwards the new limit holds at once."""

    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.limit(5.9)
        await at.until(lambda: not at.pwm)
        assert 0.9 < await at.until(lambda: not at.closed) < 1.2
        await asyncio.sleep(60)
        await at.limit(9)
        await at.until(lambda: at.pwm)
        assert at.offer_a == 9.0
        assert await at.until(lambda: at.closed) < 3.0

    _run(tmp_path, scenario)


def test_fault_while_charging_state_f_at_least_300_ms_and_unlock_after_5_s(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.simulator.set_fault("mcb-schuko", active=True, connector=1)
        assert await at.until(lambda: at.state_f) < 0.1
        assert await at.until(lambda: not at.closed) < 0.1
        lasted_s = await at.until(lambda: not at.state_f)
        assert lasted_s >= 0.3
        assert 4.8 < lasted_s < 5.1
        assert at.locked
        assert await at.until(lambda: not at.locked) < 1.5

    _run(tmp_path, scenario, MCBDomesticInput="opto_1")


def test_contactor_rests_five_seconds(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge(reaction_s=0.1)
        await at.limit(0)
        await at.until(lambda: not at.closed)
        await at.limit(16)
        assert 4.9 < await at.until(lambda: at.closed) < 5.3

    _run(tmp_path, scenario)


def test_brown_out_open_at_once_and_armed_again_after_reading_the_pilot(tmp_path: Path) -> None:
    async def scenario(at: RunningStation) -> None:
        await at.charge()
        await at.simulator.set_fault("brown-out", active=True, connector=1)
        assert await at.until(lambda: not at.closed) < 0.1
        assert 4.9 < await at.until(lambda: at.closed) < 10.0

    _run(tmp_path, scenario)


def test_dead_software_the_board_is_off_within_its_watchdog(tmp_path: Path) -> None:
    """Docs/safety.md: 3 s without a sign of life."""

    async def scenario(at: RunningStation) -> None:
        await at.charge()
        station = at.host.station
        assert station is not None
        station.connectors[1].abort()
        assert await at.until(lambda: not at.closed) <= 4.0
        assert not at.pwm

    _run(tmp_path, scenario)
