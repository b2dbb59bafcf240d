"""Charging profiles of the backend, from SetChargingProfile to rows of limits.

The rules are in `domain.smart_charging`. This module stores profiles, ties them to sessions, and
turns them into the current limits: `OCPP_TX` at each connector, `OCPP_STATION` for all of them.
Sources: OCPP 1.6 sections 3.13, 5.5, 5.7, 5.16; errata 3.42; decision D24.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from borne.application.charging.connector import Connector
from borne.application.commands import Effect, Range, Removed, command
from borne.application.limits.limit_service import STATION, LimitService
from borne.application.limits.socket_sharing import Meters
from borne.application.limits.stored_profiles import MIN_A, from_stored, stand_in, to_stored
from borne.application.ports.storage import StateStore
from borne.application.refusals import Refused
from borne.application.settings.running import RunningSettings
from borne.application.settings.station_settings import phases_connected
from borne.application.state.kept_state import stored_entries
from borne.application.state.stored_notices import remember
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.power import watts_of
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import Source
from borne.domain.principals import Principal, Role
from borne.domain.smart_charging import profiles as rules
from borne.domain.smart_charging.clock_doubt import Doubts, by_purpose, from_the_future
from borne.domain.smart_charging.composite import (
    LONGEST_WINDOW_S,
    Curve,
    CurveStep,
    Limit,
    PowerConversion,
    Situation,
    Window,
    connector_curve,
    for_backend,
    lowest_curve,
    lowest_ever,
    station_curve,
)
from borne.domain.smart_charging.profiles import (
    Capacity,
    Installed,
    Profile,
    Purpose,
    RateUnit,
    Selection,
)
from borne.domain.station.connector_state import Authorization
from borne.domain.station.session import SessionRecord
from borne.foundation.clock import Clock, ClockStep, ClockTrust, Moment
from borne.foundation.events import Signal
from borne.foundation.messages import N_, Message
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

STATE_KEY = "charging_profiles"
LOOK_AHEAD_S = 86400.0
"""How far ahead the next change of a limit is searched."""
IN_USE_A = 0.5
"""A phase with at least this current counts as used by the vehicle."""
PROFILE_KEYS = frozenset({"PhasesConnected", "PowerSourceVoltage", "TimeZone"})
"""Settings on which the limits of profiles depend."""
ProfileId = Annotated[int, Range(-(2**63), 2**63 - 1)]
OF_CONNECTOR = (Purpose.DEFAULT, Purpose.TRANSACTION)
_UNREADABLE = N_(
    "A charging profile of the backend could not be read: {amps:g} A hold in its place until the "
    "backend sets or clears its profiles."
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompositeSchedule:
    """Answer to GetCompositeSchedule."""

    start: datetime
    duration_s: int
    unit: RateUnit
    periods: tuple[tuple[int, float, int], ...]
    """Start in seconds, limit, and phases."""


class RunningSessions(Protocol):
    """The part of the transaction journal that profiles need."""

    def record(self, connector: int) -> SessionRecord | None:
        """Return the session that runs at a connector."""


class ChargingProfiles:
    """All profiles of the station."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        limit_service: LimitService,
        meters: Meters,
        sessions: RunningSessions,
        state: StateStore,
        settings: RunningSettings,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self.changed: Signal[int] = Signal()
        """Emits the number of profiles after a change."""
        self._connectors = connectors
        self._limits = limit_service
        self._meters = meters
        self._running = sessions
        self._state = state
        self._settings = settings
        self._clock = clock
        self._supervisor = supervisor
        self._book: list[Installed] = []
        self._for_start: dict[int, tuple[str, Profile]] = {}
        """Profile received with a remote start, for the session of that token."""
        self._sessions: dict[int, str | None] = dict.fromkeys(connectors)
        self._doubts = Doubts.none()
        self._phases: dict[int, int] = {}
        self._rows: dict[int, Limit | None] = {}
        self._timers = Timers()
        self._writing = asyncio.Lock()

    async def start(self) -> None:
        """Load the stored profiles; called before the first offer."""
        self._book, unreadable = await stored_entries(self._state, STATE_KEY, from_stored)
        if unreadable:
            level, now = self._capacity().stack_level, self._clock.now()
            # An unreadable limit must not be lifted.
            self._book += [stand_in(entry, level, now) for entry in unreadable]
            await self._store(self._book)
            await remember(self._state, [Message(_UNREADABLE, {"amps": MIN_A})])
        for number, connector in self._connectors.items():
            self._sessions[number] = _session_of(connector)
            connector.changed.subscribe(self._on_connector_changed)
            connector.expired.subscribe(partial(self._on_permission_expired, number))
        self._drop_ended()
        self._meters.changed.subscribe(self._on_reading)
        self._settings.on_change(PROFILE_KEYS, self.refresh)
        self._clock.stepped.subscribe(self._on_clock_set)
        self.refresh()

    def abort(self) -> None:
        self._timers.stop()

    @property
    def entries(self) -> Sequence[Installed]:
        """Return all profiles, in the order of their receipt."""
        return tuple(self._book)

    # Commands of the backend -------------------------------------------------------------------

    async def set(self, connector: int, profile: Profile) -> bool:
        """Handle SetChargingProfile; False when it is rejected."""
        why = self._problem(connector, profile)
        if why is None and profile.purpose is Purpose.TRANSACTION:
            why = self._transaction_problem(connector, profile)
        if why is not None:
            _log.info("charging profile %d refused: %s", profile.profile_id, why)
            return False
        return await self._install(connector, profile)

    async def clear(self, selection: Selection) -> bool:
        """Handle ClearChargingProfile; False when no profile matches."""
        async with self._writing:
            kept = [entry for entry in self._book if not selection.fits(entry)]
            if len(kept) == len(self._book):
                return False
            await self._store(kept)
        self.refresh()
        return True

    async def forget_backend(self) -> int:
        """Remove all profiles because the backend changed; return how many. Limits set by people
        stay."""
        self._for_start.clear()
        number = len(self._book)
        await self.clear(Selection())
        return number

    @command("charging-profiles", Role.OPERATOR, "Clear all charging profiles", Effect.REMOVE)
    async def remove_all(self, principal: Principal) -> Removed:
        """Remove all profiles. Limits set by people stay. The backend may set its profiles
        again."""
        return await self._remove(Selection(), principal)

    @command(
        "charging-profiles/{profile_id}", Role.OPERATOR, "Clear a charging profile", Effect.REMOVE
    )
    async def remove(self, profile_id: ProfileId, principal: Principal) -> Removed:
        """Remove a profile; refused when the number does not exist."""
        removed = await self._remove(Selection(profile_id), principal)
        if not removed.removed:
            raise Refused("unknown_profile", N_("There is no such charging profile."))
        return removed

    async def _remove(self, selection: Selection, principal: Principal) -> Removed:
        number = len(self._book)
        await self.clear(selection)
        removed = number - len(self._book)
        if removed:
            _log.warning("%d charging profiles cleared by %s", removed, principal.name)
        return Removed(removed)

    def composite(
        self, connector: int, duration_s: int, unit: RateUnit | None
    ) -> CompositeSchedule | None:
        """Answer GetCompositeSchedule; None when it is unknown."""
        known = connector == STATION or connector in self._connectors
        if not known or duration_s < 0 or self._clock.trust is ClockTrust.NONE:
            return None
        start = self._clock.now()
        window = self._window(start, min(duration_s, LONGEST_WINDOW_S))
        wanted = unit or self._usual_unit()
        curve = for_backend(
            self._station_composite(window, wanted)
            if connector == STATION
            else self._connector_composite(connector, window, wanted)
        )
        periods = tuple(
            (int(step.start_s), step.limit.value, step.limit.phases)
            for step in curve
            if step.limit is not None
        )
        return CompositeSchedule(start, int(window.duration_s), wanted, periods)

    # Remote start ------------------------------------------------------------------------------

    def fits_start(self, connector: int, profile: Profile) -> bool:
        """True if a profile may be sent with a remote start (OCPP 1.6 section 5.11)."""
        right = profile.purpose is Purpose.TRANSACTION and profile.transaction_id is None
        return right and self._problem(connector, profile) is None

    def keep_for_start(self, connector: int, id_token: str, profile: Profile | None) -> None:
        """Keep the profile for the next session of this token; None: no profile."""
        self.forget_start(connector)
        if profile is not None:
            self._for_start[connector] = (id_token.casefold(), profile)

    def _on_permission_expired(self, connector: int, _: Authorization) -> None:
        self.forget_start(connector)

    def forget_start(self, connector: int) -> None:
        """Drop the profile that was kept for a session which did not begin."""
        self._for_start.pop(connector, None)

    # Limits of now -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Update the current limits, and schedule the next update."""
        self._timers.cancel("change")
        if self._clock.trust is ClockTrust.NONE:
            self._put_lowest()
            return
        window = self._window(self._clock.now(), LOOK_AHEAD_S)
        now_s = self._clock.monotonic()
        self._doubts = self._doubts.at(self._book, now_s)
        end_s = self._doubts.next_end_s()
        changes = [LOOK_AHEAD_S if end_s is None else end_s - now_s]
        for connector in self._connectors:
            curve = self._curve(connector, window, RateUnit.AMPERE, OF_CONNECTOR)
            self._put(connector, sources.OCPP_TX, curve[0].limit)
            changes += [step.start_s for step in curve[1:2]]
        curve = self._station_curve(window, RateUnit.AMPERE)
        self._put(STATION, sources.OCPP_STATION, curve[0].limit)
        changes += [step.start_s for step in curve[1:2]]
        if self._book:
            self._timers.plan("change", min(changes), self.refresh)

    def _on_clock_set(self, step: ClockStep) -> None:
        """The clock was set. A time server causes no doubts, nor does the first date of a clock
        that had none."""
        if step.trust is ClockTrust.NTP or step.dated:
            self._doubts = Doubts.none()
        else:
            seconds, now_s = (step.after - step.before).total_seconds(), self._clock.monotonic()
            self._doubts = self._doubts.after_step(self._book, seconds, now_s)
        if self._doubts.of:
            _log.warning(
                "the clock was set: %d charging profiles are in doubt, the lower of both "
                "times holds",
                len(self._doubts.of),
            )
        self.refresh()

    def _put_lowest(self) -> None:
        """Without a date the valid period is unknown: set the lowest limit of all."""
        for connector in self._connectors:
            situation = self._situation(connector)
            self._put(connector, sources.OCPP_TX, lowest_ever(situation, OF_CONNECTOR))
        station = self._situation(STATION)
        self._put(STATION, sources.OCPP_STATION, lowest_ever(station, [Purpose.STATION]))

    def _put(self, connector: int, source: Source, limit: Limit | None) -> None:
        if self._rows.get(connector) == limit:
            return
        self._rows[connector] = limit
        if limit is None:
            self._limits.withdraw(connector, source)
            return
        amps, number = PerPhase.same(limit.value), str(limit.profile_id)
        row = LimitRow(source, amps, LimitCause.PROFILE, self._clock.now(), detail=number)
        self._limits.put(connector, row)

    # What is known -----------------------------------------------------------------------------

    def _window(self, start: datetime, duration_s: float) -> Window:
        return Window(start, duration_s, ZoneInfo(self._settings().text("TimeZone")))

    def _situation(self, connector: int) -> Situation:
        found = rules.of_connector(self._book, connector, self._sessions.get(connector))
        record = self._running.record(connector)
        started = self._began(record.start.at) if record else None
        return Situation(found, self._conversion(connector), started)

    def _began(self, start: Moment) -> datetime | None:
        """Return when a session began, on the current clock, even if it was set meanwhile."""
        if start.boot_id != self._clock.boot_id:
            return self._clock.date(start)
        elapsed_s = self._clock.monotonic() - start.monotonic_s
        return self._clock.now() - timedelta(seconds=elapsed_s)

    def _curve(
        self,
        connector: int,
        window: Window,
        unit: RateUnit,
        purposes: Sequence[Purpose] = tuple(Purpose),
        local: Limit | None = None,
    ) -> Curve:
        """Return what the profiles allow; while the clock is in doubt, also on the clock before it
        was set."""
        now = self._situation(connector)
        kept = replace(now, profiles=by_purpose(now.profiles, self._doubts))
        situations = [now] if kept == now else [now, kept]
        curves = [connector_curve(each, window, unit, purposes, local) for each in situations]
        unknown = {
            purpose: [entry for entry in entries if from_the_future(entry, window.start)]
            for purpose, entries in kept.profiles.items()
        }
        lowest = lowest_ever(replace(kept, profiles=unknown), purposes, unit)
        return lowest_curve(curves if lowest is None else [*curves, (CurveStep(0.0, lowest),)])

    def _conversion(self, connector: int) -> PowerConversion:
        settings = self._settings()
        voltage_v = float(settings.integer("PowerSourceVoltage"))
        if connector == STATION:
            wired = max(phases_connected(settings, number) for number in self._connectors)
            return PowerConversion(wired, voltage_v=voltage_v)
        wired = phases_connected(settings, connector)
        return PowerConversion(wired, self._phases.get(connector), voltage_v)

    def _station_curve(self, window: Window, unit: RateUnit) -> Curve:
        return self._curve(STATION, window, unit, [Purpose.STATION])

    def _connector_composite(self, connector: int, window: Window, unit: RateUnit) -> Curve:
        local = self._local(connector, unit)
        return self._curve(connector, window, unit, local=local)

    def _station_composite(self, window: Window, unit: RateUnit) -> Curve:
        lines = [
            self._curve(connector, window, unit, OF_CONNECTOR, self._local(connector, unit))
            for connector in self._connectors
        ]
        return station_curve(lines, self._station_curve(window, unit), self._local(STATION, unit))

    def _local(self, connector: int, unit: RateUnit) -> Limit | None:
        amps = self._limits.own_limit_a(connector)
        if amps is None:
            return None
        conversion = self._conversion(connector)
        in_watts = unit is RateUnit.WATT
        value = watts_of(amps, conversion.in_use(None), conversion.voltage_v) if in_watts else amps
        return Limit(value, phases=conversion.phases)

    def _usual_unit(self) -> RateUnit:
        units = {entry.profile.schedule.unit for entry in self._book}
        return units.pop() if len(units) == 1 else RateUnit.AMPERE

    def _problem(self, connector: int, profile: Profile) -> str | None:
        return rules.problem(profile, connector, self._capacity())

    def _capacity(self) -> Capacity:
        settings = self._settings()
        return Capacity(
            connectors=frozenset(self._connectors),
            stack_level=settings.integer("ChargeProfileMaxStackLevel"),
            periods=settings.integer("ChargingScheduleMaxPeriods"),
            profiles=settings.integer("MaxChargingProfilesInstalled"),
            phases={number: phases_connected(settings, number) for number in self._connectors},
        )

    def _transaction_problem(self, connector: int, profile: Profile) -> str | None:
        record = self._running.record(connector)
        if self._sessions.get(connector) is None or record is None or not record.start.reported:
            return "no transaction runs"
        if profile.transaction_id not in (None, record.transaction_id):
            return "another transaction runs"
        return None

    # Book --------------------------------------------------------------------------------------

    async def _install(self, connector: int, profile: Profile) -> bool:
        own = profile.purpose is Purpose.TRANSACTION
        session_id = self._sessions.get(connector) if own else None
        new = Installed(connector, profile, self._clock.now(), session_id)
        async with self._writing:
            book = rules.install(self._book, new, self._capacity())
            if book is None:
                _log.info("charging profile %d refused: too many", profile.profile_id)
                return False
            await self._store(book)
        self._drop_ended()
        self.refresh()
        return True

    async def _store(self, book: list[Installed]) -> None:
        await self._state.put(STATE_KEY, [to_stored(entry) for entry in book] or None)
        self._book = book
        self.changed.emit(len(book))

    def _drop_ended(self) -> None:
        """Profiles of transactions end with them."""
        running = {session for session in self._sessions.values() if session is not None}
        ended = [e for e in self._book if e.session_id is not None and e.session_id not in running]
        if ended:
            self._book = [entry for entry in self._book if entry not in ended]
            self.changed.emit(len(self._book))
            self._supervisor.start("keep profiles", self._keep())

    async def _keep(self) -> None:
        async with self._writing:
            await self._store(self._book)

    # Sessions ----------------------------------------------------------------------------------

    def _on_connector_changed(self, connector: Connector) -> None:
        session_id = _session_of(connector)
        if session_id == self._sessions[connector.id]:
            return
        self._sessions[connector.id] = session_id
        self._phases.pop(connector.id, None)
        if session_id is not None:
            self._start_with_profile(connector)
        if self._book:
            self._drop_ended()
            self.refresh()

    def _start_with_profile(self, connector: Connector) -> None:
        waiting = self._for_start.pop(connector.id, None)
        session = connector.status.session
        if waiting is None or session is None:
            return
        id_token, profile = waiting
        if session.authorization.identity.id_token.casefold() == id_token:
            work = self._install_for_start(connector.id, profile)
            self._supervisor.start("profile of a remote start", work)

    async def _install_for_start(self, connector: int, profile: Profile) -> None:
        if not await self._install(connector, profile):
            _log.warning(
                "connector %d: the profile of a remote start was dropped: too many profiles",
                connector,
            )

    def _on_reading(self, number: int) -> None:
        """Convert watts to amperes by the phases that the vehicle uses; within a session the number
        only grows."""
        connector, reading = self._connectors.get(number), self._meters.readings.get(number)
        if connector is None or reading is None or connector.status.session is None:
            return
        used = sum(amps >= IN_USE_A for amps in reading.current_a)
        if used > self._phases.get(number, 0):
            self._phases[number] = used
            if any(e.profile.schedule.unit is RateUnit.WATT for e in self._book):
                self.refresh()


def _session_of(connector: Connector) -> str | None:
    session = connector.status.session
    return (session.session_id or None) if session else None
