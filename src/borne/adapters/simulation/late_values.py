"""What a meter shows whose values are late, and change once a period only."""

from __future__ import annotations

from asyncio import TimerHandle
from collections import deque
from dataclasses import dataclass, replace
from math import ceil

from borne.adapters.simulation.world import World
from borne.adapters.simulation.world_measurement import world_measurement
from borne.domain.meters.measurement import Measurement

MAX_HISTORY = 4096
"""Changes that are not shown yet; of more the oldest are left out."""
TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True)
class MeterDelay:
    """How old the values of a meter are, and how often they change (0: as soon as they can)."""

    skew_s: float = 0.0
    period_s: float = 0.0


class LateValues:
    """Measures at a place of the world, once a period, what was there `skew_s` before.

    Currents, voltages and powers are late; registers, frequency and input are not. Before its
    creation all was as at its creation. A change that becomes visible touches the world.
    """

    def __init__(self, world: World, source: str, delay: MeterDelay) -> None:
        self._world, self._source, self._delay = world, source, delay
        self._began_s = world.loop.time()
        first = (self._began_s, world_measurement(world, source))
        self._history = deque([first], maxlen=MAX_HISTORY)
        """Measurements with their times; the first is the one that is shown."""
        self._timer: TimerHandle | None = None
        self._unsubscribe = world.changed.notify(self._note)

    def __call__(self) -> Measurement:
        self._advance()
        _, shown = self._history[0]
        return replace(
            world_measurement(self._world, self._source),
            voltage_v=shown.voltage_v,
            current_a=shown.current_a,
            power_w=shown.power_w,
            power_total_w=shown.power_total_w,
        )

    def close(self) -> None:
        """Follow the world no longer."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()

    def _note(self) -> None:
        now_s, measured = self._world.loop.time(), world_measurement(self._world, self._source)
        last_s, last = self._history[-1]
        if (measured.current_a, measured.voltage_v) == (last.current_a, last.voltage_v):
            return
        if last_s == now_s and len(self._history) > 1:
            self._history.pop()
        self._history.append((now_s, measured))
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is None and len(self._history) > 1:
            visible_s = self._visible_s(self._history[1][0])
            self._timer = self._world.loop.call_at(visible_s, self._show)

    def _show(self) -> None:
        self._timer = None
        self._advance()
        self._set_timer()
        self._world.touch()

    def _advance(self) -> None:
        """Forget what is older than the values that are shown now."""
        now_s = self._world.loop.time()
        while len(self._history) > 1:
            if self._visible_s(self._history[1][0]) > now_s + TOLERANCE_S:
                return
            self._history.popleft()

    def _visible_s(self, changed_s: float) -> float:
        """When a change is shown: at the first begin of a period that is `skew_s` after it."""
        due_s, period_s = changed_s + self._delay.skew_s, self._delay.period_s
        if not period_s:
            return due_s
        return self._began_s + ceil((due_s - self._began_s - TOLERANCE_S) / period_s) * period_s
