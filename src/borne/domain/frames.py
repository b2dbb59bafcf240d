"""The frames exchanged with a backend, as they are kept for people: bounded, without secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    """Seen from the station."""

    SENT = "sent"
    RECEIVED = "received"


class FrameKind(StrEnum):
    """What an entry of the log is."""

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    UNUSABLE = "unusable"
    NO_ANSWER = "no_answer"
    """Not a frame: our call ran into its timeout."""


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What is known of a frame beside its text."""

    direction: Direction
    kind: FrameKind
    action: str | None = None
    message_id: str | None = None
    outcome: str = ""
    """A status, an error code, "late", or why the frame was not used."""
    elapsed_ms: float | None = None
    """From call to answer."""


@dataclass(frozen=True, slots=True)
class FrameRecord(FrameFacts):
    """One entry; `seq` orders and pairs nothing: pairs have the same `message_id`."""

    seq: int = field(kw_only=True)
    at: datetime = field(kw_only=True)
    text: str = field(kw_only=True)
