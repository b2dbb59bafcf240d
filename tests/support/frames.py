"""Frames of a backend link, as the log has them."""

from __future__ import annotations

from datetime import UTC, datetime

from borne.domain.frames import Direction, FrameKind, FrameRecord

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def frame(
    direction: str = "sent",
    kind: str = "call",
    message_id: str | None = "m1",
    text: str = "[]",
    action: str | None = "Heartbeat",
    *,
    seq: int = 1,
    at: datetime = NOON,
    outcome: str = "",
    elapsed_ms: float | None = None,
) -> FrameRecord:
    return FrameRecord(
        Direction(direction),
        FrameKind(kind),
        action,
        message_id,
        outcome,
        elapsed_ms,
        seq=seq,
        at=at,
        text=text,
    )
