"""One socket of the simulated world: wires, contactor, lock, meter, plug and defects.

After any change, `settle` must be called: it computes the resulting currents and emits `changed`.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from borne.adapters.simulation.behaviour import PluggedVehicle
from borne.adapters.simulation.mechanics import Contactor, LockActuator
from borne.adapters.simulation.register import HEALTHY, ROUNDING_WH, WS_PER_WH, EnergyRegister
from borne.adapters.simulation.vehicle import Vehicle
from borne.adapters.simulation.wire import (
    UNPOWERED,
    Generator,
    Levels,
    WireFaults,
    measured,
    seen_by_vehicle,
)
from borne.domain.station.board import Contact, PilotState
from borne.domain.station.pilot import CABLE_OHM
from borne.foundation.events import Signal as Event
from borne.foundation.timers import Timers
from borne.foundation.units import PHASES, ZERO, PerPhase

OPEN_OHM = float("inf")
HALF_PLUGGED_OHM = 3300.0
CUTS_SUPPLY = frozenset({Contact.RCD, Contact.MCB_TYPE2})


class MeterQuantity(StrEnum):
    """A quantity that a meter can fail to measure."""

    REGISTER = "register"
    POWER = "power"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Pulses:
    """A car that alternately draws `high_a` and `low_a` per phase, regardless of the offer."""

    high_a: float
    high_s: float
    low_a: float
    low_s: float


@dataclass(slots=True)
class Defects:
    """The physical defects of a socket; none at first."""

    wire: WireFaults = field(default_factory=WireFaults)
    diode_bridged: bool = False
    proximity_ohm: float | None = None
    plug_not_in: bool = False
    """The bolt cannot enter the plug."""
    contacts: frozenset[Contact] = frozenset()
    leak_dc_ma: float = 0.0
    leak_ac_ma: float = 0.0
    monitor_defective: bool = False
    lost_phases: frozenset[int] = frozenset()
    """Phases of the socket, 0 to 2."""
    supply_lost: bool = False
    """No voltage at socket and meter, and no feedback contact that shows why."""
    voltage_v: PerPhase | None = None
    meter_silent: bool = False
    board_silent: bool = False
    rogue_a: float | None = None
    meter_tampered: dict[str, int] = field(default_factory=dict)
    """Manipulations of the register: Wh by cause."""
    meter_frozen: bool = False
    """The register stands still; the meter still reports power and current."""
    meter_factor: float | None = None
    """The register counts this multiple of the energy."""
    meter_nan: MeterQuantity | None = None
    """The quantity that the meter reports as NaN."""
    meter_garbage: bool = False
    """The meter sends invalid answers, so that its driver fails."""
    meter_polled: bool = False
    """The meter sends no notifications; it only answers requests."""
    pulses: Pulses | None = None
    other: frozenset[str] = frozenset()
    """OCPP error codes reported by the board."""


class Socket:
    """A socket (or tethered cable) with all its parts."""

    def __init__(
        self,
        number: int,
        loop: asyncio.AbstractEventLoop,
        rng: random.Random,
        supply_v: Callable[[], PerPhase],
    ) -> None:
        self.number = number
        self.changed: Event[Socket] = Event()
        self.brown_out: Event[None] = Event()
        self.defects = Defects()
        self.contactor = Contactor(loop, self.settle)
        self.lock = LockActuator(loop, rng, self.settle)
        self.register = EnergyRegister(rng.randrange(1_000, 5_000_000), loop.time())
        self.meter_serial = f"SIM{rng.randrange(10**8):08d}"
        self.first_serial = self.meter_serial
        """Serial number of the original meter."""
        self.wiring: tuple[int, int, int] = PHASES
        """Grid phase at each phase of the socket (phase rotation)."""
        self.phases_wired = len(PHASES)
        """1 if only L1 is connected."""
        self.temperature_c = 25.0
        self.led = "off"
        self.led_percent = 100
        self.opens_lock_without_power = True
        """The actuator opens with stored energy at a power failure."""
        self._generator = UNPOWERED
        self._vehicle: PluggedVehicle | None = None
        self._current_a = ZERO
        self._pulse_high = True
        self._timers = Timers(loop)
        self._loop = loop
        self._supply_v = supply_v

    # What can be measured -------------------------------------------------------------------

    @property
    def vehicle(self) -> PluggedVehicle | None:
        """The plugged-in vehicle."""
        return self._vehicle

    @property
    def current_a(self) -> PerPhase:
        """Current per phase of the socket."""
        return self._current_a

    @property
    def voltage_v(self) -> PerPhase:
        """Voltage at the meter, before the contactor, per phase of the socket."""
        if self.defects.supply_lost or self.defects.contacts & CUTS_SUPPLY:
            return ZERO
        grid = self.defects.voltage_v or self._supply_v()
        live = set(range(self.phases_wired)) - self.defects.lost_phases
        return PerPhase(*(grid[self.wiring[p]] if p in live else 0.0 for p in PHASES))

    @property
    def grid_current_a(self) -> PerPhase:
        """Current per phase of the grid."""
        at_grid = [0.0, 0.0, 0.0]
        for phase in PHASES:
            at_grid[self.wiring[phase]] += self._current_a[phase]
        return PerPhase(*at_grid)

    @property
    def power_w(self) -> float:
        """Active power through the meter."""
        return self._current_a.times(self.voltage_v).total

    @property
    def register_wh(self) -> int:
        """The register as the meter shows it."""
        return self.register.read_wh(self._loop.time())

    @property
    def energy_wh(self) -> int:
        """Energy that really flowed, regardless of the meter."""
        return math.floor(self.register.energy_ws(self._loop.time()) / WS_PER_WH + ROUNDING_WH)

    @property
    def cable_a(self) -> int:
        """Capacity of the plugged cable; 0 without cable."""
        return 0 if self._vehicle is None else self._vehicle.model.cable_a

    @property
    def proximity_ohm(self) -> float:
        """Resistance between proximity pilot and earth."""
        if self._vehicle is None:
            return OPEN_OHM
        if self.defects.proximity_ohm is not None:
            return self.defects.proximity_ohm
        model = self._vehicle.model
        return HALF_PLUGGED_OHM if model.half_plugged else CABLE_OHM[model.cable_a]

    @property
    def generator(self) -> Generator:
        """The state of the board's pilot generator."""
        return self._generator

    @property
    def pilot_levels(self) -> Levels:
        """The pilot voltages at the board."""
        vehicle = self._vehicle
        load = PilotState.A if vehicle is None else vehicle.load
        diode = not self.defects.diode_bridged and (vehicle is None or vehicle.model.diode)
        return measured(self._generator, self.defects.wire, load, diode=diode)

    @property
    def residual_ma(self) -> tuple[float, float]:
        """Smooth and alternating residual current through the monitor."""
        dc_ma, ac_ma = self.defects.leak_dc_ma, self.defects.leak_ac_ma
        if self._vehicle is not None and self.contactor.closed:
            dc_ma += self._vehicle.model.leak_dc_ma
            ac_ma += self._vehicle.model.leak_ac_ma
        return dc_ma, ac_ma

    # Events ---------------------------------------------------------------------------------------

    def plug(self, model: Vehicle) -> None:
        """Plug in a vehicle; the caller checks that the socket is free."""
        self._vehicle = PluggedVehicle(model, self._loop, self.settle)
        self.settle()

    def unplug(self) -> None:
        """Unplug the vehicle."""
        if self._vehicle is None:
            return
        self._vehicle.leave()
        self._vehicle = None
        self.settle()

    def change_vehicle(self, model: Vehicle) -> None:
        """Change properties of the plugged-in vehicle."""
        if self._vehicle is not None:
            self._vehicle.change(model)
            self.settle()

    def drive_pilot(self, generator: Generator) -> None:
        """Change the state of the board's pilot generator."""
        if generator != self._generator:
            self._generator = generator
            self.settle()

    def lose_power(self) -> None:
        """Switch off pilot and coil; the lock opens if it has stored energy."""
        self.contactor.drive(False)
        self.drive_pilot(UNPOWERED)
        if self.opens_lock_without_power and not (self.lock.stuck or self.lock.absent):
            self.lock.release_by_hand()

    def settle(self) -> None:
        """Compute the consequences of a change and notify listeners."""
        vehicle = self._vehicle
        half = vehicle is not None and vehicle.model.half_plugged
        self.lock.blocked = half or self.defects.plug_not_in
        if vehicle is not None:
            vehicle.observe(seen_by_vehicle(self._generator, self.defects.wire))
        self._current_a = self._flowing_a()
        now_s = self._loop.time()
        self.register.set_factor(self._counting(), now_s)
        self.register.set_power(self.power_w, now_s)
        if vehicle is not None:
            vehicle.set_power(self.power_w)
        self.changed.emit(self)

    def _counting(self) -> float:
        if self.defects.meter_frozen:
            return 0.0
        return HEALTHY if self.defects.meter_factor is None else self.defects.meter_factor

    def _flowing_a(self) -> PerPhase:
        drawn_a = self._drawn_a()
        draws = drawn_a.total > 0
        self._pulsate(draws)
        forced_a = self.defects.rogue_a
        if self.defects.pulses is not None:
            pulses = self.defects.pulses
            forced_a = pulses.high_a if self._pulse_high else pulses.low_a
        if forced_a is None or not draws:
            return drawn_a
        return PerPhase(*(forced_a if a > 0 else 0.0 for a in drawn_a))

    def _drawn_a(self) -> PerPhase:
        if self._vehicle is None or not self.contactor.closed:
            return ZERO
        return self._vehicle.current_a(self.voltage_v)

    def _pulsate(self, draws: bool) -> None:
        """Plan the next change of a pulsating current; charging starts with a high pulse."""
        pulses = self.defects.pulses
        if pulses is None or not draws:
            self._timers.cancel("pulse")
            self._pulse_high = True
        elif "pulse" not in self._timers:
            wait_s = pulses.high_s if self._pulse_high else pulses.low_s
            self._timers.plan("pulse", wait_s, self._turn_pulse)

    def _turn_pulse(self) -> None:
        self._pulse_high = not self._pulse_high
        self.settle()
