"""Security events: all go to the log, those of the whitepaper also to the backend.

Source: OCPP 1.6 security whitepaper A04 and chapter 8. An event is stored before it is reported,
and repeated until the backend has answered; the position of the last one survives restarts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from borne.application.ports.storage import (
    LoggedSecurityEvent,
    SecurityLog,
    StateStore,
)
from borne.application.state.kept_state import stored_fact, whole
from borne.application.state.storage_failure import log_storage_failure
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor

STATE_KEY = "security_events_told"
MISFIT_KEY = "security_log_misfit"
"""The first tampered event found at the last check, so that it is reported only once."""
PAGE = 50
_log = logging.getLogger(__name__)


class SecurityEvent(StrEnum):
    """Names of security events (whitepaper, chapter 8)."""

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


_REPORTED = frozenset(SecurityEvent)


@dataclass(frozen=True, slots=True)
class UnreportedEvent:
    """An event that has not been reported to the backend."""

    seq: int
    kind: str
    detail: str
    at: datetime


class SecurityEvents:
    """The security log, and the position up to which it has been reported."""

    def __init__(
        self, log: SecurityLog, state: StateStore, clock: Clock, supervisor: Supervisor
    ) -> None:
        self.noted: Signal[str] = Signal()
        """The name of a stored event."""
        self._log = log
        self._state = state
        self._clock = clock
        self._supervisor = supervisor

    async def note(self, event: SecurityEvent, detail: str = "") -> None:
        with log_storage_failure(_log, f"security event {event} was not stored"):
            await self._log.add(event.value, detail, self._clock.moment())
            self.noted.emit(event.value)

    def note_later(self, event: SecurityEvent, detail: str = "") -> None:
        """Store an event; for callers that cannot await."""
        self._supervisor.start("security event", self.note(event, detail))

    def check_later(self) -> None:
        """Start `check` in the background, because it takes long."""
        self._supervisor.start("security log", self.check())

    async def check(self) -> None:
        """Verify the log's hash chain and record tampering, once per position."""
        with log_storage_failure(_log, "the security log could not be checked"):
            misfit = await self._log.verify()
            if misfit is None or misfit == await self._state.get(MISFIT_KEY):
                return
            _log.error("the security log was changed from event %d on", misfit)
            await self.note(SecurityEvent.TAMPER_DETECTION, f"security log, event {misfit}")
            await self._state.put(MISFIT_KEY, misfit)

    async def next(self) -> UnreportedEvent | None:
        """The oldest unreported event that the backend should get."""
        after = await self._reported_up_to()
        while page := await self._log.page(after=after, limit=PAGE):
            for event in page:
                if event.kind in _REPORTED:
                    return self._unreported(event)
            after = page[-1].seq
        return None

    async def reported(self, seq: int) -> None:
        """Record that the backend has all events up to this one."""
        await self._state.put(STATE_KEY, seq)

    async def _reported_up_to(self) -> int:
        """If the position cannot be read, everything is reported again rather than lost."""
        return (await stored_fact(self._state, STATE_KEY, whole, 0))[0]

    async def skip(self) -> None:
        """Skip the events that were stored while no security profile was in use."""
        last = await self._reported_up_to()
        before = last
        while page := await self._log.page(after=last, limit=PAGE):
            last = page[-1].seq
        if last != before:
            await self.reported(last)

    def _unreported(self, event: LoggedSecurityEvent) -> UnreportedEvent:
        at = self._clock.date(event.at) or self._clock.now()
        return UnreportedEvent(event.seq, event.kind, event.detail, at)
