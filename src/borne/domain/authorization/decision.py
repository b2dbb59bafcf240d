"""May this card charge here? One pure function, and a reason for every answer.

Order (manual 5.1, 5.4, 5.5; OCPP 1.6 chapter 3.5): free charging, secure card, local whitelist,
the backend's local list, the cache, the backend, "if in doubt". Asking the backend takes time, so
the answer may be `Ask`; the flow asks and decides again with what it learnt.
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
    """Nothing was read: the card was gone before its time."""
    OUT_OF_SERVICE = "out_of_service"
    """The connector is broken or switched off: nobody is asked about a card."""
    RESERVED = "reserved"
    """The connector is kept for somebody else."""


LIST_OFF = "list_off"
"""There is no backend, and the local whitelist is switched off: nobody can know a card."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that matter, as they are now."""

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
    """What the local whitelist says of a card at a connector."""

    NONE = "none"
    HERE = "here"
    OTHER_CONNECTOR = "other_connector"


@dataclass(frozen=True, slots=True)
class KnownToken:
    """An unexpired or expired answer of the backend that the station keeps."""

    status: str
    parent: str | None = None
    expired: bool = False

    @property
    def accepted(self) -> bool:
        return self.status == "Accepted" and not self.expired

    @property
    def valid(self) -> bool:
        """A good card, even if it charges elsewhere now."""
        return self.status in ("Accepted", "ConcurrentTx") and not self.expired

    @property
    def why(self) -> str:
        """The status that keeps it from charging."""
        return "Expired" if self.expired else self.status


class BackendAnswer(StrEnum):
    """How far asking the backend has come."""

    NOT_ASKED = "not_asked"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of the card at this moment."""

    whitelist: WhitelistMatch = WhitelistMatch.NONE
    local_list: KnownToken | None = None
    cache: KnownToken | None = None
    online: bool = False
    asked: BackendAnswer = BackendAnswer.NOT_ASKED
    answer: KnownToken | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card at a connector; `token` is spelled as the backend knows it."""

    token: str
    kind: IdentityKind = IdentityKind.RFID
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """Start with this authorization."""

    authorization: Authorization
    reason: Reason


@dataclass(frozen=True, slots=True)
class StopSession:
    """The card ends the running session."""

    id_token: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReleaseCable:
    """The owner of a cable that was kept after the session takes it."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the backend, then decide again."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Show refusal. `why`: what the backend said of the card ("Blocked", "Expired", ...), or that
    no list was asked; for people."""

    reason: Reason
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ignore:
    """Do nothing at all (a card that has no business here)."""

    reason: Reason


Decision = Accept | StopSession | ReleaseCable | Ask | Refuse | Ignore


def decide(
    card: Card,
    policy: Policy,
    known: Knowledge,
    session: LiveSession | None,
    kept_for: Authorization | None = None,
) -> Decision:
    """The answer to a card, given the session that runs at its connector, or the owner for whom
    its cable is kept."""
    if policy.secure_only and not card.secure and card.kind is IdentityKind.RFID:
        return Refuse(Reason.SECURE_CARD_NEEDED)
    if session is not None:
        return _decide_stop(card, policy, known, session)
    if kept_for is not None and kept_for.owned_by(card.token):
        return ReleaseCable(Reason.OWN_CARD)
    if policy.free is not None:
        return _decide_free(card, policy, policy.free)
    return _decide_start(card, policy, known)


def decide_arrival(policy: Policy, *, online: bool, vehicle: Card | None = None) -> Accept | None:
    """A vehicle is plugged and nobody showed a card: free charging without card, a `vehicle` that
    the local whitelist names here (manual 5.5), or "immediately when plugged" while the backend
    cannot be reached (decision D28)."""
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
    """A vehicle on the list is its own card, also where free charging wants one."""
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
        # As it was told at the start: free charging may have told another one than the card's.
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
