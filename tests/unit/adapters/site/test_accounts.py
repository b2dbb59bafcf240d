"""The account of currents above limits and bounds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from borne.adapters.site.accounts import Accounts, Gap
from borne.application.load_management.remote_station import UNCONFIRMED_S
from borne.domain.load_management.topology import Group, Topology
from borne.foundation.units import PerPhase

LINE = Topology([Group("a", PerPhase.same(20.0))])


def accounts(gaps: Sequence[Gap] = (), locked_a: float = 0.0, unheard_a: float = 0.0) -> Accounts:
    return Accounts(
        LINE,
        PerPhase.same(50.0),
        10.0,
        lambda _: gaps,
        lambda _: locked_a,
        lambda _: unheard_a,
    )


def over(known: Accounts) -> dict[str, PerPhase]:
    return dict(known.over_limit_as())


def test_currents_within_all_limits_count_nothing() -> None:
    known = accounts()
    known.draw((0, 3), 20.0)
    known.settle(100.0)
    assert over(known) == {"root": PerPhase.same(0.0), "a": PerPhase.same(0.0)}


def test_a_group_has_no_time_to_obey() -> None:
    known = accounts()
    known.draw((0, 3), 21.0)
    known.settle(3.0)
    assert over(known)["a"] == PerPhase(3.0, 0.0, 0.0)
    assert known.over_bound_as == PerPhase(3.0, 0.0, 0.0)
    assert known.first_over == (0.0, 3)


def test_a_limit_that_falls_may_be_exceeded_for_the_reach() -> None:
    known = accounts()
    known.draw((1,), 40.0)
    known.settle(5.0)
    known.limit_root(PerPhase.same(30.0))
    known.settle(17.0)
    assert over(known)["root"] == PerPhase(0.0, 120.0, 0.0)
    assert known.over_bound_as == pytest.approx((0.0, 20.0, 0.0))
    assert known.first_over == (15.0, 1)


def test_a_rise_of_currents_is_never_excused_by_the_reach() -> None:
    known = accounts()
    known.draw((0,), 51.0)
    known.settle(1.0)
    assert known.over_bound_as == pytest.approx((1.0, 0.0, 0.0))


@pytest.mark.parametrize(("locked_a", "beyond_as"), [(40.0, 0.0), (35.0, 450.0), (0.0, 900.0)])
def test_stations_without_contact_excuse_what_flows_in_them(
    locked_a: float, beyond_as: float
) -> None:
    known = accounts([Gap(0.0, 1000.0)], locked_a)
    known.draw((0,), 40.0)
    known.limit_root(PerPhase.same(30.0))
    known.settle(100.0)
    assert known.over_bound_as == pytest.approx((beyond_as, 0.0, 0.0))


@pytest.mark.parametrize(("unheard_a", "beyond_as"), [(10.0, 0.0), (4.0, 240.0), (0.0, 400.0)])
def test_others_use_what_an_unheard_grant_left_them_until_the_master_notices(
    unheard_a: float, beyond_as: float
) -> None:
    known = accounts([Gap(0.0, 1000.0)], 8.0, unheard_a)
    known.draw((0,), 40.0)
    known.limit_root(PerPhase.same(30.0))
    known.settle(UNCONFIRMED_S + 10.0)
    assert known.over_bound_as == pytest.approx((beyond_as, 0.0, 0.0))
    known.settle(UNCONFIRMED_S + 20.0)
    assert known.over_bound_as == pytest.approx((beyond_as + 100.0, 0.0, 0.0))


def test_a_rogue_car_is_excused_the_others_are_not() -> None:
    known = accounts()
    known.draw((0, 3), 25.0, excused_a=19.0)
    known.settle(1.0)
    assert known.over_bound_as == PerPhase.same(0.0)
    known.draw((0, 3), 15.0)
    known.settle(2.0)
    assert over(known)["a"] == PerPhase(25.0, 0.0, 0.0)
    assert known.over_bound_as == PerPhase(1.0, 0.0, 0.0)
