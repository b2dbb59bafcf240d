"""Restarts the station if its backend was unreachable for a long time (manual 4, TCP Watchdog).

A restart is the last resort for a stuck connection. It waits for running sessions, and is cancelled
if the backend is reached meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers

_DUE: Final = "restart"
_log = logging.getLogger(__name__)


class TcpWatchdog:
    """Measures the time without a connection. A timeout of 0 switches it off."""

    def __init__(
        self,
        timeout_s: Callable[[], float],
        idle: Callable[[], bool],
        restart: Callable[[], Awaitable[object]],
        supervisor: Supervisor,
    ) -> None:
        self._timeout_s = timeout_s
        self._idle = idle
        self._restart = restart
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._timers = Timers(self._loop)
        self._lost_s: float | None = self._loop.time()
        self._reported = False
        self._restarting = False

    def on_link_changed(self, connected: bool) -> None:
        """Process the start or end of a connection."""
        if connected:
            self._lost_s = None
        elif self._lost_s is None:
            self._lost_s = self._loop.time()
        self.reconsider()

    def reconsider(self) -> None:
        """Call when the timeout may have changed or expired, or a session may have ended."""
        timeout_s = self._timeout_s()
        due_s = None if self._lost_s is None or timeout_s <= 0 else self._lost_s + timeout_s
        if due_s is None or self._loop.time() < due_s:
            self._reported = False
            if self._timers.due_s(_DUE) != due_s:
                self._timers.plan_at(_DUE, due_s, self.reconsider)
            return
        if not self._reported:
            _log.error("no connection to the backend for %.0f s: restart", timeout_s)
            self._reported = True
        if self._idle() and not self._restarting:
            self._restarting = True
            self._supervisor.keep("restart", self._restart)

    def abort(self) -> None:
        self._timers.stop()
