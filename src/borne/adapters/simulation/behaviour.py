"""Behaviour of a plugged-in vehicle: observes the pilot, closes S2, draws current, charges up.

Only the next event is planned: the reaction to a new signal, or the next step of the battery. An
electrical change takes effect at once, a decision of the vehicle after `reaction_s` (for a stop
within 3 s, IEC 61851-1 Table A.6 sequence 9).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from borne.adapters.simulation.vehicle import Vehicle
from borne.adapters.simulation.wire import DARK, PilotSignal
from borne.domain.station.board import PilotState
from borne.foundation.timers import Timers
from borne.foundation.units import ZERO, PerPhase

STOP_WITHIN_S = 3.0
WAKES_AFTER_DARK_S = 1.0
"""A sleeping vehicle wakes up after the pilot was off for this long."""
FULL = 1.0 - 1e-9
SOC_STEPS = 100
"""The taper lowers the current in steps of one percent of charge."""
LOWEST_TAPER = 0.1
PRESENT_V = 100.0
"""Below this voltage the charger draws nothing from a phase."""
SHORTEST_STEP_S = 0.001


class PluggedVehicle:
    """A vehicle in a socket. `moved` is called whenever it acts by itself."""

    def __init__(
        self, model: Vehicle, loop: asyncio.AbstractEventLoop, moved: Callable[[], None]
    ) -> None:
        self.model = model
        self.asleep = model.wake_up
        self.s2_closed = model.simplified_pilot
        self.offer_a = 0.0
        """The offer that the vehicle follows at present."""
        self._loop = loop
        self._moved = moved
        self._signal = DARK
        self._dark_since_s = loop.time()
        self._soc = model.soc
        self._power_w = 0.0
        self._since_s = loop.time()
        self._timers = Timers(loop)

    @property
    def load(self) -> PilotState:
        """How the vehicle loads the pilot: B, C or D."""
        if not self.s2_closed:
            return PilotState.B
        return PilotState.D if self.model.ventilation else PilotState.C

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1."""
        energy_ws = self._power_w * (self._loop.time() - self._since_s)
        return min(1.0, self._soc + energy_ws / self._capacity_ws)

    @property
    def full(self) -> bool:
        """True if the battery is full."""
        return self.soc >= FULL

    def observe(self, signal: PilotSignal) -> None:
        """Receive the present pilot signal and plan the reaction."""
        old, self._signal = self._signal, signal
        if signal == old:
            return
        now_s = self._loop.time()
        if signal.dark:
            self._dark_since_s = now_s
        elif old.dark and now_s - self._dark_since_s >= WAKES_AFTER_DARK_S:
            self.asleep = False
        stops = signal.offer.current_a == 0.0
        self._react_in(min(self.model.reaction_s, STOP_WITHIN_S if stops else math.inf))

    def current_a(self, voltage_v: PerPhase) -> PerPhase:
        """The current that the vehicle draws through a closed contactor at these voltages."""
        if not self.s2_closed or not self.model.wants_charge or self.full:
            return ZERO
        wanted_a = min(self.offer_a, self.model.max_a * self._taper())
        if self.offer_a and self.model.rogue_a is not None:
            wanted_a = self.model.rogue_a
        a = [
            wanted_a * share if phase < self.model.phases and volts >= PRESENT_V else 0.0
            for phase, (share, volts) in enumerate(
                zip(self.model.asymmetry, voltage_v, strict=True)
            )
        ]
        return PerPhase(*a)

    def set_power(self, power_w: float) -> None:
        """Set the power that flows into the battery, and plan its next step."""
        self._set_soc(self.soc)
        self._power_w = power_w
        self._timers.cancel("battery")
        if self.full and self.s2_closed and not self.model.simplified_pilot:
            self._timers.plan("battery", 0.0, self._step)
        elif power_w > 0 and not self.full:
            wait_s = (self._next_step() - self.soc) * self._capacity_ws / power_w
            self._timers.plan("battery", max(wait_s, SHORTEST_STEP_S), self._step)

    def change(self, model: Vehicle) -> None:
        """Replace the vehicle's properties; takes effect at once."""
        self._set_soc(model.soc)
        if model.wake_up and not self.model.wake_up:
            self.asleep = True
        self.model = model
        self._decide()

    def leave(self) -> None:
        """Cancel everything planned, after unplugging."""
        self._timers.stop()

    def _react_in(self, delay_s: float) -> None:
        when_s = self._loop.time() + delay_s
        due_s = self._timers.due_s("reaction")
        if due_s is None or due_s > when_s:
            self._timers.plan_at("reaction", when_s, self._react)

    def _react(self) -> None:
        offer_a = self._signal.offer.current_a
        if offer_a or not (self.model.ignores_stop and self.s2_closed):
            if self.model.wake_up and self.offer_a and not offer_a:
                self.asleep = True
            self.offer_a = offer_a
        self._decide()
        self._moved()

    def _decide(self) -> None:
        """Open or close S2 according to offer and state."""
        wants = self.model.wants_charge and not self.full and not self.asleep
        offered = self.offer_a > 0 and self.offer_a >= self.model.min_a
        self.s2_closed = self.model.simplified_pilot or (wants and offered)

    def _step(self) -> None:
        self._moved()
        if self.full:
            self._decide()
            self._moved()

    @property
    def _capacity_ws(self) -> float:
        return self.model.battery_kwh * 3.6e6

    def _set_soc(self, soc: float) -> None:
        self._soc = soc
        self._since_s = self._loop.time()

    def _taper(self) -> float:
        soc = math.floor(self.soc * SOC_STEPS + 1e-6) / SOC_STEPS
        if soc <= self.model.taper or self.model.taper >= 1.0:
            return 1.0
        return max(LOWEST_TAPER, (1.0 - soc) / (1.0 - self.model.taper))

    def _next_step(self) -> float:
        """The next state of charge at which the current changes."""
        from_soc = max(self.soc, self.model.taper)
        return min(1.0, (math.floor(from_soc * SOC_STEPS + 1e-6) + 1) / SOC_STEPS)
