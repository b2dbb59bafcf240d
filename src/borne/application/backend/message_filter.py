"""Selects from the messages exchanged with a backend; a call and its answer stay together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from borne.domain.frames import Direction, FrameKind, FrameRecord

FAILURES: Final = frozenset({FrameKind.ERROR, FrameKind.UNUSABLE, FrameKind.NO_ANSWER})
_OF_THE_ASKER: Final = frozenset({FrameKind.CALL, FrameKind.NO_ANSWER, FrameKind.UNUSABLE})
_CONNECTOR = re.compile(r'"connectorId"\s*:\s*(\d+)')
_TRANSACTION = re.compile(r'"transactionId"\s*:\s*(-?\d+)')


class Asked(StrEnum):
    """The sender of a call, seen from the station."""

    STATION = "sent"
    BACKEND = "received"


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """All given filters must match. `connector` also matches messages that only name a transaction
    whose StartTransaction is among the messages."""

    action: str = ""
    asked_by: Asked | None = None
    errors: bool = False
    connector: int | None = None
    text: str = ""

    @property
    def chooses(self) -> bool:
        """True if the filter excludes anything."""
        return self != MessageFilter()

    def choose(self, frames: Sequence[FrameRecord]) -> list[FrameRecord]:
        """The frames of the matching exchanges, in order."""
        if not self.chooses:
            return list(frames)
        exchanges = _exchanges(frames)
        connectors = _connectors(exchanges) if self.connector is not None else {}
        chosen: set[int] = set()
        for exchange in exchanges:
            if self._fits([frame for _, frame in exchange], connectors):
                chosen.update(place for place, _ in exchange)
        return [frame for place, frame in enumerate(frames) if place in chosen]

    def _fits(self, exchange: Sequence[FrameRecord], connectors: Mapping[str, str]) -> bool:
        call, texts = exchange[0], [frame.text for frame in exchange]
        if self.action and call.action != self.action:
            return False
        if self.asked_by is not None and _asked_by(call) is not self.asked_by:
            return False
        if self.errors and not any(frame.kind in FAILURES for frame in exchange):
            return False
        if self.connector is not None:
            named = {connector for text in texts for connector in _named(text, connectors)}
            if str(self.connector) not in named:
                return False
        wanted = self.text.casefold()
        return not wanted or any(wanted in text.casefold() for text in texts)


def _asked_by(frame: FrameRecord) -> Asked:
    """The sender of the call to which the frame belongs."""
    sent = frame.direction is Direction.SENT
    own, other = (Asked.STATION, Asked.BACKEND) if sent else (Asked.BACKEND, Asked.STATION)
    return own if frame.kind in _OF_THE_ASKER else other


def _exchanges(frames: Sequence[FrameRecord]) -> list[list[tuple[int, FrameRecord]]]:
    """Each call with its answers; an answer without a call stands alone. A repeated call starts a
    new exchange."""
    found: list[list[tuple[int, FrameRecord]]] = []
    latest: dict[tuple[Asked, str], list[tuple[int, FrameRecord]]] = {}
    for place, frame in enumerate(frames):
        key = (_asked_by(frame), frame.message_id or "")
        answers = frame.message_id and frame.kind is not FrameKind.CALL
        exchange = latest.get(key) if answers else None
        if exchange is None:
            exchange = []
            found.append(exchange)
            latest[key] = exchange
        exchange.append((place, frame))
    return found


def _connectors(exchanges: Sequence[Sequence[tuple[int, FrameRecord]]]) -> dict[str, str]:
    """The connector of each transaction that starts among the messages."""
    found: dict[str, str] = {}
    for exchange in exchanges:
        if exchange[0][1].action != "StartTransaction":
            continue
        text = " ".join(frame.text for _, frame in exchange)
        connector, transaction = _CONNECTOR.search(text), _TRANSACTION.search(text)
        if connector and transaction:
            found[transaction[1]] = connector[1]
    return found


def _named(text: str, connectors: Mapping[str, str]) -> set[str]:
    by_transaction = {connectors.get(number, "") for number in _TRANSACTION.findall(text)}
    return {*_CONNECTOR.findall(text), *by_transaction}
