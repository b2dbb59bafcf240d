"""The composite schedule against a simple reading of the rules, second by second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from borne.domain.smart_charging.composite import (
    CurveStep,
    Limit,
    PowerConversion,
    connector_curve,
    merged,
    value_at,
)
from borne.domain.smart_charging.profiles import (
    Installed,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
)
from tests.unit.domain.smart_charging.builders import (
    NOW,
    PARIS,
    installed,
    profile,
    situation,
    window,
)

VOLTAGE = 230.0


def elapsed_s(entry: Installed, started: datetime, at: datetime) -> float | None:
    """Seconds since the schedule began, None before."""
    plan = entry.profile
    own = plan.schedule.start or entry.received_at
    of_session = plan.kind is ProfileKind.RELATIVE and plan.purpose is not Purpose.STATION
    begin = started if of_session else own
    if plan.kind is ProfileKind.RECURRING:
        days = 1 if plan.recurrency is Recurrency.DAILY else 7
        following = begin
        while following <= at:
            begin = following
            wall = begin.astimezone(PARIS)
            following = (wall + timedelta(days=days)).astimezone(NOW.tzinfo)
    return (at - begin).total_seconds() if at >= begin else None


def amps(entry: Installed, started: datetime, at: datetime) -> float | None:
    """The limit of one profile."""
    plan = entry.profile
    if plan.valid_from is not None and at < plan.valid_from:
        return None
    if plan.valid_to is not None and at >= plan.valid_to:
        return None
    passed_s = elapsed_s(entry, started, at)
    if passed_s is None:
        return None
    duration_s = plan.schedule.duration_s
    if duration_s is not None and passed_s >= duration_s:
        return None
    period = [p for p in plan.schedule.periods if p.start_s <= passed_s][-1]
    if plan.schedule.unit is RateUnit.AMPERE:
        return period.limit
    return period.limit / VOLTAGE / (period.phases or 3)


def highest(entries: Iterable[Installed], started: datetime, at: datetime) -> float | None:
    for entry in sorted(entries, key=lambda e: e.profile.stack_level, reverse=True):
        limit = amps(entry, started, at)
        if limit is not None:
            return limit
    return None


def has_begun(entry: Installed, started: datetime, at: datetime) -> bool:
    plan = entry.profile
    return plan.valid(at) and elapsed_s(entry, started, at) is not None


def oracle(entries: list[Installed], started: datetime, at: datetime, local: float) -> float:
    by = {p: [e for e in entries if e.profile.purpose is p] for p in Purpose}
    own = by[Purpose.TRANSACTION]
    found = [local, highest(by[Purpose.STATION], started, at), highest(own, started, at)]
    if not any(has_begun(entry, started, at) for entry in own):
        found.append(highest(by[Purpose.DEFAULT], started, at))
    return min(limit for limit in found if limit is not None)


@st.composite
def profiles(draw: st.DrawFn, number: int, scale_s: int) -> Profile:
    purpose = draw(st.sampled_from(Purpose))
    kind = draw(st.sampled_from(ProfileKind))
    times = st.integers(-2 * scale_s, 2 * scale_s).map(lambda s: NOW + timedelta(seconds=s))
    inner = draw(st.sets(st.integers(1, scale_s), max_size=3))
    limits = st.integers(0, 40).map(float)
    unit = draw(st.sampled_from(RateUnit))
    factor = 1.0 if unit is RateUnit.AMPERE else 500.0
    valid = sorted(draw(st.lists(times, max_size=2, unique=True)))
    start = draw(times) if kind is ProfileKind.RECURRING else draw(st.none() | times)
    return profile(
        purpose,
        {second: draw(limits) * factor for second in [0, *sorted(inner)]},
        number=number,
        level=number,
        kind=kind,
        start=start,
        duration=draw(st.none() | st.integers(1, 2 * scale_s)),
        unit=unit,
        phases=draw(st.sampled_from([None, 1, 2, 3])),
        recurrency=draw(st.sampled_from(Recurrency)) if kind is ProfileKind.RECURRING else None,
        valid_from=valid[0] if valid else None,
        valid_to=valid[1] if len(valid) == 2 else None,
    )


def books(scale_s: int) -> st.SearchStrategy[list[Installed]]:
    return st.tuples(*(profiles(number, scale_s) for number in range(4))).map(
        lambda drawn: [installed(p, 0 if p.purpose is Purpose.STATION else 1) for p in drawn]
    )


def check(entries: list[Installed], local: float, span_s: int, every_s: int) -> None:
    started = NOW - timedelta(seconds=span_s // 3)
    view = window(span_s)
    state = situation(*entries, started=started, conversion=PowerConversion())
    curve = connector_curve(state, view, RateUnit.AMPERE, local=Limit(local))
    assert merged(curve) == curve
    for second in range(0, span_s, every_s):
        at = NOW + timedelta(seconds=second)
        limit = value_at(curve, second)
        assert limit is not None
        assert abs(limit.value - oracle(entries, started, at, local)) < 1e-9, second


@given(entries=books(200), local=st.integers(0, 50).map(float))
def test_agrees_with_the_oracle_in_every_second_of_some_minutes(
    entries: list[Installed], local: float
) -> None:
    check(entries, local, span_s=240, every_s=1)


@given(entries=books(3 * 86_400), local=st.integers(0, 50).map(float))
def test_agrees_with_the_oracle_over_some_days(entries: list[Installed], local: float) -> None:
    check(entries, local, span_s=5 * 86_400, every_s=1800)


@given(entries=books(200), split_s=st.integers(1, 239))
def test_a_window_equals_its_parts(entries: list[Installed], split_s: int) -> None:
    state = situation(*entries, started=NOW)
    whole = connector_curve(state, window(240), RateUnit.AMPERE, local=Limit(99.0))
    first = connector_curve(state, window(split_s), RateUnit.AMPERE, local=Limit(99.0))
    late = window(240 - split_s, NOW + timedelta(seconds=split_s))
    second = connector_curve(state, late, RateUnit.AMPERE, local=Limit(99.0))
    moved = (CurveStep(step.start_s + split_s, step.limit) for step in second)
    joined = merged([*first, *moved])
    assert [(s.start_s, s.limit and s.limit.value) for s in joined] == [
        (s.start_s, s.limit and s.limit.value) for s in whole
    ]
