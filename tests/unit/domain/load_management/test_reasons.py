"""Why 13 A? Every grant has its reason."""

from __future__ import annotations

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.allocation import Allocation, allocate
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant, Reason
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import (
    ROOT,
    GridPhase,
    Group,
    SocketPhase,
    SupplyLink,
    Topology,
)
from borne.foundation.units import PerPhase

K = LimitCause
N1 = SupplyLink(ROOT, GridPhase.N1)
ONE_PHASE = frozenset({SocketPhase.L1})


def car(name: str = "A", **changes: object) -> Participant:
    return Participant(id=name, **changes)  # type: ignore[arg-type]  # any field of the snapshot


def allocated(
    limit_a: PerPhase,
    cars: list[Participant],
    topology: Topology | None = None,
    imbalance: Imbalance | None = None,
) -> Allocation:
    supply = SharedSupply(limit_a, topology or Topology(), imbalance=imbalance)
    return allocate(Snapshot(supply, cars))


CASES = [
    (32, [car(demand=Demand.NONE)], Reason(K.NO_DEMAND)),
    (
        63,
        [car(maximum_a=16, maximum_cause=LimitCause.CABLE)],
        Reason(K.OWN_LIMIT, amps=16, source=LimitCause.CABLE),
    ),
    (63, [car(settled_a=9.0)], Reason(K.TAKES_LESS, amps=9.0)),
    (32, [car(), car("B")], Reason(K.FAIR_SHARE, link=N1, sharing=2)),
    (20, [car()], Reason(K.GROUP_LIMIT, link=N1, sharing=1)),
    (20, [car(minimum_a=14), car("B")], Reason(K.MINIMUM_SHARE, link=N1)),
    (32, [car(), car("B", priority=1)], Reason(K.HIGHER_PRIORITY, link=N1)),
    (
        10,
        [car(rank=1), car("B", rank=0)],
        Reason(K.WAITING_FOR_MINIMUM, link=N1, amps=4),
    ),
    (
        63,
        [car(maximum_a=5, maximum_cause=LimitCause.OCPP_TX)],
        Reason(K.LIMIT_BELOW_MINIMUM, amps=5, source=LimitCause.OCPP_TX),
    ),
    (63, [car(demand=Demand.WAKE_UP)], Reason(K.WAKES_UP)),
    (
        36,
        [car(demand=Demand.WAKE_UP), car("B")],
        Reason(K.WAKE_UP_WAITS, link=N1, amps=4),
    ),
    (63, [car(reserved_a=8.0)], Reason(K.NO_CONTACT, amps=8.0)),
]


@pytest.mark.parametrize(
    ("limit_a", "cars", "reason"), CASES, ids=[str(reason.cause) for _, _, reason in CASES]
)
def test_the_reason_of_a_grant(limit_a: float, cars: list[Participant], reason: Reason) -> None:
    assert allocated(PerPhase.same(limit_a), cars).reasons["A"] == reason


def test_the_group_that_binds_is_named() -> None:
    topology = Topology([Group("feeder", PerPhase(32, 20, 32))])
    cars = [car("A", group="feeder"), car("B", group="feeder")]
    found = allocated(PerPhase.same(100), cars, topology).reasons["A"]
    assert found == Reason(K.FAIR_SHARE, link=SupplyLink("feeder", GridPhase.N2), sharing=2)


@pytest.mark.parametrize("cars", [2, 40], ids=["exact", "large"])
def test_the_pair_of_phases_is_named(cars: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if cars > 2:
        monkeypatch.setattr("borne.domain.load_management.allocation.EXACT_SIZE", 0)
    many = [car(f"{n:02}", phases=ONE_PHASE) for n in range(cars)]
    found = allocated(PerPhase.same(400), many, imbalance=Imbalance(20.0))
    first, last = found.reasons["00"], found.reasons[f"{cars - 1:02}"]
    assert (first.cause, first.link) == (K.IMBALANCE, N1)
    assert first.against in (GridPhase.N2, GridPhase.N3)
    if cars > 2:
        assert (found.amps[f"{cars - 1:02}"], last.cause) == (0, K.WAITING_FOR_MINIMUM)
        assert last.against is not None


def test_a_wake_up_that_would_unbalance_waits() -> None:
    asleep = car("A", phases=ONE_PHASE, demand=Demand.WAKE_UP)
    found = allocated(PerPhase.same(63), [asleep], imbalance=Imbalance(5.0))
    assert found.reasons["A"] == Reason(K.WAKE_UP_WAITS, link=N1, against=GridPhase.N2)


def test_a_wake_up_on_all_phases_unbalances_nothing() -> None:
    at_the_limit = car("B", phases=ONE_PHASE, maximum_a=10)
    asleep = car("A", demand=Demand.WAKE_UP)
    found = allocated(PerPhase.same(63), [at_the_limit, asleep], imbalance=Imbalance(10.0))
    assert dict(found.amps) == {"A": 6.0, "B": 10.0}


@pytest.mark.parametrize(
    ("limit_a", "cars", "scarce"),
    [
        (32, [car(maximum_a=16), car("B", maximum_a=16)], False),
        (31, [car(maximum_a=16), car("B", maximum_a=16)], True),
        (20, [car(minimum_a=16, maximum_a=16), car("B")], True),
        (20, [car(maximum_a=16), car("B", demand=Demand.WAKE_UP)], True),
        (32, [car(maximum_a=16), car("B", demand=Demand.WAKE_UP)], False),
        (32, [car(maximum_a=5)], False),
    ],
    ids=["enough", "shared", "refused", "asleep", "woken", "own limit"],
)
def test_whether_somebody_could_use_more(
    limit_a: float, cars: list[Participant], scarce: bool
) -> None:
    assert allocated(PerPhase.same(limit_a), cars).scarce is scarce


def test_without_reclaim_a_car_counts_as_if_it_took_its_whole_offer() -> None:
    snapshot = Snapshot(SharedSupply(PerPhase.same(40)), [car(settled_a=9.0), car("B")])
    assert dict(allocate(snapshot, reclaim=False).amps) == {"A": 20.0, "B": 20.0}
    assert dict(allocate(snapshot).amps) == {"A": 10.0, "B": 30.0}


def test_without_reclaim_a_car_that_takes_less_is_at_its_own_limit() -> None:
    snapshot = Snapshot(SharedSupply(PerPhase.same(63)), [car(settled_a=9.0, maximum_a=16)])
    assert allocate(snapshot, reclaim=False).reasons["A"] == Reason(K.OWN_LIMIT, amps=16)


def test_the_rest_of_each_link() -> None:
    one = car(phases=ONE_PHASE, maximum_a=13)
    assert allocated(PerPhase(32, 20, 10), [one]).left_a == (19, 20, 10)


def test_two_participants_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two participants are named A"):
        allocated(PerPhase.same(32), [car(), car()])


def test_an_allocation_carries_the_revision_of_its_snapshot() -> None:
    snapshot = Snapshot(SharedSupply(PerPhase.same(32)), [car()], revision=7)
    assert allocate(snapshot).revision == 7
