"""Free charging: the six modes as the table of manual 5.2 and decision D29 has them."""

from __future__ import annotations

import pytest

from borne.domain.authorization.decision import (
    Accept,
    Card,
    Ignore,
    Knowledge,
    Policy,
    Reason,
    StopSession,
    decide,
    decide_arrival,
)
from borne.domain.authorization.free_charging import RULES
from borne.domain.settings.choices import FreeChargingMode, IfInDoubt
from borne.domain.station.connector_state import Authorization, LiveSession, Phase
from borne.domain.vehicle import Identity, IdentityKind

NO_CARD = None
UID = "04567daa5f3580"
FIXED = "freecharging"

# mode: card needed, StatusNotification, Start/StopTransaction, idTag of the transaction
TABLE = [
    (1, False, False, False, ""),
    (2, False, True, False, ""),
    (3, True, True, False, UID),
    (4, True, True, True, FIXED),
    (5, False, True, True, FIXED),
    (6, True, True, True, UID),
]
MODES = dict(enumerate(FreeChargingMode, 1))


def _policy(number: int, *, backend: bool) -> Policy:
    return Policy(free=MODES[number], fixed_tag=FIXED, has_backend=backend)


@pytest.mark.parametrize("backend", [False, True], ids=["no backend", "backend"])
@pytest.mark.parametrize("online", [False, True], ids=["offline", "online"])
@pytest.mark.parametrize(("number", "card", "status", "transactions", "tag"), TABLE)
class TestTable:
    def test_plugging_in(
        self,
        number: int,
        card: bool,
        status: bool,
        transactions: bool,
        tag: str,
        backend: bool,
        online: bool,
    ) -> None:
        arrival = decide_arrival(_policy(number, backend=backend), online=online)
        if card:
            assert arrival is NO_CARD
            return
        permit = Authorization(Identity(IdentityKind.FREE, tag), transactions, expires=False)
        assert arrival == Accept(permit, Reason.FREE_CHARGING)

    def test_showing_any_card(
        self,
        number: int,
        card: bool,
        status: bool,
        transactions: bool,
        tag: str,
        backend: bool,
        online: bool,
    ) -> None:
        policy = _policy(number, backend=backend)
        decision = decide(Card(UID), policy, Knowledge(online=online), None)
        if not card:
            assert decision == Ignore(Reason.NO_CARD_NEEDED)
            return
        assert isinstance(decision, Accept)
        assert decision.reason is Reason.FREE_CHARGING
        permit = decision.authorization
        assert permit.identity.id_token == tag
        assert permit.reported is transactions
        assert permit.card == UID

    def test_reported_tags_and_messages_by_mode(
        self,
        number: int,
        card: bool,
        status: bool,
        transactions: bool,
        tag: str,
        backend: bool,
        online: bool,
    ) -> None:
        rule = RULES[MODES[number]]
        assert rule.needs_card is card
        assert rule.reports_status is status
        assert rule.reports_transactions is transactions


@pytest.mark.parametrize("number", [3, 4, 6])
@pytest.mark.parametrize(("shown", "stops"), [(UID, True), ("AABBCCDD", False)])
def test_only_the_card_that_started_stops(number: int, shown: str, stops: bool) -> None:
    """D29; in mode 4 the transaction has another idTag than the card, at its end too."""
    policy = _policy(number, backend=True)
    started = decide(Card(UID), policy, Knowledge(), None)
    assert isinstance(started, Accept)
    session = LiveSession(started.authorization, Phase.RUNNING, "s1")
    decision = decide(Card(shown), policy, Knowledge(online=True), session)
    if stops:
        id_tag = policy.fixed_tag if number == 4 else UID
        assert decision == StopSession(id_tag, Reason.OWN_CARD)
    else:
        assert decision == Ignore(Reason.FOREIGN_SESSION)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_card_does_not_stop_a_session_without_a_card(number: int) -> None:
    policy = _policy(number, backend=True)
    arrival = decide_arrival(policy, online=True)
    assert arrival is not None
    session = LiveSession(arrival.authorization, Phase.RUNNING, "s1")
    decision = decide(Card(UID), policy, Knowledge(online=True), session)
    assert decision == Ignore(Reason.FOREIGN_SESSION)


@pytest.mark.parametrize(
    ("in_doubt", "backend", "online", "starts"),
    [
        (IfInDoubt.OFF, True, False, False),
        (IfInDoubt.ON, True, False, False),
        (IfInDoubt.IMMEDIATELY, True, False, True),
        (IfInDoubt.IMMEDIATELY, True, True, False),
        (IfInDoubt.IMMEDIATELY, False, False, False),
    ],
)
def test_if_in_doubt_applies_while_the_backend_is_offline(
    in_doubt: IfInDoubt, backend: bool, online: bool, starts: bool
) -> None:
    """Manual 5.1, decision D28: only while the backend cannot be reached, and asked later."""
    policy = Policy(in_doubt=in_doubt, has_backend=backend, fixed_tag=FIXED)
    arrival = decide_arrival(policy, online=online)
    if not starts:
        assert arrival is None
        return
    permit = Authorization(Identity(IdentityKind.FREE, FIXED), reported=True, expires=False)
    assert arrival == Accept(permit, Reason.IN_DOUBT)
