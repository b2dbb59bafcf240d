"""Calls to a central system, independent of the present connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from borne.adapters.ocpp.charge_point.link import OcppLink
from borne.foundation.events import Signal
from borne.foundation.waiting import Flag
from borne.protocols.ocpp.messages import Message
from borne.protocols.ocpp.rpc.errors import CallTimeout, ConnectionLost, NotAccepted

Res = TypeVar("Res", bound=Message)


class Uplink:
    """The present connection, and whether the central system has accepted the station."""

    def __init__(self) -> None:
        self.online_changed: Signal[bool] = Signal()
        """True when calls can be made, False when that ends."""
        self.last_answer_s: float | None = None
        """Loop time of the last answer to a call."""
        self._link: OcppLink | None = None
        self._online = Flag()
        self._turn = asyncio.Lock()
        """Calls are serialized: each one checks when it starts whether it may still be sent."""

    @property
    def online(self) -> bool:
        return self._online.is_set()

    async def wait_online(self) -> None:
        """Wait until calls can be made."""
        await self._online.wait()

    def attach(self, link: OcppLink) -> None:
        """Use a new connection, on which nothing is accepted yet."""
        self._link = link

    def detach(self) -> None:
        """The link was closed."""
        self.set_accepted(False)
        self._link = None

    def set_accepted(self, accepted: bool) -> None:
        """Permit or stop ordinary calls."""
        online = accepted and self._link is not None
        if online == self.online:
            return
        if online:
            self._online.set()
        else:
            self._online.clear()
        self.online_changed.emit(online)

    @asynccontextmanager
    async def between_calls(self, timeout_s: float) -> AsyncIterator[None]:
        """Enter between calls, or after `timeout_s` during one; no other call starts meanwhile."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._turn.acquire()
        except TimeoutError:
            yield
            return
        try:
            yield
        finally:
            self._turn.release()

    async def call(
        self, request: Message, response_type: type[Res], *, message_id: str | None = None
    ) -> Res:
        """An ordinary call; raises NotAccepted or ConnectionLost while not online.

        A call may have waited for the answer to BootNotification, so it checks again when it
        starts.
        """
        link = self._standing()
        self._check_accepted()
        async with self._turn:
            self._check_accepted()
            return await self._exchange(link, request, response_type, message_id)

    async def call_unaccepted(
        self, request: Message, response_type: type[Res], *, message_id: str | None = None
    ) -> Res:
        """A call that needs no acceptance: BootNotification, and triggered messages."""
        link = self._standing()
        async with self._turn:
            return await self._exchange(link, request, response_type, message_id)

    def _standing(self) -> OcppLink:
        if self._link is None:
            raise ConnectionLost("not connected")
        return self._link

    def _check_accepted(self) -> None:
        if self._link is not None and not self.online:
            raise NotAccepted("the central system has not accepted this charge point")

    async def _exchange(
        self, link: OcppLink, request: Message, response_type: type[Res], message_id: str | None
    ) -> Res:
        """A timeout on a dead connection is reported as ConnectionLost."""
        if link is not self._link:
            raise ConnectionLost("the connection is gone")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            answer = await link.call(request, response_type, message_id=message_id)
        except CallTimeout:
            if await link.is_alive(began_s):
                raise
            link.abort()
            self._lost(link)
            raise ConnectionLost("the connection is dead") from None
        except ConnectionLost:
            self._lost(link)
            raise
        self.last_answer_s = loop.time()
        return answer

    def _lost(self, link: OcppLink) -> None:
        """Leave the online state at once, so that loops that wait for it do not spin."""
        if link is self._link:
            self.set_accepted(False)
