"""An event loop with faster time, for `--speed N`.

Loop time stops at the next timer until its callback has run, so a stall of the process lasts as
long for the station as at speed 1, not N times as long.

Only usable if all counterparts run in the same process: sockets to others would time out N times
too early.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from time import monotonic as _monotonic
from typing import Any

CATCH_UP_S = 0.01
"""After a delay the loop catches up by at most this much wall time."""


class _ScaledSelector(selectors.BaseSelector):
    """Waits 1/N of the requested time and advances loop time by at most the requested time, or by
    the elapsed wall time if that is more."""

    def __init__(self, speed: float) -> None:
        self._selector = selectors.DefaultSelector()
        self._speed = speed
        self._wall_s = _monotonic()
        """The wall time that corresponds to `now_s`."""
        self.now_s = self._wall_s

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """`timeout` is in loop seconds."""
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

    def _advance(self, limit_s: float | None) -> None:
        behind_s = self._behind_s()
        step_s = behind_s * self._speed
        if limit_s is not None:
            step_s = min(step_s, max(limit_s, behind_s))
        self.now_s += step_s
        self._wall_s = max(self._wall_s + step_s / self._speed, _monotonic() - CATCH_UP_S)


class ScaledEventLoop(asyncio.SelectorEventLoop):
    """`time()` runs up to `speed` times as fast as wall time and is constant within a callback."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._scaled = _ScaledSelector(speed)
        super().__init__(self._scaled)

    def time(self) -> float:
        return self._scaled.now_s


def running_speed() -> float:
    """How many times as fast as the time of people the running loop may be."""
    loop = asyncio.get_running_loop()
    return loop.speed if isinstance(loop, ScaledEventLoop) else 1.0
