"""Security events: all of them in the log, those of the whitepaper also for the backend.

Source: OCPP 1.6 security whitepaper A04 and chapter 8. An event is stored before it is told, and
told until the backend has answered; where it stopped outlives restarts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from borne.application.ports.storage import SecurityLog, StateStore, StorageFailed
from borne.application.state.kept_state import stored_fact, whole
from borne.foundation.clock import Clock, Moment
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor

STATE_KEY = "security_events_told"
MISFIT_KEY = "security_log_misfit"
"""The first event that did not fit at the last check, so that it is told once."""
PAGE = 50
_log = logging.getLogger(__name__)


class SecurityEvent(StrEnum):
    """Names of the whitepaper (chapter 8)."""

    FIRMWARE_UPDATED = "FirmwareUpdated"
    FAILED_TO_AUTHENTICATE = "FailedToAuthenticateAtCentralSystem"
    SETTING_SYSTEM_TIME = "SettingSystemTime"
    STARTUP = "StartupOfTheDevice"
    RESET_OR_REBOOT = "ResetOrReboot"
    SECURITY_LOG_CLEARED = "SecurityLogWasCleared"
    RECONFIGURATION = "ReconfigurationOfSecurityParameters"
    MEMORY_EXHAUSTION = "MemoryExhaustion"
    INVALID_MESSAGES = "InvalidMessages"
    TAMPER_DETECTION = "TamperDetectionActivated"
    INVALID_FIRMWARE_SIGNATURE = "InvalidFirmwareSignature"
    INVALID_FIRMWARE_CERTIFICATE = "InvalidFirmwareSigningCertificate"
    INVALID_CENTRAL_SYSTEM_CERTIFICATE = "InvalidCentralSystemCertificate"
    INVALID_CHARGE_POINT_CERTIFICATE = "InvalidChargePointCertificate"
    INVALID_TLS_VERSION = "InvalidTLSVersion"
    INVALID_TLS_CIPHER_SUITE = "InvalidTLSCipherSuite"


_TOLD = frozenset(SecurityEvent)


@dataclass(frozen=True, slots=True)
class UnreportedEvent:
    """An event that the backend does not know yet."""

    seq: int
    kind: str
    detail: str
    at: datetime


class SecurityEvents:
    """The log and the place up to which the backend knows it."""

    def __init__(
        self, log: SecurityLog, state: StateStore, clock: Clock, supervisor: Supervisor
    ) -> None:
        self.noted: Signal[str] = Signal()
        """The name of an event that was stored."""
        self._log = log
        self._state = state
        self._clock = clock
        self._supervisor = supervisor

    async def note(self, event: SecurityEvent, detail: str = "") -> None:
        try:
            await self._log.add(event.value, detail, self._clock.moment())
        except StorageFailed as error:
            _log.error("security event %s was not stored: %s", event, error)
            return
        self.noted.emit(event.value)

    def note_later(self, event: SecurityEvent, detail: str = "") -> None:
        """Store an event, from a place that cannot wait."""
        self._supervisor.start("security event", self.note(event, detail))

    def check_later(self) -> None:
        """Start to look whether somebody changed the log, which takes a while."""
        self._supervisor.start("security log", self.check())

    async def check(self) -> None:
        """Note it when the log was changed by others; each place once."""
        try:
            misfit = await self._log.verify()
            if misfit is None or misfit == await self._state.get(MISFIT_KEY):
                return
            _log.error("the security log was changed from event %d on", misfit)
            await self.note(SecurityEvent.TAMPER_DETECTION, f"security log, event {misfit}")
            await self._state.put(MISFIT_KEY, misfit)
        except StorageFailed as error:
            _log.error("the security log could not be checked: %s", error)

    async def next(self) -> UnreportedEvent | None:
        """The oldest event that the backend should know and does not."""
        after = await self._reported_up_to()
        while page := await self._log.page(after=after, limit=PAGE):
            for event in page:
                if event["kind"] in _TOLD:
                    return self._unreported(event)
            after = int(page[-1]["seq"])
        return None

    async def reported(self, seq: int) -> None:
        """The backend knows all up to this one."""
        await self._state.put(STATE_KEY, seq)

    async def _reported_up_to(self) -> int:
        """Told again rather than never when it cannot be read."""
        return (await stored_fact(self._state, STATE_KEY, whole, 0))[0]

    async def skip(self) -> None:
        """What happens while nobody wants to know is not told later."""
        last = await self._reported_up_to()
        before = last
        while page := await self._log.page(after=last, limit=PAGE):
            last = int(page[-1]["seq"])
        if last != before:
            await self.reported(last)

    def _unreported(self, event: Mapping[str, Any]) -> UnreportedEvent:
        moment = Moment.from_text(str(event["at"]))
        at = self._clock.date(moment) or self._clock.now()
        return UnreportedEvent(int(event["seq"]), str(event["kind"]), str(event["detail"]), at)
