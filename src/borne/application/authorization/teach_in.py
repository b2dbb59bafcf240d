"""Teach-in (manual 5.5): while it runs, every card shown is added to the local whitelist.

It belongs to one dialogue: it ends a minute after the last card unless prolonged, and soon after
the dialogue stops renewing it (page closed, connection lost). A power failure ends it. A car that
is plugged in meanwhile is added with its MAC address, if known.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from borne.application.authorization.whitelist import Whitelist
from borne.application.ports.hardware import CardRead
from borne.application.refusals import Refused, require
from borne.domain.authorization import cards, list_text
from borne.domain.authorization.list_text import ListedCard, TokenKind
from borne.domain.principals import Principal, Role
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.messages import N_, Message
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers

TEACH_IN_S = 60.0
LEASE_S = 15.0
DOUBLE_READ_S = 2.0
"""The same card within this time counts as shown once."""
EVENTS_KEPT = 200


class TeachInResult(StrEnum):
    """The result for a card or a car during teach-in."""

    ADDED = "added"
    KNOWN = "known"
    """It is already in the list."""
    UNREADABLE = "unreadable"
    RANDOM = "random"
    """It has a random UID."""
    NOT_SECURE = "not_secure"
    """Only cards protected against copying are accepted."""
    LIST_FULL = "list_full"


@dataclass(frozen=True, slots=True)
class TeachInEvent:
    """One card or vehicle."""

    at: datetime
    result: TeachInResult
    token: str
    """In the spelling of the whitelist."""
    kind: str
    """RFID or MAC."""
    connector: int | None
    """The connector to which the entry is bound."""


@dataclass(frozen=True, slots=True)
class TeachInState:
    """The teach-in that runs."""

    by: str
    reader: int | None
    """Restrict to the reader of this socket; None: all readers."""
    bind: int | None
    remaining_s: float
    events: Sequence[TeachInEvent]
    """Newest first."""


@dataclass(slots=True)
class _Running:
    """The teach-in that runs."""

    lease: str
    by: str
    reader: int | None
    bind: int | None
    ends_s: float
    lease_ends_s: float
    events: deque[TeachInEvent]
    last_token: str = ""
    last_read_s: float = float("-inf")


class TeachIn:
    """Only one at a time. It ends a minute after the last card unless prolonged, and when its
    dialogue stops renewing its lease."""

    def __init__(
        self,
        whitelist: Whitelist,
        clock: Clock,
        supervisor: Supervisor,
        secure_only: Callable[[], bool],
        new_id: Callable[[], str],
    ) -> None:
        self.changed: Signal[TeachInState | None] = Signal()
        self._whitelist = whitelist
        self._clock = clock
        self._supervisor = supervisor
        self._secure_only = secure_only
        self._new_id = new_id
        self._running: _Running | None = None
        self._timers = Timers()

    # The dialogue -----------------------------------------------------------------------------

    def start(
        self, principal: Principal, *, reader: int | None = None, bind: int | None = None
    ) -> str:
        """Start; returns the lease for `renew`, `prolong` and `finish`. `reader` restricts to the
        cards at one socket's reader, `bind` binds new entries to one connector. Raises Refused."""
        require(principal, Role.OPERATOR)
        if self._running is not None:
            raise Refused(
                "teach_in_running",
                Message(N_("Teach-in is running ({who})."), {"who": self._running.by}),
            )
        now_s = self._now_s()
        self._running = _Running(
            lease=self._new_id(),
            by=principal.name or principal.role.value,
            reader=reader,
            bind=bind,
            ends_s=now_s + TEACH_IN_S,
            lease_ends_s=now_s + LEASE_S,
            events=deque(maxlen=EVENTS_KEPT),
        )
        self._follow()
        return self._running.lease

    def renew(self, lease: str) -> TeachInState:
        """Keep the teach-in alive, every few seconds, while its dialogue is open. Raises Refused if
        it is over."""
        running = self._of(lease)
        running.lease_ends_s = self._now_s() + LEASE_S
        self._follow(notify=False)
        return self._state_of(running)

    def prolong(self, lease: str) -> TeachInState:
        """Continue for another minute. Raises Refused if it is over."""
        running = self._of(lease)
        running.ends_s = self._now_s() + TEACH_IN_S
        running.lease_ends_s = self._now_s() + LEASE_S
        self._follow()
        return self._state_of(running)

    def choose(self, lease: str, *, reader: int | None, bind: int | None) -> TeachInState:
        """Restrict to one reader, and bind new entries to one connector; None: no restriction.
        Raises Refused if it is over."""
        running = self._of(lease)
        running.reader, running.bind = reader, bind
        self._follow()
        return self._state_of(running)

    def finish(self, lease: str) -> Sequence[TeachInEvent]:
        """End; returns the events. Raises Refused if it was already over."""
        running = self._of(lease)
        self._end()
        return tuple(reversed(running.events))

    def state(self) -> TeachInState | None:
        """The running teach-in, for all viewers."""
        return None if self._running is None else self._state_of(self._running)

    def abort(self) -> None:
        """Stop at once: power failure, or end of the station."""
        self._running = None
        self._timers.stop()

    # Readers and cars -------------------------------------------------------------------------

    def on_card(self, read: CardRead) -> bool:
        """Process a card; True if it was for the teach-in and thus authorizes nothing."""
        running = self._running
        if running is None or running.reader not in (None, read.connector):
            return False
        text = read.uid if read.id_token is None else read.id_token
        now_s = self._now_s()
        again = text == running.last_token and now_s - running.last_read_s < DOUBLE_READ_S
        running.last_token, running.last_read_s = text, now_s
        if not again:
            running.ends_s = now_s + TEACH_IN_S
            self._follow(notify=False)
            self._supervisor.start("teach-in", self._teach_card(running, read, text))
        return True

    def on_short_read(self, read: CardRead) -> bool:
        """Process a card that was removed too early; True if it was for the teach-in."""
        running = self._running
        if running is None or running.reader not in (None, read.connector):
            return False
        text = read.uid if read.id_token is None else read.id_token
        self._note(running, TeachInResult.UNREADABLE, text)
        return True

    def on_vehicle(self, connector: int, mac: str) -> None:
        """Process the MAC address of a car that was plugged in (ISO 15118)."""
        running = self._running
        digits = "".join(char for char in mac.upper() if char.isalnum())
        if running is None or running.reader not in (None, connector) or len(digits) != 12:
            return
        self._supervisor.start("teach-in", self._teach(running, digits, TokenKind.MAC))

    async def _teach_card(self, running: _Running, read: CardRead, text: str) -> None:
        if self._secure_only() and not read.secure:
            self._note(running, TeachInResult.NOT_SECURE, text)
            return
        try:
            token = cards.normalise(text)
            if cards.is_random(token):
                self._note(running, TeachInResult.RANDOM, text)
                return
        except cards.BadCard:
            self._note(running, TeachInResult.UNREADABLE, text)
            return
        await self._teach(running, token, TokenKind.RFID)

    async def _teach(self, running: _Running, token: str, kind: TokenKind) -> None:
        card = ListedCard(token, kind, running.bind)
        if self._whitelist.holds(card):
            self._note(running, TeachInResult.KNOWN, token, kind)
            return
        try:
            await self._whitelist.store(card)
        except Refused:
            self._note(running, TeachInResult.LIST_FULL, token, kind)
            return
        self._note(running, TeachInResult.ADDED, token, kind)

    def _note(
        self,
        running: _Running,
        result: TeachInResult,
        token: str,
        kind: TokenKind = TokenKind.RFID,
    ) -> None:
        shown = self._whitelist.spelled(token, kind)[: list_text.LONGEST_CELL]
        at: datetime = self._clock.now()
        running.events.append(TeachInEvent(at, result, shown, kind.value, running.bind))
        if self._running is running:
            self.changed.emit(self._state_of(running))

    # Time -------------------------------------------------------------------------------------

    def _of(self, lease: str) -> _Running:
        if self._running is None or self._running.lease != lease:
            raise Refused("teach_in_over", N_("The teach-in is over."))
        return self._running

    def _follow(self, *, notify: bool = True) -> None:
        running = self._running
        if running is None:
            return
        due_s = min(running.ends_s, running.lease_ends_s)
        self._timers.plan_at("end", due_s, self._end)
        if notify:
            self.changed.emit(self._state_of(running))

    def _end(self) -> None:
        self._running = None
        self._timers.cancel("end")
        self.changed.emit(None)

    def _state_of(self, running: _Running) -> TeachInState:
        now_s = self._now_s()
        return TeachInState(
            by=running.by,
            reader=running.reader,
            bind=running.bind,
            remaining_s=max(0.0, running.ends_s - now_s),
            events=tuple(reversed(running.events)),
        )

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
