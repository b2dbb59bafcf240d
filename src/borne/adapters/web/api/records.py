"""Sessions, whitelist and the backend's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Body, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from borne.adapters.web.access import OPERATOR, USER
from borne.adapters.web.api import answers
from borne.adapters.web.api.bodies import Connector, IdToken, WhitelistRemove
from borne.adapters.web.chosen_messages import ChosenMessages, chosen_messages, pieces
from borne.adapters.web.csv_export import sessions_csv
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.routes import API, Routes
from borne.application.backend.connection_help import failing_step, remedy_of
from borne.application.backend.queue_view import GivenUpMessage, WaitingMessage
from borne.application.commands import Removed
from borne.application.ports.backend import BootState, LinkState, StepResult
from borne.application.ports.storage import SessionQuery
from borne.domain.frames import FrameRecord
from borne.domain.station.session import Sample, SessionRecord
from borne.foundation.calendar import zone_named
from borne.foundation.clock import format_utc
from borne.foundation.messages import N_

routes = Routes(OPERATOR, API, tag="records")

Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Limit = Annotated[int, Query(ge=1, le=500)]


def session_json(record: SessionRecord) -> answers.Session:
    """A session; dates are ISO 8601, energy in whole Wh."""
    start, end = record.start, record.end
    flags = sorted(flag.value for flag in record.flags)
    return {
        "id": record.session_id,
        "connector": start.connector,
        "started_at": start.at.to_text(),
        "ended_at": end.at.to_text() if end else None,
        "energy_wh": record.energy_wh,
        "meter_start_wh": start.meter_start_wh,
        "meter_stop_wh": end.meter_stop_wh if end else None,
        "max_power_w": record.max_power_w,
        "stop_reason": end.reason.value if end else None,
        "transaction_id": record.transaction_id,
        "identity": {"kind": start.identity.kind.value, "masked": start.identity.masked},
        "billable": record.billable,
        "flags": flags,
    }


def _query(
    request: Request, connector: int | None, since: datetime | None, until: datetime | None
) -> SessionQuery:
    """Dates without a time zone are in the station's."""
    zone = zone_named(station(request).settings.settings.text("TimeZone"))
    since, until = (
        moment and (moment if moment.tzinfo else moment.replace(tzinfo=zone))
        for moment in (since, until)
    )
    return SessionQuery(connector=connector, since=since, until=until)


def sample_json(sample: Sample) -> answers.CurvePoint:
    """A point of the charging curve."""
    return {
        "at": sample.at.to_text(),
        "register_wh": sample.register_wh,
        "power_w": sample.power_w,
        "current_a": list(sample.current_a),
        "offered_a": sample.offered_a,
    }


@routes.get("/sessions", USER, summary="Charging sessions, newest first")
async def sessions(
    request: Request,
    offset: Offset = 0,
    limit: Limit = 50,
    connector: Annotated[int | None, Query(ge=1, le=64)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> answers.Sessions:
    """A page of sessions and the total number. `before`: only sessions older than this session id;
    `next` is the value for the following page, null at the end."""
    query = _query(request, connector, since, until)
    records, total = await station(request).sessions.page(
        query, offset=offset, limit=limit, before=before
    )
    return {
        "sessions": [session_json(record) for record in records],
        "total": total,
        "offset": offset,
        "limit": limit,
        "next": records[-1].session_id if len(records) == limit else None,
    }


@routes.get("/sessions.csv", response_class=StreamingResponse, summary="Sessions as a table")
async def sessions_table(
    request: Request,
    connector: Annotated[int | None, Query(ge=1, le=64)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    separator: Annotated[str, Query(pattern="^[,;]$")] = ",",
) -> StreamingResponse:
    """CSV with a header line, UTF-8, ISO dates."""
    query = _query(request, connector, since, until)
    headers = {"Content-Disposition": 'attachment; filename="sessions.csv"'}
    content = sessions_csv(station(request).sessions.export(query), separator)
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=headers)


@routes.get("/sessions/{session_id}", USER, summary="One session with its curve")
async def session(
    request: Request, session_id: Annotated[str, Path(max_length=64)]
) -> answers.SessionWithCurve:
    """The session and its samples."""
    view = station(request).sessions
    record = await view.get(session_id)
    if record is None:
        raise ApiError(404, "unknown_session", N_("There is no such session."))
    curve = await view.curve(session_id)
    return {**session_json(record), "curve": [sample_json(sample) for sample in curve]}


@routes.get("/whitelist", summary="Entries of the local whitelist")
async def whitelist(
    request: Request,
    search: Annotated[str, Query(max_length=60)] = "",
    offset: Offset = 0,
    limit: Limit = 200,
) -> answers.Whitelist:
    """Entries by token, and the number of matches."""
    entries, total = station(request).whitelist.page(search=search, offset=offset, limit=limit)
    return {"entries": entries, "total": total}


@routes.delete("/whitelist", summary="Remove an entry")
async def whitelist_remove(
    request: Request,
    token: Annotated[IdToken | None, Query()] = None,
    connector: Annotated[Connector | None, Query()] = None,
    body: Annotated[WhitelistRemove | None, Body()] = None,
) -> Removed:
    """Token in the query or in the body. 404 if there is no such entry."""
    chosen = body or (WhitelistRemove(token=token, connector=connector) if token else None)
    if chosen is None:
        raise ApiError(422, "invalid", N_("Name the token to remove."))
    principal, listed = visitor(request).principal, station(request).whitelist
    return await listed.remove(chosen.token, principal, connector=chosen.connector)


@routes.get("/backend", summary="State of the backend link")
async def backend(request: Request) -> answers.Backend:
    """Link, boot state, queue and the steps of the connection; a failed step has a remedy."""
    port = station(request).backend
    if port is None:
        return {
            "link": LinkState.OFF,
            "boot": BootState.NONE,
            "queue": 0,
            "ladder": [],
            "failing_step": None,
        }
    view = port.view()
    return {
        "link": view.link,
        "boot": view.boot,
        "queue": view.queue,
        "next_heartbeat_s": view.next_heartbeat_s,
        "next_attempt_s": view.next_attempt_s,
        "last_error": view.last_error,
        "connections": view.connections,
        "ladder": [_step(result) for result in view.steps],
        "failing_step": failing_step(view.steps),
    }


def _step(result: StepResult) -> answers.BackendStep:
    step: answers.BackendStep = {
        "step": result.step,
        "state": result.state,
        "detail": result.detail,
        "http_status": result.http_status,
        "at": result.at,
        "last_error": result.last_error,
        "last_error_at": result.last_error_at,
    }
    if remedy := remedy_of(result):
        step["remedy"] = remedy
    return step


@routes.get("/backend/messages", summary="Messages of the backend link", answer=answers.Messages)
async def messages(
    request: Request,
    chosen: Annotated[ChosenMessages, Query()],
) -> Response:
    """The latest matching messages, newest last. A call and its answer are kept together, secrets
    are redacted. Up to 5,000 messages are stored."""
    found = await chosen_messages(request, chosen)
    return StreamingResponse(_document(found[-chosen.limit :]), media_type="application/json")


def _document(messages: Sequence[FrameRecord]) -> Iterator[str]:
    yield '{"messages":['
    for number, piece in enumerate(pieces(messages)):
        yield ("," if number else "") + ",".join(piece)
    yield "]}"


@routes.get("/backend/queue", summary="What waits for the backend")
async def queue(request: Request) -> answers.Queue:
    """Number of messages by kind, time of the oldest, the oldest hundred, and the messages that
    were given up."""
    view = await station(request).queue()
    return {
        "waiting": view.waiting,
        "kinds": {kind.value: number for kind, number in view.kinds.items()},
        "oldest_at": _date_text(view.oldest_at),
        "messages": [_waiting(message) for message in view.messages],
        "lost": [
            {
                **_waiting(message),
                "reason": message.reason,
                "lost_at": _date_text(message.lost_at),
            }
            for message in view.lost
        ],
    }


def _waiting(message: WaitingMessage | GivenUpMessage) -> answers.WaitingMessage:
    queued = message.queued
    return {
        "seq": queued.seq,
        "message_id": queued.message_id,
        "action": queued.message.kind.value,
        "connector": queued.message.connector,
        "session_id": queued.message.session_id,
        "transaction_id": queued.transaction_id,
        "attempts": queued.attempts,
        "queued_at": _date_text(message.queued_at),
        "may_be_thinned": queued.message.droppable,
    }


def _date_text(date: datetime | None) -> str | None:
    return None if date is None else format_utc(date)
