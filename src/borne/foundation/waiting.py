"""Waiting with a time limit."""

from __future__ import annotations

import asyncio


class Flag:
    """An `asyncio.Event` without its 760 bytes of queue: a station has twenty flags, and a process
    may have a thousand stations."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: tuple[asyncio.Future[None], ...] = ()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Wake all who wait; later ones do not wait until `clear`."""
        self._is_set = True
        waiting, self._waiting = self._waiting, ()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        if self._is_set:
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting += (mine,)
        try:
            await mine
        finally:
            if mine in self._waiting:
                self._waiting = tuple(each for each in self._waiting if each is not mine)


async def wait_for_flag(flag: Flag, seconds: float | None) -> bool:
    """True once the flag is set, False after `seconds`; None waits without limit."""
    try:
        async with asyncio.timeout(seconds):
            await flag.wait()
    except TimeoutError:
        return False
    return True
