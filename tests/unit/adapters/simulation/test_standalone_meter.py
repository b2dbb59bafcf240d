"""The curve of a meter without a station, and its registers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.adapters.simulation.standalone_meter import (
    Curve,
    CurveSource,
    Step,
    WrongCurve,
    read_curve,
    steady,
)
from borne.foundation.units import PerPhase


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(("time_s,l1_a,l2_a,l3_a", *rows)) + "\n")
    return path


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_row_holds_until_the_next_and_the_curve_begins_again(tmp_path: Path) -> None:
    curve = read_curve(written(tmp_path / "curve.csv", "0,10,0,0", "60,-5,-5,-5", "90,1,2,3"))
    assert curve.period_s == 120
    at = {0: (10, 0, 0), 59: (10, 0, 0), 60: (-5, -5, -5), 119: (1, 2, 3), 120: (10, 0, 0)}
    assert {s: curve.at(s) for s in at} == at
    assert curve.at(120 * 1000 + 61) == (-5, -5, -5)


def test_registers_count_both_directions() -> None:
    clock = Clock()
    curve = Curve((Step(0, PerPhase(10, 0, 0)), Step(3600, PerPhase(-5, -5, -5))), 7200)
    source = CurveSource(curve, 230, 1000, clock)
    assert (source().import_wh, source().export_wh) == (1000, 0)
    clock.now_s += 5400
    assert (source().import_wh, source().export_wh) == (3300, 1725)
    assert source().power_w == PerPhase.same(-1150)
    clock.now_s += 7200 * 9
    assert (source().import_wh, source().export_wh) == (1000 + 23_000, 9 * 3450 + 1725)


def test_a_steady_meter_counts_too() -> None:
    clock = Clock()
    source = CurveSource(steady("10, 8,-3"), 230, 0, clock)
    clock.now_s += 3600
    measured = source()
    assert measured.current_a == PerPhase(10, 8, -3)
    assert (measured.import_wh, measured.export_wh) == (3450, 0)
    assert steady("16").steps[0].current_a == (16, 16, 16)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.floats(-60, 60)), min_size=1, max_size=6),
    st.lists(st.floats(0, 5000), min_size=2, max_size=8),
)
def test_a_register_never_goes_back(rows: list[tuple[int, float]], moments_s: list[float]) -> None:
    begins_s = [sum(length for length, _ in rows[:place]) for place in range(len(rows))]
    steps = tuple(
        Step(begin_s, PerPhase.same(amps))
        for begin_s, (_, amps) in zip(begins_s, rows, strict=True)
    )
    curve = Curve(steps, sum(length for length, _ in rows))
    before = (0.0, 0.0)
    for moment_s in sorted(moments_s):
        now = curve.charge_as(moment_s)
        assert now[0] >= before[0] - 1e-3
        assert now[1] >= before[1] - 1e-3
        before = now


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "line 1: the columns"),
        ("time,a,b,c\n0,1,1,1\n", "line 1: the columns"),
        ("time_s,l1_a,l2_a,l3_a\n", "1 to"),
        ("time_s,l1_a,l2_a,l3_a\n5,1,1,1\n", "first time"),
        ("time_s,l1_a,l2_a,l3_a\n0,1,1\n", "line 2: a number"),
        ("time_s,l1_a,l2_a,l3_a\n0,1,1,1,1\n", "line 2: a number"),
        ("time_s,l1_a,l2_a,l3_a\n0,1,x,1\n", "line 2: a number"),
        ("time_s,l1_a,l2_a,l3_a\n0,1,nan,1\n", "line 2: a number is out"),
        ("time_s,l1_a,l2_a,l3_a\n0,1,1,1\n1,1,1,1e9\n", "line 3: a number is out"),
        ("time_s,l1_a,l2_a,l3_a\n0,1,1,1\n9,1,1,1\n9,1,1,1\n", "line 4: the times"),
        ("time_s,l1_a,l2_a,l3_a\n" + '"' + "1" * 200_000, "line 2: "),
    ],
)
def test_a_wrong_curve_is_refused_with_its_line(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "curve.csv"
    path.write_text(content)
    with pytest.raises(WrongCurve, match=reason):
        read_curve(path)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "one", "nan", "1e9"])
def test_wrong_currents_are_refused(text: str) -> None:
    with pytest.raises(WrongCurve):
        steady(text)
