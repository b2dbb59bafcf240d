"""The services for cards, vehicles and reservations."""

from __future__ import annotations

from borne.application.authorization.authorization_flow import AuthorizationFlow, TokenLists
from borne.application.authorization.card_router import CardRouter
from borne.application.authorization.reader_watch import ReaderWatch
from borne.application.authorization.reservations import Reservations
from borne.application.authorization.token_lists import BackendTokens
from borne.application.authorization.whitelist import Whitelist
from borne.application.composition.charging import Charging
from borne.application.composition.parts import StationParts
from borne.application.ports.backend_link import BackendLink
from borne.application.settings.station_settings import letter_case
from borne.foundation.supervisor import Supervisor


class Cards:
    """The services for authorization."""

    def __init__(
        self, parts: StationParts, supervisor: Supervisor, charging: Charging, link: BackendLink
    ) -> None:
        clock, storage, settings = parts.clock, parts.storage, parts.settings.running
        connectors = charging.connectors
        self._hardware = parts.hardware
        self.lists = TokenLists(
            Whitelist(storage.whitelist, clock, lambda: letter_case(settings()), len(connectors)),
            BackendTokens("local_list", storage.tokens, clock),
            BackendTokens("cache", storage.tokens, clock),
        )
        self.reservations = Reservations(connectors, storage.state, clock, supervisor)
        self.authorization = AuthorizationFlow(
            connectors, settings, self.lists, self.reservations, supervisor, link
        )
        self.router = CardRouter(
            self.lists.whitelist, settings, parts.accounts, clock, supervisor, parts.new_id
        )
        self.readers = ReaderWatch(parts.hardware.readers, charging.faults, settings)

    async def load_lists(self) -> None:
        """Load whitelist, local list and cache."""
        for tokens in (self.lists.whitelist, self.lists.local_list, self.lists.cache):
            await tokens.load()

    def start_router(self) -> None:
        """Receive cards from the readers."""
        self.router.start(self._hardware, self.authorization.on_card)

    def start_authorization(self) -> None:
        """Decide about cards and vehicles."""
        self.authorization.start(self._hardware.vehicles)
