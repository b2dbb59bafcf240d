"""The connection of a bus: opened when it is needed, after growing pauses when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from borne.protocols.modbus.endpoint import Endpoint
from borne.protocols.modbus.failures import Unreachable
from borne.protocols.modbus.transports import Link

FIRST_RECONNECT_S: Final = 0.5
LONGEST_RECONNECT_S: Final = 10.0
_log = logging.getLogger(__name__)

Opener = Callable[[Endpoint], Awaitable[Link]]


class Connection:
    """One connection at a time. `on_link` gets each new one, `on_change` is called after each
    attempt."""

    def __init__(
        self,
        endpoint: Endpoint,
        opener: Opener,
        on_link: Callable[[Link], None],
        on_change: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._opener = opener
        self._on_link = on_link
        self._on_change = on_change
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None
        self._reason = ""
        self._due_s = float("-inf")
        self._pause_s = FIRST_RECONNECT_S
        self._closed = False
        self.down_since_s = float("-inf")
        """When the last one was lost."""

    @property
    def is_open(self) -> bool:
        return self._link is not None and not self._link.lost

    def open(self, now_s: float) -> float | None:
        """Begin to connect if it is time; else returns when it is, None while it is being tried."""
        if self._opening is not None:
            return None
        if now_s < self._due_s:
            return self._due_s
        loop = asyncio.get_running_loop()
        self._opening = loop.create_task(self._open(), name=f"modbus {self._endpoint} connect")
        self._opening.add_done_callback(self._on_opened)
        return None

    def drop(self, now_s: float) -> None:
        """Give the connection up."""
        if self._link is not None:
            self._link.close()
            self._link = None
            self.down_since_s = now_s

    def on_answer(self) -> None:
        """It works: the next one is made without a pause."""
        self._pause_s = FIRST_RECONNECT_S

    def on_failure(self, reason: str) -> None:
        """It is of no use: wait before the next one."""
        self._reason = reason
        self._due_s = asyncio.get_running_loop().time() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_RECONNECT_S)

    def failure(self) -> Unreachable:
        """Why there is none."""
        return Unreachable(self._reason or f"Nothing answers at {self._endpoint}.")

    def abort(self) -> list[asyncio.Task[Link]]:
        """Close it for good; returns the task that ends."""
        self._closed = True
        if self._link is not None:
            self._link.close()
        if self._opening is None:
            return []
        self._opening.cancel()
        return [self._opening]

    async def _open(self) -> Link:
        return await self._opener(self._endpoint)

    def _on_opened(self, task: asyncio.Task[Link]) -> None:
        self._opening = None
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._on_new_link(task.result())
        elif isinstance(error, Unreachable):
            self.on_failure(str(error))
        else:
            _log.error("%s could not be opened", self._endpoint, exc_info=error)
            self.on_failure(f"{self._endpoint} could not be opened by an internal error.")
        self._on_change()

    def _on_new_link(self, link: Link) -> None:
        if self._closed:
            link.close()
            return
        self._reason = ""
        self._link = link
        self._on_link(link)
