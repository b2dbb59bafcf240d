"""An event loop on which time runs faster: `--speed N`.

Only for a station whose every counterpart lives in the same process; sockets to others would see
time-outs N times too early.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from time import monotonic as _monotonic
from typing import Any


class _ScaledSelector(selectors.BaseSelector):
    """Waits N times shorter than it is asked to."""

    def __init__(self, speed: float) -> None:
        self._selector = selectors.DefaultSelector()
        self._speed = speed

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._selector.select(None if timeout is None else timeout / self._speed)

    def close(self) -> None:
        self._selector.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()


class ScaledEventLoop(asyncio.SelectorEventLoop):
    """`time()` runs `speed` times as fast as the wall."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = _monotonic()
        super().__init__(_ScaledSelector(speed))

    def time(self) -> float:
        """Monotonic seconds of this loop."""
        return self._began + (_monotonic() - self._began) * self._speed
