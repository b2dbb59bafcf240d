"""The master card (manual 5.3, "Enforce Master RFID"), which permits a reset of the passwords.

It has an effect only while a page waits for it; otherwise it is treated like any other card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from borne.application.ports.hardware import CardRead
from borne.application.refusals import Refused
from borne.domain.authorization import cards, list_text
from borne.domain.settings.choices import LetterCase
from borne.foundation.messages import N_

MASTER_CARD_S = 60.0


class MasterCard:
    """Only one page can wait at a time; others get Refused("busy")."""

    def __init__(
        self,
        known: Callable[[], str],
        spelling: Callable[[], LetterCase],
        secure_only: Callable[[], bool],
        reset: Callable[[], Awaitable[None]],
    ) -> None:
        self._known = known
        self._spelling = spelling
        self._secure_only = secure_only
        self._reset = reset
        self._waiting: asyncio.Future[CardRead | None] | None = None
        self._any_card = False
        self._resetting: asyncio.Future[None] | None = None

    @property
    def known(self) -> bool:
        """True if a master card is set."""
        return bool(self._known())

    def is_master(self, read: CardRead) -> bool:
        """True if this is the number of the master card."""
        if not self.known or (self._secure_only() and not read.secure):
            return False
        try:
            master, _ = list_text.parse_token(self._known(), self._spelling())
            return cards.normalise(read.uid) == master
        except cards.BadCard:
            return False

    async def reset_passwords(self, timeout_s: float = MASTER_CARD_S) -> bool:
        """Wait for the master card, then reset the passwords of user, installer and operator. False
        at the timeout. Raises Refused."""
        if not self.known:
            raise Refused("no_master_card", N_("The station knows no master card."))
        if await self._wait(timeout_s, any_card=False) is None:
            return False
        # The reset completes even if the caller is cancelled.
        self._resetting = asyncio.ensure_future(self._reset())
        await asyncio.shield(self._resetting)
        return True

    async def next_card(self, timeout_s: float = MASTER_CARD_S) -> str | None:
        """Wait for any card that may become the master card; its number for the setting, or None at
        the timeout. Raises Refused."""
        read = await self._wait(timeout_s, any_card=True)
        if read is None:
            return None
        try:
            uid = cards.normalise(read.uid)
        except cards.BadCard as error:
            raise Refused("unreadable", error.message) from None
        if cards.is_random(uid):
            raise Refused("random_token", N_("This card has a different number at every reading."))
        return cards.spell(uid, self._spelling())

    def on_card(self, read: CardRead) -> bool:
        """Process a card; True if a page waited for it."""
        waiting = self._waiting
        if waiting is None or waiting.done():
            return False
        if not (self._any_card or self.is_master(read)):
            return False
        waiting.set_result(read)
        return True

    def abort(self) -> None:
        """Stop at once: power failure, or end of the station."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _wait(self, timeout_s: float, *, any_card: bool) -> CardRead | None:
        if self._waiting is not None:
            raise Refused("busy", N_("The station is already waiting for a card."))
        self._any_card = any_card
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(self._waiting, timeout_s)
        except TimeoutError:
            return None
        finally:
            self._waiting = None
