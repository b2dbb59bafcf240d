"""Admission over time, when the minimum does not fit for all cars.

A car keeps its place for one time slot. After that the order is the share of its time plugged in
that it has charged, lowest first. A car that has waited a whole slot is not overtaken by cars that
began to wait later. So a car waits at most one slot more than the cars before it have slots.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

TIME_SLOT_S = 30 * 60.0
"""Default. Every start wears the contactor, and some cars handle pauses badly."""


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A plugged-in car that wants to charge. Times are monotonic seconds."""

    id: str
    plugged_s: float
    served_s: float = 0.0
    """Sum of finished services."""
    serving_since_s: float | None = None
    waiting_since_s: float | None = None

    def share(self, now_s: float) -> float:
        """Return served time by time plugged in, 0 to 1."""
        running = 0.0 if self.serving_since_s is None else now_s - self.serving_since_s
        plugged = now_s - self.plugged_s
        return (self.served_s + running) / plugged if plugged > 0 else 0.0

    def holds_slot(self, now_s: float, slot_s: float) -> bool:
        """True while the car charges within its time slot."""
        return self.serving_since_s is not None and now_s - self.serving_since_s < slot_s

    def overdue(self, now_s: float, slot_s: float) -> bool:
        """True if it has waited a whole time slot."""
        return self.waiting_since_s is not None and now_s - self.waiting_since_s >= slot_s


def ranks(
    records: Iterable[SlotRecord], now_s: float, slot_s: float = TIME_SLOT_S
) -> dict[str, int]:
    """Return the entitlement rank of every record, from 0."""

    def key(record: SlotRecord) -> tuple[int, float, float, str]:
        waiting = now_s if record.waiting_since_s is None else record.waiting_since_s
        if record.holds_slot(now_s, slot_s):
            return 0, record.serving_since_s or 0.0, 0.0, record.id
        if record.overdue(now_s, slot_s):
            return 1, waiting, 0.0, record.id
        return 2, record.share(now_s), waiting, record.id

    return {record.id: rank for rank, record in enumerate(sorted(records, key=key))}


def advance(
    records: Mapping[str, SlotRecord],
    wanting: Collection[str],
    served: Collection[str],
    now_s: float,
) -> dict[str, SlotRecord]:
    """Return the records after a distribution: `wanting` cars are plugged in and want to charge,
    `served` ones of them got a current. Records of other cars are removed."""
    after = {}
    for car in wanting:
        record = records.get(car) or SlotRecord(car, plugged_s=now_s)
        after[car] = _served(record, now_s) if car in served else _waiting(record, now_s)
    return after


def _served(record: SlotRecord, now_s: float) -> SlotRecord:
    if record.serving_since_s is not None:
        return record
    return replace(record, serving_since_s=now_s, waiting_since_s=None)


def _waiting(record: SlotRecord, now_s: float) -> SlotRecord:
    if record.serving_since_s is not None:
        served_s = record.served_s + now_s - record.serving_since_s
        return replace(record, served_s=served_s, serving_since_s=None, waiting_since_s=now_s)
    if record.waiting_since_s is None:
        return replace(record, waiting_since_s=now_s)
    return record
