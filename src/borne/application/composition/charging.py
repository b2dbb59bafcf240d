"""The services for meters, connectors, limits and faults."""

from __future__ import annotations

import logging
from functools import partial

from borne.application.charging.clock_aligned import ClockAlignedValues
from borne.application.charging.connector import wait_until_idle
from borne.application.charging.connector_runner import ConnectorRunner
from borne.application.charging.fault_service import FaultService, FaultSources
from borne.application.charging.indication_service import IndicationService
from borne.application.charging.metering_service import MeteringService
from borne.application.charging.session_recovery import SessionRecovery
from borne.application.charging.station_control import StationControl
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.composition.parts import StationParts
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.limits.limit_service import LimitService
from borne.application.limits.socket_limits import SocketLimits
from borne.application.limits.socket_sharing import SocketSharing
from borne.application.ports.hardware import EvsePort
from borne.application.settings.station_settings import (
    CONNECTOR_KEYS,
    SAMPLING_KEYS,
    connector_config,
    sampling,
)
from borne.domain.principals import Principal
from borne.domain.station.connector_state import ConnectorConfig, Stop
from borne.domain.station.faults import Fault
from borne.domain.station.session import StopReason
from borne.foundation.supervisor import Supervisor

_log = logging.getLogger(__name__)


class Charging:
    """The services for charging."""

    def __init__(self, parts: StationParts, supervisor: Supervisor) -> None:
        clock, storage = parts.clock, parts.storage
        self._parts = parts
        self._settings = parts.settings.running
        evses = {evse.connector: evse for evse in parts.hardware.evses}
        self.metering = MeteringService(evses, clock, storage.meters, supervisor, parts.live_poll_s)
        self.journal = TransactionJournal(
            storage.journal,
            self.metering,
            clock,
            lambda: sampling(self._settings()),
            supervisor,
            lambda number: self.connectors[number].status.offered_a,
            parts.new_id,
        )
        self.connectors = {
            number: ConnectorRunner(
                number, evse.board, self.journal, partial(self._config, evse.board), supervisor
            )
            for number, evse in evses.items()
        }
        sharing = SocketSharing(self.connectors, self.metering, supervisor)
        self.limits = LimitService(self.connectors, self._settings, clock, sharing)
        self._socket_limits = SocketLimits(
            self.connectors,
            self.limits,
            self.metering,
            parts.hardware.inputs,
            self._settings,
            clock,
            supervisor,
        )
        sources = FaultSources(
            self._settings, self.limits, parts.hardware.inputs, storage.free_bytes
        )
        self.faults = FaultService(self.connectors, self.metering, clock, sources)
        self.profiles = ChargingProfiles(
            self.connectors,
            self.limits,
            self.metering,
            self.journal,
            storage.state,
            self._settings,
            clock,
            supervisor,
        )
        self.indication = IndicationService(
            self.connectors, parts.hardware.indicator, self._settings
        )
        self.control = StationControl(self.connectors, storage.state)
        self.recovery = SessionRecovery(
            self.connectors, storage.journal, self.metering, self.journal, self._settings
        )
        self.aligned = ClockAlignedValues(
            self.connectors,
            self.journal,
            clock,
            lambda: sampling(self._settings()).aligned_s,
            supervisor,
        )

    def follow_settings(self) -> None:
        """Subscribe services that get plain values instead of `RunningSettings`."""
        settings = self._settings
        for connector in self.connectors.values():
            settings.on_change(CONNECTOR_KEYS, connector.on_config_changed)
        settings.on_change(SAMPLING_KEYS, self.journal.reconsider)

    def start_aligned_values(self) -> None:
        """For a backend."""
        self._settings.on_change(SAMPLING_KEYS, self.aligned.reconsider)
        self.aligned.start()

    def start_faults(self) -> None:
        """Start fault detection."""
        self.journal.storage_failed.subscribe(self.faults.on_storage_failed)
        self.faults.start()

    def start_limits(self) -> None:
        """Set the first offers; while lost settings are unconfirmed, a fault prevents charging."""
        settings = self._parts.settings
        if not settings.charging_allowed:
            self.faults.set(Fault.SETTINGS_DAMAGED, active=True)
            settings.confirmed.subscribe(self._on_limits_confirmed)
        self._socket_limits.start()
        self.limits.start()

    def abort_limits(self) -> None:
        self._socket_limits.abort()
        self.limits.abort()

    async def start_boards(self) -> None:
        for connector in self.connectors.values():
            await connector.start()

    async def stop_boards(self) -> None:
        """Stop every board in a safe state."""
        for connector in self.connectors.values():
            await connector.stop()

    def abort_boards(self) -> None:
        """Stop processing events and commands of the boards."""
        for connector in self.connectors.values():
            connector.abort()

    async def end_sessions(self, reason: StopReason) -> None:
        """End all sessions and wait until the connectors are idle."""
        for connector in self.connectors.values():
            connector.end_session(Stop(reason))
        for connector in self.connectors.values():
            await wait_until_idle(connector)

    def _config(self, board: EvsePort) -> ConnectorConfig:
        return connector_config(self._settings(), board.capabilities)

    def _on_limits_confirmed(self, by: Principal) -> None:
        _log.warning("the limits were confirmed by %s", by.name or by.role.value)
        self.faults.set(Fault.SETTINGS_DAMAGED, active=False)
