"""Immediate lowering when a limit falls, without a distribution.

Cheap, and only downwards: the highest offers of an overloaded link are lowered to a common level;
when that is below a participant's minimum, the last in order pause. The distribution that follows
corrects what was lowered too much.
"""

from __future__ import annotations

from collections.abc import Mapping

from borne.domain.load_management.participant import SLACK_A, Demand, Participant
from borne.domain.load_management.quantise import floor_to_step
from borne.domain.load_management.snapshot import Snapshot


def shed(snapshot: Snapshot, offers_a: Mapping[str, float]) -> dict[str, float]:
    """Return offers by id, none higher than in `offers_a`, that respect every link together.
    Reserved currents stay; a participant that wants nothing gets nothing."""
    order = snapshot.order
    amps = {one.id: _present_a(one, offers_a) for one in order.participants}
    users: dict[int, list[Participant]] = {}
    for one, crossed in zip(order.participants, order.all_crossed(), strict=True):
        for link in crossed:
            users.setdefault(link, []).append(one)
    capacities = snapshot.supply.capacities()
    for link in sorted(users, reverse=True):  # the root last: what groups took off may be enough
        _lower(users[link], amps, capacities[link])
    return amps


def _present_a(one: Participant, offers_a: Mapping[str, float]) -> float:
    if one.reserved_a is not None:
        return one.reserved_a
    return 0.0 if one.demand is Demand.NONE else offers_a.get(one.id, 0.0)


def _lower(line: list[Participant], amps: dict[str, float], limit_a: float) -> None:
    """Lower the offers on one link until their sum is within its limit."""
    fixed_a = sum(amps[one.id] for one in line if one.reserved_a is not None)
    drawing = [one for one in line if one.reserved_a is None and amps[one.id] > 0]
    left_a = max(0.0, limit_a - fixed_a)
    if sum(amps[one.id] for one in drawing) <= left_a + SLACK_A:
        return
    while drawing:
        level_a = _level_a([amps[one.id] for one in drawing], left_a)
        new = {one.id: floor_to_step(min(amps[one.id], level_a)) for one in drawing}
        short = [one for one in drawing if new[one.id] + SLACK_A < min(one.lower_a, amps[one.id])]
        if not short:
            amps.update(new)
            return
        last = short[-1]
        amps[last.id] = 0.0
        drawing.remove(last)


def _level_a(amps: list[float], limit_a: float) -> float:
    """Return the level to which offers are cut so that their sum is the limit."""
    left_a = limit_a
    for number, lowest_a in enumerate(sorted(amps)):
        share_a = left_a / (len(amps) - number)
        if lowest_a > share_a:
            return share_a
        left_a -= lowest_a
    return max(amps)
