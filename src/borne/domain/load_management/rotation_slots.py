"""Admission over time, when the minimum does not fit for all cars.

A car keeps its place for one time slot. After that the order is the share of its time plugged in
that it has charged, lowest first. A car that has waited a whole slot is overtaken by no car that
begins to charge later, and so waits at most one slot, and a minimum on-time, more than the cars
before it have slots.

Where the departures of all are known, the more urgent come first; a car that has not charged yet
comes before them, because its phases are unknown until it does. Among cars without a departure, one
that leaves is owed its slot when it must begin to charge; until then it can wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

TIME_SLOT_S = 30 * 60.0
"""Default. Every start wears the contactor, and some cars handle pauses badly."""


MINIMUM_ON_S = 5 * 60.0
"""A car that has begun to charge is not paused for others before this time."""

MINIMUM_OFF_S = 60.0
"""A car that was paused for lack of current is not started again before this time: where what is
left sways around the minimum, its contactor would close with every cycle."""

SHORTEST_SLOT_S = MINIMUM_ON_S
LONGEST_SLOT_S = 120 * 60.0
"""Bounds of the setting (manual 7.4)."""

HOLD_S = 30 * 60.0
"""Lead of a car that charges over one that waits, when both have a departure."""

UNHURRIED: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A plugged-in car that wants to charge. Times are monotonic seconds."""

    id: str
    plugged_s: float
    served_s: float = 0.0
    """Sum of finished services."""
    serving_since_s: float | None = None
    waiting_since_s: float | None = None
    paused_s: float | None = None
    """When it was paused for lack of current; None: its last pause had another reason."""

    def rests_until_s(self, now_s: float) -> float | None:
        """Return until when it is not started again; None: it may be."""
        if self.paused_s is None or now_s >= self.paused_s + MINIMUM_OFF_S:
            return None
        return self.paused_s + MINIMUM_OFF_S

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

    @property
    def rests(self) -> bool:
        """True if it does not request current."""
        return self.serving_since_s is None and self.waiting_since_s is None

    @property
    def is_new(self) -> bool:
        """True if it waits and has not charged yet."""
        return self.waiting_since_s is not None and self.served_s == 0

    def ends(self, now_s: float, slot_s: float) -> float | None:
        """Return when its time slot ends, or when it will have waited one; None: not ahead."""
        since_s = self.serving_since_s
        begun_s = self.waiting_since_s if since_s is None else since_s
        if begun_s is None or begun_s + slot_s <= now_s:
            return None
        return begun_s + slot_s


Key = tuple[int, float, float, str]


def ranks(
    records: Iterable[SlotRecord],
    now_s: float,
    slot_s: float = TIME_SLOT_S,
    urgency_s: Mapping[str, float] = UNHURRIED,
) -> dict[str, int]:
    """Return the entitlement rank of every record, from 0. `urgency_s`: of the cars whose demand is
    known (`demands.Need`)."""
    found = list(records)
    all_leave = all(record.id in urgency_s for record in found if not record.rests)

    def key(record: SlotRecord) -> Key:
        if record.holds_slot(now_s, MINIMUM_ON_S):
            return 0, record.serving_since_s or 0.0, 0.0, record.id
        urgency = urgency_s.get(record.id)
        if urgency is not None:
            if record.serving_since_s is not None:
                urgency -= HOLD_S
            if all_leave:
                return 1, -inf if record.is_new else urgency, record.plugged_s, record.id
            if urgency < slot_s:
                return 1, max(record.plugged_s, now_s + urgency - slot_s), 0.5, record.id
            return 3, urgency, 0.0, record.id
        waiting = now_s if record.waiting_since_s is None else record.waiting_since_s
        if record.holds_slot(now_s, slot_s):
            return 1, record.serving_since_s or 0.0, 0.0, record.id
        if record.overdue(now_s, slot_s):
            return 1, waiting + slot_s, 1.0, record.id
        return 2, record.share(now_s), waiting, record.id

    return {record.id: rank for rank, record in enumerate(sorted(found, key=key))}


def advance(
    records: Mapping[str, SlotRecord],
    wanting: Collection[str],
    served: Collection[str],
    now_s: float,
    resting: Collection[str] = (),
    lacking: Collection[str] = (),
) -> dict[str, SlotRecord]:
    """Return the records after a distribution: `wanting` cars are plugged in and want to charge,
    `served` ones of them got a current, and for `lacking` ones there was none. `resting` cars are
    plugged in and do not request any. Records of other cars are removed."""
    after = {}
    for car in wanting:
        record = records.get(car) or SlotRecord(car, plugged_s=now_s)
        if car in served:
            after[car] = _served(record, now_s)
        else:
            after[car] = _waiting(record, now_s, lacking=car in lacking)
    for car in resting:
        record = records.get(car) or SlotRecord(car, plugged_s=now_s)
        after[car] = record if record.rests else _resting(record, now_s)
    return after


def _served(record: SlotRecord, now_s: float) -> SlotRecord:
    if record.serving_since_s is not None:
        return record
    return replace(record, serving_since_s=now_s, waiting_since_s=None, paused_s=None)


def _resting(record: SlotRecord, now_s: float) -> SlotRecord:
    return replace(_waiting(record, now_s), waiting_since_s=None)


def _waiting(record: SlotRecord, now_s: float, *, lacking: bool = False) -> SlotRecord:
    if record.serving_since_s is not None:
        return replace(
            record,
            served_s=record.served_s + now_s - record.serving_since_s,
            serving_since_s=None,
            waiting_since_s=now_s,
            paused_s=now_s if lacking else None,
        )
    if record.waiting_since_s is None:
        return replace(record, waiting_since_s=now_s)
    return record
