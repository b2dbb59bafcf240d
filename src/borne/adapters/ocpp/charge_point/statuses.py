"""StatusNotification: every change while online, only what is true now after an absence.

Source: OCPP 1.6 edition 2 section 4.9, OCPP-J 1.6 section 5.4, errata 3.22 (0 and every
connector after a Boot).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime
from typing import Final

from borne.adapters.ocpp.charge_point.contract import StatusReport
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.adapters.ocpp.messages.core import (
    StatusNotificationRequest,
    StatusNotificationResponse,
)
from borne.adapters.ocpp.rpc.errors import CallFailed, CallTimeout, ConnectionLost, NotAccepted
from borne.foundation.clock import Clock

MAX_ATTEMPTS: Final = 3
"""For a status that meets no answer on a living link; a newer one replaces it anyway."""
MAX_WAITING: Final = 100
"""Beyond this many unsent changes only the newest of each connector is kept."""

_log = logging.getLogger(__name__)


class Statuses:
    """The statuses of all connectors and what the backend knows of them."""

    def __init__(self, uplink: Uplink, clock: Clock) -> None:
        self._uplink = uplink
        self._clock = clock
        self._current: dict[int, StatusReport] = {}
        self._known: dict[int, StatusReport] = {}
        self._waiting: deque[StatusReport] = deque()
        self._work = asyncio.Event()
        self._caught_up = asyncio.Event()
        uplink.online_changed.subscribe(self._on_online)

    def report(self, report: StatusReport) -> None:
        """The status of a connector changed; a repetition is ignored."""
        if report.same_as(self._current.get(report.connector_id)):
            return
        self._current[report.connector_id] = report
        if self._uplink.online:
            self._waiting.append(report)
            if len(self._waiting) > MAX_WAITING:
                self._collapse()
            self._work.set()

    def forget_known(self) -> None:
        """After a Boot the backend is told everything again."""
        self._known.clear()
        if self._uplink.online:
            self._collapse()
            self._work.set()

    def requests(self, connector_id: int | None) -> list[StatusNotificationRequest]:
        """What is true now, of one or all connectors, dated now (for triggers)."""
        wanted = sorted(self._current) if connector_id is None else [connector_id]
        now = self._clock.date(self._clock.moment())
        return [
            _request(self._current[number], now) for number in wanted if number in self._current
        ]

    async def caught_up(self) -> None:
        """Return when the statuses due after going online were sent, or tried."""
        await self._caught_up.wait()

    async def run(self) -> None:
        """Send, for ever."""
        while True:
            await self._uplink.wait_online()
            if not self._waiting:
                self._caught_up.set()
                self._work.clear()
                await self._work.wait()
                continue
            await self._send(self._waiting[0])

    async def _send(self, report: StatusReport) -> None:
        request = _request(report, self._clock.date(report.at))
        for _ in range(MAX_ATTEMPTS):
            try:
                await self._uplink.call(request, StatusNotificationResponse)
                break
            except CallTimeout:
                self._caught_up.set()
                if report is not self._current[report.connector_id]:
                    break
            except (ConnectionLost, NotAccepted):
                return
            except CallFailed as error:
                _log.warning("the backend refused a status: %s", error)
                break
        self._known[report.connector_id] = report
        if self._waiting and self._waiting[0] is report:
            self._waiting.popleft()

    def _on_online(self, online: bool) -> None:
        self._waiting.clear()
        self._caught_up.clear()
        if online:
            self._collapse()
        self._work.set()

    def _collapse(self) -> None:
        """Only the newest of each connector, 0 first, and only what the backend does not know."""
        self._waiting = deque(
            report
            for number, report in sorted(self._current.items())
            if not report.same_as(self._known.get(number))
        )


def _request(report: StatusReport, when: datetime | None) -> StatusNotificationRequest:
    """While nobody knows the date it is left out: no date is better than a wrong one."""
    return StatusNotificationRequest(
        connector_id=report.connector_id,
        error_code=report.error_code,
        info=report.info[:50] or None,
        status=report.status,
        timestamp=when,
        vendor_id=report.vendor_id[:255] or None,
        vendor_error_code=report.vendor_error_code[:50] or None,
    )
