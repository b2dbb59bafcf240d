"""From a card, or a vehicle that arrives, to a session: whose it is, who is asked, what is refused.

Two connectors with their real machines on boards of the test; seen is what the journal is asked to
begin and to end, and what people see of a card. Which list decides in which case is the
domain's (`tests/unit/domain/authorization`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from borne.application.authorization.authorization_flow import (
    AuthorizationFlow,
    TokenLists,
)
from borne.application.authorization.reservations import Reservations
from borne.application.authorization.token_lists import BackendTokens
from borne.application.authorization.whitelist import Whitelist
from borne.application.ports import backend_link
from borne.application.ports.backend import BackendUnreachable, IdTagInfo, NoVerdict
from borne.application.ports.backend_link import BackendLink
from borne.application.ports.hardware import CardRead
from borne.application.ports.storage import CachedToken, StorageFull, WhitelistEntry
from borne.application.settings.running import RunningSettings
from borne.domain.authorization.decision import Reason
from borne.domain.authorization.outcome import CardOutcome
from borne.domain.reservation import Answer, Reservation
from borne.domain.settings import CATALOGUE
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import parse
from borne.domain.station.board import PilotState
from borne.domain.station.connector_events import AvailabilityAsked
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.session import StopReason
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.supervisor import Supervisor
from tests.support.fake_stores import MemoryState, MemoryTokens, MemoryWhitelist
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import RunnerBench

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANNA, BOB = "04a1b2c3d4e580", "04567daa5f3580"
CAR = "AABBCCDDEEFF"
ACCEPTED = IdTagInfo("Accepted")
BACKEND = {"ConnectionType": "ethernet"}
WHITELIST = {"FLLEnable": True}
LISTED = [WhitelistEntry(ANNA.upper())]


@dataclass
class Backend:
    """Answers what the test says; `gate` keeps one waiting."""

    answers: dict[str, IdTagInfo | Exception] = field(default_factory=dict)
    online: bool = True
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def authorize(self, id_token: str) -> IdTagInfo:
        self.asked.append(id_token)
        await self.gate.wait()
        answer = self.answers.get(id_token, IdTagInfo("Invalid"))
        if isinstance(answer, Exception):
            raise answer
        return answer


def parsed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as the station holds them."""
    return {key: parse(CATALOGUE.settings[key], value) for key, value in values.items()}


class Place:
    """Two connectors, the lists and the flow."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        listed: list[WhitelistEntry] | None = None,
        backend: Backend | None = None,
        tokens: Mapping[str, MemoryTokens] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.clock = Clock(loop.time, NOW, ClockTrust.NTP, boot_id="boot")
        self.supervisor = Supervisor("test")
        self.benches = {number: RunnerBench(number) for number in (1, 2)}
        runners = {number: bench.runner for number, bench in self.benches.items()}
        self.settings = RunningSettings(Settings().with_values(parsed(settings)))
        stores = {"local_list": MemoryTokens(), "cache": MemoryTokens(), **(tokens or {})}
        self.lists = TokenLists(
            Whitelist(MemoryWhitelist(listed or []), self.clock),
            BackendTokens("local_list", stores["local_list"], self.clock),
            BackendTokens("cache", stores["cache"], self.clock),
        )
        self.reservations = Reservations(runners, MemoryState(), self.clock, self.supervisor)
        self.link = BackendLink()
        self.flow = AuthorizationFlow(
            runners, self.settings, self.lists, self.reservations, self.supervisor, self.link
        )
        self.backend = backend
        if backend is not None:
            self.link.backend = cast(backend_link.Backend, backend)
        self.outcomes: list[CardOutcome] = []
        self.conflicts: list[bool] = []
        self.flow.outcome.subscribe(self.outcomes.append)
        self.flow.list_conflict.subscribe(self.conflicts.append)

    async def start(self) -> Place:
        await self.lists.whitelist.load()
        await self.lists.local_list.load()
        await self.lists.cache.load()
        await self.reservations.start()
        for bench in self.benches.values():
            await bench.start()
        self.flow.start()
        return self

    async def plug(self, connector: int = 1, state: PilotState = PilotState.B) -> None:
        self.benches[connector].board.plug(state)
        await asyncio.sleep(1)

    async def unplug(self, connector: int = 1) -> None:
        self.benches[connector].board.unplug()
        await asyncio.sleep(10)

    async def show(self, uid: str, connector: int | None = 1, **read: Any) -> None:
        self.flow.on_card(CardRead(uid, connector, **read))
        await asyncio.sleep(10)

    def change(self, **values: Any) -> None:
        self.settings.replace(self.settings().with_values(parsed(values)))

    def begun(self, connector: int = 1) -> list[Authorization]:
        return self.benches[connector].keeper.begun

    def stops(self, connector: int = 1) -> list[Stop]:
        return [stop for _, stop in self.benches[connector].keeper.finished]

    @property
    def reasons(self) -> list[tuple[bool, Reason]]:
        return [(outcome.accepted, outcome.reason) for outcome in self.outcomes]


async def with_backend(
    answers: Mapping[str, IdTagInfo | Exception] | None = None, **settings: Any
) -> tuple[Place, Backend]:
    backend = Backend(dict(answers or {}))
    return await Place(BACKEND | settings, backend=backend).start(), backend


async def charging(answers: Mapping[str, IdTagInfo | Exception], **settings: Any) -> Place:
    """Anna charges at connector 1."""
    place, backend = await with_backend(answers, **settings)
    await place.plug()
    await place.show(ANNA)
    assert [each.identity.id_token for each in place.begun()] == [ANNA]
    place.outcomes.clear()
    backend.asked.clear()
    return place


# A card begins a session --------------------------------------------------------------------------


@virtual_time
async def test_a_listed_card_begins_a_session_in_its_name() -> None:
    place = await Place(WHITELIST, listed=LISTED).start()
    await place.plug()
    await place.show(ANNA)
    assert place.begun() == [Authorization(Identity(IdentityKind.RFID, ANNA), card=ANNA)]
    assert place.begun(2) == []
    (outcome,) = place.outcomes
    assert (outcome.connectors, outcome.accepted) == ((1,), True)
    assert outcome.reason is Reason.LOCAL_WHITELIST
    assert ANNA not in repr(outcome), "numbers of cards are personal data"
    (entry,) = place.lists.whitelist.page()[0]
    assert entry.last_used_at


@pytest.mark.parametrize(
    ("settings", "entry", "reason"),
    [
        (WHITELIST, WhitelistEntry(BOB.upper()), Reason.UNKNOWN_CARD),
        (WHITELIST, WhitelistEntry(ANNA.upper(), connector=2), Reason.OTHER_CONNECTOR),
        ({"FLLEnable": False}, WhitelistEntry(ANNA.upper()), Reason.UNKNOWN_CARD),
        (
            WHITELIST | {"EnforceSecureRFID": True},
            WhitelistEntry(ANNA.upper()),
            Reason.SECURE_CARD_NEEDED,
        ),
    ],
)
@virtual_time
async def test_an_unlisted_card_begins_no_session(
    settings: Mapping[str, Any], entry: WhitelistEntry, reason: Reason
) -> None:
    place = await Place(settings, listed=[entry]).start()
    await place.plug()
    await place.show(ANNA)
    assert place.begun() == []
    assert place.reasons == [(False, reason)]


@virtual_time
async def test_a_session_waits_for_the_answer_of_the_backend() -> None:
    place, backend = await with_backend({ANNA: ACCEPTED})
    await place.plug()
    backend.gate.clear()
    await place.show(ANNA)
    assert backend.asked == [ANNA]
    assert place.begun() == []
    assert place.outcomes == []
    backend.gate.set()
    await asyncio.sleep(1)
    assert [(each.identity.id_token, each.reported) for each in place.begun()] == [(ANNA, True)]
    assert place.reasons == [(True, Reason.BACKEND)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (IdTagInfo("Blocked"), Reason.REFUSED_BY_BACKEND),
        (IdTagInfo("Expired"), Reason.REFUSED_BY_BACKEND),
        (IdTagInfo("Invalid"), Reason.REFUSED_BY_BACKEND),
        (IdTagInfo("ConcurrentTx"), Reason.REFUSED_BY_BACKEND),
        (IdTagInfo("Whatever"), Reason.REFUSED_BY_BACKEND),
        (NoVerdict("an answer without a status"), Reason.REFUSED_BY_BACKEND),
        (BackendUnreachable("the link broke"), Reason.BACKEND_UNREACHABLE),
    ],
)
@virtual_time
async def test_a_card_that_is_not_accepted_begins_no_session(
    answer: IdTagInfo | Exception, reason: Reason
) -> None:
    place, backend = await with_backend({ANNA: answer})
    await place.plug()
    await place.show(ANNA)
    assert backend.asked == [ANNA]
    assert place.begun() == []
    assert place.reasons == [(False, reason)]


@virtual_time
async def test_an_error_while_asking_begins_no_session_and_the_next_card_is_read() -> None:
    place, backend = await with_backend({ANNA: RuntimeError("a bug"), BOB: ACCEPTED})
    await place.plug()
    await place.show(ANNA)
    assert place.begun() == []
    await place.show(BOB)
    assert [each.identity.id_token for each in place.begun()] == [BOB]
    assert backend.asked == [ANNA, BOB]


@virtual_time
async def test_a_card_read_again_at_once_is_asked_about_once() -> None:
    place, backend = await with_backend({BOB: ACCEPTED})
    await place.plug()
    for _ in range(3):
        place.flow.on_card(CardRead(ANNA, 1))
        await asyncio.sleep(0.5)
    assert backend.asked == [ANNA]
    await asyncio.sleep(10)
    await place.show(ANNA)
    assert backend.asked == [ANNA, ANNA], "a new gesture"


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (CardRead(ANNA, 1, held_s=0.1), Reason.HELD_TOO_SHORT),
        (CardRead("no hex", 1), Reason.UNKNOWN_CARD),
        (CardRead("", 1), Reason.UNKNOWN_CARD),
    ],
)
@virtual_time
async def test_a_card_that_was_not_read_is_ignored(read: CardRead, reason: Reason) -> None:
    place, backend = await with_backend({ANNA: ACCEPTED})
    await place.plug()
    place.flow.on_card(read)
    await asyncio.sleep(10)
    assert backend.asked == []
    assert place.begun() == []
    assert place.reasons == [(False, reason)]


@virtual_time
async def test_a_card_at_a_connector_out_of_service_is_not_asked_about() -> None:
    place, backend = await with_backend({ANNA: ACCEPTED})
    place.benches[1].runner.post(AvailabilityAsked(operative=False))
    await place.show(ANNA)
    assert place.reasons == [(False, Reason.OUT_OF_SERVICE)]
    assert backend.asked == []


# A card before the plug, at a reader for both -----------------------------------------------------


@virtual_time
async def test_a_card_before_the_plug_starts_one_session() -> None:
    """The first connector that is plugged uses it up."""
    place = await Place(WHITELIST, listed=LISTED).start()
    await place.show(ANNA, connector=None)
    assert place.begun() == place.begun(2) == []
    await place.plug(2)
    await place.plug(1)
    assert [each.identity.id_token for each in place.begun(2)] == [ANNA]
    assert place.begun(1) == []


@virtual_time
async def test_a_card_bound_to_a_connector_starts_no_other() -> None:
    listed = [WhitelistEntry(ANNA.upper(), connector=2)]
    place = await Place(WHITELIST, listed=listed).start()
    await place.show(ANNA, connector=None)
    await place.plug(1)
    assert place.begun(1) == []
    await place.plug(2)
    assert len(place.begun(2)) == 1


@virtual_time
async def test_a_card_at_a_shared_reader_starts_the_waiting_vehicle() -> None:
    place = await Place(WHITELIST, listed=LISTED).start()
    await place.plug(2)
    await place.show(ANNA, connector=None)
    assert len(place.begun(2)) == 1
    assert place.begun(1) == []
    await place.show(ANNA, connector=None)
    assert place.stops(2) == [Stop(StopReason.LOCAL, ANNA)], "its own card again"


@virtual_time
async def test_a_card_without_a_plug_expires() -> None:
    place = await Place(WHITELIST | {"ConnectionTimeOut": 30}, listed=LISTED).start()
    await place.show(ANNA)
    await asyncio.sleep(60)
    await place.plug()
    assert place.begun() == []


# A card ends a session ----------------------------------------------------------------------------


@virtual_time
async def test_the_card_that_began_a_session_ends_it() -> None:
    place = await charging({ANNA: ACCEPTED})
    await place.show(ANNA)
    assert place.stops() == [Stop(StopReason.LOCAL, ANNA)]
    assert place.reasons == [(True, Reason.OWN_CARD)]


@pytest.mark.parametrize(
    ("owner", "other", "ended"),
    [
        (ACCEPTED, ACCEPTED, False),
        (IdTagInfo("Accepted", "G1"), IdTagInfo("Accepted", "G2"), False),
        (IdTagInfo("Accepted", "G1"), ACCEPTED, False),
        (IdTagInfo("Accepted", "G1"), IdTagInfo("Blocked", "G1"), False),
        (IdTagInfo("Accepted", "G1"), BackendUnreachable("gone"), False),
        (IdTagInfo("Accepted", "G1"), IdTagInfo("Accepted", "g1"), True),
    ],
)
@virtual_time
async def test_another_card_ends_a_session_of_its_group_only(
    owner: IdTagInfo, other: IdTagInfo | Exception, ended: bool
) -> None:
    place = await charging({ANNA: owner, BOB: other}, SendAuthorizeForStop=True)
    await place.show(BOB)
    assert place.stops() == ([Stop(StopReason.LOCAL, BOB)] if ended else [])
    assert len(place.begun()) == 1


@pytest.mark.parametrize("reader", [1, None])
@virtual_time
async def test_the_group_of_the_last_answer_holds(reader: int | None) -> None:
    """At a shared reader too, where no other connector could take the card."""
    answers = {ANNA: IdTagInfo("Accepted", "G1"), BOB: IdTagInfo("Accepted", "G2")}
    place = await charging(answers, SendAuthorizeForStop=True)
    place.benches[2].runner.post(AvailabilityAsked(operative=False))
    place.flow.on_group(1, "G2")
    await place.show(BOB, connector=reader)
    assert place.stops() == [Stop(StopReason.LOCAL, BOB)]


@virtual_time
async def test_where_only_unplugging_ends_a_session_a_card_does_not() -> None:
    place = await charging({ANNA: ACCEPTED}, StopTransactionMode="only_disconnect")
    await place.show(ANNA)
    assert place.stops() == []
    await place.unplug()
    assert [stop.reason for stop in place.stops()] == [StopReason.EV_DISCONNECTED]


# Reservations -------------------------------------------------------------------------------------


def kept_for(id_token: str) -> Reservation:
    return Reservation(7, 1, id_token, NOW + timedelta(hours=1))


@virtual_time
async def test_a_reserved_connector_accepts_the_card_of_the_reservation_only() -> None:
    place, backend = await with_backend({ANNA: ACCEPTED, BOB: ACCEPTED})
    assert await place.reservations.reserve(kept_for(ANNA)) is Answer.ACCEPTED
    await place.show(BOB)
    assert place.reasons == [(False, Reason.RESERVED)]
    assert backend.asked == [], "in vain"
    await place.show(ANNA)
    await place.plug()
    assert [(each.card, each.reservation_id) for each in place.begun()] == [(ANNA, 7)]


@virtual_time
async def test_free_charging_does_not_start_at_a_reserved_connector() -> None:
    place = await Place({"FreeCharging": True}).start()
    assert await place.reservations.reserve(kept_for(ANNA)) is Answer.ACCEPTED
    await place.plug(1)
    await place.plug(2)
    assert place.begun(1) == []
    assert len(place.begun(2)) == 1


# Vehicles, and sessions without a card
# -----------------------------------------------------------------


@pytest.mark.parametrize("mac_first", [True, False])
@virtual_time
async def test_a_listed_vehicle_starts_without_a_card(mac_first: bool) -> None:
    place = await Place(WHITELIST, listed=[WhitelistEntry(CAR, "MAC")]).start()
    if not mac_first:
        await place.plug()
    place.flow.on_vehicle(1, "aa:bb:cc:dd:ee:ff")
    if mac_first:
        await place.plug()
    await asyncio.sleep(1)
    assert [(each.identity.kind, each.identity.id_token) for each in place.begun()] == [
        (IdentityKind.MAC, CAR)
    ]
    assert place.reasons == [(True, Reason.LOCAL_WHITELIST)]


@pytest.mark.parametrize("mac", ["aa:bb:cc:dd:ee:00", "", "aa:bb", CAR + "00"])
@virtual_time
async def test_another_vehicle_waits_for_a_card(mac: str) -> None:
    place = await Place(WHITELIST, listed=[WhitelistEntry(CAR, "MAC")]).start()
    await place.plug()
    place.flow.on_vehicle(1, mac)
    place.flow.on_vehicle(3, CAR)
    await asyncio.sleep(10)
    assert place.begun() == []


@virtual_time
async def test_the_address_of_a_vehicle_that_left_does_not_count_for_the_next() -> None:
    place = await Place(WHITELIST, listed=[WhitelistEntry(CAR, "MAC")]).start()
    await place.plug()
    place.flow.on_vehicle(1, CAR)
    await asyncio.sleep(1)
    await place.unplug()
    await place.plug()
    assert len(place.begun()) == 1


@pytest.mark.parametrize(
    ("mode", "identity", "reported"),
    [
        ("no_ocpp", Identity(IdentityKind.FREE, ""), False),
        ("full_fixed_without_auth", Identity(IdentityKind.FREE, "everybody"), True),
    ],
)
@virtual_time
async def test_free_charging_begins_when_plugged(
    mode: str, identity: Identity, reported: bool
) -> None:
    free = {"FreeCharging": True, "FreeChargingMode": mode, "FreeChargingRfidTag": "everybody"}
    place = await Place(BACKEND | free, backend=Backend()).start()
    await place.plug()
    assert [(each.identity, each.reported) for each in place.begun()] == [(identity, reported)]
    assert place.backend is not None
    assert place.backend.asked == []


@virtual_time
async def test_a_vehicle_that_waits_charges_when_charging_becomes_free() -> None:
    place = await Place(WHITELIST).start()
    await place.plug()
    place.change(FreeCharging=True)
    await asyncio.sleep(1)
    assert len(place.begun()) == 1
    await place.plug(2)
    assert len(place.begun(2)) == 1


@virtual_time
async def test_a_vehicle_that_left_meanwhile_does_not_charge() -> None:
    place = await Place(WHITELIST).start()
    await place.plug()
    await place.unplug()
    place.change(FreeCharging=True)
    await asyncio.sleep(10)
    assert place.begun() == []


# What the backend said before ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "settings", "begins"),
    [
        (ACCEPTED, {}, True),
        (IdTagInfo("Blocked"), {}, False),
        (ACCEPTED, {"AuthorizationCacheEnabled": False}, False),
        (ACCEPTED, {"LocalAuthorizeOffline": False}, False),
    ],
)
@virtual_time
async def test_a_cached_answer_counts_while_the_backend_is_offline(
    answer: IdTagInfo, settings: Mapping[str, Any], begins: bool
) -> None:
    chosen = {"AuthorizationCacheEnabled": True, **settings}
    place, backend = await with_backend({ANNA: answer}, **chosen)
    await place.flow.ask_backend(ANNA)
    backend.online = False
    await place.plug()
    await place.show(ANNA)
    assert len(place.begun()) == begins
    assert backend.asked == [ANNA]


@virtual_time
async def test_an_answer_that_cannot_be_stored_counts_for_the_waiting_card() -> None:
    class Full(MemoryTokens):
        async def put(self, which: str, tokens: Any) -> None:
            raise StorageFull("full")

    backend = Backend({ANNA: ACCEPTED})
    chosen = BACKEND | {"AuthorizationCacheEnabled": True}
    place = await Place(chosen, backend=backend, tokens={"cache": Full()}).start()
    await place.plug()
    await place.show(ANNA)
    assert [each.identity.id_token for each in place.begun()] == [ANNA]


def local_list(status: str) -> Mapping[str, MemoryTokens]:
    return {"local_list": MemoryTokens([CachedToken(ANNA, status, None, None, "")])}


@pytest.mark.parametrize(
    ("listed", "answer", "conflicts"),
    [
        ("Accepted", "Accepted", []),
        ("Accepted", "ConcurrentTx", []),
        ("Accepted", "Blocked", [True]),
        ("Blocked", "Accepted", [True]),
    ],
)
@virtual_time
async def test_a_conflict_with_the_local_list_is_reported_until_the_next_list(
    listed: str, answer: str, conflicts: list[bool]
) -> None:
    backend = Backend({ANNA: IdTagInfo(answer)})
    chosen = BACKEND | {"LocalAuthListEnabled": True, "AuthorizationCacheEnabled": True}
    place = await Place(chosen, backend=backend, tokens=local_list(listed)).start()
    for _ in range(2):
        await place.flow.ask_backend(ANNA)
    assert place.conflicts == conflicts
    assert place.lists.cache.look_up(ANNA) is None, "OCPP 1.6 section 3.5.1"
    place.flow.on_new_list()
    assert place.conflicts == ([*conflicts, False] if conflicts else [])


@virtual_time
async def test_without_a_backend_an_unlisted_card_is_refused() -> None:
    place = await Place(WHITELIST).start()
    assert not place.flow.online
    with pytest.raises(BackendUnreachable):
        await place.flow.ask_backend(ANNA)
