"""Charging profiles as data, and the rules for accepting and keeping them.

Source: OCPP 1.6 sections 3.13, 5.5, 5.16, 7.8 and 7.13; errata 3.7, 3.24 to 3.30, 3.37 to 3.45.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC)
LONGEST_S = 10 * 366 * 86400


class Purpose(StrEnum):
    """What a profile limits."""

    STATION = "ChargePointMaxProfile"
    """All connectors together."""
    DEFAULT = "TxDefaultProfile"
    """Every transaction that has no profile of its own."""
    TRANSACTION = "TxProfile"
    """One transaction."""


class ProfileKind(StrEnum):
    """The reference time of a schedule."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    """From the start of the transaction; for the station as a whole from the receipt."""


class Recurrency(StrEnum):
    """How often a recurring schedule repeats."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class RateUnit(StrEnum):
    """A: per phase. W: of all phases together."""

    AMPERE = "A"
    WATT = "W"


@dataclass(frozen=True, slots=True)
class Period:
    """A limit from `start_s` on, until the next period or the end of the schedule."""

    start_s: int
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Limits over time."""

    unit: RateUnit
    periods: tuple[Period, ...]
    duration_s: int | None = None
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A charging profile as a backend sends it."""

    profile_id: int
    stack_level: int
    purpose: Purpose
    kind: ProfileKind
    schedule: Schedule
    recurrency: Recurrency | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: int | None = None

    def valid(self, at: datetime) -> bool:
        """True within its validity; the end is exclusive."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile stored on the station."""

    connector: int
    profile: Profile
    received_at: datetime
    session_id: str | None = None
    """The session of a TxProfile."""

    @property
    def slot(self) -> tuple[object, ...]:
        """A slot holds one profile; a later one replaces it."""
        profile = self.profile
        return (self.connector, profile.purpose, profile.stack_level, self.session_id)


def shifted(installed: Installed, seconds: float) -> Installed:
    """Return the profile with all its dates moved by `seconds`."""
    by, profile = timedelta(seconds=seconds), installed.profile

    def moved(date: datetime | None) -> datetime | None:
        return None if date is None else date + by

    schedule = replace(profile.schedule, start=moved(profile.schedule.start))
    profile = replace(
        profile,
        schedule=schedule,
        valid_from=moved(profile.valid_from),
        valid_to=moved(profile.valid_to),
    )
    return replace(installed, profile=profile, received_at=installed.received_at + by)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the station can store (decision D24)."""

    connectors: frozenset[int]
    stack_level: int = 10
    periods: int = 24
    profiles: int = 10
    phases: Mapping[int, int] = field(default_factory=dict)
    """Connected phases of each connector; a connector that is not listed has one."""

    def phases_at(self, connector: int) -> int:
        """Return the phases on which a car may charge there; 0: anywhere."""
        if connector == 0:
            return max(self.phases.values(), default=1)
        return self.phases.get(connector, 1)


def problem(profile: Profile, connector: int, capacity: Capacity) -> str | None:
    """Return why the station rejects a profile, in words; None when it accepts it. A running
    transaction is checked elsewhere."""
    if profile.purpose is Purpose.STATION and connector != 0:
        return "a profile of the station belongs to connector 0"
    if profile.purpose is Purpose.TRANSACTION and connector == 0:
        return "a profile of a transaction belongs to one connector"
    if connector != 0 and connector not in capacity.connectors:
        return f"there is no connector {connector}"
    if not 0 <= profile.stack_level <= capacity.stack_level:
        return f"stack levels go from 0 to {capacity.stack_level}"
    if profile.schedule.start is not None and not EARLIEST <= profile.schedule.start <= LATEST:
        return f"a schedule starts between {EARLIEST.year} and {LATEST.year}"
    start, end = profile.valid_from, profile.valid_to
    if start is not None and end is not None and start >= end:
        return "it is never valid"
    return (
        _kind_problem(profile)
        or _schedule_problem(profile.schedule, capacity)
        or _phases_problem(profile.schedule, capacity.phases_at(connector))
    )


def _phases_problem(schedule: Schedule, connected: int) -> str | None:
    """The contactors switch all phases together. Amperes on fewer phases than are connected cannot
    be guaranteed; watts can, whatever phases the vehicle uses."""
    if schedule.unit is RateUnit.WATT:
        return None
    asked = [period.phases for period in schedule.periods if period.phases is not None]
    if any(number < connected for number in asked):
        return f"the vehicle can use {connected} phases: fewer cannot be switched"
    return None


def _kind_problem(profile: Profile) -> str | None:
    start = profile.schedule.start
    match profile.kind:
        case ProfileKind.RECURRING if start is None or profile.recurrency is None:
            return "a recurring schedule needs a start and how often it recurs"
        case ProfileKind.RELATIVE if start is not None:
            return "a relative schedule has no start of its own"
    return None


def _schedule_problem(schedule: Schedule, capacity: Capacity) -> str | None:
    periods = schedule.periods
    if not 1 <= len(periods) <= capacity.periods:
        return f"a schedule has 1 to {capacity.periods} periods"
    if periods[0].start_s != 0:
        return "the first period begins at 0"
    if any(after.start_s <= before.start_s for before, after in pairwise(periods)):
        return "periods begin one after the other"
    if max(periods[-1].start_s, schedule.duration_s or 0) > LONGEST_S:
        return "a schedule lasts ten years at most"
    if any(period.limit < 0 for period in periods):
        return "a limit is not below 0"
    if any(period.phases is not None and not 1 <= period.phases <= 3 for period in periods):
        return "there are 1 to 3 phases"
    if schedule.duration_s is not None and schedule.duration_s <= 0:
        return "a duration is above 0"
    return None


def install(
    book: Sequence[Installed], new: Installed, capacity: Capacity
) -> list[Installed] | None:
    """Return the book with a profile added, replacing those with its id or in its slot; None when
    the book is full."""
    kept = [
        old
        for old in book
        if old.profile.profile_id != new.profile.profile_id and old.slot != new.slot
    ]
    return [*kept, new] if len(kept) < capacity.profiles else None


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects profiles to clear: the one with the id, or without an id all that match the given
    fields."""

    profile_id: int | None = None
    connector: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None

    def fits(self, installed: Installed) -> bool:
        """True for a profile that is to be cleared."""
        profile = installed.profile
        if self.profile_id is not None:
            return profile.profile_id == self.profile_id
        return (
            self.connector in (None, installed.connector)
            and self.purpose in (None, profile.purpose)
            and self.stack_level in (None, profile.stack_level)
        )


def of_connector(
    book: Iterable[Installed], connector: int, session_id: str | None
) -> dict[Purpose, list[Installed]]:
    """Return the profiles that apply to a connector, by purpose. A default of the connector
    replaces that of connector 0 on the same stack level."""
    found: dict[Purpose, list[Installed]] = {purpose: [] for purpose in Purpose}
    own_levels = {
        entry.profile.stack_level
        for entry in book
        if entry.connector == connector and entry.profile.purpose is Purpose.DEFAULT
    }
    for entry in book:
        match entry.profile.purpose:
            case Purpose.STATION:
                found[Purpose.STATION].append(entry)
            case Purpose.DEFAULT if entry.connector == connector:
                found[Purpose.DEFAULT].append(entry)
            case Purpose.DEFAULT if entry.connector == 0:
                if entry.profile.stack_level not in own_levels:
                    found[Purpose.DEFAULT].append(entry)
            case Purpose.TRANSACTION if entry.connector == connector:
                if session_id is not None and entry.session_id == session_id:
                    found[Purpose.TRANSACTION].append(entry)
    return found
