"""Frames of OCPP-J 1.6 (section 4.2), without I/O: parsing and formatting.

`parse` never raises: the result is a Call, a Result, a Failure, or an Unusable with everything that
could be parsed, so that an invalid CALL can still be answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from borne.protocols.ocpp.rpc.errors import ErrorCode, RpcError

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
MAX_DEPTH = 16
"""The deepest message of OCPP 1.6 (SetChargingProfile) has 6 levels with its frame."""
MAX_ID_LENGTH = 255
"""The standard says 36; longer ids are answered too, up to this length."""
MAX_DESCRIPTION_LENGTH = 255
MAX_DIGITS = 40

MAX_START = 12 * MAX_ID_LENGTH + 64
"""Characters with kind and id, all of the id escaped."""
_START = re.compile(r'\s*\[\s*([234])\s*,\s*("(?:[^"\\\x00-\x1f]|\\.)*")\s*(?:,|\])')


@dataclass(frozen=True, slots=True)
class Call:
    """`[2, id, action, payload]`; the payload is not validated yet."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """`[3, id, payload]`."""

    message_id: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """`[4, id, code, description, details]`."""

    message_id: str
    code: str
    description: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unusable:
    """An invalid frame. With `message_id` it was meant as a CALL, to be answered with `error`."""

    error: RpcError
    message_id: str | None = None
    action: str | None = None


Frame = Call | Result | Failure | Unusable


def parse(text: str | bytes) -> Frame:
    """Parse one frame; the transport limits its size. An answer of which only the id is usable
    becomes a Failure, so that its caller stops waiting."""
    try:
        data = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        return _nearly_an_answer(text) or _broken(text, f"not JSON: {error}")
    if not isinstance(data, list) or not data:
        return Unusable(_formation("not a JSON array"))
    kind = data[0]
    if isinstance(kind, bool) or kind not in (CALL, CALL_RESULT, CALL_ERROR):
        return Unusable(_formation("unknown message type"))
    message_id = _usable_id(data[1]) if len(data) > 1 else None
    if message_id is None:
        return Unusable(_formation("no usable message id"))
    if kind != CALL_RESULT and _may_be_deep(text) and _too_deep(data):
        return _beyond_use(kind, message_id, "nested too deeply")
    if kind == CALL:
        return _call(message_id, data)
    if kind == CALL_RESULT:
        return Result(message_id, data[2] if len(data) > 2 else None)
    return _failure(message_id, data)


def call_text(message_id: str, action: str, payload_json: str) -> str:
    """Format a CALL with a payload in JSON."""
    return f'[2,{json.dumps(message_id)},"{action}",{payload_json}]'


def result_text(message_id: str, payload_json: str) -> str:
    """Format a CALLRESULT with a payload in JSON."""
    return f"[3,{json.dumps(message_id)},{payload_json}]"


def error_text(message_id: str, error: RpcError) -> str:
    """Format a CALLERROR."""
    description = error.description[:MAX_DESCRIPTION_LENGTH]
    return json.dumps(
        [CALL_ERROR, message_id, error.code, description, error.details], separators=(",", ":")
    )


def _call(message_id: str, data: list[Any]) -> Frame:
    action = data[2] if len(data) > 2 else None
    named = action if isinstance(action, str) else None
    if len(data) < 4:
        error = RpcError(ErrorCode.PROTOCOL_ERROR, "a CALL has four elements")
        return Unusable(error, message_id, named)
    if named is None:
        return Unusable(_formation("the action is not a string"), message_id)
    if not isinstance(data[3], dict):
        return Unusable(_formation("the payload is not an object"), message_id, named)
    return Call(message_id, named, data[3])


def _failure(message_id: str, data: list[Any]) -> Failure:
    code = data[2] if len(data) > 2 and isinstance(data[2], str) else ErrorCode.GENERIC_ERROR
    description = data[3] if len(data) > 3 and isinstance(data[3], str) else ""
    details = data[4] if len(data) > 4 and isinstance(data[4], dict) else {}
    return Failure(message_id, str(code), description, details)


def _usable_id(value: Any) -> str | None:
    """Accept numbers as ids, contrary to the standard, because unanswered peers would block."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**36 else None
    return value if isinstance(value, str) and len(value) <= MAX_ID_LENGTH else None


def _broken(text: str | bytes, why: str) -> Frame:
    head = text[:MAX_START]
    if isinstance(head, bytes):
        head = head.decode(errors="replace")
    match = _START.match(head)
    try:
        message_id = _usable_id(from_json(match[2])) if match is not None else None
    except ValueError:
        message_id = None
    if match is None or message_id is None:
        return Unusable(_formation(why))
    return _beyond_use(int(match[1]), message_id, why)


def _nearly_an_answer(text: str | bytes) -> Result | None:
    """A CALLRESULT with syntax errors that a tolerant parser accepts (NaN, numbers with thousands
    of digits, half surrogate pairs, raw control characters, invalid UTF-8), so that its usable part
    is not lost."""
    read = text.decode(errors="replace") if isinstance(text, bytes) else text
    if _kind_of(read) != CALL_RESULT:
        return None
    try:
        data = json.loads(read.lstrip("\ufeff"), strict=False, parse_int=_whole)
    except (ValueError, RecursionError):
        return None
    message_id = _usable_id(data[1]) if isinstance(data, list) and len(data) > 1 else None
    if message_id is None:
        return None
    return Result(message_id, data[2] if len(data) > 2 else None)


def _whole(digits: str) -> int | float:
    """Parse an integer of any length; Python refuses thousands of digits."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _kind_of(text: str) -> int | None:
    match = _START.match(text[:MAX_START].lstrip("\ufeff"))
    return int(match[1]) if match else None


def _beyond_use(kind: int, message_id: str, why: str) -> Frame:
    if kind == CALL:
        return Unusable(_formation(why), message_id)
    return Failure(message_id, ErrorCode.FORMATION_VIOLATION, why)


def _may_be_deep(text: str | bytes) -> bool:
    """A quick test: a frame with few brackets cannot be deep."""
    if isinstance(text, bytes):
        return text.count(b"[") + text.count(b"{") > MAX_DEPTH
    return text.count("[") + text.count("{") > MAX_DEPTH


def _too_deep(data: Any) -> bool:
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _formation(description: str) -> RpcError:
    return RpcError(ErrorCode.FORMATION_VIOLATION, description)
