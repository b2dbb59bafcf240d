"""A station: the services of one controller, built from ports, started and stopped together.

Several stations can run in one process. `stop` is an orderly stop; `abort` simulates a power
failure: tasks are cancelled, nothing is sent, and uncommitted data is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

from borne.application.backend.queue_view import queue_view
from borne.application.backend.timestamp_resolver import TimestampResolver
from borne.application.charging.sessions_view import SessionsService
from borne.application.charging.status_service import StatusService, StatusSources
from borne.application.composition.backend import BackendSide
from borne.application.composition.cards import Cards
from borne.application.composition.charging import Charging
from borne.application.composition.load import LoadManagement
from borne.application.composition.meters import Meters
from borne.application.composition.parts import StationParts
from borne.application.composition.security import Security
from borne.application.maintenance.diagnostics import Diagnostics
from borne.application.maintenance.log_upload import LogKind
from borne.application.ports.backend_link import Backend, BackendLink
from borne.application.service import Part, Service, ServiceList
from borne.application.services import StationServices
from borne.application.state.notices import Notices
from borne.application.state.retention import Retention
from borne.domain.station.faults import Fault
from borne.domain.station.session import StopReason
from borne.foundation.clock import ClockStep
from borne.foundation.messages import Message
from borne.foundation.supervisor import Supervisor

MakeBackend = Callable[["Station"], Backend | None]


class Station:
    """Builds the services of one station, starts and stops them."""

    def __init__(self, parts: StationParts) -> None:
        clock, storage = parts.clock, parts.storage
        self._parts = parts
        self._started: ServiceList | None = None
        self.supervisor = Supervisor("station")
        self.link = BackendLink()
        self.timestamp_resolver = TimestampResolver(storage.journal, storage.state, clock)
        self.notices = Notices(storage.state)
        self.retention = Retention(
            storage.journal, storage.frames, parts.settings.running, clock, self.supervisor
        )
        self.charging = charging = Charging(parts, self.supervisor)
        self.cards = Cards(parts, self.supervisor, charging, self.link)
        self.security = Security(parts, self.supervisor)
        self.meters = Meters(
            parts, self.supervisor, charging.metering, charging.faults, self.security.events
        )
        self.load = LoadManagement(parts, self.supervisor, charging, self.meters)
        self.status = StatusService(self._status_sources(), clock)
        self.diagnostics = Diagnostics(
            lambda: parts.status_json(self.status.snapshot()),
            parts.frame_json,
            parts.settings,
            self.link,
            storage.security,
            parts.maintenance.version,
        )
        self.backend_side = BackendSide(
            parts,
            self.supervisor,
            self.link,
            charging,
            self.cards,
            self.security,
            self.diagnostics,
            lambda: self.idle,
        )
        # Short names for parts that others use.
        self.metering, self.limits = charging.metering, charging.limits
        self.connectors, self.control = charging.connectors, charging.control
        self.faults, self.indication = charging.faults, charging.indication
        self.authorization, self.events = self.cards.authorization, self.security.events

    def _status_sources(self) -> StatusSources:
        charging = self.charging
        return StatusSources(
            charging.connectors,
            self._parts.settings.running,
            charging.metering,
            charging.journal,
            charging.limits,
            charging.faults,
            charging.indication,
            self.link,
            lambda: self.notices.entries,
            self.meters.site_status,
        )

    def _in_order(self, make_backend: MakeBackend) -> tuple[Service, ...]:
        """All services in the order of their start: a source comes before its subscribers."""
        charging, cards, security = self.charging, self.cards, self.security
        backend = self.backend_side
        return (
            Part(cards.load_lists),
            Part(self._start_timestamp_resolver),
            Part(charging.follow_settings),
            Part(self._follow_cards),
            Part(cards.start_router, cards.router.abort),
            Part(charging.recovery.start_meters, self.metering.abort, self.metering.stop),
            Part(charging.start_faults, self.faults.abort),
            Part(self.meters.start, self.meters.site.abort, self.meters.site.stop),
            Part(cards.readers.start),
            Part(security.password_rule.start),
            Part(cards.start_authorization),
            Part(self.indication.start, self.indication.abort),
            Part(self._start_status),
            Part(charging.recovery.resume_sessions),
            Part(self.control.restore_availability),
            Part(cards.reservations.start, cards.reservations.abort),
            Part(backend.refused.start),
            Part(charging.profiles.start, charging.profiles.abort),
            self.load,
            Part(charging.start_limits, charging.abort_limits),
            Part(backend.forget_former_backend),
            Part(self._start_notices),
            Part(lambda: backend.attach(make_backend(self))),
            Part(charging.start_boards, charging.abort_boards, charging.stop_boards),
            Part(backend.start_reporter, backend.reporter.abort),
            Part(self.retention.start, self.retention.abort),
            Part(security.watch.start),
            backend,
        )

    # Life ------------------------------------------------------------------------------------

    async def start(self, make_backend: MakeBackend) -> None:
        """Resume interrupted sessions, arm the boards, and connect to the backend."""
        self._started = ServiceList(self._in_order(make_backend))
        await self._started.start()

    async def stop(self, reason: StopReason | None = None) -> None:
        """Stop in an orderly way. With a reason, running sessions end; without, they resume
        later."""
        if reason is not None:
            await self.charging.end_sessions(reason)
            await self.security.watch.stop(reason)
        if self._started is not None:
            await self._started.stop()
        await self.supervisor.stop()
        await self._parts.storage.close()

    def abort(self) -> None:
        if self._started is not None:
            self._started.abort()
        self.supervisor.abort()
        self._parts.storage.abort()

    @property
    def idle(self) -> bool:
        """True if no session is running."""
        return all(connector.status.session is None for connector in self.connectors.values())

    @property
    def armed(self) -> bool:
        """True if every board has reported."""
        return all(connector.status.known for connector in self.connectors.values())

    async def _start_timestamp_resolver(self) -> None:
        self._parts.clock.stepped.subscribe(self._on_clock_stepped)
        await self.timestamp_resolver.begin()

    def _on_clock_stepped(self, step: ClockStep) -> None:
        if step.dated:
            self.supervisor.start("date messages", self.timestamp_resolver.date_all())

    def _follow_cards(self) -> None:
        """Show the result of a card on the lights and the pages."""
        self.authorization.outcome.subscribe(self.status.on_card)
        self.authorization.outcome.subscribe(self.indication.on_card_outcome)
        self.cards.router.teach_in.changed.notify(self.status.touch)

    def _start_status(self) -> None:
        self._parts.settings.subscribe(lambda _: self.status.touch())
        self.link.changed.notify(self.status.touch)
        self.meters.site.changed.notify(self.status.touch)
        self.load.changed.notify(self.status.touch)
        self.status.start()

    async def _start_notices(self) -> None:
        damaged = await self.security.certificates.start()
        self.notices.changed.subscribe(self._on_notices_changed)
        self._parts.storage.damage.subscribe(self._on_damage)
        reports, found = self._parts.settings.reports, self._parts.storage.notices
        await self.notices.start((*reports, *found, *damaged))

    def _on_notices_changed(self, waiting: bool) -> None:
        self.faults.set_station_fault(Fault.STORAGE_DAMAGED, active=waiting)
        self.status.touch()

    def _on_damage(self, notice: Message) -> None:
        self.supervisor.start("notice", self.notices.add(notice))

    # For interfaces --------------------------------------------------------------------------

    def services(self) -> StationServices:
        """The services for interfaces; the same object for the life of the station."""
        return self._services

    @cached_property
    def _services(self) -> StationServices:
        parts = self._parts
        return StationServices(
            clock=parts.clock,
            status=self.status,
            control=self.control,
            sessions=SessionsService(parts.storage.journal, parts.settings.running, parts.clock),
            whitelist=self.cards.lists.whitelist,
            restarter=parts.restarter,
            settings=parts.settings,
            accounts=parts.accounts,
            backend=self.link.backend,
            simulator=parts.simulator,
            teach_in=self.cards.router.teach_in,
            master_card=self.cards.router.master_card,
            try_connection=parts.try_connection,
            try_meter=self.meters.trial,
            find_meters=parts.find_meters,
            site_meter=self.meters.site,
            meter_ages_s=self.meters.ages_s,
            queue=partial(queue_view, parts.storage.outbox, parts.clock),
            ocpp_whitelist=self.cards.lists.cache,
            charging_profiles=self.charging.profiles,
            load=self.load,
            collect_logs=partial(self.diagnostics.collect, LogKind.DIAGNOSTICS, None, None),
            notices=self.notices,
        )
