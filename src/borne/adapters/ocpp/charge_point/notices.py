"""Progress messages for the backend: in order, once, as soon as they can be sent.

They wait in memory while offline and are lost in a power failure; messages that must survive are
posted again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.foundation.supervisor import OnDemandTask, Supervisor
from borne.foundation.waiting import Flag
from borne.protocols.ocpp.messages import Message, action_of, response_model
from borne.protocols.ocpp.rpc.errors import CallFailed, ConnectionLost, NotAccepted

MAX_WAITING: Final = 50
"""Beyond this number the oldest are dropped."""
LONGEST_FLUSH_S: Final = 10.0
_log = logging.getLogger(__name__)


class Notices:
    """A queue in memory."""

    def __init__(self, uplink: Uplink, tasks: Supervisor) -> None:
        self._uplink = uplink
        self._waiting: list[Message] = []
        self._empty = Flag()
        self._empty.set()
        self._sending = OnDemandTask(tasks, "notices", self._send_all)

    def post(self, message: Message) -> None:
        """Queue a message."""
        self._waiting.append(message)
        del self._waiting[:-MAX_WAITING]
        self._empty.clear()
        self._sending.request()

    async def flush(self) -> None:
        """Wait until all messages are sent, with a time limit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_FLUSH_S):
                await self._empty.wait()

    async def _send_all(self) -> None:
        while self._waiting:
            await self._uplink.wait_online()
            await self._send(self._waiting[0])

    async def _send(self, message: Message) -> None:
        action = action_of(type(message))
        try:
            await self._uplink.call(message, response_model(action))
        except (ConnectionLost, NotAccepted):
            return
        except CallFailed as error:
            _log.warning("the backend rejected %s: %s", action, error)
        if self._waiting and self._waiting[0] is message:
            self._waiting.pop(0)
        if not self._waiting:
            self._empty.set()
