"""Diagnostics for support, without secrets: status, settings, recent OCPP messages, recent log
lines and security log. Complete card numbers occur only in the messages, as exchanged with the
backend."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from borne.application.maintenance.log_upload import LogKind
from borne.application.ports.backend_link import BackendLink
from borne.application.ports.storage import LoggedSecurityEvent, SecurityLog
from borne.application.settings.settings_service import SettingsService
from borne.domain.frames import FrameRecord
from borne.domain.settings.addressing import addresses
from borne.domain.settings.values import to_json
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.logging import RECENT, redact

MAX_EVENTS = 10_000
PAGE = 500


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Collects the diagnostics of a running station."""

    status: Callable[[], Mapping[str, object]]
    """As in the API."""
    frame_json: Callable[[FrameRecord], JsonObject]
    """The same of a message."""
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
            return {"security.jsonl": _lines(map(_event_json, events))}
        backend = self.link.backend
        messages = await backend.message_history() if backend is not None else ()
        frames = [frame for frame in messages if _within(frame.at, since, until)]
        return {
            "status.json": _json({"version": self.version, **self.status()}),
            "settings.json": _json(self._settings()),
            "messages.jsonl": _lines(map(self.frame_json, frames)),
            "log.jsonl": "".join(
                f"{line}\n" for at, line in RECENT.lines if _within(at, since, until)
            ),
            "security.jsonl": _lines(map(_event_json, events)),
        }

    def _settings(self) -> JsonObject:
        settings = self.settings.settings
        return {
            address.name: _redacted(to_json(settings.at(address)))
            for address in addresses(settings.facts)
            if not address.entry.type.is_secret
        }

    async def _security_events(
        self, since: datetime | None, until: datetime | None
    ) -> list[LoggedSecurityEvent]:
        found: list[LoggedSecurityEvent] = []
        after = 0
        while len(found) < MAX_EVENTS:
            page = await self.security.page(after=after, limit=PAGE)
            if not page:
                break
            found.extend(page)
            after = page[-1].seq
        # What was recorded while the date was unknown is shown whatever the time.
        return [e for e in found if e.at.wall is None or _within(e.at.wall, since, until)]


def _event_json(event: LoggedSecurityEvent) -> JsonObject:
    return {
        "seq": event.seq,
        "kind": event.kind,
        "detail": event.detail,
        "at": event.at.to_text(),
        "hash": event.hash,
    }


def _redacted(value: JsonValue) -> JsonValue:
    """Mask credentials, for example a token in an address."""
    return redact(value) if isinstance(value, str) else value


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)


def _lines(records: Iterable[JsonObject]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def _json(data: Mapping[str, object]) -> str:
    return json.dumps(data, indent=1)
