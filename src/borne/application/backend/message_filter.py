"""Chooses among the messages exchanged with a backend: a call and its answer belong together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Frame = Mapping[str, Any]
FAILURES: Final = frozenset({"error", "unusable", "no_answer"})
_CONNECTOR = re.compile(r'"connectorId"\s*:\s*(\d+)')
_TRANSACTION = re.compile(r'"transactionId"\s*:\s*(-?\d+)')


class Asked(StrEnum):
    """Who asked, seen from the station."""

    STATION = "sent"
    BACKEND = "received"


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """All that is given must hold. `connector` also finds messages that only name a transaction
    whose StartTransaction is among the messages."""

    action: str = ""
    asked_by: Asked | None = None
    errors: bool = False
    connector: int | None = None
    text: str = ""

    @property
    def chooses(self) -> bool:
        """Whether anything is left out."""
        return self != MessageFilter()

    def choose(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames of the exchanges that fit, in their order."""
        if not self.chooses:
            return list(frames)
        exchanges = _exchanges(frames)
        connectors = _connectors(exchanges) if self.connector is not None else {}
        chosen: set[int] = set()
        for exchange in exchanges:
            if self._fits([frame for _, frame in exchange], connectors):
                chosen.update(place for place, _ in exchange)
        return [frame for place, frame in enumerate(frames) if place in chosen]

    def _fits(self, exchange: Sequence[Frame], connectors: Mapping[str, str]) -> bool:
        call, texts = exchange[0], [str(frame.get("text") or "") for frame in exchange]
        if self.action and call.get("action") != self.action:
            return False
        if self.asked_by is not None and _asked_by(call) != self.asked_by:
            return False
        if self.errors and not any(frame.get("kind") in FAILURES for frame in exchange):
            return False
        if self.connector is not None:
            named = {connector for text in texts for connector in _named(text, connectors)}
            if str(self.connector) not in named:
                return False
        wanted = self.text.casefold()
        return not wanted or any(wanted in text.casefold() for text in texts)


def _asked_by(frame: Frame) -> str:
    """The direction of the call that the frame is or answers."""
    own = str(frame.get("direction"))
    if frame.get("kind") in {"call", "no_answer", "unusable"}:
        return own
    return Asked.BACKEND if own == Asked.STATION else Asked.STATION


def _exchanges(frames: Sequence[Frame]) -> list[list[tuple[int, Frame]]]:
    """Each call with its answers; what answers nothing stands alone. A repeat begins anew."""
    found: list[list[tuple[int, Frame]]] = []
    latest: dict[tuple[str, str], list[tuple[int, Frame]]] = {}
    for place, frame in enumerate(frames):
        message_id = str(frame.get("message_id") or "")
        key = (_asked_by(frame), message_id)
        exchange = latest.get(key) if message_id and frame.get("kind") != "call" else None
        if exchange is None:
            exchange = []
            found.append(exchange)
            latest[key] = exchange
        exchange.append((place, frame))
    return found


def _connectors(exchanges: Sequence[Sequence[tuple[int, Frame]]]) -> dict[str, str]:
    """The connector of each transaction that began among the messages."""
    found: dict[str, str] = {}
    for exchange in exchanges:
        if exchange[0][1].get("action") != "StartTransaction":
            continue
        text = " ".join(str(frame.get("text") or "") for _, frame in exchange)
        connector, transaction = _CONNECTOR.search(text), _TRANSACTION.search(text)
        if connector and transaction:
            found[transaction[1]] = connector[1]
    return found


def _named(text: str, connectors: Mapping[str, str]) -> set[str]:
    by_transaction = {connectors.get(number, "") for number in _TRANSACTION.findall(text)}
    return {*_CONNECTOR.findall(text), *by_transaction}
