"""The commands of a central system, independent of protocol and version.

The backend has the operator's rights at most. Results are named as in OCPP 1.6.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from borne.application.authorization.authorization_flow import AuthorizationFlow
from borne.application.authorization.reservations import Reservations
from borne.application.authorization.token_lists import BackendTokens
from borne.application.charging.connector import Connector
from borne.application.charging.station_control import StationControl
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.ports.storage import SessionJournal
from borne.application.refusals import Refused
from borne.application.security import security_profile
from borne.application.security.security_profile import SecurityProfiles
from borne.application.settings.settings_configuration import change_configuration
from borne.application.settings.settings_service import SettingsService
from borne.application.settings.station_settings import authorization_policy
from borne.domain.authorization.decision import Accept, Card
from borne.domain.principals import BACKEND
from borne.domain.settings import ocpp_view
from borne.domain.settings.snapshot import Settings
from borne.domain.smart_charging.profiles import Profile
from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.session import StopReason
from borne.domain.station.status import ConnectorStatus
from borne.domain.station.transaction_messages import MeterValuesMessage
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.supervisor import Supervisor

UNLOCK_WAIT_S = 5.0
RESET_PAUSE_S = 1.0

_STARTABLE = frozenset(
    {
        ConnectorStatus.AVAILABLE,
        ConnectorStatus.PREPARING,
        ConnectorStatus.FINISHING,
        ConnectorStatus.RESERVED,
    }
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CommandServices:
    """The services that execute the commands."""

    connectors: Mapping[int, Connector]
    authorization: AuthorizationFlow
    control: StationControl
    settings: SettingsService
    cache: BackendTokens
    journal: SessionJournal
    running: TransactionJournal
    reservations: Reservations
    profiles: ChargingProfiles
    security_profile: SecurityProfiles
    restart: Callable[[StopReason], Coroutine[Any, Any, None]]
    supervisor: Supervisor


class BackendCommands:
    """Commands of the backend."""

    def __init__(self, services: CommandServices) -> None:
        self._services = services
        self._asking: dict[int, str] = {}
        """Remote starts whose idTag is being authorized by the backend: one per connector."""

    async def remote_start(
        self, connector: int | None, id_token: str, profile: Profile | None = None
    ) -> bool:
        """RemoteStartTransaction: True if it will be tried (C24)."""
        found = self._choose(connector, id_token)
        settings = self._services.settings.settings
        if found is None or authorization_policy(settings).free is not None:
            return False
        asked = self._asking.get(found.id)
        if asked is not None:
            return asked == id_token.casefold()
        profiles = self._services.profiles
        if profile is not None and not profiles.fits_start(found.id, profile):
            return False
        profiles.keep_for_start(found.id, id_token, profile)
        permit = Authorization(Identity(IdentityKind.REMOTE, id_token), card=id_token)
        if settings.flag("AuthorizeRemoteTxRequests"):
            self._authorize_later(found, permit)
        else:
            asyncio.get_running_loop().call_soon(self._permit, found, permit)
        return True

    def _permit(self, connector: Connector, permit: Authorization) -> None:
        admitted = self._services.reservations.admit(connector.id, permit)
        if admitted is None:
            self._services.profiles.forget_start(connector.id)
        else:
            connector.authorize(admitted)

    def _authorize_later(self, connector: Connector, permit: Authorization) -> None:
        flow = self._services.authorization

        async def authorize() -> None:
            card = Card(permit.identity.id_token, IdentityKind.REMOTE)
            try:
                decision = await flow.decide_token(card, card.token.upper(), connector.id)
            finally:
                self._asking.pop(connector.id, None)
            if isinstance(decision, Accept):
                self._permit(connector, decision.authorization)
            else:
                self._services.profiles.forget_start(connector.id)

        self._asking[connector.id] = permit.identity.id_token.casefold()
        if self._services.supervisor.start("remote start", authorize()) is None:
            self._asking.pop(connector.id, None)

    async def remote_stop(self, transaction_id: int) -> bool:
        """RemoteStopTransaction: False if there is no such transaction (C25)."""
        # The journal on disk is read, because the answer with the transaction id may still be in
        # processing.
        stored = await self._services.journal.find_transaction(transaction_id)
        record = self._services.running.by_transaction(transaction_id)
        if record is None or (stored is not None and stored.end is not None):
            return False
        connector = self._services.connectors.get(record.start.connector)
        session = connector.status.session if connector else None
        if connector is None or session is None or session.session_id != record.session_id:
            return False
        asyncio.get_running_loop().call_soon(connector.end_session, Stop(StopReason.REMOTE))
        return True

    async def change_availability(self, connector: int, *, operative: bool) -> str:
        """ChangeAvailability: Accepted, Scheduled or Rejected (C23)."""
        try:
            answer = await self._services.control.set_availability(
                connector, BACKEND, operative=operative
            )
        except Refused:
            return "Rejected"
        return answer.capitalize()

    async def unlock(self, connector: int) -> str:
        """UnlockConnector: Unlocked, UnlockFailed or NotSupported (C27)."""
        found = self._services.connectors.get(connector)
        if found is None or not found.capabilities.has_lock:
            return "NotSupported"
        await self._services.control.unlock(connector, BACKEND)
        done = await found.wait_for(_released, UNLOCK_WAIT_S)
        return "Unlocked" if done else "UnlockFailed"

    async def reset(self, *, hard: bool) -> None:
        """Reset, after the answer was sent; a failed reset is repeated (C26)."""
        reason = StopReason.HARD_RESET if hard else StopReason.SOFT_RESET
        retries = self._services.settings.settings.integer("ResetRetries")
        for attempt in range(retries + 1):
            try:
                await self._services.restart(reason)
            except Exception:
                _log.exception("reset failed, attempt %d", attempt + 1)
                await asyncio.sleep(RESET_PAUSE_S)
            else:
                return

    async def clear_cache(self) -> bool:
        """ClearCache: False if there is no cache (C7)."""
        if not self._services.settings.settings.flag("AuthorizationCacheEnabled"):
            return False
        await self._services.cache.clear()
        return True

    async def meter_values(
        self, connector: int | None
    ) -> list[tuple[MeterValuesMessage, int | None]]:
        """TriggerMessage: the present values of one connector or all, each with the id of the
        running transaction."""
        wanted = self._services.connectors if connector is None else [connector]
        found = [await self._services.running.triggered(number) for number in wanted]
        return [values for values in found if values is not None]

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._services.settings.settings

    @property
    def backend_url(self) -> str:
        """The configured URL."""
        return self.settings.text("WebSocketsBackendURL")

    @property
    def secure(self) -> bool:
        """True if a security profile is in use."""
        return self.settings.integer("SecurityProfile") > 0

    def read_settings(
        self, keys: Sequence[str]
    ) -> tuple[list[ocpp_view.ConfigurationKey], list[str]]:
        """GetConfiguration: the requested keys (all if none is named), and the unknown ones."""
        service = self._services.settings
        return ocpp_view.configuration(service.settings, keys, service.active)

    async def change_setting(self, key: str, value: str) -> ocpp_view.ConfigurationStatus:
        """ChangeConfiguration, after its commit (C21)."""
        if key.casefold() == security_profile.KEY.casefold():
            return await self._services.security_profile.change(value)
        return await change_configuration(self._services.settings, key, value)

    def _choose(self, connector: int | None, id_token: str) -> Connector | None:
        """The connector for a start: the named one, that of a plugged-in vehicle, or the only
        available one."""
        connectors = self._services.connectors
        if connector is not None:
            found = connectors.get(connector)
            return found if found is not None and self._may_start(found, id_token) else None
        reserved = connectors.get(self._services.reservations.connector_for(id_token) or 0)
        if reserved is not None and self._may_start(reserved, id_token):
            return reserved
        ready = [found for found in connectors.values() if self._may_start(found, id_token)]
        plugged = [found for found in ready if found.status.connected]
        if plugged:
            return plugged[0]
        return ready[0] if len(ready) == 1 else None

    def _may_start(self, connector: Connector, id_token: str) -> bool:
        permission = self._services.reservations.permission(connector.id, id_token, None)
        asked = self._services.settings.settings.flag("AuthorizeRemoteTxRequests")
        return _startable(connector.status) and (
            permission.allowed or (permission.ask_for_group and asked)
        )


def _startable(state: ConnectorSnapshot) -> bool:
    return state.state in _STARTABLE and state.session is None


def _released(state: ConnectorSnapshot) -> bool:
    return state.session is None and not state.locked
