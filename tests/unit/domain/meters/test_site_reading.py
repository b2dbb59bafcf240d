"""The door for readings of the meter at the supply of the building."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_reading import site_reading
from borne.domain.station.reading import UnusableReading
from borne.foundation.units import PerPhase

LIMIT = PerPhase.same(63.0)
GOOD = Measurement(
    at_s=100.0,
    voltage_v=(230.0, 230.0, 230.0),
    current_a=(20.0, -3.0, 1.0),
    power_w=(4600.0, -690.0, 230.0),
    power_total_w=4140.0,
    import_wh=12,
    frequency_hz=50.0,
)
UNKNOWN = (None, None, None)

USABLE: Sequence[tuple[str, Measurement, PerPhase]] = [
    ("signed", GOOD, PerPhase(20, -3, 1)),
    ("sign-of-power", replace(GOOD, current_a=(20.0, 3.0, 1.0)), PerPhase(20, -3, 1)),
    ("no-power", replace(GOOD, power_w=UNKNOWN), PerPhase(20, -3, 1)),
    ("power-by-voltage", replace(GOOD, current_a=UNKNOWN), PerPhase(20, -3, 1)),
    ("no-voltage-known", replace(GOOD, voltage_v=UNKNOWN), PerPhase(20, -3, 1)),
    (
        "one-phase",
        replace(
            GOOD,
            voltage_v=(230.0, 0.0, 0.0),
            current_a=(20.0, None, None),
            power_w=UNKNOWN,
        ),
        PerPhase(20, 0, 0),
    ),
    ("ahead", replace(GOOD, at_s=100.5), PerPhase(20, -3, 1)),
]


@pytest.mark.parametrize(
    ("answer", "current_a"), [u[1:] for u in USABLE], ids=[u[0] for u in USABLE]
)
def test_usable(answer: Measurement, current_a: PerPhase) -> None:
    reading = site_reading(answer, 100.0, LIMIT)
    assert reading.current_a == pytest.approx(current_a)
    assert reading.at_s == 100.0


def changed(**values: Any) -> Measurement:
    return replace(GOOD, **values)


UNUSABLE: Sequence[tuple[str, object, str]] = [
    ("none", None, "it answered NoneType"),
    ("nan", changed(power_total_w=math.nan), "no numbers"),
    ("text", changed(frequency_hz="50"), "no numbers"),
    ("two-phases", changed(current_a=(1.0, 2.0)), "no numbers"),
    ("old", changed(at_s=89.0), "not of now"),
    ("future", changed(at_s=102.0), "not of now"),
    ("volts", changed(voltage_v=(301.0, 230.0, 230.0)), "voltage"),
    ("negative-volts", changed(voltage_v=(-1.0, 230.0, 230.0)), "voltage"),
    ("dead", changed(voltage_v=(0.0, 0.0, 0.0)), "no phase has a voltage"),
    ("hertz", changed(frequency_hz=39.0), "frequency"),
    ("amps", changed(current_a=(316.0, 1.0, 1.0)), "a current of 316 A"),
    ("watts", changed(power_w=(2e6, 1.0, 1.0)), "power"),
    ("register", changed(import_wh=-1), "register"),
    ("total-only", changed(current_a=UNKNOWN, power_w=UNKNOWN), "current of L1"),
    ("no-voltage-for-power", changed(current_a=UNKNOWN, voltage_v=UNKNOWN), "current of L1"),
    ("gap", changed(current_a=(1.0, None, 2.0), power_w=UNKNOWN), "current of L2"),
]


@pytest.mark.parametrize(("answer", "why"), [u[1:] for u in UNUSABLE], ids=[u[0] for u in UNUSABLE])
def test_unusable(answer: object, why: str) -> None:
    with pytest.raises(UnusableReading, match=why):
        site_reading(answer, 100.0, LIMIT)


def test_without_a_main_limit_a_thousand_amps_are_possible() -> None:
    assert site_reading(changed(current_a=(1000.0, 1.0, 1.0)), 100.0).current_a.l1 == 1000.0
    with pytest.raises(UnusableReading):
        site_reading(changed(current_a=(1001.0, 1.0, 1.0)), 100.0)


ANY = st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=2))


@given(values=st.lists(ANY, min_size=11, max_size=11), energy=ANY, at_s=st.floats())
@settings(max_examples=60)
def test_what_passes_is_finite_and_in_range(values: list[Any], energy: Any, at_s: float) -> None:
    a, b, c, d, e, f, g, h, i, total, hertz = values
    answer = Measurement(at_s, (a, b, c), (d, e, f), (g, h, i), total, energy, energy, hertz)
    try:
        reading = site_reading(answer, 100.0, LIMIT)
    except UnusableReading:
        return
    assert all(abs(amps) <= 5 * 63.0 for amps in reading.current_a)
