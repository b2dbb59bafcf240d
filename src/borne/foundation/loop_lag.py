"""Measures the lag of the event loop: how late a timer fires.

A blocking callback delays the reaction to an unplugged cable, so the worst lag is shown to the
operator. It should stay below 20 ms.
"""

from __future__ import annotations

import asyncio
import logging

INTERVAL_S = 0.5
WARN_S = 0.2
_log = logging.getLogger(__name__)


class LoopLag:
    """The last and the worst lag in seconds."""

    def __init__(self) -> None:
        self.last_s = 0.0
        self.worst_s = 0.0

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_S
            await asyncio.sleep(INTERVAL_S)
            self.last_s = max(0.0, loop.time() - due)
            self.worst_s = max(self.worst_s, self.last_s)
            if self.last_s > WARN_S:
                _log.warning("the event loop was blocked for %.0f ms", self.last_s * 1000)
