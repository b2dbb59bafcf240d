"""Contactor and lock actuator of a socket, with their delays and defects.

They belong to the world. A power failure releases the contactor; the bolt keeps its position unless
the actuator opens with stored energy.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial

from borne.domain.station.board import LockPosition
from borne.foundation.timers import Timers

CONTACTOR_S = 0.02
LOCK_TRAVEL_S = (0.3, 0.6)


class Contactor:
    """A contactor whose contacts follow the coil after 20 ms, unless welded or broken."""

    def __init__(self, loop: asyncio.AbstractEventLoop, moved: Callable[[], None]) -> None:
        self.coil = False
        self.closed = False
        self.cycles = 0
        """Number of closings."""
        self._welded = False
        self._broken = False
        self._moved = moved
        self._timers = Timers(loop)

    @property
    def welded(self) -> bool:
        """True if the contacts are welded."""
        return self._welded

    @property
    def broken(self) -> bool:
        """True if the coil is broken and the contacts never close."""
        return self._broken

    def drive(self, coil: bool) -> None:
        """Switch the coil on or off."""
        if coil is not self.coil:
            self.coil = coil
            self._settle_later()

    def weld(self, welded: bool) -> None:
        """Weld the contacts, or separate them."""
        self._welded = welded
        self._settle()

    def break_(self, broken: bool) -> None:
        """Break the coil, or repair it."""
        self._broken = broken
        self._settle_later()

    def _settle_later(self) -> None:
        self._timers.plan("travel", CONTACTOR_S, self._settle)

    def _settle(self) -> None:
        closed = self._welded or (self.coil and not self._broken)
        if closed is self.closed:
            return
        self.cycles += closed
        self.closed = closed
        self._moved()


class LockActuator:
    """A bolt moved by pulses, with its feedback switch."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: random.Random, moved: Callable[[], None]
    ) -> None:
        self.absent = False
        self.stuck = False
        self.blocked = False
        """The plug is not fully inserted and blocks the bolt."""
        self.pulses = 0
        self._out = False
        self._moving = False
        self._rng = rng
        self._moved = moved
        self._timers = Timers(loop)

    @property
    def position(self) -> LockPosition:
        if self.absent:
            return LockPosition.ABSENT
        if self._moving:
            return LockPosition.MOVING
        return LockPosition.LOCKED if self._out else LockPosition.UNLOCKED

    @property
    def holds(self) -> bool:
        """True if the bolt is in the plug."""
        return self._out

    def pulse(self, locked: bool) -> None:
        """Start to move the bolt."""
        self.pulses += 1
        if self.absent or self.stuck or locked is self._out:
            return
        self._stop()
        self._moving = True
        self._moved()
        arrive = partial(self._arrive, locked)
        self._timers.plan("travel", self._rng.uniform(*LOCK_TRAVEL_S), arrive)

    def release_by_hand(self) -> None:
        """Open with the red lever, or with stored energy."""
        self._stop()
        self._out = False
        self._moved()

    def restore(self, out: bool) -> None:
        """Set the position stored by an earlier run."""
        self._out = out

    def _arrive(self, locked: bool) -> None:
        self._moving = False
        if not self.stuck:
            self._out = locked and not self.blocked
        self._moved()

    def _stop(self) -> None:
        self._moving = False
        self._timers.cancel("travel")
