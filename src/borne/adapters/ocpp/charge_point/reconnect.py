"""When to reconnect: exponential back-off with a cap and jitter, without end.

After a local power failure many stations reconnect at once; the jitter spreads them.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

from borne.foundation.waiting import Flag

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 120.0
FACTOR: Final = 2.0
JITTER: Final = 0.5
"""A pause is chosen between 50 % and 100 % of the nominal one."""
STABLE_AFTER_S: Final = 30.0
"""A connection that lasted this long resets the back-off."""


class Backoff:
    """Growing pauses, drawn from an injected generator."""

    def __init__(
        self,
        rng: random.Random,
        *,
        first_s: float = FIRST_PAUSE_S,
        longest_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self.longest_s = longest_s
        self._failures = 0

    def next_pause_s(self) -> float:
        """The next pause, at most `longest_s`."""
        nominal_s = min(self._first_s * FACTOR ** min(self._failures, 32), self.longest_s)
        self._failures += 1
        return nominal_s * (1 - JITTER * self._rng.random())

    def reset(self) -> None:
        """Start with the first pause again."""
        self._failures = 0


class Pause:
    """A sleep that can be ended from outside, and that knows its remaining time."""

    def __init__(self) -> None:
        self._wake = Flag()
        self._until_s: float | None = None

    @property
    def remaining_s(self) -> float | None:
        """Remaining seconds; None if not sleeping."""
        if self._until_s is None:
            return None
        return max(0.0, self._until_s - asyncio.get_running_loop().time())

    def wake(self) -> None:
        """End the present sleep; no effect on later ones."""
        self._wake.set()

    async def sleep(self, seconds: float) -> bool:
        """Sleep; True if woken early."""
        self._wake.clear()
        self._until_s = asyncio.get_running_loop().time() + seconds
        try:
            return await self._wake.wait(seconds)
        finally:
            self._until_s = None
