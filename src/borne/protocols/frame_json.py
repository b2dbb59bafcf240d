"""A frame of the backend connection as JSON: in the archive, the API and exports."""

from __future__ import annotations

from borne.domain.frames import Direction, FrameKind, FrameRecord
from borne.foundation.clock import parse_utc
from borne.foundation.json_value import JsonObject, JsonValue


def frame_json(record: FrameRecord) -> JsonObject:
    """The inverse of `frame_of`."""
    return {
        "seq": record.seq,
        "at": record.at.isoformat(),
        "direction": record.direction.value,
        "kind": record.kind.value,
        "action": record.action,
        "message_id": record.message_id,
        "text": record.text,
        "outcome": record.outcome,
        "elapsed_ms": record.elapsed_ms,
    }


def frame_of(data: JsonObject) -> FrameRecord:
    """Parse a frame; raises ValueError, LookupError or TypeError for another version's form."""
    return FrameRecord(
        seq=int(_number(data["seq"])),
        at=parse_utc(str(data["at"])),
        direction=Direction(str(data["direction"])),
        kind=FrameKind(str(data["kind"])),
        action=_text(data["action"]),
        message_id=_text(data["message_id"]),
        text=str(data["text"]),
        outcome=str(data["outcome"]),
        elapsed_ms=None if data["elapsed_ms"] is None else _number(data["elapsed_ms"]),
    )


def _number(value: JsonValue) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)
