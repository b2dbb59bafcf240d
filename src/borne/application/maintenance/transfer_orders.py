"""Retries and pacing of a backend's orders to download or upload a file, so that no sequence of
orders keeps the station busy indefinitely."""

from __future__ import annotations

import asyncio
from typing import Final

from borne.application.ports.maintenance import TransferProblem

RETRIES: Final = 3
RETRY_INTERVAL_S: Final = 60.0
"""Used if the backend gives none."""
MAX_RETRIES: Final = 100
LONGEST_INTERVAL_S: Final = 86400.0
FAST_RETRIES: Final = 3
"""Retries that may use the backend's interval even if it is 0."""
SLOW_INTERVAL_S: Final = 10.0
BETWEEN_ORDERS_S: Final = 2.0
PERMANENT_PROBLEMS: Final = frozenset({TransferProblem.UNSUPPORTED, TransferProblem.BAD_ADDRESS})
"""Problems that a retry cannot solve."""


def max_attempts(retries: int | None) -> int:
    """Number of attempts, including the first one."""
    return 1 + (RETRIES if retries is None else max(0, min(retries, MAX_RETRIES)))


def pause_s(attempt: int, requested_s: float | None) -> float:
    """Pause after a failed attempt (counted from 0)."""
    wanted_s = RETRY_INTERVAL_S
    if requested_s is not None:
        wanted_s = max(0.0, min(requested_s, LONGEST_INTERVAL_S))
    return wanted_s if attempt < FAST_RETRIES else max(wanted_s, SLOW_INTERVAL_S)


class OrderPacing:
    """Spaces out orders that replace each other, because each one costs threads, sockets and TLS
    handshakes. An order that is replaced while it waits never starts."""

    def __init__(self, between_s: float = BETWEEN_ORDERS_S) -> None:
        self._between_s = between_s
        self._next_s = float("-inf")

    async def wait(self, before: asyncio.Task[None] | None) -> None:
        """Wait until the order may start; `before` is the task of the order that it replaced."""
        if before is not None and not before.done():
            await asyncio.wait([before])
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._next_s - loop.time()))
        self._next_s = loop.time() + self._between_s
