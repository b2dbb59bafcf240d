"""Current imbalance beyond the vectors: the ways out when the exact method takes too long."""

from __future__ import annotations

import pytest

from borne.domain.load_management import balanced_large, imbalance
from borne.domain.load_management.balanced_filling import fill_balanced
from borne.domain.load_management.balanced_large import admit_large, fill_large
from borne.domain.load_management.feasibility import BoundedRows
from borne.domain.load_management.imbalance import Car, Constraints, Imbalance, admit_balanced
from borne.domain.load_management.topology import GridPhase

N1, N2, N3 = GridPhase
WIDE = [100.0, 100.0, 100.0]


def car(*phases: GridPhase, lower_a: float = 6.0, upper_a: float = 32.0) -> Car:
    return Car(lower_a, upper_a, tuple(phase - 1 for phase in phases), frozenset(phases))


def test_looking_ahead_admits_cars_that_balance_each_other() -> None:
    cars = [car(N1), car(N2), car(N3)]
    constraints = Constraints(WIDE, Imbalance(5.0), cars)
    assert admit_balanced(constraints, range(3)) == {}
    assert fill_balanced(constraints, range(3)).amps == {0: 32, 1: 32, 2: 32}


def test_a_wrong_admission_is_taken_back() -> None:
    """The first two count on the third, whose minimum is more than its phase can carry."""
    cars = [car(N1, lower_a=10), car(N2, lower_a=10), car(N3, lower_a=10), car(N1, N2, N3)]
    constraints = Constraints([100, 100, 8], Imbalance(4.0), cars)
    assert set(admit_balanced(constraints, range(4))) == {0, 1, 2}


def test_without_time_to_look_ahead_the_set_is_still_feasible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imbalance._Admission, "best", lambda self: None)
    cars = [car(N1), car(N1), car(N1), car(N1), car(N1, N2, N3)]
    constraints = Constraints(WIDE, Imbalance(20.0), cars)
    refused = admit_balanced(constraints, range(5))
    assert set(refused) == {3}
    assert refused[3].pair in ((N1, N2), (N1, N3))


def test_large_groups_drop_the_least_entitled_and_try_once_more() -> None:
    cars = [car(N1), car(N1), car(N1), car(N2), car(N3)]
    assert admit_large(WIDE, Imbalance(12.0), cars, range(5)) == {}
    assert set(admit_large(WIDE, Imbalance(11.0), cars, range(5))) == {2}


def test_large_groups_refuse_for_a_link_first() -> None:
    refused = admit_large([8, 100, 100], Imbalance(20.0), [car(N1), car(N1)], range(2))
    assert refused[1].link == 0


@pytest.mark.parametrize("rounds", [0, 1, 60])
def test_large_groups_stay_within_the_limit_after_any_number_of_rounds(
    rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balanced_large, "ROUNDS", rounds)
    cars = {0: car(N1), 1: car(N1), 4: car(N2, upper_a=10.0), 7: car(N3)}
    amps = fill_large(WIDE, Imbalance(8.0), cars).amps
    high, low, other = amps[0] + amps[1], amps[4], amps[7]
    assert max(high, low, other) - min(high, low, other) <= 8.0 + 1e-6
    assert all(amps[number] >= 6.0 for number in cars)
    if rounds == 60:
        assert amps == pytest.approx({0: 9, 1: 9, 4: 10, 7: 18})


def test_feasibility_finds_a_point() -> None:
    rows = BoundedRows(2, [{0: 1.0, 1: 1.0}, {0: 1.0, 1: -1.0}])
    for variable, bounds in enumerate([(0, 10), (0, 10), (12, 15), (-2, 2)]):
        rows.set_bounds(variable, *bounds)
    assert rows.solve() is None
    x, y = rows.value[:2]
    assert 12 - 1e-6 <= x + y <= 15 + 1e-6
    assert abs(x - y) <= 2 + 1e-6


def test_feasibility_proves_that_there_is_no_point() -> None:
    rows = BoundedRows(2, [{0: 1.0, 1: 1.0}])
    for variable, bounds in enumerate([(6, 10), (6, 10), (0, 11)]):
        rows.set_bounds(variable, *bounds)
    conflict = rows.solve()
    assert conflict is not None
    excess = sum(
        factor * (rows.lower if factor > 0 else rows.upper)[variable]
        for variable, factor in conflict.terms
    )
    assert excess == pytest.approx(1.0)
