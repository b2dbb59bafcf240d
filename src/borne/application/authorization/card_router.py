"""Routes a card to its recipient: master card dialogue, teach-in, or authorization."""

from __future__ import annotations

from collections.abc import Callable

from borne.application.authorization.master_card import MasterCard
from borne.application.authorization.teach_in import TeachIn
from borne.application.authorization.whitelist import Whitelist
from borne.application.people.accounts import Accounts
from borne.application.ports.hardware import CardRead, Hardware
from borne.application.settings.station_settings import letter_case
from borne.domain.authorization import cards
from borne.domain.principals import Role
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock
from borne.foundation.supervisor import Supervisor

RESET_BY_MASTER_CARD = (Role.USER, Role.INSTALLER, Role.OPERATOR)


class CardRouter:
    """Owns teach-in and master card, and routes every card."""

    def __init__(
        self,
        whitelist: Whitelist,
        settings: Callable[[], Settings],
        accounts: Accounts,
        clock: Clock,
        supervisor: Supervisor,
        new_id: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._authorize: Callable[[CardRead], None] = lambda _: None
        self.teach_in = TeachIn(whitelist, clock, supervisor, self._secure_only, new_id)
        self.master_card = MasterCard(
            lambda: self._settings().text("MasterRFID"),
            lambda: letter_case(self._settings()),
            self._secure_only,
            self._reset_passwords,
        )

    def start(self, hardware: Hardware, authorize: Callable[[CardRead], None]) -> None:
        """Subscribe to readers and cars; `authorize` receives the cards for charging."""
        self._authorize = authorize
        for reader in hardware.readers:
            reader.subscribe(self.on_card)
        if hardware.vehicles is not None:
            hardware.vehicles.subscribe(self.teach_in.on_vehicle)

    def abort(self) -> None:
        """Stop at once: power failure, or end of the station."""
        self.teach_in.abort()
        self.master_card.abort()

    def on_card(self, read: CardRead) -> None:
        """Process a card; one that was held too briefly is not passed on."""
        if not self._settings().flag("RFIDEnable"):
            return
        if not cards.held_long_enough(read.held_s):
            if not self.teach_in.on_short_read(read):
                self._authorize(read)
        elif not (self.master_card.on_card(read) or self.teach_in.on_card(read)):
            self._authorize(read)

    def _secure_only(self) -> bool:
        return self._settings().flag("EnforceSecureRFID")

    async def _reset_passwords(self) -> None:
        """Reset the passwords; afterwards the operator's printed password opens the page that sets
        a new one."""
        for role in RESET_BY_MASTER_CARD:
            await self._accounts.set_password(role, None)
