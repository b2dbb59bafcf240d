"""Sessions whose card the backend refused after they began (OCPP 1.6 section 4.8, errata 3.17).

They first get MaxEnergyOnInvalidId, so that the car can drive away; then, depending on
StopTransactionOnInvalidId, they end or continue without energy. A refusal survives restarts.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from borne.application.charging.connector import Connector
from borne.application.charging.metering_service import MeteringService
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.ports.storage import StateStore
from borne.application.settings.running import RunningSettings
from borne.application.state.kept_state import of_form, stored_entries, text
from borne.application.state.storage_failure import log_storage_failure
from borne.domain.station.connector_state import Phase, Stop
from borne.domain.station.session import StopReason
from borne.foundation.json_value import JsonValue
from borne.foundation.supervisor import Supervisor

REFUSAL_KEYS = frozenset({"MaxEnergyOnInvalidId", "StopTransactionOnInvalidId"})
STATE_KEY = "refused_sessions"
FORM = 2
"""Form 1 was only the session id."""
_log = logging.getLogger(__name__)


class RefusedIds:
    """Supervises refused sessions."""

    _refused: frozenset[str] = frozenset()

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        journal: TransactionJournal,
        metering: MeteringService,
        settings: RunningSettings,
        state: StateStore,
        supervisor: Supervisor,
    ) -> None:
        self._connectors = connectors
        self._journal = journal
        self._metering = metering
        self._settings = settings
        self._state = state
        self._supervisor = supervisor

    async def start(self) -> None:
        """Resume the supervision of sessions that continue after a restart. An entry that cannot be
        read may mean any of them, so all count as refused."""
        refused, unreadable = await stored_entries(self._state, STATE_KEY, _from_stored)
        self._refused = frozenset(refused)
        if unreadable:
            self._refused |= self._running()
            await self._keep()
        self._metering.changed.subscribe(self._judge)
        self._settings.on_change(REFUSAL_KEYS, self._judge_all)
        for number, connector in self._connectors.items():
            connector.changed.subscribe(self._on_connector_changed)
            self._judge(number)

    async def on_start_answered(self, session_id: str, id_status: str) -> None:
        """Process the backend's status of a session's card."""
        if id_status == "Accepted":
            return
        self._refused |= {session_id}
        await self._keep()
        self._judge_all()

    def _on_connector_changed(self, _: Connector) -> None:
        if not self._refused:
            return
        running = self._running()
        if self._refused <= running:
            return
        self._refused &= running
        self._supervisor.start("refused ids", self._keep())

    def _running(self) -> frozenset[str]:
        return frozenset(
            connector.status.session.session_id
            for connector in self._connectors.values()
            if connector.status.session is not None
        )

    async def _keep(self) -> None:
        """Store the refusals. A full disk must neither let a refused session continue nor block the
        commit of the answer."""
        consequence = "refused sessions are not kept over a restart"
        with log_storage_failure(_log, consequence, logging.WARNING):
            await self._state.put(STATE_KEY, _to_stored(self._refused))

    def _judge_all(self) -> None:
        for connector in self._connectors:
            self._judge(connector)

    def _judge(self, connector: int) -> None:
        found = self._connectors.get(connector)
        session = found.status.session if found else None
        if found is None or session is None or session.session_id not in self._refused:
            return
        if session.phase is not Phase.RUNNING or session.held or self._has_grace(connector):
            return
        if self._settings().flag("StopTransactionOnInvalidId"):
            found.end_session(Stop(StopReason.DE_AUTHORIZED))
        else:
            found.hold(held=True)

    def _has_grace(self, connector: int) -> bool:
        max_wh = self._settings().integer("MaxEnergyOnInvalidId")
        record, reading = self._journal.record(connector), self._metering.readings.get(connector)
        if max_wh <= 0 or record is None or reading is None:
            return False
        return reading.register_wh - record.start.meter_start_wh < max_wh


def _to_stored(refused: Collection[str]) -> JsonValue:
    return [{"form": FORM, "session_id": each} for each in sorted(refused)] or None


def _from_stored(entry: JsonValue) -> str:
    return entry if isinstance(entry, str) else text(of_form(entry, FORM)["session_id"])
