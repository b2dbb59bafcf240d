"""Removes what a former backend has set, once it is switched off or replaced.

A limit of 0 A, a reservation, a socket out of service, a list of cards: these are commands of one
central system to one identity, and no other can revoke them. Therefore each start compares the
configured backend with that of the last start. Settings and limits made by users stay. Decision
0146.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from borne.application.ports.storage import SecurityLog, StateStore
from borne.application.settings.station_settings import has_backend
from borne.application.state.kept_state import of_form, stored_fact, text
from borne.application.state.storage_failure import log_storage_failure
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock
from borne.foundation.json_value import JsonValue

STATE_KEY = "backend_of_last_start"
FORM = 1
"""Version of the stored form."""
NO_BACKEND = ""
"""The backend is switched off."""
DEFAULT_PORTS = {"ws": ":80", "wss": ":443"}
_log = logging.getLogger(__name__)

Forget = Callable[[], Awaitable[int]]


def name_of(settings: Settings) -> str:
    """Backend and identity as one text. The same backend with or without TLS, or with another
    spelling of its address, has the same name."""
    if not has_backend(settings):
        return NO_BACKEND
    url = settings.text("WebSocketsBackendURL").strip()
    return f"{_address(url)} {settings.text('ChargePointID')}"


def _address(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    host = host.casefold().removesuffix(DEFAULT_PORTS.get(scheme.casefold(), ""))
    return f"{host}{slash}{path}".rstrip("/")


@dataclass(frozen=True, slots=True)
class Last:
    """The state stored by earlier starts; None if they did not store it."""

    name: str | None = None
    """The backend of the last start."""
    lists_of: str | None = None
    """The last backend that was configured."""


class BackendChange:
    """Compares the backends at the start, before charging is possible."""

    def __init__(
        self,
        state: StateStore,
        log: SecurityLog,
        clock: Clock,
        binding: Mapping[str, Forget],
        lists: Mapping[str, Forget],
    ) -> None:
        self._state = state
        self._log = log
        self._clock = clock
        self._binding = binding
        """Removed also when the backend is switched off."""
        self._lists = lists
        """Unused without a backend, and removed when another one is configured."""

    async def start(self, settings: Settings) -> None:
        """Remove what another backend has set; failures are repeated at the next start."""
        now = name_of(settings)
        last, _ = await stored_fact(self._state, STATE_KEY, _from_stored, Last())
        lists_of = now if now != NO_BACKEND else last.lists_of
        if Last(now, lists_of) == last:
            return
        gone: dict[str, int] = {}
        # A version that did not store the name is assumed to have had the same backend.
        if last.name not in (now, None) or now == NO_BACKEND:
            gone |= await _forget(self._binding)
        if last.lists_of not in (lists_of, None):
            gone |= await _forget(self._lists)
        await self._state.put(STATE_KEY, {"form": FORM, "name": now, "lists_of": lists_of})
        await self._report(gone)

    async def _report(self, gone: Mapping[str, int]) -> None:
        if not gone:
            return
        detail = ", ".join(f"{number} {name}" for name, number in gone.items())
        _log.warning("the backend has changed or is switched off; deleted with it: %s", detail)
        with log_storage_failure(_log, "the security event was not stored"):
            await self._log.add("backend_changed", detail, self._clock.moment())


async def _forget(services: Mapping[str, Forget]) -> dict[str, int]:
    return {name: number for name, forget in services.items() if (number := await forget())}


def _from_stored(data: JsonValue) -> Last:
    stored = of_form(data, FORM)
    lists_of = stored["lists_of"]
    return Last(text(stored["name"]), None if lists_of is None else text(lists_of))
