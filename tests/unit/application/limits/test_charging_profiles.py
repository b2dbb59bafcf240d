"""Charging profiles through their public methods: what holds, what is refused, what is stored
before it holds, and that no limit goes because something fails.

Seen is what the connectors may offer. How schedules are merged is the domain's
(`tests/unit/domain/smart_charging`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from borne.application.commands import Removed
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.limits.limit_service import STATION
from borne.application.ports.storage import StorageFailed, StorageFull
from borne.application.refusals import Refused
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from borne.domain.settings.choices import PhasesConnected
from borne.domain.smart_charging.profiles import (
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Schedule,
    Selection,
)
from borne.domain.station.connector_events import Authorized, StopAsked
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.session import SessionRecord, SessionStart, StopReason
from borne.foundation.clock import EPOCH, Clock, ClockTrust
from tests.support.fake_stores import MemoryState
from tests.support.virtual_time import virtual_time
from tests.unit.application.limits.limit_doubles import NOON, Sockets
from tests.unit.application.station_doubles import CARD

HOUR_S = 3600
UNLIMITED_A = 32.0
"""What the board allows."""


def profile(
    *limits: float, number: int = 1, unit: RateUnit = RateUnit.AMPERE, **more: Any
) -> Profile:
    """A default profile from noon on, an hour for each limit."""
    periods = tuple(Period(HOUR_S * hour, limit) for hour, limit in enumerate(limits))
    schedule = Schedule(unit, periods, start=NOON)
    given = {"stack_level": 0, "purpose": Purpose.DEFAULT, "kind": ProfileKind.ABSOLUTE, **more}
    return Profile(number, schedule=schedule, **given)


def of_transaction(amps: float, **more: Any) -> Profile:
    schedule = Schedule(RateUnit.AMPERE, (Period(0, amps),))
    return Profile(9, 0, Purpose.TRANSACTION, ProfileKind.RELATIVE, schedule, **more)


class State(MemoryState):
    """`error` is raised while it is set; `gate` lets writes pass."""

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        super().__init__(values)
        self.error: Exception | None = None
        self.writes = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, key: str, value: Any) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.writes += 1
        await super().put(key, value)


class Journal:
    """The running sessions, with their numbers."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.reported = True
        self.transaction_id: int | None = 42

    def record(self, connector: int) -> SessionRecord | None:
        one = self._bench.sockets.benches.get(connector)
        session = one.runner.state.session if one is not None else None
        if session is None or not session.session_id:
            return None
        identity, at = session.authorization.identity, self._bench.sockets.clock.moment()
        start = SessionStart(session.session_id, connector, identity, at, 0, self.reported)
        return SessionRecord(start, None, self.transaction_id, 0)


class Bench:
    """The profiles of two connectors, on their doubles and a real limit service."""

    def __init__(
        self, state: State | None = None, clock: Callable[[], Clock] | None = None
    ) -> None:
        self.sockets = Sockets()
        if clock is not None:
            self.sockets.clock = clock()
        self.state = state or State()
        self.journal = Journal(self)
        self.profiles = ChargingProfiles(
            {number: one.runner for number, one in self.sockets.benches.items()},
            self.sockets.service,
            self.sockets.meters,
            self.journal,
            self.state,
            self.sockets.settings,
            self.sockets.clock,
            self.sockets.benches[1].supervisor,
        )
        self.counts: list[int] = []
        self.profiles.changed.subscribe(self.counts.append)

    async def start(self) -> Bench:
        await self.profiles.start()
        await self.sockets.start()
        await asyncio.sleep(1)
        return self

    async def set(self, connector: int, wanted: Profile) -> bool:
        accepted = await self.profiles.set(connector, wanted)
        await asyncio.sleep(1)
        return accepted

    async def charge(self, connector: int = 1, permit: Authorization = CARD) -> None:
        self.sockets.benches[connector].board.plug()
        await asyncio.sleep(1)
        self.sockets.benches[connector].runner.post(Authorized(permit))
        await asyncio.sleep(1)

    async def end(self, connector: int = 1) -> None:
        self.sockets.benches[connector].runner.post(StopAsked(Stop(StopReason.LOCAL)))
        await asyncio.sleep(10)

    def amps(self) -> list[float]:
        return [self.sockets.service.offered_a(number) for number in self.sockets.benches]


# What holds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "amps"),
    [(1, [10.0, UNLIMITED_A]), (2, [UNLIMITED_A, 10.0]), (STATION, [10.0, 10.0])],
)
@virtual_time
async def test_a_profile_limits_what_its_connector_offers(
    connector: int, amps: list[float]
) -> None:
    bench = await Bench().start()
    assert bench.amps() == [UNLIMITED_A, UNLIMITED_A]
    assert await bench.set(connector, profile(10.0))
    assert bench.amps() == amps
    assert bench.counts == [1]


@virtual_time
async def test_a_profile_of_the_station_is_shared() -> None:
    bench = await Bench().start()
    assert await bench.set(STATION, profile(20.0, purpose=Purpose.STATION))
    assert [tuple(row.amps) for row in bench.sockets.service.shared] == [(20.0, 20.0, 20.0)]
    await bench.charge(1)
    await bench.charge(2)
    await asyncio.sleep(60)
    assert sum(bench.amps()) <= 20.0


@virtual_time
async def test_each_period_holds_in_its_time() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0, 16.0, 0.0, 8.0))
    seen = []
    for _ in range(4):
        seen.append(bench.amps()[0])
        await asyncio.sleep(HOUR_S)
    assert seen == [10.0, 16.0, 0.0, 8.0]


@virtual_time
async def test_a_profile_that_is_no_longer_valid_limits_nothing() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0, valid_to=NOON + timedelta(hours=1)))
    assert bench.amps()[0] == 10.0
    await asyncio.sleep(HOUR_S)
    assert bench.amps()[0] == UNLIMITED_A


@virtual_time
async def test_a_profile_of_the_same_stack_level_replaces_the_old_one() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0))
    await bench.set(1, profile(20.0, number=2))
    assert bench.amps()[0] == 20.0
    assert [each.profile.profile_id for each in bench.profiles.entries] == [2]


@virtual_time
async def test_watts_are_amperes_of_the_phases_that_the_vehicle_uses() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(3450.0, unit=RateUnit.WATT))
    assert bench.amps()[0] == pytest.approx(5.0), "three phases, until it is known better"
    await bench.charge()
    bench.sockets.meters.show(1, 5.0, 0.0, 0.0)
    await asyncio.sleep(1)
    assert bench.amps()[0] == pytest.approx(15.0)
    await bench.end()
    await bench.charge()
    assert bench.amps()[0] == pytest.approx(5.0), "another vehicle, perhaps"
    bench.sockets.meters.show(1, 5.0, 5.0, 5.0)
    bench.sockets.meters.show(1, 5.0, 0.0, 0.0)
    await asyncio.sleep(1)
    assert bench.amps()[0] == pytest.approx(5.0), "it may use them again"


@virtual_time
async def test_watts_are_converted_anew_when_the_wiring_changes() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(2300.0, unit=RateUnit.WATT))
    assert bench.amps()[0] == pytest.approx(10.0 / 3)
    bench.sockets.set(PhasesConnected=PhasesConnected.SINGLE)
    await asyncio.sleep(1)
    assert bench.amps()[0] == pytest.approx(10.0)


@virtual_time
async def test_watts_are_amperes_at_the_voltage_of_the_source() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(6900.0, unit=RateUnit.WATT))
    assert bench.amps()[0] == pytest.approx(10.0)
    bench.sockets.set(PowerSourceVoltage=200)
    await asyncio.sleep(1)
    assert bench.amps()[0] == pytest.approx(11.5)


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "wanted"),
    [
        (3, profile(10.0)),
        (1, profile(10.0, purpose=Purpose.STATION)),
        (1, profile(10.0, stack_level=99)),
        (1, profile(-1.0)),
        (1, profile()),
        (1, profile(10.0, kind=ProfileKind.RECURRING)),
        (1, profile(10.0, valid_from=NOON, valid_to=NOON)),
        (1, of_transaction(10.0)),
        (0, of_transaction(10.0)),
    ],
)
@virtual_time
async def test_a_refused_profile_changes_nothing(connector: int, wanted: Profile) -> None:
    bench = await Bench().start()
    await bench.set(1, profile(16.0, number=5))
    assert not await bench.set(connector, wanted)
    assert bench.amps() == [16.0, UNLIMITED_A]
    assert [each.profile.profile_id for each in bench.profiles.entries] == [5]
    assert (bench.state.writes, bench.counts) == (1, [1])


@virtual_time
async def test_more_profiles_than_the_maximum_are_refused() -> None:
    bench = await Bench().start()
    levels = range(bench.sockets.settings().integer("MaxChargingProfilesInstalled"))
    for level in levels:
        assert await bench.set(1, profile(20.0, number=level, stack_level=level))
    assert not await bench.set(2, profile(10.0, number=99))
    assert bench.amps() == [20.0, UNLIMITED_A]


# What is stored before it holds -------------------------------------------------------------------


@virtual_time
async def test_a_profile_is_confirmed_when_it_is_stored() -> None:
    bench = await Bench().start()
    bench.state.gate.clear()
    answer = asyncio.ensure_future(bench.profiles.set(1, profile(10.0)))
    await asyncio.sleep(60)
    assert not answer.done()
    assert bench.counts == []
    bench.state.gate.set()
    assert await answer
    assert bench.counts == [1]
    assert len(bench.state.values) == 1


@pytest.mark.parametrize("error", [StorageFull("full"), StorageFailed("broken")])
@virtual_time
async def test_a_profile_that_is_not_stored_is_not_confirmed(error: StorageFailed) -> None:
    bench = await Bench().start()
    await bench.set(1, profile(16.0))
    bench.state.error = error
    with pytest.raises(type(error)):
        await bench.profiles.set(1, profile(20.0, number=2))
    assert bench.amps()[0] == 16.0
    assert [each.profile.profile_id for each in bench.profiles.entries] == [1]


@virtual_time
async def test_a_limit_ends_once_its_removal_is_stored() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0))
    bench.state.error = StorageFull("full")
    with pytest.raises(StorageFull):
        await bench.profiles.clear(Selection())
    assert bench.amps()[0] == 10.0
    bench.state.error = None
    assert await bench.profiles.clear(Selection())
    await asyncio.sleep(1)
    assert bench.amps()[0] == UNLIMITED_A
    assert not await bench.profiles.clear(Selection()), "there is none any more"


@virtual_time
async def test_profiles_hold_again_before_the_first_offer_after_a_restart() -> None:
    before = await Bench().start()
    await before.set(1, profile(10.0, 20.0))
    after = await Bench(State(before.state.values)).start()
    assert after.amps()[0] == 10.0
    assert {
        change.after_a for change in after.sockets.service.history if change.connector == 1
    } == {10.0}, "never more, not for a moment"


@virtual_time
async def test_an_unreadable_profile_keeps_a_limit() -> None:
    before = await Bench().start()
    await before.set(1, profile(10.0))
    ((key, stored),) = before.state.values.items()
    damaged = [{**stored[0], "profile": {"id": "?"}}]
    after = await Bench(State({key: damaged})).start()
    assert after.amps() == [6.0, UNLIMITED_A]
    assert await after.profiles.clear(Selection())
    await asyncio.sleep(1)
    assert after.amps() == [UNLIMITED_A, UNLIMITED_A]


# Profiles of a transaction ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transaction_id", "reported", "accepted"),
    [(None, True, True), (42, True, True), (41, True, False), (None, False, False)],
)
@virtual_time
async def test_a_profile_of_a_transaction_needs_that_transaction(
    transaction_id: int | None, reported: bool, accepted: bool
) -> None:
    bench = await Bench().start()
    await bench.charge()
    bench.journal.reported = reported
    wanted = of_transaction(8.0, transaction_id=transaction_id)
    assert await bench.set(1, wanted) is accepted
    assert bench.amps() == [8.0 if accepted else UNLIMITED_A, UNLIMITED_A]


@virtual_time
async def test_a_profile_of_a_transaction_is_removed_with_it() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(16.0))
    await bench.charge()
    await bench.set(1, of_transaction(8.0))
    assert bench.amps()[0] == 8.0
    await bench.end()
    assert bench.amps()[0] == 16.0
    assert [each.profile.profile_id for each in bench.profiles.entries] == [1]
    ((_, stored),) = bench.state.values.items()
    assert len(stored) == 1
    await bench.charge()
    assert bench.amps()[0] == 16.0


@pytest.mark.parametrize(
    ("owner", "amps"), [("A1", 8.0), ("a1", 8.0), ("B2", UNLIMITED_A)], ids=["own", "case", "other"]
)
@virtual_time
async def test_a_remote_start_gives_its_profile_to_the_session_of_its_card(
    owner: str, amps: float
) -> None:
    bench = await Bench().start()
    assert bench.profiles.fits_start(1, of_transaction(8.0))
    bench.profiles.keep_for_start(1, owner, of_transaction(8.0))
    assert bench.amps()[0] == UNLIMITED_A, "no session yet"
    await bench.charge()
    assert bench.amps()[0] == amps


@virtual_time
async def test_an_unused_remote_start_leaves_no_profile() -> None:
    bench = await Bench().start()
    bench.profiles.keep_for_start(1, "A1", of_transaction(8.0))
    bench.sockets.benches[1].runner.post(Authorized(CARD))
    await asyncio.sleep(300)
    await bench.charge()
    assert bench.amps()[0] == UNLIMITED_A


@pytest.mark.parametrize("wrong", [profile(8.0), of_transaction(8.0, transaction_id=1)])
@virtual_time
async def test_only_transaction_profiles_come_with_a_remote_start(wrong: Profile) -> None:
    bench = await Bench().start()
    assert not bench.profiles.fits_start(1, wrong)


# Who may lift a limit -----------------------------------------------------------------------------


@virtual_time
async def test_clearing_needs_the_role_operator() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0))
    await bench.set(2, profile(12.0, number=2))
    with pytest.raises(Refused):
        await bench.profiles.remove_all(Principal(PrincipalKind.PERSON, Role.USER))
    assert bench.amps() == [10.0, 12.0]
    assert await bench.profiles.remove(1, SYSTEM) == Removed(1)
    with pytest.raises(Refused, match="no such charging profile"):
        await bench.profiles.remove(1, SYSTEM)
    await asyncio.sleep(1)
    assert bench.amps() == [UNLIMITED_A, 12.0]


@virtual_time
async def test_profiles_are_removed_with_their_backend() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0))
    await bench.set(0, profile(20.0, number=2, purpose=Purpose.STATION))
    assert await bench.profiles.forget_backend() == 2
    await asyncio.sleep(1)
    assert bench.amps() == [UNLIMITED_A, UNLIMITED_A]
    assert list(bench.sockets.service.shared) == []
    assert bench.state.values == {}


# Time ---------------------------------------------------------------------------------------------


@virtual_time
async def test_without_a_date_the_lowest_limit_of_a_profile_holds() -> None:
    before = await Bench().start()
    await before.set(1, profile(16.0, 10.0, 20.0))
    loop = asyncio.get_running_loop()
    bench = await Bench(State(before.state.values), lambda: Clock(loop.time, EPOCH)).start()
    assert bench.amps()[0] == 10.0
    assert bench.profiles.composite(1, 60, None) is None
    bench.sockets.clock.observe(NOON, ClockTrust.BACKEND)
    await asyncio.sleep(1)
    assert bench.amps()[0] == 16.0


@pytest.mark.parametrize(
    ("trust", "amps"), [(ClockTrust.RTC, 10.0), (ClockTrust.BACKEND, 10.0), (ClockTrust.NTP, 20.0)]
)
@virtual_time
async def test_after_the_clock_was_set_the_lower_limit_of_both_times_holds(
    trust: ClockTrust, amps: float
) -> None:
    """Until a time server says which one is right."""
    loop = asyncio.get_running_loop()
    bench = await Bench(clock=lambda: Clock(loop.time, NOON, ClockTrust.RTC)).start()
    await bench.set(1, profile(10.0, 20.0))
    bench.sockets.clock.observe(NOON + timedelta(hours=1, minutes=1), trust)
    await asyncio.sleep(1)
    assert bench.amps()[0] == amps


# What the backend receives ------------------------------------------------------------------------


@virtual_time
async def test_the_composite_schedule_is_what_would_be_offered() -> None:
    bench = await Bench().start()
    await bench.set(1, profile(10.0, 16.0))
    schedule = bench.profiles.composite(1, 2 * HOUR_S, RateUnit.AMPERE)
    assert schedule is not None
    assert (schedule.duration_s, schedule.unit) == (2 * HOUR_S, RateUnit.AMPERE)
    limits = [(start_s, amps) for start_s, amps, _ in schedule.periods]
    passed_s = round((schedule.start - NOON).total_seconds())
    assert limits == [(0, 10.0), (HOUR_S - passed_s, 16.0)]


@pytest.mark.parametrize(("connector", "duration_s"), [(3, 60), (1, -1)])
@virtual_time
async def test_no_composite_schedule_for_an_unknown_connector(
    connector: int, duration_s: int
) -> None:
    bench = await Bench().start()
    assert bench.profiles.composite(connector, duration_s, None) is None
