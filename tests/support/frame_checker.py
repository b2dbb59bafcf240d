"""Judges every frame that a station sends: its framing (OCPP-J 1.6 section 4), its payload against
the official JSON schemas that the `ocpp` package ships, and its dates (errata 3.10).

It stands between a central system and its socket and shares no code with the station.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import ocpp
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # it has no types
from websockets.exceptions import ConnectionClosed

from tests.support.conversation_checker import ConversationChecker

SCHEMAS = Path(ocpp.__file__).parent / "v16" / "schemas"
ERROR_CODES = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
)
"""OCPP-J 1.6 table 7, misspelling included."""
LONGEST_ID = 36
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
_DATES = {"timestamp", "scheduleStart", "startSchedule", "validFrom", "validTo", "expiryDate"}


@cache
def schema(name: str) -> Any:
    """The validator for `Action` or `ActionResponse`, None for an unknown name."""
    path = SCHEMAS / f"{name}.json"
    if not re.fullmatch(r"\w+", name) or not path.exists():
        return None
    return Draft4Validator(json.loads(path.read_text("utf-8-sig"), parse_float=Decimal))


@dataclass
class FrameChecker:
    """What was wrong with frames, over all connections of a central system."""

    findings: list[str] = field(default_factory=list)
    frames: int = 0
    allowed: set[str] = field(default_factory=set)
    """Message ids of calls whose answers may break a schema, since the test asks for that."""

    def check(self) -> None:
        """Raise AssertionError when anything was wrong."""
        assert not self.findings, "\n".join(self.findings)


ANSWERS = ("[3", "[4")


class CheckedConnection:
    """One connection of the central system, judged by the checker."""

    def __init__(
        self,
        connection: Any,
        checker: FrameChecker,
        conversation: ConversationChecker | None = None,
    ) -> None:
        self._connection = connection
        self._checker = checker
        self._conversation = conversation
        """None where no whole station speaks."""
        self._asked: dict[str, str] = {}
        self._used: dict[str, tuple[str, dict[str, Any]]] = {}
        self._outstanding: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def send(self, frame: Any, **options: Any) -> None:
        """Send a frame to the station. An answer to a station that has hung up is dropped: what the
        station said before that is still read."""
        self._sending(frame)
        try:
            await self._connection.send(frame, **options)
        except ConnectionClosed:
            if not str(frame).startswith(ANSWERS):
                raise

    async def recv(self, **options: Any) -> Any:
        """Receive a frame of the station and check it."""
        raw = await self._connection.recv(**options)
        self._checker.frames += 1
        self._checker.findings += [f"{found}: {raw[:2000]!s}" for found in self._judge(raw)]
        return raw

    def _sending(self, raw: Any) -> None:
        try:
            frame = json.loads(raw)
        except (TypeError, ValueError, RecursionError):
            return
        match frame:
            case [2, str(message_id), str(action), *rest]:
                self._asked[message_id] = action
                if self._conversation is not None and rest and isinstance(rest[0], dict):
                    self._conversation.commanded(action, rest[0])
            case [3 | 4 as kind, message_id, *rest] if message_id == self._outstanding:
                self._outstanding = None
                if self._conversation is not None:
                    self._conversation.answered(message_id, rest[0] if kind == 3 else None)

    def _judge(self, raw: Any) -> Iterator[str]:
        if not isinstance(raw, str):
            yield "a binary frame"
            return
        try:
            frame = json.loads(
                raw, parse_float=Decimal, object_pairs_hook=_unique, parse_constant=_refuse
            )
        except ValueError as error:
            yield f"not JSON ({error})"
            return
        match frame:
            case [2, str(message_id), str(action), dict(payload)]:
                yield from self._judge_call(message_id, action, payload)
            case [3, str(message_id), dict(payload)]:
                yield from self._judge_result(message_id, payload)
            case [4, str(message_id), str(code), str(words), dict()]:
                self._asked.pop(message_id, None)
                if code not in ERROR_CODES:
                    yield f"no error code of OCPP-J 1.6: {code}"
                if len(words) > 255:
                    yield "a description that is too long"
            case _:
                yield "no frame"

    def _judge_call(self, message_id: str, action: str, payload: dict[str, Any]) -> Iterator[str]:
        if not 0 < len(message_id) <= LONGEST_ID:
            yield "a message id that is too long or empty"
        if self._used.setdefault(message_id, (action, payload)) != (action, payload):
            yield "a message id that another message has on this connection"
        if self._outstanding is not None:
            yield "a CALL while another waits for its answer"
        self._outstanding = message_id
        if self._conversation is not None:
            self._conversation.asked(message_id, action, payload)
        yield from _judge_payload(action, payload)

    def _judge_result(self, message_id: str, payload: dict[str, Any]) -> Iterator[str]:
        action = self._asked.pop(message_id, None)
        if action is None:
            yield "an answer to nothing"
        elif message_id not in self._checker.allowed:
            yield from _judge_payload(f"{action}Response", payload)


def _judge_payload(name: str, payload: dict[str, Any]) -> Iterator[str]:
    official = schema(name)
    if official is None:
        yield f"no message of OCPP 1.6: {name}"
        return
    for error in official.iter_errors(payload):
        if name == "StopTransaction" and error.instance == "Hertz":
            continue  # the one unit that this schema lacks and that of MeterValues has
        yield f"{name} breaks its schema ({error.message[:200]})"
    yield from (f"{name} has a date that is not UTC ({text})" for text in _bad_dates(payload))


def _bad_dates(value: Any, key: str = "") -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _bad_dates(inner, name)
        case list():
            for inner in value:
                yield from _bad_dates(inner)
        case str() if key in _DATES and not _UTC.fullmatch(value):
            yield value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
