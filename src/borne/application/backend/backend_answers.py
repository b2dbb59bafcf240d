"""Processes the backend's answers (implements `ports.BackendListener`)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from borne.application.authorization.authorization_flow import AuthorizationFlow
from borne.application.backend.refused_ids import RefusedIds
from borne.application.backend.timestamp_resolver import TimestampResolver
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.ports.backend import IdTagInfo
from borne.application.ports.storage import QueuedMessage, SecurityLog
from borne.application.settings.settings_service import SettingsRejected, SettingsService
from borne.domain.principals import SYSTEM
from borne.domain.station.transaction_messages import StartMessage, StopMessage
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.supervisor import Supervisor

YEARS: Final = range(2025, 2100)
"""Years of a plausible time; others are an error of the backend and would break the calendar."""
_log = logging.getLogger(__name__)


def best_time(now: datetime | None, answered: datetime, round_trip_s: float) -> datetime:
    """The time according to an answer. It was sent at some time of its round trip, which may take a
    minute: a clock within that range is left unchanged, else the middle is the best estimate."""
    if now is not None and answered <= now <= answered + timedelta(seconds=round_trip_s):
        return now
    return answered + timedelta(seconds=round_trip_s / 2)


class BackendAnswers:
    """See `ports.BackendListener`."""

    def __init__(
        self,
        authorization: AuthorizationFlow,
        refused: RefusedIds,
        journal: TransactionJournal,
        timestamp_resolver: TimestampResolver,
        settings: SettingsService,
        security: SecurityLog,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self._authorization = authorization
        self._refused = refused
        self._journal = journal
        self._timestamp_resolver = timestamp_resolver
        self._settings = settings
        self._security = security
        self._clock = clock
        self._supervisor = supervisor

    def on_time(self, at: datetime, round_trip_s: float) -> None:
        if at.year not in YEARS:
            _log.warning("the backend's time %s is not plausible and is ignored", at.isoformat())
            return
        trusted = self._clock.trust is not ClockTrust.NONE
        now = self._clock.now() if trusted else None
        self._clock.observe(best_time(now, at, round_trip_s), ClockTrust.BACKEND)

    def on_heartbeat_interval(self, interval_s: int) -> None:
        """Change the setting; if the value is unchanged, nothing is written."""
        current = self._settings.settings.integer("HeartbeatInterval")
        if interval_s > 0 and interval_s != current:
            self._supervisor.start("heartbeat interval", self._hold_interval(interval_s))

    async def date_moments(self) -> None:
        """Commit the dates of moments from before the date was known."""
        await self._timestamp_resolver.date_all()

    async def on_start_answered(
        self, message: StartMessage, transaction_id: int, info: IdTagInfo | None
    ) -> None:
        """Store the session's transaction id, and check the status of its card; None leaves that
        unchanged."""
        session_id = message.session_id
        self._journal.learn_transaction(session_id, transaction_id)
        if info is None:
            return
        connector = self._journal.connector_of(session_id)
        if connector is not None and info.parent:
            self._authorization.on_group(connector, info.parent)
        await self._authorization.learn(message.id_token, info)
        await self._refused.on_start_answered(session_id, info.status)

    async def on_stop_answered(self, message: StopMessage, info: IdTagInfo) -> None:
        """Store the backend's answer about the token."""
        if message.id_token:
            await self._authorization.learn(message.id_token, info)

    def on_message_lost(self, message: QueuedMessage, reason: str) -> None:
        """Log the loss; the message stays in the journal of lost messages and is shown to users."""
        action, session_id = message.message.kind.value, message.message.session_id or ""
        detail = f"{action} of session {session_id}: {reason}"
        _log.error("given up: %s", detail)
        at = self._clock.moment()
        self._supervisor.start("note loss", self._note("transaction_message_lost", detail, at))

    async def _hold_interval(self, interval_s: int) -> None:
        try:
            await self._settings.hold({"HeartbeatInterval": interval_s}, SYSTEM, "backend")
        except SettingsRejected as error:
            _log.warning("the backend's heartbeat interval was not stored: %s", error)

    async def _note(self, kind: str, detail: str, at: Moment) -> None:
        await self._security.add(kind, detail, at)
