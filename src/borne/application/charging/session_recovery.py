"""Sessions that a power cut interrupted are resumed or closed at the next start (manual 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from borne.application.charging.connector import Connector
from borne.application.charging.metering_service import MeteringService
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.ports.storage import SessionJournal
from borne.domain.settings.snapshot import Settings
from borne.domain.station.connector_state import Authorization, LiveSession, Phase
from borne.domain.station.session import SessionRecord
from borne.domain.vehicle import IdentityKind


class SessionRecovery:
    """Resumes the sessions that are stored as open."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        stored: SessionJournal,
        metering: MeteringService,
        journal: TransactionJournal,
        settings: Callable[[], Settings],
    ) -> None:
        self._connectors = connectors
        self._stored = stored
        self._metering = metering
        self._journal = journal
        self._settings = settings
        self._interrupted: Sequence[SessionRecord] = ()

    async def start_meters(self) -> None:
        """Start the meters; their accounts continue where an open session left them."""
        self._interrupted = await self._stored.open_sessions()
        await self._metering.start(self._interrupted)

    async def resume_sessions(self) -> None:
        """Resume each session, or close it: by the setting, or because its connector no longer
        exists."""
        resume = self._settings().flag("RestartTransactionAfterPowerLoss")
        for record in self._interrupted:
            connector = self._connectors.get(record.start.connector)
            if connector is None or not resume or connector.status.session is not None:
                await self._journal.close_after_power_loss(record)
                continue
            self._journal.resume(record)
            connector.resume(_live(record))


def _live(record: SessionRecord) -> LiveSession:
    start = record.start
    identity = start.identity
    # The token of free charging or of a page must not end the session as a card would.
    card = "" if identity.kind in (IdentityKind.FREE, IdentityKind.LOCAL) else identity.id_token
    permit = Authorization(identity, start.reported, card=card)
    return LiveSession(permit, Phase.RUNNING, record.session_id)
