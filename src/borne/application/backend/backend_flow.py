"""What follows from the backend's answers to transaction messages, and from its settings."""

from __future__ import annotations

import logging

from borne.application.authorization.authorization_flow import AuthorizationFlow
from borne.application.backend.refused_ids import RefusedIds
from borne.application.backend.timestamp_resolver import Dating
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.ports.backend import IdTagInfo
from borne.application.ports.settings import SettingsNotSaved
from borne.application.ports.storage import SecurityLog
from borne.application.settings.settings_service import SettingsRejected, SettingsService
from borne.domain.principals import SYSTEM
from borne.foundation.clock import Clock, Moment
from borne.foundation.supervisor import Supervisor

_log = logging.getLogger(__name__)


class BackendFlow:
    """Takes answers to where they matter. Every effect may come twice and changes nothing then."""

    def __init__(
        self,
        authorization: AuthorizationFlow,
        refused: RefusedIds,
        journal: TransactionJournal,
        dating: Dating,
        settings: SettingsService,
        security: SecurityLog,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self._authorization = authorization
        self._refused = refused
        self._journal = journal
        self._dating = dating
        self._settings = settings
        self._security = security
        self._clock = clock
        self._supervisor = supervisor

    async def take_start_answer(
        self, session_id: str, transaction_id: int, id_token: str, info: IdTagInfo | None
    ) -> None:
        """A StartTransaction was answered: the session has a number, and the id is judged. An
        answer that says nothing of the id (None) leaves it as it was judged before."""
        self._journal.learn_transaction(session_id, transaction_id)
        if info is None:
            return
        connector = self._journal.connector_of(session_id)
        if connector is not None and info.parent:
            self._authorization.take_group(connector, info.parent)
        await self.learn(id_token, info)
        await self._refused.take_start_answer(session_id, info.status)

    async def date_moments(self) -> None:
        """Before something undated is told: commit its date, so that a repeat has the same."""
        await self._dating.date_all()

    async def learn(self, id_token: str, info: IdTagInfo) -> None:
        """Keep the backend's word on a token."""
        await self._authorization.learn(id_token, info)

    def keep_heartbeat_interval(self, interval_s: int) -> None:
        """The backend chose the interval in its answer to BootNotification."""
        current = self._settings.settings.integer("HeartbeatInterval")
        if interval_s > 0 and interval_s != current:
            self._supervisor.start("heartbeat interval", self._store_interval(interval_s))

    def report_lost(self, action: str, session_id: str, reason: str) -> None:
        """A message was given up: it stays in the journal of lost messages, and people see it."""
        _log.error("%s of session %s was given up: %s", action, session_id, reason)
        detail = f"{action} of session {session_id}: {reason}"
        at = self._clock.moment()
        self._supervisor.start("note loss", self._note("transaction_message_lost", detail, at))

    async def _store_interval(self, interval_s: int) -> None:
        try:
            await self._settings.change({"HeartbeatInterval": interval_s}, SYSTEM, "backend")
        except (SettingsRejected, SettingsNotSaved) as error:
            _log.warning("the backend's heartbeat interval was not kept: %s", error)

    async def _note(self, kind: str, detail: str, at: Moment) -> None:
        await self._security.add(kind, detail, at)
