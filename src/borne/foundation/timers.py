"""A set of named one-shot timers that can be re-armed and cancelled one by one or together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable


class Timers:
    """At most one timer per name, on the given loop or the running one."""

    __slots__ = ("_handles", "_loop", "_stopped")

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._handles: dict[Hashable, asyncio.TimerHandle] = {}
        self._stopped = False

    def __contains__(self, name: Hashable) -> bool:
        return name in self._handles

    def plan(self, name: Hashable, delay_s: float, action: Callable[[], None]) -> None:
        """Call `action` after `delay_s`; replaces the timer of this name."""
        self.plan_at(name, self._running_loop().time() + delay_s, action)

    def plan_at(self, name: Hashable, due_s: float | None, action: Callable[[], None]) -> None:
        """Call `action` at loop time `due_s`; replaces the timer of this name. None only
        cancels."""
        self.cancel(name)
        if due_s is None or self._stopped:
            return

        def fire() -> None:
            del self._handles[name]
            action()

        self._handles[name] = self._running_loop().call_at(due_s, fire)

    def due_s(self, name: Hashable) -> float | None:
        """When this timer is due, in the loop's time; None: it is not planned."""
        handle = self._handles.get(name)
        return None if handle is None else handle.when()

    def cancel(self, name: Hashable) -> None:
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.cancel()

    def stop(self) -> None:
        """Cancel all timers; further requests are ignored."""
        self._stopped = True
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop or asyncio.get_running_loop()
