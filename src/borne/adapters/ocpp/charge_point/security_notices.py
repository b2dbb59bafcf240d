"""Reports security events to the central system, each until it is answered (whitepaper
A04.FR.02)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.application.security.security_events import SecurityEvents
from borne.foundation.supervisor import OnDemandTask, Supervisor
from borne.protocols.ocpp.messages.security import (
    SecurityEventNotificationRequest,
    SecurityEventNotificationResponse,
)
from borne.protocols.ocpp.rpc.errors import CallFailed, CallRefused, ConnectionLost, NotAccepted

AGAIN_S: Final = 60.0
MAX_DETAIL: Final = 255
_log = logging.getLogger(__name__)


class SecurityNotices:
    """Sends while `enabled()`, because a central system may lack the security extension."""

    def __init__(
        self,
        uplink: Uplink,
        events: SecurityEvents,
        enabled: Callable[[], bool],
        tasks: Supervisor,
    ) -> None:
        self._uplink = uplink
        self._events = events
        self._enabled = enabled
        self._was_enabled = enabled()
        self._sending = OnDemandTask(tasks, "security events", self._send_all)

    def start(self) -> None:
        """Send the events that are not reported yet, and all later ones."""
        self._events.noted.notify(self._sending.request)
        self._sending.request()

    def reconsider(self) -> None:
        """Call when `enabled` may have changed."""
        enabled = self._enabled()
        if enabled is not self._was_enabled:
            self._was_enabled = enabled
            self._sending.request()

    async def _send_all(self) -> None:
        while True:
            await self._uplink.wait_online()
            if not self._enabled():
                await self._events.skip()
                return
            event = await self._events.next()
            if event is None:
                return
            request = SecurityEventNotificationRequest(
                type=event.kind,
                timestamp=event.at,
                tech_info=event.detail[:MAX_DETAIL] or None,
            )
            if await self._sent(request):
                await self._events.reported(event.seq)

    async def _sent(self, request: SecurityEventNotificationRequest) -> bool:
        try:
            await self._uplink.call(request, SecurityEventNotificationResponse)
        except (ConnectionLost, NotAccepted):
            return False
        except CallRefused as error:
            _log.warning("the backend rejects security events: %s", error)
        except CallFailed as error:
            _log.warning("a security event was not answered: %s", error)
            await asyncio.sleep(AGAIN_S)
            return False
        return True
