"""What a bus remembers of each unit: when it answered last, when it may be asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from borne.protocols.modbus.pdu import Read, Request, answer_bytes

FIRST_HOLD_S: Final = 1.0
LONGEST_HOLD_S: Final = 10.0
LATE_S: Final = 1.0
"""How long after its time-out an answer may still come on a serial line."""
SHARED_S: Final = 60.0
"""A unit that answered within this time shares the line with the others."""


@dataclass(slots=True)
class Device:
    """One unit of a bus; times are those of the loop."""

    answered_s: float | None = None
    asked_s: float = float("-inf")
    """End of the last exchange."""
    failures: int = 0
    """Requests in a row that had no answer."""
    held_until_s: float = float("-inf")
    late: list[tuple[Request, float]] = field(default_factory=list)
    """Requests whose answer may still come, and until when."""

    def on_answer(self, request: Request, now_s: float, late_until_s: float) -> None:
        """`late_until_s`: until when an answer to this request may come."""
        self.answered_s = self.asked_s = now_s
        self.failures = 0
        self.held_until_s = float("-inf")
        # It may be that of an earlier request: then this one's is still to come.
        if any(now_s < until_s and _looks_alike(each, request) for each, until_s in self.late):
            self.expect_late(request, now_s, late_until_s)

    def on_exception(self, request: Request, now_s: float, late_until_s: float) -> None:
        """As an answer, but its length does not tell requests of its function apart."""
        if any(now_s < until_s and _same_function(each, request) for each, until_s in self.late):
            self.expect_late(request, now_s, late_until_s)

    def on_no_answer(self, now_s: float) -> None:
        self.asked_s = now_s
        self.failures += 1
        pause_s = FIRST_HOLD_S * 2.0 ** min(self.failures - 1, 10)
        self.held_until_s = now_s + min(pause_s, LONGEST_HOLD_S)

    def expect_late(self, request: Request, now_s: float, late_until_s: float) -> None:
        self.late = [(each, until_s) for each, until_s in self.late if now_s < until_s]
        self.late.append((request, late_until_s))

    def distinct_from_s(self, request: Request) -> float:
        """From when on a late answer can no longer be taken for the answer to `request`."""
        alike = (
            until_s
            for each, until_s in self.late
            if each != request and _looks_alike(each, request)
        )
        return max(alike, default=float("-inf"))


def _same_function(one: Request, other: Request) -> bool:
    return one.function == other.function


def _looks_alike(one: Request, other: Request) -> bool:
    """Whether the answers have the same head and length. Those to writes repeat their request."""
    if not (isinstance(one, Read) and isinstance(other, Read)):
        return False
    return _same_function(one, other) and answer_bytes(one) == answer_bytes(other)


@dataclass(slots=True)
class Devices:
    """The units of one bus."""

    _by_unit: dict[int, Device] = field(default_factory=dict)

    def __getitem__(self, unit: int) -> Device:
        return self._by_unit.setdefault(unit, Device())

    def age_s(self, unit: int, now_s: float) -> float | None:
        device = self._by_unit.get(unit)
        if device is None or device.answered_s is None:
            return None
        return now_s - device.answered_s

    def shares_line(self, unit: int, now_s: float) -> bool:
        """Whether another unit of the bus is alive."""
        return any(
            other != unit and device.answered_s is not None and now_s - device.answered_s < SHARED_S
            for other, device in self._by_unit.items()
        )
