"""An event loop on which time runs faster: `--speed N`.

Time waits for the work: it stops at the next timer until that has run. A stall of the process
lasts as long for the station as it does at speed 1, not N times as long.

Only for a station whose every counterpart lives in the same process; sockets to others would see
time-outs N times too early.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from time import monotonic as _monotonic
from typing import Any

CATCH_UP_S = 0.01
"""So much of the wall's time is made up for after a delay; the rest is lost."""


class _ScaledSelector(selectors.BaseSelector):
    """Waits N times shorter than it is asked to, and moves the time by what was asked at most, or
    by what passed on the wall if that is more."""

    def __init__(self, speed: float) -> None:
        self._selector = selectors.DefaultSelector()
        self._speed = speed
        self._wall_s = _monotonic()
        """The wall's time that corresponds to `now_s`."""
        self.now_s = self._wall_s

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """`timeout` in seconds of this loop: to the next timer, 0 when work waits already."""
        wall_s = None
        if timeout is not None:
            wall_s = max(0.0, timeout / self._speed - self._behind_s())
        ready = self._selector.select(wall_s)
        self._advance(timeout)
        return ready

    def close(self) -> None:
        self._selector.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()

    def _behind_s(self) -> float:
        return _monotonic() - self._wall_s

    def _advance(self, most_s: float | None) -> None:
        behind_s = self._behind_s()
        step_s = behind_s * self._speed
        if most_s is not None:
            step_s = min(step_s, max(most_s, behind_s))
        self.now_s += step_s
        self._wall_s = max(self._wall_s + step_s / self._speed, _monotonic() - CATCH_UP_S)


class ScaledEventLoop(asyncio.SelectorEventLoop):
    """`time()` runs up to `speed` times as fast as the wall, and stands still within callbacks."""

    def __init__(self, speed: float) -> None:
        self._scaled = _ScaledSelector(speed)
        super().__init__(self._scaled)

    def time(self) -> float:
        """Monotonic seconds of this loop."""
        return self._scaled.now_s
