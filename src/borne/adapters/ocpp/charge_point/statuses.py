"""StatusNotification: every change while online; after a disconnection only the present statuses.

A status that implies the end of a transaction is sent after its StopTransaction, if that can be
sent now (decision 0135). Source: OCPP 1.6 edition 2 section 4.9, OCPP-J 1.6 section 5.4, errata
3.22 (0 and every connector after a BootNotification).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.application.ports.backend import StatusReport
from borne.domain.station.status import BackendStatus
from borne.foundation.clock import Clock
from borne.foundation.waiting import Flag
from borne.protocols.ocpp.messages.core import (
    ChargePointErrorCode,
    ChargePointStatus,
    StatusNotificationRequest,
    StatusNotificationResponse,
)
from borne.protocols.ocpp.messages.types import TriggerMessageStatus
from borne.protocols.ocpp.rpc.errors import CallFailed, CallTimeout, ConnectionLost, NotAccepted
from borne.protocols.ocpp.rpc.handlers import FollowUp

MAX_ATTEMPTS: Final = 3
"""Attempts for a status that is not answered on a working connection; a newer one replaces it
anyway."""
MAX_WAITING: Final = 100
"""Beyond this number of unsent changes, only the newest of each connector is kept."""
LONGEST_HOLD_S: Final = 15.0
"""Longest time for which a status waits for the preceding StopTransaction; behind a long or stuck
queue, the present status is more important than the order."""
OVER: Final = frozenset(
    {
        BackendStatus.AVAILABLE,
        BackendStatus.PREPARING,
        BackendStatus.FINISHING,
        BackendStatus.RESERVED,
        BackendStatus.UNAVAILABLE,
    }
)
"""Statuses without a transaction."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A status to send."""

    report: StatusReport
    since_s: float
    triggered: bool = False
    """Triggered: the present status is sent, regardless of waiting ones."""


class Statuses:
    """The statuses of all connectors, and those last reported to the backend."""

    def __init__(
        self, uplink: Uplink, clock: Clock, end_waits: Callable[[int], Awaitable[bool]]
    ) -> None:
        self.settle: Callable[[int | None], None] = lambda _: None
        """Lets the application report what it held back, for one connector or all."""
        self._uplink = uplink
        self._clock = clock
        self._end_waits = end_waits
        self._current: dict[int, StatusReport] = {}
        self._known: dict[int, StatusReport] = {}
        self._waiting: list[_Waiting] = []
        self._work = Flag()
        self._caught_up = Flag()
        uplink.online_changed.subscribe(self._on_online)

    def report(self, report: StatusReport) -> None:
        """Report the status of a connector; repetitions are ignored."""
        if report.same_as(self._current.get(report.connector)):
            return
        self._current[report.connector] = report.lasting
        if self._uplink.online:
            self._waiting.append(_Waiting(report, _loop_time()))
            if len(self._waiting) > MAX_WAITING:
                self._collapse()
            self._work.set()

    def reconsider(self) -> None:
        """Call after progress of the transaction queue: waiting statuses may be due."""
        self._work.set()

    def forget_known(self) -> None:
        """Report all statuses again, after a BootNotification."""
        self._known.clear()
        if self._uplink.online:
            self.settle(None)
            self._collapse()
            self._work.set()

    def triggered(self, connector_id: int | None) -> tuple[TriggerMessageStatus, FollowUp | None]:
        """Answer a trigger; afterwards the statuses at that time are sent, of one connector or
        all."""
        if not self._wanted(connector_id):
            return TriggerMessageStatus.REJECTED, None

        async def send() -> None:
            self.settle(connector_id)
            if self._uplink.online:
                self._hurry(connector_id)
            else:
                await self._report_unaccepted(connector_id)

        return TriggerMessageStatus.ACCEPTED, send

    async def caught_up(self) -> None:
        """Wait until the statuses due after connecting have been sent or tried."""
        await self._caught_up.wait()

    async def run(self) -> None:
        """Send statuses without end."""
        while True:
            await self._uplink.wait_online()
            self._work.clear()
            due = await self._next_due()
            if due is not None:
                # While the queue was read, a disconnection may have replaced them.
                if due in self._waiting:
                    await self._send(due)
                continue
            self._caught_up.set()
            if self._waiting:
                held_s = _loop_time() - self._waiting[0].since_s
                await self._work.wait(max(0.0, LONGEST_HOLD_S - held_s))
            else:
                await self._work.wait()

    async def _next_due(self) -> _Waiting | None:
        """The first status that need not wait for the end of a transaction, directly or behind
        another one."""
        held = set[int]()
        asked = {waiting.report.connector for waiting in self._waiting if waiting.triggered}
        for waiting in tuple(self._waiting):
            connector = waiting.report.connector
            if connector in held:
                continue
            if connector in asked or not await self._is_held(waiting):
                return waiting
            held.add(connector)
        return None

    async def _is_held(self, waiting: _Waiting) -> bool:
        report = waiting.report
        if report.connector == 0 or report.status not in OVER:
            return False
        if _loop_time() - waiting.since_s >= LONGEST_HOLD_S:
            return False
        return await self._end_waits(report.connector)

    async def _send(self, waiting: _Waiting) -> None:
        report = waiting.report
        now = self._clock.moment()
        request = _request(report, self._clock.date(now if waiting.triggered else report.at))
        for _ in range(MAX_ATTEMPTS):
            try:
                await self._uplink.call(request, StatusNotificationResponse)
                break
            except CallTimeout:
                self._caught_up.set()
                if not report.lasting.same_as(self._current[report.connector]):
                    break
            except (ConnectionLost, NotAccepted):
                return
            except CallFailed as error:
                _log.warning("the backend refused a status: %s", error)
                break
        self._known[report.connector] = report.lasting
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def _hurry(self, connector_id: int | None) -> None:
        """Send all waiting statuses now, and the present one even if it is known."""
        for number in self._wanted(connector_id):
            ours = [w for w in self._waiting if w.report.connector == number]
            if ours and ours[-1].report.lasting.same_as(self._current[number]):
                ours[-1].triggered = True
            else:
                self._waiting.append(_Waiting(self._current[number], _loop_time(), triggered=True))
        self._work.set()

    async def _report_unaccepted(self, connector_id: int | None) -> None:
        for number in self._wanted(connector_id):
            now = self._clock.date(self._clock.moment())
            request = _request(self._current[number], now)
            try:
                await self._uplink.call_unaccepted(request, StatusNotificationResponse)
            except CallFailed as error:
                _log.warning("a triggered status failed: %s", error)

    def _wanted(self, connector_id: int | None) -> list[int]:
        return [n for n in sorted(self._current) if connector_id in (None, n)]

    def _on_online(self, online: bool) -> None:
        self._caught_up.clear()
        if online:
            self.settle(None)
            self._collapse()
        else:
            self._waiting.clear()
        self._work.set()

    def _collapse(self) -> None:
        """Keep only the newest status of each connector, 0 first, that the backend does not
        know."""
        now_s = _loop_time()
        self._waiting = [
            _Waiting(report, now_s)
            for number, report in sorted(self._current.items())
            if not report.same_as(self._known.get(number))
        ]


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _request(report: StatusReport, when: datetime | None) -> StatusNotificationRequest:
    """The request; the timestamp is left out while the date is unknown."""
    return StatusNotificationRequest(
        connector_id=report.connector,
        error_code=ChargePointErrorCode(report.error_code),
        info=report.info[:50] or None,
        status=ChargePointStatus(report.status),
        timestamp=when,
        vendor_error_code=report.vendor_error_code[:50] or None,
    )
