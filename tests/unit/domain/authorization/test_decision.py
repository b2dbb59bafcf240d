"""Who may charge, in the order of manual 5.1, 5.4, 5.5 and OCPP 1.6 chapter 3.5 (C5 to C9)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.authorization.decision import (
    Accept,
    Ask,
    BackendAnswer,
    Card,
    Decision,
    Ignore,
    Knowledge,
    KnownToken,
    Policy,
    Reason,
    Refuse,
    ReleaseCable,
    StopSession,
    WhitelistMatch,
    decide,
)
from borne.domain.settings.choices import FreeChargingMode, IfInDoubt
from borne.domain.station.connector_state import Authorization, LiveSession, Phase
from borne.domain.vehicle import Identity, IdentityKind

CARD = Card("A1")
GOOD = KnownToken("Accepted", parent="group")
BAD = KnownToken("Blocked", parent="group")
OLD = KnownToken("Accepted", parent="group", expired=True)
ALL_ON = Policy(
    has_backend=True, whitelist_enabled=True, local_list_enabled=True, cache_enabled=True
)
ONLINE = Knowledge(online=True)
OFFLINE = Knowledge(online=False)
SILENT = Knowledge(online=True, asked=BackendAnswer.NO_ANSWER)
HERE, ELSEWHERE = WhitelistMatch.HERE, WhitelistMatch.OTHER_CONNECTOR


def _answered(token: KnownToken) -> Knowledge:
    return Knowledge(online=True, asked=BackendAnswer.ANSWERED, answer=token)


def _outcome(decision: Decision) -> tuple[str, Reason | None]:
    """What was decided, and why."""
    match decision:
        case Accept(_, reason):
            return ("accept", reason)
        case Refuse(reason):
            return ("refuse", reason)
        case Ignore(reason):
            return ("ignore", reason)
        case StopSession(_, reason):
            return ("stop", reason)
        case ReleaseCable(reason):
            return ("release", reason)
        case Ask():
            return ("ask", None)


STARTS = [
    # local whitelist: always accepted, the backend is not asked (manual 5.5)
    ("whitelist online", ALL_ON, replace(ONLINE, whitelist=HERE), "accept", Reason.LOCAL_WHITELIST),
    ("whitelist off", ALL_ON, replace(OFFLINE, whitelist=HERE), "accept", Reason.LOCAL_WHITELIST),
    (
        "whitelist beats a blocked entry of the backend",
        ALL_ON,
        replace(ONLINE, whitelist=HERE, local_list=BAD, cache=BAD),
        "accept",
        Reason.LOCAL_WHITELIST,
    ),
    (
        "postfix of the other connector",
        ALL_ON,
        replace(ONLINE, whitelist=ELSEWHERE, cache=GOOD),
        "refuse",
        Reason.OTHER_CONNECTOR,
    ),
    (
        "whitelist disabled",
        replace(ALL_ON, whitelist_enabled=False),
        replace(ONLINE, whitelist=HERE),
        "ask",
        None,
    ),
    # local list of the backend before the cache
    ("listed", ALL_ON, replace(ONLINE, local_list=GOOD), "accept", Reason.LOCAL_LIST),
    ("list beats cache", ALL_ON, replace(ONLINE, local_list=BAD, cache=GOOD), "ask", None),
    (
        "list beats cache offline",
        ALL_ON,
        replace(OFFLINE, local_list=BAD, cache=GOOD),
        "refuse",
        Reason.REFUSED_BY_LIST,
    ),
    (
        "list disabled",
        replace(ALL_ON, local_list_enabled=False),
        replace(ONLINE, local_list=GOOD),
        "ask",
        None,
    ),
    ("cached", ALL_ON, replace(ONLINE, cache=GOOD), "accept", Reason.CACHE),
    (
        "cache disabled",
        replace(ALL_ON, cache_enabled=False),
        replace(ONLINE, cache=GOOD),
        "ask",
        None,
    ),
    # pre-authorization is a shortcut for good entries only (C6)
    (
        "no pre-authorization",
        replace(ALL_ON, pre_authorize=False),
        replace(ONLINE, cache=GOOD),
        "ask",
        None,
    ),
    ("blocked entry online", ALL_ON, replace(ONLINE, cache=BAD), "ask", None),
    ("expired entry online", ALL_ON, replace(ONLINE, cache=OLD), "ask", None),
    # the backend
    ("unknown online", ALL_ON, ONLINE, "ask", None),
    ("backend accepts", ALL_ON, _answered(GOOD), "accept", Reason.BACKEND),
    ("backend refuses", ALL_ON, _answered(BAD), "refuse", Reason.REFUSED_BY_BACKEND),
    (
        "backend refuses what the cache knew",
        ALL_ON,
        replace(_answered(BAD), cache=GOOD),
        "refuse",
        Reason.REFUSED_BY_BACKEND,
    ),
    # while the backend cannot be asked: C5
    ("listed offline", ALL_ON, replace(OFFLINE, local_list=GOOD), "accept", Reason.LOCAL_LIST),
    ("cached offline", ALL_ON, replace(OFFLINE, cache=GOOD), "accept", Reason.CACHE),
    ("cached, no answer", ALL_ON, replace(SILENT, cache=GOOD), "accept", Reason.CACHE),
    ("blocked offline", ALL_ON, replace(OFFLINE, cache=BAD), "refuse", Reason.REFUSED_BY_LIST),
    ("expired offline", ALL_ON, replace(OFFLINE, cache=OLD), "refuse", Reason.REFUSED_BY_LIST),
    (
        "no offline authorization",
        replace(ALL_ON, authorize_offline=False),
        replace(OFFLINE, cache=GOOD),
        "refuse",
        Reason.BACKEND_UNREACHABLE,
    ),
    ("unknown offline", ALL_ON, OFFLINE, "refuse", Reason.BACKEND_UNREACHABLE),
    ("unknown, no answer", ALL_ON, SILENT, "refuse", Reason.BACKEND_UNREACHABLE),
    # if in doubt (manual 5.1)
    (
        "in doubt on, offline",
        replace(ALL_ON, in_doubt=IfInDoubt.ON),
        OFFLINE,
        "accept",
        Reason.IN_DOUBT,
    ),
    (
        "in doubt immediately, offline",
        replace(ALL_ON, in_doubt=IfInDoubt.IMMEDIATELY),
        SILENT,
        "accept",
        Reason.IN_DOUBT,
    ),
    (
        "in doubt on, blocked",
        replace(ALL_ON, in_doubt=IfInDoubt.ON),
        replace(OFFLINE, cache=BAD),
        "refuse",
        Reason.REFUSED_BY_LIST,
    ),
    ("in doubt on, online", replace(ALL_ON, in_doubt=IfInDoubt.ON), ONLINE, "ask", None),
    # without a backend (decision D36)
    ("no backend, unknown", Policy(), OFFLINE, "refuse", Reason.UNKNOWN_CARD),
    (
        "no backend, in doubt on",
        Policy(in_doubt=IfInDoubt.ON),
        OFFLINE,
        "refuse",
        Reason.UNKNOWN_CARD,
    ),
    (
        "no backend, whitelist",
        Policy(whitelist_enabled=True),
        replace(OFFLINE, whitelist=HERE),
        "accept",
        Reason.LOCAL_WHITELIST,
    ),
    (
        "no backend, old cache",
        Policy(cache_enabled=True),
        replace(OFFLINE, cache=GOOD),
        "refuse",
        Reason.UNKNOWN_CARD,
    ),
]


@pytest.mark.parametrize(
    ("policy", "known", "verdict", "reason"),
    [row[1:] for row in STARTS],
    ids=[row[0] for row in STARTS],
)
def test_order_of_authorization(
    policy: Policy, known: Knowledge, verdict: str, reason: Reason | None
) -> None:
    assert _outcome(decide(CARD, policy, known, None)) == (verdict, reason)


def test_the_group_of_an_accepted_card_is_kept() -> None:
    for known in (_answered(GOOD), replace(ONLINE, cache=GOOD), replace(ONLINE, local_list=GOOD)):
        decision = decide(CARD, ALL_ON, known, None)
        assert isinstance(decision, Accept)
        assert decision.authorization.identity == Identity(IdentityKind.RFID, "A1", "group")


@pytest.mark.parametrize("free", [None, FreeChargingMode.FULL_ANY_RFID])
@pytest.mark.parametrize(
    ("secure", "kind"), [(False, IdentityKind.RFID), (True, IdentityKind.RFID)]
)
def test_enforce_using_secure_rfid(
    free: FreeChargingMode | None, secure: bool, kind: IdentityKind
) -> None:
    """Decision D17."""
    policy = replace(ALL_ON, secure_only=True, free=free)
    decision = decide(Card("A1", kind, secure), policy, replace(ONLINE, whitelist=HERE), None)
    assert (_outcome(decision)[0] == "accept") is secure


def test_a_remote_start_is_exempt_from_the_secure_card_rule() -> None:
    policy = replace(ALL_ON, secure_only=True)
    assert decide(Card("A1", IdentityKind.REMOTE), policy, ONLINE, None) == Ask()


def _session(card: str = "A1", group: str | None = None) -> LiveSession:
    identity = Identity(IdentityKind.RFID, card, group)
    return LiveSession(Authorization(identity, card=card), Phase.RUNNING, "s1")


STRICT = replace(ALL_ON, authorize_for_stop=True)
STOPS = [
    ("own card", ALL_ON, ONLINE, "A1", None, "stop", Reason.OWN_CARD),
    ("own card in other letters", ALL_ON, OFFLINE, "a1", None, "stop", Reason.OWN_CARD),
    ("own card that is blocked now", ALL_ON, replace(ONLINE, cache=BAD), "A1", None, "stop",
     Reason.OWN_CARD),
    ("TC_068: another card", ALL_ON, replace(ONLINE, cache=GOOD), "B2", None, "ignore",
     Reason.FOREIGN_SESSION),
    ("whitelisted card of another", ALL_ON, replace(ONLINE, whitelist=HERE), "B2", None, "ignore",
     Reason.FOREIGN_SESSION),
    ("same group, listed", ALL_ON, replace(ONLINE, local_list=GOOD), "B2", "group", "stop",
     Reason.SAME_GROUP),
    ("same group, cached, offline", ALL_ON, replace(OFFLINE, cache=GOOD), "B2", "group", "stop",
     Reason.SAME_GROUP),
    ("same group, but blocked", ALL_ON, replace(OFFLINE, cache=BAD), "B2", "group", "ignore",
     Reason.FOREIGN_SESSION),
    ("same group, but expired", ALL_ON, replace(OFFLINE, cache=OLD), "B2", "group", "ignore",
     Reason.FOREIGN_SESSION),
    ("TC_069: group unknown, online", STRICT, ONLINE, "B2", "group", "ask", None),
    ("group unknown, and the backend is not asked", ALL_ON, ONLINE, "B2", "group", "ignore",
     Reason.FOREIGN_SESSION),
    ("group unknown, offline", ALL_ON, OFFLINE, "B2", "group", "ignore", Reason.FOREIGN_SESSION),
    ("backend says same group", ALL_ON, _answered(GOOD), "B2", "group", "stop", Reason.SAME_GROUP),
    ("backend says another", ALL_ON, _answered(KnownToken("Accepted", "x")), "B2", "group",
     "ignore", Reason.FOREIGN_SESSION),
    ("backend says blocked", ALL_ON, _answered(BAD), "B2", "group", "ignore",
     Reason.FOREIGN_SESSION),
    ("backend says blocked, the cache knew better", STRICT, replace(_answered(BAD), cache=GOOD),
     "B2", "group", "ignore", Reason.FOREIGN_SESSION),
    ("no answer, but cached", STRICT, replace(SILENT, cache=GOOD), "B2", "group", "stop",
     Reason.SAME_GROUP),
    ("same group in other letters", ALL_ON, replace(ONLINE, local_list=GOOD), "B2", "GROUP",
     "stop", Reason.SAME_GROUP),
    ("Send Authorize for Stop asks first", STRICT, replace(ONLINE, local_list=GOOD), "B2", "group",
     "ask", None),
    ("but not for the own card", STRICT, ONLINE, "A1", "group", "stop", Reason.OWN_CARD),
    ("and not without a group", STRICT, ONLINE, "B2", None, "ignore", Reason.FOREIGN_SESSION),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "known", "shown", "group", "verdict", "reason"),
    [row[1:] for row in STOPS],
    ids=[row[0] for row in STOPS],
)
def test_a_card_during_a_session(
    policy: Policy,
    known: Knowledge,
    shown: str,
    group: str | None,
    verdict: str,
    reason: Reason | None,
) -> None:
    decision = decide(Card(shown), policy, known, _session(group=group))
    assert _outcome(decision) == (verdict, reason)


@pytest.mark.parametrize(
    ("shown", "verdict"), [("A1", "release"), ("a1", "release"), ("B2", "ask")]
)
def test_a_held_cable_is_released_to_its_owner(shown: str, verdict: str) -> None:
    cable_held_for = _session().authorization
    known = replace(ONLINE, local_list=BAD)
    assert _outcome(decide(Card(shown), ALL_ON, known, None, cable_held_for))[0] == verdict


policies = st.builds(
    Policy,
    free=st.none() | st.sampled_from(FreeChargingMode),
    has_backend=st.booleans(),
    whitelist_enabled=st.booleans(),
    local_list_enabled=st.booleans(),
    cache_enabled=st.booleans(),
    pre_authorize=st.booleans(),
    authorize_offline=st.booleans(),
    in_doubt=st.sampled_from(IfInDoubt),
    secure_only=st.booleans(),
    authorize_for_stop=st.booleans(),
)
tokens = st.none() | st.sampled_from([GOOD, BAD, OLD])
knowledge = st.builds(
    Knowledge,
    whitelist=st.sampled_from(WhitelistMatch),
    local_list=tokens,
    cache=tokens,
    online=st.booleans(),
)
sessions = st.none() | st.sampled_from([_session(), _session("B2"), _session("B2", "group")])
cards = st.builds(Card, st.sampled_from(["A1", "B2"]), secure=st.booleans())


@given(cards, policies, knowledge, sessions)
def test_the_decision_after_the_answer_of_the_backend_is_final(
    card: Card, policy: Policy, known: Knowledge, session: LiveSession | None
) -> None:
    """Whatever the backend says or does not say, the second decision is final."""
    if decide(card, policy, known, session) != Ask():
        return
    assert known.online
    assert policy.has_backend or session is not None
    for answer in (None, GOOD, BAD):
        asked = BackendAnswer.ANSWERED if answer else BackendAnswer.NO_ANSWER
        final = decide(card, policy, replace(known, asked=asked, answer=answer), session)
        assert final != Ask()


@given(cards, policies, knowledge)
def test_a_blocked_card_starts_nothing(card: Card, policy: Policy, known: Knowledge) -> None:
    blocked = replace(
        known,
        whitelist=WhitelistMatch.NONE,
        local_list=BAD,
        cache=BAD,
        asked=BackendAnswer.ANSWERED,
        answer=BAD,
    )
    policy = replace(policy, free=None, local_list_enabled=True)
    assert not isinstance(decide(card, policy, blocked, None), Accept)


def test_a_stop_is_reported_with_the_tag_of_the_start() -> None:
    """Manual 5.2: the unified tag stands for everybody, and one spelling for each card."""
    free = Identity(IdentityKind.FREE, "freecharging")
    session = LiveSession(Authorization(free, card="A1"), Phase.RUNNING, "s1")
    for policy in (ALL_ON, replace(ALL_ON, free=FreeChargingMode.FULL_FIXED_WITH_AUTH)):
        decision = decide(Card("a1"), policy, ONLINE, session)
        assert decision == StopSession("freecharging", Reason.OWN_CARD)
    assert decide(Card("a1"), ALL_ON, ONLINE, _session()) == StopSession("A1", Reason.OWN_CARD)
