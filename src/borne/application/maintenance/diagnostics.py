"""Diagnostics for support, without secrets: status, settings, recent OCPP messages, recent log
lines and security log. Complete card numbers occur only in the messages, as exchanged with the
backend."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from borne.application.maintenance.log_upload import LogKind
from borne.application.ports.backend_link import BackendLink
from borne.application.ports.storage import SecurityLog
from borne.application.settings.settings_service import SettingsService
from borne.domain.settings.addressing import addresses
from borne.domain.settings.values import to_json
from borne.foundation.clock import parse_utc
from borne.foundation.logging import RECENT, redact

MAX_EVENTS = 10_000
PAGE = 500


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Collects the diagnostics of a running station."""

    status: Callable[[], Mapping[str, Any]]
    """As in the API."""
    settings: SettingsService
    link: BackendLink
    security: SecurityLog
    version: str

    async def collect(
        self, kind: LogKind, since: datetime | None, until: datetime | None
    ) -> dict[str, str]:
        """File names and contents; dated entries are limited to [since, until)."""
        events = await self._security_events(since, until)
        if kind is LogKind.SECURITY:
            return {"security.jsonl": _lines(events)}
        backend = self.link.backend
        messages = await backend.message_history() if backend is not None else ()
        return {
            "status.json": _json({"version": self.version, **self.status()}),
            "settings.json": _json(self._settings()),
            "messages.jsonl": _lines(_between(messages, since, until)),
            "log.jsonl": "".join(
                f"{line}\n" for at, line in RECENT.lines if _within(at, since, until)
            ),
            "security.jsonl": _lines(events),
        }

    def _settings(self) -> dict[str, Any]:
        settings = self.settings.settings
        return {
            address.name: _redacted(to_json(settings.at(address)))
            for address in addresses(settings.facts)
            if not address.entry.type.is_secret
        }

    async def _security_events(
        self, since: datetime | None, until: datetime | None
    ) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        after = 0
        while len(found) < MAX_EVENTS:
            page = await self.security.page(after=after, limit=PAGE)
            if not page:
                break
            found.extend(page)
            after = int(page[-1]["seq"])
        return list(_between(found, since, until))


def _redacted(value: object) -> object:
    """Mask credentials, for example a token in an address."""
    return redact(value) if isinstance(value, str) else value


def _between(
    records: Iterable[Mapping[str, Any]], since: datetime | None, until: datetime | None
) -> Iterable[Mapping[str, Any]]:
    for record in records:
        text = str(record.get("at", ""))
        try:
            at = parse_utc(text)
        except ValueError:  # recorded while the date was unknown
            yield record
            continue
        if _within(at, since, until):
            yield record


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)


def _lines(records: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record, default=str) + "\n" for record in records)


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, default=str)
