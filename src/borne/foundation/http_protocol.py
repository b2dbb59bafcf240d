"""HTTP/1.1 connections with a time limit for every phase in which uvicorn waits without one, and
with limits on their number (`connections`).

Built on asyncio's protocol callbacks and uvicorn's hook `on_response_complete`. The listener
imports this module when it starts, because importing uvicorn is slow.

A connection is in one phase at a time. Every phase except `ANSWERING` has a time limit, which
single received bytes do not extend. A client that does not read the response is cut off too; an
event stream that is read continues without limit.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.h11_impl import H11Protocol

from borne.foundation.addresses import client_network, is_loopback
from borne.foundation.connections import Admission, ConnectionTable
from borne.foundation.timers import Timers

MIN_READ_BYTES = 4096
"""A client that reads fewer bytes than this within `reading_s` counts as not reading."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long the station waits for a client, by phase."""

    headers_s: float
    body_s: float
    keep_alive_s: float
    reading_s: float
    """For a client that does not read the response."""
    closing_s: float
    """For the remaining data, after the station has closed its side or answered early."""


class RequestPhase(Enum):
    """What the connection is waiting for."""

    NEW = "the first request"
    HEADERS = "the rest of the headers"
    BODY = "the rest of the body"
    ANSWERING = "our answer"
    IDLE = "another request"
    CLOSING = "the end"


class GuardedConnection(H11Protocol):
    """A connection with time limits."""

    def __init__(
        self,
        *arguments: Any,
        table: ConnectionTable,
        limits: TimeLimits,
        always: frozenset[str],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._table = table
        self._limits = limits
        self._always = always
        self._inner: Any = self.app
        self.app = self._answer
        self._entry = Admission.REFUSED
        self._phase = RequestPhase.NEW
        self._cycle: Any = None
        self._timers = Timers(self.loop)
        self._lost = False
        self._since_s = self.loop.time()
        self.address = ""
        self.is_local = False

    # Connection of the table ----------------------------------------------------------------------

    @property
    def waits_since(self) -> float | None:
        answering = self._phase is RequestPhase.ANSWERING and "reading" not in self._timers
        return None if answering else self._since_s

    def drop(self) -> None:
        self.transport.abort()

    # What asyncio calls ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Register the connection in the table."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self.address, self.is_local = client_network(host), is_loopback(host)
        self._entry = self._table.enter(self)
        if self._entry is Admission.REFUSED:
            self.drop()
        else:
            self._begin(RequestPhase.NEW)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._table.leave(self)
        self._timers.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look(received=True)

    def pause_writing(self) -> None:
        """The client reads more slowly than the station sends."""
        super().pause_writing()
        if "reading" not in self._timers:
            self._await_reading()

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        super().resume_writing()
        self._timers.cancel("reading")

    def _await_reading(self) -> None:
        unread = self.transport.get_write_buffer_size()
        look = partial(self._look_at_reading, unread)
        self._timers.plan("reading", self._limits.reading_s, look)

    def _look_at_reading(self, unread_before: int) -> None:
        if self._reads(unread_before):
            self._await_reading()
        else:
            self.drop()

    def _reads(self, unread_before: int) -> bool:
        """True if the client reads, even slowly."""
        return 0 < self.transport.get_write_buffer_size() <= unread_before - MIN_READ_BYTES

    # What uvicorn calls ---------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        crowded = self._entry is Admission.RESERVE and scope["path"] not in self._always
        try:
            await (service_unavailable if crowded else self._inner)(scope, receive, send)
        finally:
            self.loop.call_soon(self._look)

    @property
    def _cycle_now(self) -> Any:
        """uvicorn's request-response cycle; None before the first request, contrary to its type."""
        return self.cycle

    # Phases ---------------------------------------------------------------------------------------

    def _look(self, *, received: bool = False) -> None:
        if self._lost:
            return
        phase = self._current(received=received)
        # The next request may already be in the same phase.
        if phase is not self._phase or self._cycle_now is not self._cycle:
            self._begin(phase)

    def _current(self, *, received: bool) -> RequestPhase:
        if self.transport.is_closing():
            return RequestPhase.CLOSING
        answered = self._cycle_now is None or self._cycle_now.response_complete
        theirs = self.conn.their_state
        if theirs is h11.SEND_BODY:
            return RequestPhase.CLOSING if answered else RequestPhase.BODY
        if not answered:
            return RequestPhase.ANSWERING
        if theirs is not h11.IDLE:
            return RequestPhase.CLOSING
        if received or self._phase is RequestPhase.HEADERS:
            return RequestPhase.HEADERS
        return RequestPhase.NEW if self._phase is RequestPhase.NEW else RequestPhase.IDLE

    def _begin(self, phase: RequestPhase) -> None:
        self._phase, self._cycle, self._since_s = phase, self._cycle_now, self.loop.time()
        self._timers.cancel("phase")
        self._arm()

    def _arm(self) -> None:
        limit_s = self._limit_s(self._phase)
        if limit_s is not None:
            unread = self.transport.get_write_buffer_size()
            self._timers.plan("phase", limit_s, partial(self._end, unread))

    def _end(self, unread_before: int) -> None:
        # uvicorn may have completed the response long before the client has read it.
        if self._phase in {RequestPhase.IDLE, RequestPhase.CLOSING} and self._reads(unread_before):
            self._arm()
        else:
            self.drop()

    def _limit_s(self, phase: RequestPhase) -> float | None:
        match phase:
            case RequestPhase.ANSWERING:
                return None
            case RequestPhase.NEW | RequestPhase.HEADERS:
                return self._limits.headers_s
            case RequestPhase.BODY:
                return self._limits.body_s
            case RequestPhase.IDLE:
                return self._limits.keep_alive_s
            case RequestPhase.CLOSING:
                return self._limits.closing_s


def guarded(
    table: ConnectionTable, limits: TimeLimits, always: frozenset[str]
) -> type[asyncio.Protocol]:
    """The protocol class for the connections of one listener, as uvicorn expects it."""

    class Connection(GuardedConnection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, table=table, limits=limits, always=always, **options)

    return Connection
