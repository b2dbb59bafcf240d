"""Waiting with a timeout."""

from __future__ import annotations

import asyncio


class Flag:
    """An `asyncio.Event` whose `wait` may be limited, and without its 760 bytes of queue: a station
    has twenty flags, and a process may have a thousand stations."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: tuple[asyncio.Future[bool], ...] = ()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Wake all who wait; later ones do not wait until `clear`."""
        self._is_set = True
        waiting, self._waiting = self._waiting, ()
        for each in waiting:
            _end(each, True)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self, seconds: float | None = None) -> bool:
        """True once the flag is set, False after `seconds`; None waits without limit."""
        if self._is_set:
            return True
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[bool] = loop.create_future()
        self._waiting += (mine,)
        timer = None if seconds is None else loop.call_later(seconds, _end, mine, False)
        try:
            return await mine
        finally:
            if timer is not None:
                timer.cancel()
            self._waiting = tuple(each for each in self._waiting if each is not mine)


def _end(waiting: asyncio.Future[bool], woken: bool) -> None:
    if not waiting.done():
        waiting.set_result(woken)
