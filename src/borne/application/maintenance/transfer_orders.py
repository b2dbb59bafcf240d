"""What orders of a backend to fetch or leave a file have in common: how often it is tried, and how
fast orders may follow each other. Nothing that is ordered keeps the station busy without end.
"""

from __future__ import annotations

import asyncio
from typing import Final

from borne.application.ports.maintenance import TransferProblem

RETRIES: Final = 3
RETRY_INTERVAL_S: Final = 60.0
"""Where the backend leaves it to us."""
MAX_RETRIES: Final = 100
LONGEST_INTERVAL_S: Final = 86400.0
EAGER_RETRIES: Final = 3
"""So many may follow at once; a backend may ask for any number without a pause."""
CALM_INTERVAL_S: Final = 10.0
BETWEEN_ORDERS_S: Final = 2.0
IN_VAIN: Final = frozenset({TransferProblem.UNSUPPORTED, TransferProblem.BAD_ADDRESS})
"""Trying again helps nobody."""


def tries(retries: int | None) -> int:
    """How often, with the first time."""
    return 1 + (RETRIES if retries is None else max(0, min(retries, MAX_RETRIES)))


def pause_s(attempt: int, asked_s: float | None) -> float:
    """How long to wait after the failed attempt (from 0)."""
    wanted_s = RETRY_INTERVAL_S if asked_s is None else max(0.0, min(asked_s, LONGEST_INTERVAL_S))
    return wanted_s if attempt < EAGER_RETRIES else max(wanted_s, CALM_INTERVAL_S)


class Turns:
    """Orders that replace each other: each costs threads, sockets and certificates, so one begins
    so long after the one before. Those that were replaced meanwhile never begin."""

    def __init__(self, between_s: float = BETWEEN_ORDERS_S) -> None:
        self._between_s = between_s
        self._next_s = float("-inf")

    async def wait(self, before: asyncio.Task[None] | None) -> None:
        """Return when the order may begin; `before` is the one that it replaced."""
        if before is not None and not before.done():
            await asyncio.wait([before])
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._next_s - loop.time()))
        self._next_s = loop.time() + self._between_s
