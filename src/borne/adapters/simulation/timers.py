"""Named single timers of one object: planned anew, cancelled one by one or all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """At most one timer a name."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._handles

    def plan(self, name: str, delay_s: float, action: Callable[[], None]) -> None:
        """Call `action` after `delay_s`, instead of what was planned under this name."""
        self.cancel(name)

        def fire() -> None:
            del self._handles[name]
            action()

        self._handles[name] = self._loop.call_later(delay_s, fire)

    def cancel(self, name: str) -> None:
        """Forget what was planned, if anything."""
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.cancel()

    def cancel_all(self) -> None:
        """Forget everything."""
        for name in list(self._handles):
            self.cancel(name)
