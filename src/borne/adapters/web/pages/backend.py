"""Backend page: state of the connection, failed step with remedy, messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import HTMLResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.chosen_messages import IN_MEMORY, ChosenMessages, chosen_messages
from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.shell import is_htmx, large_part, page, words_for, zone_of
from borne.adapters.web.routes import Routes
from borne.application.backend.connection_help import remedy_of
from borne.application.backend.message_filter import FAILURES
from borne.application.backend.queue_view import GivenUpMessage, QueueView, WaitingMessage
from borne.application.ports.backend import BackendPort, BackendView, StepResult, StepState
from borne.domain.frames import Direction, FrameKind, FrameRecord
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

STEPS: dict[str, str] = {
    "interface": N_("Interface"),
    "apn": N_("Mobile session (APN)"),
    "gateway": N_("Gateway"),
    "dns": N_("Name of the backend (DNS)"),
    "tcp": N_("Connection (TCP)"),
    "tls": N_("Encryption (TLS)"),
    "websocket": N_("WebSocket"),
    "soap": N_("SOAP"),
    "boot": N_("Registration (BootNotification)"),
    "heartbeat": N_("Heartbeat"),
}
STATES = {"ok": "ok", "failed": "fault", "running": "now"}
"""Other states (unknown, skipped) have no tone."""
ICONS = {"ok": "check", "fault": "x", "now": "refresh-cw", "later": "circle"}
MAX_LINES = 500
"""Maximum on the page; the exported file has all."""
OTHER = {Direction.SENT: Direction.RECEIVED, Direction.RECEIVED: Direction.SENT}
FOLD_FROM = 2
"""Minimum number of consecutive heartbeats that are folded."""


@dataclass(frozen=True, slots=True)
class ConnectionStepRow:
    """A step of the connection."""

    name: str
    value: str
    tone: str
    icon: str
    error: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the log, or several heartbeats."""

    id: str
    time: str
    direction: str
    action: str
    result: str
    failed: bool
    duration: str
    request: str
    response: str


def connection_steps(results: Iterable[StepResult], words: Words) -> list[ConnectionStepRow]:
    """The steps of the connection; the first failed one has a remedy."""
    found, failed = [], False
    for result in results:
        name = STEPS.get(result.step, result.step.capitalize())
        tone = STATES.get(result.state, "later")
        first = tone == "fault" and not failed
        failed = failed or tone == "fault"
        error = (result.detail or result.last_error) if tone == "fault" else ""
        value = words("not needed") if result.state is StepState.SKIPPED else result.detail
        helps = remedy_of(result) if first else ""
        remedy = words(helps) if helps else ""
        found.append(
            ConnectionStepRow(words(name), "" if error else value, tone, ICONS[tone], error, remedy)
        )
    return found


def link_sentence(view: BackendView | None, words: Words) -> tuple[str, str]:
    """The state in one sentence, in the words of the manual, and its tone."""
    if view is None or view.link == "off":
        return words("No backend. The station works on its own."), "quiet"
    if view.link == "connected" and view.boot == "accepted":
        if view.next_heartbeat_s is None:
            return words("Connected"), "ok"
        text = words("Connected (send heartbeat in {n} seconds)")
        return text.format(n=round(view.next_heartbeat_s)), "ok"
    if view.link == "connected":
        return words("Connected, but not registered: {answer}").format(answer=view.boot), "warn"
    if view.link == "connecting":
        return words("Connecting …"), "warn"
    if view.next_attempt_s is not None:
        left_s = round(view.next_attempt_s)
        text = words.plural(
            "Not connected; next try in {n} second",
            "Not connected; next try in {n} seconds",
            left_s,
        )
        return text, "fault"
    return words("Not connected"), "fault"


def exchanges(log: Sequence[FrameRecord]) -> list[Line]:
    """Calls with their answers, newest first; messages without a call stand alone."""
    pending: dict[tuple[Direction, str], int] = {}
    found: list[tuple[FrameRecord, FrameRecord | None]] = []
    for frame in log:
        message_id = frame.message_id or ""
        if frame.kind is FrameKind.CALL:
            pending[frame.direction, message_id] = len(found)
            found.append((frame, None))
            continue
        own = frame.kind is FrameKind.NO_ANSWER
        asked = frame.direction if own else OTHER[frame.direction]
        place = pending.pop((asked, message_id), None)
        if place is None:
            found.append((frame, None))
        else:
            found[place] = (found[place][0], frame)
    return [_line(call, answer) for call, answer in reversed(found)]


def lines(log: Sequence[FrameRecord], *, fold: bool, words: Words) -> list[Line]:
    """The messages, newest first; consecutive heartbeats are folded."""
    found: list[Line] = []
    beats: list[Line] = []
    for line in exchanges(log):
        if fold and line.action == "Heartbeat" and not line.failed:
            beats.append(line)
            continue
        _unfold(beats, found, words)
        found.append(line)
    _unfold(beats, found, words)
    return found[:MAX_LINES]


def _unfold(beats: list[Line], found: list[Line], words: Words) -> None:
    if len(beats) < FOLD_FROM:
        found.extend(beats)
    else:
        text = words.plural("{n} heartbeat", "{n} heartbeats", len(beats))
        found.append(replace(beats[0], action=text, result="", request="", response=""))
    beats.clear()


def _line(call: FrameRecord, answer: FrameRecord | None) -> Line:
    last = answer or call
    return Line(
        id=call.message_id or "",
        time=call.at.strftime("%Y-%m-%d %H:%M:%S"),
        direction="up" if call.direction is Direction.SENT else "down",
        action=call.action or call.kind.value,
        result=last.outcome or ("" if answer else "…"),
        failed=last.kind in FAILURES,
        duration="" if last.elapsed_ms is None else f"{last.elapsed_ms:.0f} ms",
        request=_pretty(call.text),
        response=_pretty(answer.text) if answer else "",
    )


def _pretty(text: str) -> str:
    """JSON with line breaks; any other text unchanged."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def state(port: BackendPort | None, words: Words) -> dict[str, Any]:
    """The variables of the live part."""
    view = port.view() if port is not None else None
    text, tone = link_sentence(view, words)
    return {
        "exists": port is not None,
        "sentence": text,
        "tone": tone,
        "steps": connection_steps(view.steps, words) if view else [],
        "queue": view.queue if view else 0,
        "last_error": view.last_error if view else "",
    }


def waiting(view: QueueView, words: Words, zone: tzinfo) -> dict[str, Any]:
    """The variables of the queue."""
    return {
        "kinds": [f"{number} {kind}" for kind, number in view.kinds.items()],
        "oldest_at": _when(view.oldest_at, zone, words),
        "queued": [_row(message, words, zone) for message in view.messages],
        "given_up": [_row(message, words, zone) for message in view.lost],
    }


def _row(message: WaitingMessage | GivenUpMessage, words: Words, zone: tzinfo) -> dict[str, Any]:
    when, reason = message.queued_at, ""
    if isinstance(message, GivenUpMessage):
        when, reason = message.lost_at or when, message.reason
    return {
        "action": message.queued.message.kind.value,
        "connector": message.queued.message.connector,
        "session_id": message.queued.message.session_id,
        "transaction_id": message.queued.transaction_id,
        "attempts": message.queued.attempts,
        "reason": reason,
        "when": _when(when, zone, words),
    }


def _when(date: datetime | None, zone: tzinfo, words: Words) -> str:
    if date is None:
        return words("date not known yet")
    return date.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


@routes.get("/backend")
async def backend(request: Request, chosen: Annotated[ChosenMessages, Query()]) -> Response:
    """The page, or its log only after a change of the filter."""
    services, words = station(request), words_for(request)
    port = services.backend
    chosen = chosen.model_copy(update={"limit": IN_MEMORY})
    log = await chosen_messages(request, chosen)
    filtered = chosen.filter.chooses
    variables: dict[str, Any] = {
        # Hundreds of messages are formatted: not in the event loop.
        "lines": await asyncio.to_thread(lines, log, fold=not filtered, words=words),
        "chosen": chosen,
        "number": len(log),
        "export": urlencode(chosen.model_dump(exclude_defaults=True, exclude={"limit"})),
    }
    if is_htmx(request):
        return HTMLResponse(await large_part(request, "parts/messages.html", **variables))
    view = await services.queue()
    recent = port.message_log() if port else ()
    return await page(
        request,
        "backend.html",
        **variables,
        **state(port, words),
        **waiting(view, words, zone_of(request)),
        actions=sorted({line.action for line in exchanges(recent)}),
        connectors=sorted(socket.id for socket in services.status.snapshot().sockets),
    )
