"""The services for the backend, and those that watch the connection."""

from __future__ import annotations

from collections.abc import Callable

from borne.application.authorization.local_list import LocalList
from borne.application.backend.backend_change import BackendChange
from borne.application.backend.backend_commands import BackendCommands, CommandServices
from borne.application.backend.backend_reporter import BackendReporter
from borne.application.backend.backend_services import BackendServices
from borne.application.backend.refused_ids import RefusedIds
from borne.application.backend.tcp_watchdog import TcpWatchdog
from borne.application.composition.cards import Cards
from borne.application.composition.charging import Charging
from borne.application.composition.parts import StationParts
from borne.application.composition.security import Security
from borne.application.maintenance.diagnostics import Diagnostics
from borne.application.maintenance.firmware_update import FirmwareUpdates, UpdateProgress
from borne.application.maintenance.log_upload import LogUploads
from borne.application.ports.backend_link import Backend, BackendLink
from borne.domain.principals import SYSTEM
from borne.foundation.supervisor import Supervisor


class BackendSide:
    """The services for the backend."""

    def __init__(
        self,
        parts: StationParts,
        supervisor: Supervisor,
        link: BackendLink,
        charging: Charging,
        cards: Cards,
        security: Security,
        diagnostics: Diagnostics,
        idle: Callable[[], bool],
    ) -> None:
        clock, storage, settings = parts.clock, parts.storage, parts.settings.running
        self._parts, self._supervisor, self._link = parts, supervisor, link
        self._charging, self._cards, self._security = charging, cards, security
        self._backend: Backend | None = None
        self.reporter = BackendReporter(
            charging.connectors, charging.faults, charging.control, settings, clock, link
        )
        self.watchdog = TcpWatchdog(
            lambda: float(settings().integer("TCPWatchdogTimeout")),
            idle,
            lambda: parts.restarter.restart(SYSTEM, "idle"),
            supervisor,
        )
        self.refused = RefusedIds(
            charging.connectors,
            charging.journal,
            charging.metering,
            settings,
            storage.state,
            supervisor,
        )
        self.commands = BackendCommands(
            CommandServices(
                charging.connectors,
                cards.authorization,
                charging.control,
                parts.settings,
                cards.lists.cache,
                storage.journal,
                charging.journal,
                cards.reservations,
                charging.profiles,
                security.profile,
                parts.reset,
                supervisor,
            )
        )
        self.services = BackendServices(
            self.commands,
            LocalList(cards.lists.local_list, settings, clock),
            cards.reservations,
            charging.profiles,
            self._firmware(),
            LogUploads(
                parts.maintenance,
                diagnostics.collect,
                lambda: settings().text("ChargePointID"),
                clock,
                supervisor,
            ),
            security.events,
            security.certificates,
        )

    def _firmware(self) -> FirmwareUpdates:
        parts, certificates = self._parts, self._security.certificates
        return FirmwareUpdates(
            parts.maintenance,
            self._charging.connectors,
            self._charging.control,
            parts.storage.state,
            parts.clock,
            self._supervisor,
            parts.reset,
            lambda path, order: certificates.signature_is_valid(
                path, order.certificate, order.signature
            ),
        )

    async def forget_former_backend(self) -> None:
        """Drop the profiles, reservations and orders of a former backend."""
        local_list = self._cards.lists.local_list
        change = BackendChange(
            self._parts.storage.state,
            self._parts.storage.security,
            self._parts.clock,
            binding={
                "charging profiles": self._charging.profiles.forget_backend,
                "reservations": self._cards.reservations.forget_all,
                "sockets out of service": self._charging.control.forget_backend,
                "firmware orders": self.services.firmware.forget_backend,
            },
            lists={"cards of its list": local_list.forget_backend},
        )
        await change.start(self._parts.settings.running())

    def attach(self, backend: Backend | None) -> None:
        """Use this backend (None if none is configured). Called before the boards are armed."""
        self._backend = backend
        if backend is not None:
            self._link.attach(backend)
            backend.ask_statuses(self.reporter.settle)

    def start_reporter(self) -> None:
        """Subscribe the reporter to everything that is reported."""
        authorization = self._cards.authorization
        authorization.list_conflict.subscribe(self.reporter.on_list_conflict)
        self.services.local_list.updated.notify(authorization.on_new_list)
        self.reporter.start()

    async def start(self) -> None:
        """Connect to the backend and subscribe its services."""
        if self._backend is None:
            return
        link, faults = self._link, self._charging.faults
        link.online_changed.subscribe(faults.on_backend_online)
        faults.on_backend_online(link.online)
        self.services.firmware.progressed.subscribe(self._security.watch.on_firmware)
        self.services.firmware.progressed.subscribe(self._show_update)
        await self.services.firmware.start()
        self._supervisor.keep("backend", self._backend.run)
        self._charging.start_aligned_values()
        self._start_watchdog()
        link.online_changed.subscribe(self._security.profile.on_online)
        self._security.profile.start()

    def _show_update(self, progress: UpdateProgress) -> None:
        self._charging.indication.show_update(active=progress.installing)

    def _start_watchdog(self) -> None:
        watchdog, link = self.watchdog, self._link
        self._parts.settings.running.on_change({"TCPWatchdogTimeout"}, watchdog.reconsider)
        link.changed.subscribe(lambda _: watchdog.on_link_changed(link.connected))
        for connector in self._charging.connectors.values():
            connector.changed.notify(watchdog.reconsider)
        watchdog.reconsider()

    async def stop(self) -> None:
        self.watchdog.abort()
        if self._backend is not None:
            await self._backend.stop()

    def abort(self) -> None:
        self.watchdog.abort()
        if self._backend is not None:
            self._backend.abort()
