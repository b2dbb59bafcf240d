"""State of the web application that outlives a station."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from borne.adapters.web.meter_searches import MeterSearches
from borne.adapters.web.meter_tests import MeterTests
from borne.adapters.web.visitor import Visitor
from borne.application.people.accounts import Accounts
from borne.foundation.events import Signal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from borne.adapters.web.contract import WebHost
    from borne.adapters.web.live import EventHub
    from borne.adapters.web.staging import Staging

T = TypeVar("T")


class WebState:
    """One per application."""

    def __init__(self, host: WebHost, hub: EventHub, staging: Staging) -> None:
        self.host = host
        self.hub = hub
        self.staging = staging
        self.credential_ended: Signal[str] = Signal()
        """Emits the hash of a cookie or token that is no longer valid."""
        self.credential_ended.subscribe(hub.end_of)
        self.credential_ended.subscribe(staging.drop)
        self.meter_tests = MeterTests()
        self.credential_ended.subscribe(self.meter_tests.drop)
        self.meter_searches = MeterSearches()
        self.credential_ended.subscribe(self.meter_searches.drop)
        self.packing = asyncio.Lock()
        """Only one archive of log files is packed at a time."""
        self._accounts: Accounts | None = None
        self._host_names: tuple[str, ...] = ()

    def host_names(self) -> tuple[str, ...]:
        """Names from `--host` and from the setting WebHostNames; while power is cut those of the
        last station."""
        services = self.host.services()
        if services is not None:
            self._host_names = services.settings.settings.items("WebHostNames")
        return (*self.host.own_names, *self._host_names)

    def accounts(self) -> Accounts | None:
        """Accounts of the running station, or of the last one: their
        logins may restore the power."""
        services = self.host.services()
        if services is not None:
            accounts = services.accounts
            assert isinstance(accounts, Accounts)
            if accounts is not self._accounts:
                self._follow(accounts)
                self._accounts = accounts
        return self._accounts

    def _follow(self, accounts: Accounts) -> None:
        accounts.token_removed.subscribe(self.credential_ended.emit)
        if self._accounts is None or self._accounts.logins is not accounts.logins:
            accounts.logins.ended.subscribe(self.credential_ended.emit)

    def admits(self, who: Visitor) -> bool:
        """True if the visitor's login or token is still valid."""
        accounts = self.accounts()
        return accounts is not None and accounts.holds(who.key)

    async def while_admitted(self, who: Visitor, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`; None, with `work` cancelled, as soon as the visitor's login or
        token ends."""
        waiting = asyncio.ensure_future(work)

        def end(key: str) -> None:
            if key == who.key:
                waiting.cancel()

        unsubscribe = self.credential_ended.subscribe(end)
        try:
            await asyncio.wait((waiting,))
            return waiting.result() if self.admits(who) and not waiting.cancelled() else None
        finally:
            unsubscribe()
            waiting.cancel()


def web_state(app: FastAPI) -> WebState:
    """The state of an application built by `build`."""
    state = app.state.web
    assert isinstance(state, WebState)
    return state
