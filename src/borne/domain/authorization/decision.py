"""Decides whether a card may charge at a connector, with a reason for every decision.

Order (manual 5.1, 5.4, 5.5; OCPP 1.6 chapter 3.5): free charging, secure card, local whitelist, the
backend's local list, the cache, the backend, "if in doubt". The function is pure: where the backend
must be asked it returns `Ask`, and the caller decides again with the backend's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.authorization.free_charging import RULES
from borne.domain.settings.choices import FreeChargingMode, IfInDoubt
from borne.domain.station.connector_state import Authorization, LiveSession
from borne.domain.station.modes import StopMode
from borne.domain.vehicle import Identity, IdentityKind


class Reason(StrEnum):
    """Why a card was accepted or refused."""

    FREE_CHARGING = "free_charging"
    LOCAL_WHITELIST = "local_whitelist"
    LOCAL_LIST = "local_list"
    CACHE = "cache"
    BACKEND = "backend"
    IN_DOUBT = "in_doubt"
    OWN_CARD = "own_card"
    SAME_GROUP = "same_group"
    REMOTE = "remote"
    OPERATOR = "operator"
    NO_CARD_NEEDED = "no_card_needed"
    SECURE_CARD_NEEDED = "secure_card_needed"
    OTHER_CONNECTOR = "other_connector"
    UNKNOWN_CARD = "unknown_card"
    REFUSED_BY_LIST = "refused_by_list"
    REFUSED_BY_BACKEND = "refused_by_backend"
    BACKEND_UNREACHABLE = "backend_unreachable"
    FOREIGN_SESSION = "foreign_session"
    HELD_TOO_SHORT = "held_too_short"
    """The card was removed before it could be read."""
    OUT_OF_SERVICE = "out_of_service"
    """The connector is faulted or inoperative; the card is not checked."""
    RESERVED = "reserved"
    """The connector is reserved for another card."""


LIST_OFF = "list_off"
"""There is no backend and the local whitelist is off, so no card can be accepted."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that affect the decision."""

    free: FreeChargingMode | None = None
    fixed_tag: str = "freecharging"
    has_backend: bool = False
    whitelist_enabled: bool = False
    local_list_enabled: bool = False
    cache_enabled: bool = False
    pre_authorize: bool = True
    authorize_offline: bool = True
    in_doubt: IfInDoubt = IfInDoubt.OFF
    secure_only: bool = False
    authorize_for_stop: bool = False
    stop_mode: StopMode = StopMode.NORMAL


class WhitelistMatch(StrEnum):
    """Result of looking a card up in the local whitelist for a connector."""

    NONE = "none"
    HERE = "here"
    OTHER_CONNECTOR = "other_connector"


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A stored answer of the backend about an idTag; it may have expired."""

    status: str
    parent: str | None = None
    expired: bool = False

    @property
    def accepted(self) -> bool:
        return self.status == "Accepted" and not self.expired

    @property
    def valid(self) -> bool:
        """True also for a card that has a transaction elsewhere (ConcurrentTx)."""
        return self.status in ("Accepted", "ConcurrentTx") and not self.expired

    @property
    def why(self) -> str:
        """The status that forbids charging."""
        return "Expired" if self.expired else self.status


class BackendAnswer(StrEnum):
    """State of the Authorize request."""

    NOT_ASKED = "not_asked"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What whitelist, lists, cache and backend say of the card."""

    whitelist: WhitelistMatch = WhitelistMatch.NONE
    local_list: KnownToken | None = None
    cache: KnownToken | None = None
    online: bool = False
    asked: BackendAnswer = BackendAnswer.NOT_ASKED
    answer: KnownToken | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card at a connector; `token` is spelled as the backend expects it."""

    token: str
    kind: IdentityKind = IdentityKind.RFID
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """Start a session with this authorization."""

    authorization: Authorization
    reason: Reason


@dataclass(frozen=True, slots=True)
class StopSession:
    """The card ends the running session."""

    id_token: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReleaseCable:
    """Release the cable that is still locked for this card after its session."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ask:
    """Send Authorize to the backend, then decide again."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Show that the card is refused. `why` is for users: the backend's status of the card
    ("Blocked", "Expired", ...), or `LIST_OFF`."""

    reason: Reason
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ignore:
    """Do nothing: the card has no effect at this connector."""

    reason: Reason


Decision = Accept | StopSession | ReleaseCable | Ask | Refuse | Ignore


def decide(
    card: Card,
    policy: Policy,
    known: Knowledge,
    session: LiveSession | None,
    cable_held_for: Authorization | None = None,
) -> Decision:
    """Decide about a card, given the running session of the connector or, after a session, the
    authorization for which the cable is still locked."""
    if policy.secure_only and not card.secure and card.kind is IdentityKind.RFID:
        return Refuse(Reason.SECURE_CARD_NEEDED)
    if session is not None:
        return _decide_stop(card, policy, known, session)
    if cable_held_for is not None and cable_held_for.owned_by(card.token):
        return ReleaseCable(Reason.OWN_CARD)
    if policy.free is not None:
        return _decide_free(card, policy, policy.free)
    return _decide_start(card, policy, known)


def decide_arrival(policy: Policy, *, online: bool, vehicle: Card | None = None) -> Accept | None:
    """Decide about a vehicle that was plugged in without a card. Accepted are: free charging
    without card, a vehicle on the local whitelist of this connector (manual 5.5), and "immediately
    when plugged" while the backend is unreachable (decision D28)."""
    if policy.free is not None:
        rule = RULES[policy.free]
        if rule.needs_card:
            return _decide_vehicle(vehicle, policy)
        identity = Identity(IdentityKind.FREE, policy.fixed_tag if rule.fixed_tag else "")
        permit = Authorization(identity, rule.reports_transactions, expires=False)
        return Accept(permit, Reason.FREE_CHARGING)
    listed = _decide_vehicle(vehicle, policy)
    if listed is not None:
        return listed
    if policy.in_doubt is IfInDoubt.IMMEDIATELY and policy.has_backend and not online:
        identity = Identity(IdentityKind.FREE, policy.fixed_tag)
        return Accept(Authorization(identity, expires=False), Reason.IN_DOUBT)
    return None


def _decide_vehicle(vehicle: Card | None, policy: Policy) -> Accept | None:
    """A vehicle on the whitelist needs no card, even in a free charging mode that requires one."""
    if vehicle is None or not policy.whitelist_enabled:
        return None
    if policy.free is not None:
        decision = _decide_free(vehicle, policy, policy.free)
        return decision if isinstance(decision, Accept) else None
    return _accept(vehicle, Reason.LOCAL_WHITELIST)


def _decide_free(card: Card, policy: Policy, mode: FreeChargingMode) -> Decision:
    rule = RULES[mode]
    if not rule.needs_card:
        return Ignore(Reason.NO_CARD_NEEDED)
    if rule.fixed_tag:
        identity = Identity(IdentityKind.FREE, policy.fixed_tag)
    else:
        identity = Identity(card.kind, card.token)
    permit = Authorization(identity, rule.reports_transactions, card=card.token)
    return Accept(permit, Reason.FREE_CHARGING)


def _decide_start(card: Card, policy: Policy, known: Knowledge) -> Decision:
    if policy.whitelist_enabled and known.whitelist is WhitelistMatch.HERE:
        return _accept(card, Reason.LOCAL_WHITELIST)
    if policy.whitelist_enabled and known.whitelist is WhitelistMatch.OTHER_CONNECTOR:
        return Refuse(Reason.OTHER_CONNECTOR)
    if not policy.has_backend:
        return Refuse(Reason.UNKNOWN_CARD, "" if policy.whitelist_enabled else LIST_OFF)
    if known.asked is BackendAnswer.ANSWERED and known.answer is not None:
        if known.answer.accepted:
            return _accept(card, Reason.BACKEND, known.answer.parent)
        return Refuse(Reason.REFUSED_BY_BACKEND, known.answer.why)
    listed = _listed(policy, known)
    reachable = known.online and known.asked is BackendAnswer.NOT_ASKED
    if reachable:
        if listed is not None and listed[0].accepted and policy.pre_authorize:
            return _accept(card, listed[1], listed[0].parent)
        return Ask()
    return _decide_offline(card, policy, listed)


def _decide_offline(
    card: Card, policy: Policy, listed: tuple[KnownToken, Reason] | None
) -> Decision:
    if listed is not None:
        token, reason = listed
        if not token.accepted:
            return Refuse(Reason.REFUSED_BY_LIST, token.why)
        if policy.authorize_offline:
            return _accept(card, reason, token.parent)
    if policy.in_doubt is not IfInDoubt.OFF:
        return _accept(card, Reason.IN_DOUBT)
    return Refuse(Reason.BACKEND_UNREACHABLE)


def _listed(policy: Policy, known: Knowledge) -> tuple[KnownToken, Reason] | None:
    if policy.local_list_enabled and known.local_list is not None:
        return known.local_list, Reason.LOCAL_LIST
    if policy.cache_enabled and known.cache is not None:
        return known.cache, Reason.CACHE
    return None


def _decide_stop(card: Card, policy: Policy, known: Knowledge, session: LiveSession) -> Decision:
    owner = session.authorization
    if owner.owned_by(card.token):
        # The idTag of the start: with free charging it may differ from that of the card.
        return StopSession(owner.identity.id_token, Reason.OWN_CARD)
    group = (owner.identity.group_id or "").casefold()
    if not group or policy.free is not None:
        return Ignore(Reason.FOREIGN_SESSION)
    if policy.authorize_for_stop and known.online and known.asked is BackendAnswer.NOT_ASKED:
        return Ask()
    token = known.answer
    if known.asked is not BackendAnswer.ANSWERED:
        listed = _listed(policy, known)
        token = listed[0] if listed is not None else None
    if token is not None and token.accepted and (token.parent or "").casefold() == group:
        return StopSession(card.token, Reason.SAME_GROUP)
    return Ignore(Reason.FOREIGN_SESSION)


def _accept(card: Card, reason: Reason, parent: str | None = None) -> Accept:
    identity = Identity(card.kind, card.token, parent)
    return Accept(Authorization(identity, card=card.token), reason)
