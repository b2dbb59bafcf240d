"""From a card at a reader, or a vehicle at a socket, to an authorization.

The domain decides. This service selects the connector, asks the backend, and passes the result to
the connector. A card shown before plugging in waits at every socket that could be used; the first
one plugged in uses it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from borne.application.authorization.reservations import Reservations
from borne.application.authorization.token_lists import BackendTokens
from borne.application.authorization.whitelist import Whitelist
from borne.application.charging.connector import Connector
from borne.application.ports.backend import BackendUnreachable, IdTagInfo, NoVerdict
from borne.application.ports.backend_link import BackendLink
from borne.application.ports.hardware import CardRead, VehiclePort
from borne.application.settings.running import RunningSettings
from borne.application.settings.station_settings import (
    POLICY_KEYS,
    authorization_policy,
    letter_case,
)
from borne.domain.authorization import cards
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
    decide_arrival,
)
from borne.domain.authorization.outcome import CardOutcome
from borne.domain.authorization.shared_reader import Candidate, connector_for
from borne.domain.settings.choices import CacheExpiry
from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.modes import StopMode
from borne.domain.station.session import StopReason
from borne.domain.station.status import ConnectorStatus
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor

DOUBLE_READ_S = 2.0
"""The same card within this time, without another one in between, counts as shown once."""

MAC_DIGITS = 12
_FREE = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenLists:
    """The station's own data about tokens: whitelist, local list, cache."""

    whitelist: Whitelist
    local_list: BackendTokens
    cache: BackendTokens


class AuthorizationFlow:
    """Decides about every card and every connected vehicle."""

    _conflicts: frozenset[str] = frozenset()

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        settings: RunningSettings,
        lists: TokenLists,
        reservations: Reservations,
        supervisor: Supervisor,
        link: BackendLink,
    ) -> None:
        self.outcome: Signal[CardOutcome] = Signal()
        self.list_conflict: Signal[bool] = Signal()
        """True if an answer of the backend contradicts its local list."""
        self._link = link
        self._connectors = connectors
        self._settings = settings
        self._lists = lists
        self._reservations = reservations
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._last_read: dict[int | None, tuple[str, float]] = {}
        self._waiting_since: dict[int, float] = {}
        self._floating: Authorization | None = None
        self._vehicles: dict[int, str] = {}
        """MAC addresses of connected vehicles, if known."""

    def start(self, vehicles: VehiclePort | None = None) -> None:
        """Subscribe to the connectors, and to the MAC addresses of vehicles."""
        if vehicles is not None:
            vehicles.subscribe(self.on_vehicle)
        self._settings.on_change(POLICY_KEYS, self.reconsider)
        for connector in self._connectors.values():
            connector.arrived.subscribe(self._on_vehicle_arrived)
            connector.left.subscribe(self._on_vehicle_left)
            connector.changed.subscribe(self._on_connector_changed)

    def on_card(self, read: CardRead) -> None:
        """Process a card in a task. A card that was held too briefly was not read: only log and
        display show that."""
        if not cards.held_long_enough(read.held_s):
            self._report_outcome((), Reason.HELD_TOO_SHORT, "", accepted=False)
            return
        now_s = self._loop.time()
        shown = read.uid or read.id_token or ""
        before, at_s = self._last_read.get(read.connector, ("", 0.0))
        if shown == before and now_s - at_s < DOUBLE_READ_S:
            return
        self._last_read[read.connector] = (shown, now_s)
        self._supervisor.start("card", self._check_card(read))

    def on_vehicle(self, connector: int, mac: str) -> None:
        """Process the MAC address of a vehicle, which may arrive before or after it is reported as
        plugged in. A running session, or a card that was shown, has precedence."""
        found = self._connectors.get(connector)
        digits = "".join(char for char in mac.upper() if char.isalnum())
        if found is None or len(digits) != MAC_DIGITS:
            return
        self._vehicles[connector] = digits
        if connector in self._waiting_since:
            self._decide_arrival(found)

    def reconsider(self) -> None:
        """Decide again about waiting vehicles, after a change of settings or of the backend
        connection."""
        for connector in tuple(self._waiting_since):
            self._decide_arrival(self._connectors[connector])

    @property
    def online(self) -> bool:
        """True if the backend can be asked."""
        return self._link.online

    async def ask_backend(self, id_token: str) -> IdTagInfo:
        """Ask the backend and cache the answer; raises BackendUnreachable, NoVerdict."""
        if self._link.backend is None:
            raise BackendUnreachable("no backend is configured")
        info = await self._link.backend.authorize(id_token)
        await self.learn(id_token, info)
        return info

    async def learn(self, id_token: str, info: IdTagInfo) -> None:
        """Store an answer in the cache, except for tokens of the local list (OCPP 3.5.1)."""
        settings = self._settings()
        listed = None
        if settings.flag("LocalAuthListEnabled"):
            listed = self._lists.local_list.look_up(id_token)
        self._compare(id_token, listed, info)
        if settings.flag("AuthorizationCacheEnabled") and listed is None:
            expiry = settings.choice("CacheExpiryMode", CacheExpiry)
            await self._lists.cache.learn(id_token, info, expiry)

    def on_group(self, connector: int, group: str) -> None:
        """Set the group of a running session, as reported by the backend; the last one counts."""
        found = self._connectors.get(connector)
        if found is not None:
            found.set_group(group)

    def on_new_list(self) -> None:
        """Clear the conflict with the former list, after the backend has sent a new one."""
        if self._conflicts:
            self._conflicts = frozenset()
            self.list_conflict.emit(False)

    def _compare(self, id_token: str, listed: KnownToken | None, info: IdTagInfo) -> None:
        """Detect an answer that contradicts the local list, which is reported to the backend (OCPP
        1.6 section 3.5.2)."""
        before, key = bool(self._conflicts), id_token.casefold()
        if listed is not None and listed.valid is not KnownToken(info.status).valid:
            self._conflicts |= {key}
        else:
            self._conflicts -= {key}
        if bool(self._conflicts) is not before:
            self.list_conflict.emit(not before)

    async def decide_token(self, card: Card, uid: str, connector: int | None) -> Decision:
        """Decide about a token; asks the backend if necessary."""
        policy = authorization_policy(self._settings())
        state = self._connectors[connector].status if connector is not None else None
        session, held_for = (state.session, state.cable_held_for) if state else (None, None)
        known = self._knowledge(card, uid, connector)
        decision = decide(card, policy, known, session, held_for)
        if not isinstance(decision, Ask):
            return decision
        return decide(card, policy, await self._ask(card, known), session, held_for)

    async def _check_card(self, read: CardRead) -> None:
        try:
            uid, card = self._recognise(read)
        except cards.BadCard as error:
            _log.info("a card could not be used: %s", error)
            self._report_outcome(tuple(self._connectors), Reason.UNKNOWN_CARD, "", accepted=False)
            return
        number = read.connector if read.connector in self._connectors else None
        if number is None:
            number = connector_for(card.token, [self._candidate(r) for r in self._all()])
        if number is None:
            number = self._reservations.connector_for(card.token)
        targets = [self._connectors[number]] if number is not None else self._all_free()
        if not targets:
            await self._check_groups(card, uid)
            return
        if targets and all(self._kept_from(card, connector) for connector in targets):
            self._refuse(targets, Reason.RESERVED, card)
            return
        if all(_is_useless(connector.status) for connector in targets):
            self._refuse(targets, Reason.OUT_OF_SERVICE, card)
            return
        for connector in targets:
            connector.show_card_check(active=True)
        try:
            decision = await self.decide_token(card, uid, number)
        finally:
            for connector in targets:
                connector.show_card_check(active=False)
        self._apply(decision, card, uid, targets)

    async def _check_groups(self, card: Card, uid: str) -> None:
        """At a shared reader without a waiting vehicle: check whether the card belongs to the group
        of a session."""
        decision: Decision = Refuse(Reason.UNKNOWN_CARD)
        for connector in self._all():
            session = connector.status.session
            if session is None or session.authorization.identity.group_id is None:
                continue
            decision = await self.decide_token(card, uid, connector.id)
            if isinstance(decision, StopSession):
                self._apply(decision, card, uid, [connector])
                return
        self._apply(decision, card, uid, [])

    def _recognise(self, read: CardRead) -> tuple[str, Card]:
        if read.id_token is not None:
            return read.id_token, Card(read.id_token, IdentityKind.RFID, read.secure)
        uid = cards.normalise(read.uid)
        token = cards.spell(uid, letter_case(self._settings()))
        return uid, Card(token, IdentityKind.RFID, read.secure)

    def _apply(self, decision: Decision, card: Card, uid: str, targets: list[Connector]) -> None:
        masked = Identity(card.kind, card.token).masked
        numbers = tuple(connector.id for connector in targets)
        match decision:
            case Accept(authorization, reason) if targets:
                self._admit(authorization, reason, card, self._fitting(targets, uid, reason))
            case StopSession(id_token, reason):
                for connector in targets:
                    self._stop(connector, id_token)
                self._report_outcome(numbers, reason, masked, accepted=True)
            case ReleaseCable(reason):
                for connector in targets:
                    connector.unlock()
                self._report_outcome(numbers, reason, masked, accepted=True)
            case Refuse(reason, why):
                self._refuse(targets, reason, card, why)
            case Ignore(reason):
                _log.info("card %s ignored: %s", masked, reason)
            case _:
                self._report_outcome(numbers, Reason.UNKNOWN_CARD, masked, accepted=False)

    def _admit(
        self,
        authorization: Authorization,
        reason: Reason,
        card: Card,
        targets: list[Connector],
    ) -> None:
        """Authorize at the connectors that are not reserved for others."""
        admit = self._reservations.admit
        given = [(r, granted) for r in targets if (granted := admit(r.id, authorization))]
        if not given:
            self._refuse(targets, Reason.RESERVED, card)
            return
        self._floating = given[0][1] if len(given) > 1 else None
        for connector, granted in given:
            connector.authorize(granted)
        numbers = tuple(connector.id for connector, _ in given)
        self._report_outcome(numbers, reason, Identity(card.kind, card.token).masked, accepted=True)

    def _refuse(self, targets: list[Connector], reason: Reason, card: Card, why: str = "") -> None:
        numbers = tuple(connector.id for connector in targets)
        masked = Identity(card.kind, card.token).masked
        self._report_outcome(numbers, reason, masked, accepted=False, why=why)

    def _kept_from(self, card: Card, connector: Connector) -> bool:
        """True if the connector is reserved for others and no answer can change that."""
        if connector.status.session is not None:
            return False
        granted = self._reservations.permission(connector.id, card.token, None)
        return not (granted.allowed or granted.ask_for_group)

    def _fitting(self, targets: list[Connector], uid: str, reason: Reason) -> list[Connector]:
        if reason is not Reason.LOCAL_WHITELIST:
            return targets
        whitelist = self._lists.whitelist
        here = WhitelistMatch.HERE
        fitting = [r for r in targets if whitelist.match(uid, r.id) is here]
        used = whitelist.used(uid, [r.id for r in fitting])
        self._supervisor.start("whitelist use", used)
        return fitting

    def _stop(self, connector: Connector, id_token: str) -> None:
        policy = authorization_policy(self._settings())
        session = connector.status.session
        if policy.stop_mode is StopMode.ONLY_DISCONNECT and session is not None:
            connector.hold(held=not session.held)
        else:
            connector.end_session(Stop(StopReason.LOCAL, id_token))

    async def _ask(self, card: Card, known: Knowledge) -> Knowledge:
        try:
            info = await self.ask_backend(card.token)
        except BackendUnreachable:
            return _with_answer(known, BackendAnswer.NO_ANSWER, None)
        except NoVerdict as error:
            _log.warning("the backend did not decide about a card: %s", error)
            return _with_answer(known, BackendAnswer.ANSWERED, KnownToken("Invalid"))
        answer = KnownToken(info.status, info.parent)
        return _with_answer(known, BackendAnswer.ANSWERED, answer)

    def _knowledge(self, card: Card, uid: str, connector: int | None) -> Knowledge:
        numbers = [connector] if connector is not None else list(self._connectors)
        matches = [self._lists.whitelist.match(uid, number) for number in numbers]
        best = WhitelistMatch.HERE if WhitelistMatch.HERE in matches else matches[0]
        return Knowledge(
            whitelist=best,
            local_list=self._lists.local_list.look_up(card.token),
            cache=self._lists.cache.look_up(card.token),
            online=self.online,
        )

    def _on_vehicle_arrived(self, connector: Connector) -> None:
        self._waiting_since[connector.id] = self._loop.time()
        self._decide_arrival(connector)

    def _on_vehicle_left(self, connector: Connector) -> None:
        self._waiting_since.pop(connector.id, None)
        self._vehicles.pop(connector.id, None)

    def _decide_arrival(self, connector: Connector) -> None:
        state = connector.status
        if not state.connected or state.session or state.pending or state.finished:
            return
        vehicle = self._listed_vehicle(connector.id)
        accept = decide_arrival(self._policy(), online=self.online, vehicle=vehicle)
        if accept is None:
            return
        admitted = self._reservations.admit(connector.id, accept.authorization)
        if admitted is None:
            return
        connector.authorize(admitted)
        if vehicle is not None and accept.authorization.card == vehicle.token:
            used = self._lists.whitelist.used(vehicle.token, [connector.id])
            self._supervisor.start("whitelist use", used)
            masked = Identity(vehicle.kind, vehicle.token).masked
            self._report_outcome((connector.id,), accept.reason, masked, accepted=True)

    def _listed_vehicle(self, connector: int) -> Card | None:
        """The vehicle at a connector, if the whitelist has it for this connector."""
        mac = self._vehicles.get(connector)
        if mac is None:
            return None
        match = self._lists.whitelist.match(mac, connector)
        return Card(mac, IdentityKind.MAC) if match is WhitelistMatch.HERE else None

    def _policy(self) -> Policy:
        return authorization_policy(self._settings())

    def _on_connector_changed(self, connector: Connector) -> None:
        session = connector.status.session
        if session is None:
            return
        self._waiting_since.pop(connector.id, None)
        if self._floating is not None and session.authorization == self._floating:
            self._floating = None
            for other in self._all():
                if other is not connector and other.status.pending == session.authorization:
                    other.withdraw_authorization()

    def _candidate(self, connector: Connector) -> Candidate:
        state = connector.status
        waiting = state.cable_held_for or state.pending
        owner = state.session.authorization if state.session else waiting
        tokens = {owner.card, owner.identity.id_token} - {""} if owner else set[str]()
        waits = state.connected and state.session is None and not state.finished
        waits = waits and not _is_useless(state)
        since = self._waiting_since.get(connector.id) if waits and not state.pending else None
        return Candidate(
            connector.id,
            frozenset(token.casefold() for token in tokens),
            since,
            state.state in _FREE,
        )

    def _all(self) -> list[Connector]:
        return list(self._connectors.values())

    def _all_free(self) -> list[Connector]:
        return [r for r in self._all() if r.status.state in _FREE]

    def _report_outcome(
        self,
        connectors: tuple[int, ...],
        reason: Reason,
        masked: str,
        *,
        accepted: bool,
        why: str = "",
    ) -> None:
        verdict = "accepted" if accepted else "refused"
        _log.info("card %s %s: %s", masked, verdict, reason)
        self.outcome.emit(CardOutcome(connectors, accepted, reason, masked, why))


def _is_useless(state: ConnectorSnapshot) -> bool:
    """True if no session can start here and none waits for a card."""
    broken = state.state in (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE)
    return broken and state.session is None and state.cable_held_for is None


def _with_answer(known: Knowledge, asked: BackendAnswer, answer: KnownToken | None) -> Knowledge:
    return Knowledge(known.whitelist, known.local_list, known.cache, known.online, asked, answer)
