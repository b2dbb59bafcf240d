"""What the web application keeps while stations come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from borne.application.accounts import Accounts

if TYPE_CHECKING:
    from fastapi import FastAPI

    from borne.adapters.web.contract import WebHost
    from borne.adapters.web.live import EventHub
    from borne.adapters.web.staging import Staging


class WebState:
    """One for each application."""

    def __init__(self, host: WebHost, hub: EventHub, staging: Staging) -> None:
        self.host = host
        self.hub = hub
        self.staging = staging
        self._accounts: Accounts | None = None
        self._host_names: tuple[str, ...] = ()

    def host_names(self) -> tuple[str, ...]:
        """Names that the owner gave the station; those of the last one while power is cut."""
        services = self.host.services()
        if services is not None:
            names = services.settings.settings["WebHostNames"]
            self._host_names = tuple(names) if isinstance(names, tuple | list) else ()
        return self._host_names

    def accounts(self) -> Accounts | None:
        """Those of the running station, or of the last one: power is restored by somebody who
        could log in before it was cut."""
        services = self.host.services()
        if services is not None:
            accounts = services.accounts
            assert isinstance(accounts, Accounts)
            if accounts is not self._accounts:
                self._accounts = accounts
                self.staging.follow(accounts.logins)
        return self._accounts


def web_state(app: FastAPI) -> WebState:
    """The state of an application made by `build`."""
    state = app.state.web
    assert isinstance(state, WebState)
    return state
