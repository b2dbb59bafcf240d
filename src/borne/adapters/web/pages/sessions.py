"""Charging sessions: list, filter, one session with its curve, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Query, Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR, USER
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words, list_separator
from borne.adapters.web.pages.session_figures import figures_of
from borne.adapters.web.pages.shell import page, setting, words_for, zone_of
from borne.adapters.web.routes import Routes
from borne.adapters.web.states import FLAGS, STOP_REASONS, phrase
from borne.application.ports.storage import SessionGrouping, SessionQuery
from borne.domain.principals import Role
from borne.domain.station.session import UNBILLABLE, Sample, SessionRecord
from borne.domain.vehicle import Identity
from borne.foundation.calendar import Month
from borne.foundation.messages import N_

routes = Routes(USER)

PAGE_ROWS = 25
MONTH_LENGTH = 7
ID_LENGTH = 64
FIGURES_DAYS = 30
MAX_POINTS = 600
IDENTITIES = {"FREE": N_("free charging"), "LOCAL": N_("this page"), "REMOTE": N_("backend")}


@dataclass(frozen=True, slots=True)
class Row:
    """A session, formatted."""

    id: str
    socket: int
    began: str
    ended: str
    duration: str
    who: str
    kind: str
    energy: str
    max_power: str
    reason: str
    transaction: str
    flags: tuple[str, ...]
    billable: bool
    running: bool
    meter: str


def date_text(when: datetime | None, zone: tzinfo, words: Words) -> str:
    """Formatted date and time."""
    return words.moment(when.astimezone(zone)) if when else words("unknown")


def identity_text(identity: Identity, words: Words) -> str:
    """The last digits of a card number, or another way of authorization."""
    kind = identity.kind.value
    if kind in IDENTITIES and (kind != "REMOTE" or not identity.id_token):
        return words(IDENTITIES[kind])
    return identity.masked.replace("...", "…") or "–"


def remarks_of(record: SessionRecord, words: Words) -> list[str]:
    """Remarks about the figures of a session."""
    notes = [words(phrase(FLAGS, flag.value)) for flag in sorted(record.flags)]
    if not record.billable and not record.flags & UNBILLABLE:
        notes.append(words("not billable: free charging that is not reported to a backend"))
    return notes


def row_of(record: SessionRecord, zone: tzinfo, words: Words, now: datetime) -> Row:
    """Format a session."""
    start, end = record.start, record.end
    seconds = None
    if start.at.wall is not None:
        stop = now if end is None else end.at.wall
        seconds = (stop - start.at.wall).total_seconds() if stop else None
    stop_wh = end.meter_stop_wh if end else record.last_wh
    return Row(
        id=record.session_id,
        socket=start.connector,
        began=date_text(start.at.wall, zone, words),
        ended=date_text(end.at.wall, zone, words) if end else words("running"),
        duration=words.duration(seconds),
        who=identity_text(start.identity, words),
        kind=start.identity.kind.value,
        energy=words.energy(record.energy_wh),
        max_power=words.power(record.max_power_w) if record.max_power_w else "–",
        reason=words(phrase(STOP_REASONS, end.reason.value)) if end else words("running"),
        transaction=str(record.transaction_id) if record.transaction_id is not None else "–",
        flags=tuple(remarks_of(record, words)),
        billable=record.billable,
        running=end is None,
        meter=f"{words.number(start.meter_start_wh)} → {words.number(stop_wh)} Wh",
    )


def month_bounds(month: str, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Start of a month `2026-11` and of the next; None if invalid."""
    parsed = Month.parse(month)
    return parsed.bounds(zone) if parsed else (None, None)


@routes.get("/sessions")
async def sessions(
    request: Request,
    month: Annotated[str, Query(max_length=MONTH_LENGTH)] = "",
    socket: Annotated[str, Query(max_length=3)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    before: Annotated[str | None, Query(max_length=ID_LENGTH)] = None,
    after: Annotated[str | None, Query(max_length=ID_LENGTH)] = None,
    forgotten: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The list, newest first, and the figures of the month or of the last 30 days. The next page is
    found by the last session of this one, whatever its number is."""
    services, words, zone = station(request), words_for(request), zone_of(request)
    since, until = month_bounds(month, zone)
    connector = int(socket) if socket.isascii() and socket.isdigit() else None
    offset = (number - 1) * PAGE_ROWS if before is None and after is None else 0
    records, total = await services.sessions.page(
        SessionQuery(connector=connector, since=since, until=until),
        offset=offset,
        limit=PAGE_ROWS,
        before=before,
        after=after,
    )
    now = services.clock.now()
    first = since or now - timedelta(days=FIGURES_DAYS)
    shown = SessionQuery(since=first, until=until)
    figures = partial(figures_of, services.sessions, query=shown, words=words)
    seen = visitor(request).role.includes(Role.OPERATOR)
    cards = await figures(SessionGrouping.CARD) if seen else []
    connectors = [socket.id for socket in services.status.snapshot().sockets]
    return await page(
        request,
        "sessions.html",
        rows=[row_of(record, zone, words, now) for record in records],
        total=total,
        number=number,
        newest=records[0].session_id if records else "",
        oldest=records[-1].session_id if records else "",
        pages=max(1, -(-total // PAGE_ROWS)),
        month=month if since else "",
        socket=connector,
        connectors=connectors,
        zone=str(zone),
        sum_text=words.energy(sum(record.energy_wh for record in records)),
        sockets=await figures(SessionGrouping.CONNECTOR),
        cards=[(identity_text(row.identity, words), row) for row in cards if row.identity],
        days=FIGURES_DAYS,
        kept_days=setting(request, "SessionRetentionDays", 0),
        last_month=str(Month.of(now, zone).plus(-1)),
        forgotten=forgotten,
    )


@routes.get("/sessions/export", OPERATOR)
async def export(
    request: Request,
    month: Annotated[str, Query(max_length=MONTH_LENGTH)] = "",
    socket: Annotated[str, Query(max_length=3)] = "",
) -> Response:
    """Redirect to the CSV of the API, with the separator of the language."""
    words = words_for(request)
    since, until = month_bounds(month, zone_of(request))
    query = ["separator=" + quote(list_separator(words.language), safe=",")]
    if socket.isascii() and socket.isdigit():
        query.append(f"connector={int(socket)}")
    for name, bound in (("since", since), ("until", until)):
        if bound is not None:
            query.append(f"{name}={bound.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return RedirectResponse("/api/v1/sessions.csv?" + "&".join(query), 303)


@routes.get("/sessions/{session_id}")
async def session(request: Request, session_id: Annotated[str, Path(max_length=64)]) -> Response:
    services, words, zone = station(request), words_for(request), zone_of(request)
    record = await services.sessions.get(session_id)
    if record is None:
        raise ApiError(404, "not_found", N_("There is no such session."))
    samples = thinned(await services.sessions.curve(session_id))
    dated = [sample for sample in samples if sample.at.wall is not None]
    return await page(
        request,
        "session.html",
        row=row_of(record, zone, words, services.clock.now()),
        zone=str(zone),
        chart=json.dumps(chart(dated, words)) if len(dated) > 1 else "",
        table=[
            (
                date_text(sample.at.wall, zone, words)[11:],
                words.power(sample.power_w),
                " / ".join(words.number(amps, 1) for amps in sample.current_a),
                words.amps_short(sample.offered_a),
                words.energy(max(0, sample.register_wh - record.start.meter_start_wh)),
            )
            for sample in dated[:: max(1, len(dated) // 60)]
        ],
    )


def thinned(samples: Sequence[Sample]) -> list[Sample]:
    """At most `MAX_POINTS` samples, as a screen has no more pixels."""
    return list(samples[:: max(1, -(-len(samples) // MAX_POINTS))])


def chart(samples: Sequence[Sample], words: Words) -> dict[str, Any]:
    """Data of the curve: seconds, kW, A offered, A used."""
    times = [sample.at.wall.timestamp() for sample in samples if sample.at.wall is not None]
    return {
        "data": [
            times,
            [round(sample.power_w / 1000, 2) for sample in samples],
            [round(sample.offered_a, 1) for sample in samples],
            [round(max(sample.current_a), 1) for sample in samples],
        ],
        "series": [
            {"label": words("Power"), "unit": "kW"},
            {"label": words("Offered"), "unit": "A"},
            {"label": words("Used"), "unit": "A"},
        ],
    }
