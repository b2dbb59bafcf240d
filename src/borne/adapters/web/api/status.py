"""The live state: now, at the next change, or as a stream (server-sent events)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import StreamingResponse

from borne.adapters.web.access import USER
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import EVENT_STREAM, access_ended, station, visitor
from borne.adapters.web.live import TooManyStreams
from borne.adapters.web.routes import API, Routes
from borne.adapters.web.state import WebState, web_state
from borne.adapters.web.visitor import Visitor
from borne.domain.station.station_status import StationStatus
from borne.foundation.messages import N_, verbatim
from borne.protocols.status_json import Status, status_json

routes = Routes(USER, API, tag="status")

LONGEST_WAIT_S = 60.0
DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
RETRY_MS = 2000


@routes.get("/status", summary="The whole state")
async def status(
    request: Request,
    after: Annotated[int | None, Query(description="Wait for a newer revision")] = None,
    wait: Annotated[str, Query(max_length=12, description="At most so long: 10s, 500ms")] = "0s",
) -> Status:
    """The current state; with `after` and `wait`, as soon as its revision is above `after`."""
    timeout_s = duration_s(wait)
    view = station(request).status
    if after is None or timeout_s == 0:
        return status_json(view.snapshot())
    waited = await web_state(request.app).while_admitted(
        visitor(request), view.wait(after, timeout_s)
    )
    if waited is None:
        raise access_ended()
    return status_json(waited)


@routes.get("/events", response_class=StreamingResponse, summary="Changes as they happen")
async def events(request: Request) -> StreamingResponse:
    """Server-sent events: `snapshot` (the whole state), then `change` with the top-level members
    that changed; the id is the revision. A comment every 15 s keeps the connection alive. With
    `Last-Event-ID` of the current revision the first snapshot is left out. The stream ends with
    the event `end` when the station stops, the token is removed or the login ends."""
    web = web_state(request.app)
    who = visitor(request)
    try:
        web.hub.check_room(who.key)
    except TooManyStreams:
        raise too_many_streams() from None
    return stream(_events(web, who, request.headers.get("last-event-id", "")))


async def _events(web: WebState, who: Visitor, last_id: str) -> AsyncIterator[str]:
    sent: StationStatus | None = None
    yield f"retry: {RETRY_MS}\n\n"
    async for tick in web.hub.follow(who.key, partial(web.admits, who)):
        if tick.snapshot is None:
            yield ": keep-alive\n\n"
            continue
        revision = tick.snapshot.revision
        if sent is None and str(revision) == last_id:
            sent = tick.snapshot
            yield ": nothing new\n\n"
        elif sent is None:
            yield event("snapshot", status_json(tick.snapshot), revision)
        elif revision != sent.revision:
            yield event("change", changed_members(sent, tick.snapshot), revision)
        sent = tick.snapshot
    yield event("end", {"power": "on" if web.host.services() else "off"}, None)


def changed_members(before: StationStatus, after: StationStatus) -> dict[str, object]:
    """The top-level members of the answer that changed; a client replaces them."""
    old, new = dict(status_json(before)), status_json(after)
    return {key: value for key, value in new.items() if old[key] != value}


def event(name: str, data: object, id_: int | None) -> str:
    """One server-sent event with JSON data."""
    head = f"id: {id_}\n" if id_ is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def stream(content: AsyncIterator[str]) -> StreamingResponse:
    """An event stream that proxies do not buffer."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(content, media_type=EVENT_STREAM, headers=headers)


def too_many_streams() -> ApiError:
    """The answer if no further stream may be opened."""
    message = N_("Too many event streams are open; close one first.")
    return ApiError(503, "too_many_streams", message, {"retry_after_s": 5})


def duration_s(text: str) -> float:
    """`10s`, `500ms`, `1m` or plain seconds, at most a minute. Raises ApiError."""
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise ApiError(422, "invalid", verbatim(f"wait: {text!r} is not a duration such as 10s."))
    return min(float(match[1]) * UNITS[match[2]], LONGEST_WAIT_S)
