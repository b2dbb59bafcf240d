"""Restarts the station when its backend could not be reached for long (manual 4, TCP Watchdog).

A restart is the last resort of a link that is stuck. It waits for running sessions, and is not
made when the backend comes back meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from borne.foundation.waiting import Flag, wait_for_flag

_log = logging.getLogger(__name__)


class TcpWatchdog:
    """Counts while there is no connection. 0 as timeout: off."""

    def __init__(
        self,
        timeout_s: Callable[[], float],
        idle: Callable[[], bool],
        restart: Callable[[], Awaitable[object]],
    ) -> None:
        self._timeout_s = timeout_s
        self._idle = idle
        self._restart = restart
        self._changed = Flag()
        self._loop = asyncio.get_running_loop()
        self._lost_s: float | None = self._loop.time()

    def on_link_changed(self, connected: bool) -> None:
        """The connection stands, or not any more."""
        if connected:
            self._lost_s = None
        elif self._lost_s is None:
            self._lost_s = self._loop.time()
        self._changed.set()

    def reconsider(self) -> None:
        """The timeout may have changed, or a session have ended."""
        self._changed.set()

    async def run(self) -> None:
        """Watch, until a restart was asked for."""
        reported = False
        while True:
            self._changed.clear()
            timeout_s, lost_s = self._timeout_s(), self._lost_s
            if timeout_s <= 0 or lost_s is None:
                reported = False
                await self._changed.wait()
                continue
            left_s = lost_s + timeout_s - self._loop.time()
            if left_s <= 0:
                if not reported:
                    _log.error("no connection to the backend for %.0f s: restart", timeout_s)
                    reported = True
                if self._idle():
                    await self._restart()
                    return
                await self._changed.wait()
                continue
            await wait_for_flag(self._changed, left_s)
