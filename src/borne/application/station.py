"""A station: the rooms of one controller, built from ports, started and ended as one.

It can be built many times in one process. `stop` is a polite end, `abort` a power cut: tasks are
cancelled, nothing is said to anybody, and what was not committed is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from borne.application.authorization.authorization_flow import AuthorizationFlow, TokenLists
from borne.application.authorization.card_router import CardDesk
from borne.application.authorization.local_list import LocalList
from borne.application.authorization.reader_watch import ReaderWatch
from borne.application.authorization.reservations import Reservations
from borne.application.authorization.token_lists import BackendTokens
from borne.application.authorization.whitelist import Whitelist
from borne.application.backend.backend_change import BackendChange
from borne.application.backend.backend_commands import BackendCommands, CommandServices
from borne.application.backend.backend_reporter import BackendReporter
from borne.application.backend.backend_services import BackendServices
from borne.application.backend.queue_view import queue_view
from borne.application.backend.refused_ids import RefusedIds
from borne.application.backend.tcp_watchdog import TcpWatchdog
from borne.application.backend.timestamp_resolver import TimestampResolver
from borne.application.charging.clock_aligned import ClockAlignedValues
from borne.application.charging.connector import wait_until_idle
from borne.application.charging.connector_runner import ConnectorRunner
from borne.application.charging.fault_service import FaultService, FaultSources
from borne.application.charging.indication_service import IndicationService
from borne.application.charging.metering_service import MeteringService
from borne.application.charging.sessions_view import SessionsService
from borne.application.charging.station_control import StationControl
from borne.application.charging.status_service import StatusService, StatusSources
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.limits.limit_service import LimitService
from borne.application.limits.socket_sharing import SocketSharing
from borne.application.maintenance.diagnostics import Diagnostics
from borne.application.maintenance.firmware_update import FirmwareUpdates
from borne.application.maintenance.log_upload import LogKind, LogUploads
from borne.application.people.accounts import Accounts
from borne.application.people.password_rule import PasswordRule
from borne.application.ports.backend import BackendPort
from borne.application.ports.certificates import CertificateStore
from borne.application.ports.hardware import EvsePort, Hardware
from borne.application.ports.maintenance import Maintenance
from borne.application.ports.simulator import SimulatorPort
from borne.application.ports.storage import Storage
from borne.application.security.certificates import Certificates
from borne.application.security.security_events import SecurityEvents
from borne.application.security.security_profile import SecurityProfiles
from borne.application.security.security_watch import SecurityWatch
from borne.application.services import ConnectionTrial, Restarter, StationServices
from borne.application.settings.settings_service import SettingsService
from borne.application.settings.station_settings import (
    CONNECTOR_KEYS,
    SAMPLING_KEYS,
    connector_config,
    letter_case,
    sampling,
)
from borne.application.state.notices import Notices
from borne.application.state.retention import Retention
from borne.domain.principals import SYSTEM, Principal
from borne.domain.settings.messages import Message
from borne.domain.station.connector_state import (
    Authorization,
    ConnectorConfig,
    LiveSession,
    Phase,
    Stop,
)
from borne.domain.station.faults import Fault
from borne.domain.station.session import SessionRecord, StopReason
from borne.domain.station.station_status import StationStatus
from borne.domain.vehicle import IdentityKind
from borne.foundation.clock import Clock, ClockStep
from borne.foundation.events import Unsubscribe
from borne.foundation.supervisor import Supervisor

_log = logging.getLogger(__name__)


class Backend(BackendPort, Protocol):
    """A backend link with a life of its own."""

    @property
    def connected(self) -> bool:
        """The link is up, whether or not the backend has accepted us."""

    def subscribe_online(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """True when the backend is connected and has accepted us, False when no longer."""

    def subscribe_link(self, listener: Callable[[], None]) -> Unsubscribe:
        """Told when what `view` shows has changed."""

    async def run(self) -> None:
        """Stay connected."""

    async def stop(self) -> None:
        """Say goodbye."""

    def abort(self) -> None:
        """Power cut."""


@dataclass(frozen=True, slots=True)
class StationParts:
    """What a station is built from."""

    hardware: Hardware
    storage: Storage
    settings: SettingsService
    accounts: Accounts
    clock: Clock
    restarter: Restarter
    reset: Callable[[StopReason], Coroutine[Any, Any, None]]
    """Restart at the wish of a backend, with the reason its sessions end for."""
    new_id: Callable[[], str]
    maintenance: Maintenance
    certificates: CertificateStore
    status_json: Callable[[StationStatus], Mapping[str, Any]]
    """For the files of diagnostics."""
    simulator: SimulatorPort | None = None
    try_connection: ConnectionTrial | None = None
    live_poll_s: float | None = None
    """Pause between readings of the meters for people who watch; None: only when needed."""


class Station:
    """The rooms of one controller."""

    def __init__(self, parts: StationParts) -> None:
        self.supervisor = Supervisor("station")
        self.backend: Backend | None = None
        self._parts = parts
        self._services: StationServices | None = None
        clock, storage = parts.clock, parts.storage
        self._settings = parts.settings.running
        evses = {evse.connector: evse for evse in parts.hardware.evses}
        self.metering = MeteringService(
            evses, clock, storage.meters, self.supervisor, parts.live_poll_s
        )
        self.timestamp_resolver = TimestampResolver(storage.journal, storage.state, clock)
        self.journal = TransactionJournal(
            storage.journal,
            self.metering,
            clock,
            lambda: sampling(self._settings()),
            self.supervisor,
            self._offered_a,
            parts.new_id,
        )
        self.connectors = {
            number: ConnectorRunner(
                number,
                evse.board,
                self.journal,
                partial(self._connector_config, evse.board),
                self.supervisor,
            )
            for number, evse in evses.items()
        }
        sharing = SocketSharing(self.connectors, self.metering, self.supervisor)
        self.limits = LimitService(self.connectors, self._settings, clock, sharing)
        self.faults = FaultService(
            self.connectors,
            self.metering,
            clock,
            FaultSources(self._settings, self.limits, parts.hardware.inputs, storage.free_bytes),
        )
        self.journal.storage_failed.subscribe(self.faults.take_full)
        self.profiles = ChargingProfiles(
            self.connectors,
            self.limits,
            self.metering,
            self.journal,
            storage.state,
            self._settings,
            clock,
            self.supervisor,
        )
        self.lists = TokenLists(
            Whitelist(storage.whitelist, clock, lambda: letter_case(self._settings()), len(evses)),
            BackendTokens("local_list", storage.tokens, clock),
            BackendTokens("cache", storage.tokens, clock),
        )
        self.reservations = Reservations(self.connectors, storage.state, clock, self.supervisor)
        self.authorization = AuthorizationFlow(
            self.connectors, self._settings, self.lists, self.reservations, self.supervisor
        )
        self.retention = Retention(
            storage.journal, storage.frames, self._settings, clock, self.supervisor
        )
        self.desk = CardDesk(
            self.lists.whitelist,
            self._settings,
            parts.accounts,
            clock,
            self.supervisor,
            parts.new_id,
        )
        self.indication = IndicationService(
            self.connectors,
            parts.hardware.indicator,
            self._settings,
        )
        self.readers = ReaderWatch(parts.hardware.readers, self.faults, self._settings)
        self.password_rule = PasswordRule(parts.accounts, self._settings, self.supervisor)
        self.control = StationControl(self.connectors, storage.state)
        self.reporter = BackendReporter(
            self.connectors, self.faults, self.control, self._settings, clock
        )
        self.aligned = ClockAlignedValues(
            self.connectors,
            self.journal,
            clock,
            lambda: sampling(self._settings()).aligned_s,
        )
        self.status = StatusService(
            StatusSources(
                self.connectors,
                self._settings,
                self.metering,
                self.journal,
                self.limits,
                self.faults,
                self.indication,
                lambda: self.notices.entries,
            ),
            clock,
        )
        self.authorization.outcome.subscribe(self.status.on_card)
        self.watchdog = TcpWatchdog(
            lambda: float(self._settings().integer("TCPWatchdogTimeout")),
            lambda: self.idle,
            lambda: parts.restarter.restart("idle", SYSTEM),
        )
        self.refused = RefusedIds(
            self.connectors,
            self.journal,
            self.metering,
            self._settings,
            storage.state,
            self.supervisor,
        )
        self.notices = Notices(storage.state)
        self.events = SecurityEvents(storage.security, storage.state, clock, self.supervisor)
        self.certificates = Certificates(parts.certificates, self.events, self._settings, clock)
        self.security_profile = SecurityProfiles(
            parts.settings, lambda: self.certificates.material, storage.state
        )
        self.security = SecurityWatch(
            self.events,
            parts.settings,
            clock,
            lambda: self.commands.secure,
            parts.maintenance.version,
        )
        self.commands = BackendCommands(
            CommandServices(
                self.connectors,
                self.authorization,
                self.control,
                parts.settings,
                self.lists.cache,
                storage.journal,
                self.journal,
                self.reservations,
                self.profiles,
                self.security_profile,
                parts.reset,
                self.supervisor,
            )
        )
        self.diagnostics = Diagnostics(
            lambda: parts.status_json(self.status.snapshot()),
            parts.settings,
            lambda: self.backend,
            storage.security,
            parts.maintenance.version,
        )
        self.backend_services = self._open_backend_services()

    def _open_backend_services(self) -> BackendServices:
        """All that a backend may use."""
        parts = self._parts
        clock, storage, maintenance = parts.clock, parts.storage, parts.maintenance
        firmware = FirmwareUpdates(
            maintenance,
            self.connectors,
            self.control,
            storage.state,
            clock,
            self.supervisor,
            parts.reset,
            lambda path, order: self.certificates.signature_fits(
                path, order.certificate, order.signature
            ),
        )
        logs = LogUploads(
            maintenance,
            self.diagnostics.collect,
            lambda: self._settings().text("ChargePointID"),
            clock,
            self.supervisor,
        )
        return BackendServices(
            self.commands,
            LocalList(self.lists.local_list, self._settings, clock),
            self.reservations,
            self.profiles,
            firmware,
            logs,
            self.events,
            self.certificates,
        )

    def _backend_change(self) -> BackendChange:
        storage, lists, rooms = self._parts.storage, self.lists, self.backend_services
        return BackendChange(
            storage.state,
            storage.security,
            self._parts.clock,
            binding={
                "charging profiles": self.profiles.forget_backend,
                "reservations": self.reservations.forget_all,
                "sockets out of service": self.control.forget_backend,
                "firmware orders": rooms.firmware.forget_backend,
            },
            lists={"cards of its list": lists.local_list.forget_backend},
        )

    def services(self) -> StationServices:
        """What interfaces may use: one object for the life of the station."""
        if self._services is None:
            self._services = self._offer()
        return self._services

    def _offer(self) -> StationServices:
        parts = self._parts
        return StationServices(
            clock=parts.clock,
            status=self.status,
            control=self.control,
            sessions=SessionsService(parts.storage.journal, parts.clock),
            whitelist=self.lists.whitelist,
            restarter=parts.restarter,
            settings=parts.settings,
            accounts=parts.accounts,
            backend=self.backend,
            simulator=parts.simulator,
            teach_in=self.desk.teach_in,
            master_card=self.desk.master_card,
            try_connection=parts.try_connection,
            queue=partial(queue_view, parts.storage.outbox, parts.clock),
            ocpp_whitelist=self.lists.cache,
            charging_profiles=self.profiles,
            collect_logs=partial(self.diagnostics.collect, LogKind.DIAGNOSTICS, None, None),
            notices=self.notices,
        )

    async def start(self, make_backend: Callable[[Station], Backend | None]) -> None:
        """Arm the boards, take up what a power cut interrupted, and dial the backend."""
        for tokens in (self.lists.whitelist, self.lists.local_list, self.lists.cache):
            await tokens.load()
        self._parts.clock.stepped.subscribe(self._take_step)
        await self.timestamp_resolver.begin()
        self._follow_settings()
        self.authorization.outcome.subscribe(self.indication.take_outcome)
        self.desk.start(self._parts.hardware, self.authorization.take_card)
        self.desk.teach_in.changed.subscribe(lambda _: self.status.touch())
        interrupted = await self._parts.storage.journal.open_sessions()
        await self.metering.start(interrupted)
        self.faults.start()
        self.readers.start()
        self.password_rule.start()
        self.authorization.start(self._parts.hardware.vehicles)
        for room in (self.indication, self.status):
            room.start()
        await self._take_up_sessions(interrupted)
        await self.control.restore_availability()
        await self.reservations.start()
        await self.refused.start()
        if not self._parts.settings.charging_allowed:
            self.faults.set(Fault.SETTINGS_DAMAGED, active=True)
            self._parts.settings.confirmed.subscribe(self._take_confirmation)
        await self.profiles.start()
        self.limits.start()
        await self._backend_change().start(self._settings())
        await self._start_notices(await self.certificates.start())
        self.backend = make_backend(self)
        self.authorization.backend = self.backend
        self.reporter.backend = self.backend
        self.status.backend = self.backend
        for connector in self.connectors.values():
            await connector.start()
        if self.backend is not None:
            self.backend.ask_statuses(self.reporter.settle)
        self.authorization.list_conflict.subscribe(self.reporter.on_list_conflict)
        self.backend_services.local_list.updated.subscribe(
            lambda _: self.authorization.take_new_list()
        )
        self.reporter.start()
        self.retention.start()
        self.security.start()
        if self.backend is not None:
            await self._start_backend(self.backend)

    async def _start_backend(self, backend: Backend) -> None:
        """Dial it, and follow what it and we do."""
        backend.subscribe_link(self.status.touch)
        backend.subscribe_online(self.faults.take_backend_link)
        self.faults.take_backend_link(backend.online)
        self.backend_services.firmware.told.subscribe(self.security.take_firmware)
        await self.backend_services.firmware.start()
        self.supervisor.keep("backend", backend.run)
        self.supervisor.keep("clock aligned values", self.aligned.run)
        backend.subscribe_link(self._take_backend_link)
        for connector in self.connectors.values():
            connector.changed.subscribe(lambda _: self.watchdog.reconsider())
        self.supervisor.keep("tcp watchdog", self.watchdog.run)
        backend.subscribe_online(self.security_profile.take_online)
        self.supervisor.keep("security profile", self.security_profile.run)

    async def stop(self, reason: StopReason | None = None) -> None:
        """A polite end; with a reason the running sessions end for it, else they go on later."""
        if reason is not None:
            await self._end_sessions(reason)
            await self.security.stop(reason)
        if self.backend is not None:
            await self.backend.stop()
        for connector in self.connectors.values():
            await connector.stop()
        await self.metering.stop()
        self._abort_rooms()
        await self.supervisor.stop()
        await self._parts.storage.close()

    def abort(self) -> None:
        """Power cut."""
        if self.backend is not None:
            self.backend.abort()
        for connector in self.connectors.values():
            connector.abort()
        self._abort_rooms()
        self.supervisor.abort()
        self._parts.storage.abort()

    def _abort_rooms(self) -> None:
        for room in (
            self.metering,
            self.limits,
            self.desk,
            self.faults,
            self.indication,
            self.reporter,
            self.reservations,
            self.profiles,
        ):
            room.abort()

    @property
    def idle(self) -> bool:
        """Whether no session runs."""
        return all(connector.status.session is None for connector in self.connectors.values())

    @property
    def armed(self) -> bool:
        """Whether every board has reported."""
        return all(connector.status.known for connector in self.connectors.values())

    def _offered_a(self, connector: int) -> float:
        return self.connectors[connector].status.offered_a

    def _connector_config(self, board: EvsePort) -> ConnectorConfig:
        return connector_config(self._settings(), board.capabilities)

    async def _take_up_sessions(self, interrupted: Sequence[SessionRecord]) -> None:
        """Resume or close what was open at the last power cut (manual 4)."""
        resume = self._settings().flag("RestartTransactionAfterPowerLoss")
        for record in interrupted:
            connector = self.connectors.get(record.start.connector)
            if connector is None or not resume or connector.status.session is not None:
                await self.journal.close_after_power_loss(record)
                continue
            self.journal.resume(record)
            connector.resume(_live(record))

    async def _end_sessions(self, reason: StopReason) -> None:
        for connector in self.connectors.values():
            connector.end_session(Stop(reason))
        waiting = [wait_until_idle(connector) for connector in self.connectors.values()]
        for wait in waiting:
            await wait

    def _follow_settings(self) -> None:
        """For those who are handed values, not settings."""
        settings = self._settings
        for connector in self.connectors.values():
            settings.on_change(CONNECTOR_KEYS, connector.on_config_changed)
        settings.on_change(SAMPLING_KEYS, self.aligned.reconsider)
        settings.on_change(SAMPLING_KEYS, self.journal.reconsider)
        settings.on_change({"TCPWatchdogTimeout"}, self.watchdog.reconsider)
        self._parts.settings.subscribe(lambda _: self.status.touch())

    def _take_confirmation(self, by: Principal) -> None:
        _log.warning("the limits were confirmed by %s", by.name or by.role.value)
        self.faults.set(Fault.SETTINGS_DAMAGED, active=False)

    def _take_backend_link(self) -> None:
        if self.backend is not None:
            self.watchdog.on_link_changed(self.backend.connected)

    async def _start_notices(self, damaged: Sequence[Message]) -> None:
        self.notices.changed.subscribe(self._take_notices)
        self._parts.storage.damage.subscribe(self._take_damage)
        reports, found = self._parts.settings.reports, self._parts.storage.notices
        await self.notices.start((*reports, *found, *damaged))

    def _take_notices(self, waiting: bool) -> None:
        self.faults.set_once(Fault.STORAGE_DAMAGED, active=waiting)
        self.status.touch()

    def _take_damage(self, notice: Message) -> None:
        self.supervisor.start("notice", self.notices.add(notice))

    def _take_step(self, step: ClockStep) -> None:
        if step.dated:
            self.supervisor.start("dating", self.timestamp_resolver.date_all())


def _live(record: SessionRecord) -> LiveSession:
    start = record.start
    identity = start.identity
    # A tag that stands for everybody, or for a page, is nobody's card.
    card = "" if identity.kind in (IdentityKind.FREE, IdentityKind.LOCAL) else identity.id_token
    permit = Authorization(identity, start.reported, card=card)
    return LiveSession(permit, Phase.RUNNING, record.session_id)
