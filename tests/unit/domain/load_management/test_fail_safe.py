"""Master and slave out of touch (manual 7.7); currents are in the vectors."""

from __future__ import annotations

import pytest

from borne.domain.load_management.fail_safe import (
    DisconnectedSocket,
    FailSafeStage,
    FailSafeTiming,
    Overcommitment,
    overcommitments,
    reservation_a,
)
from borne.domain.load_management.topology import (
    GridPhase,
    Group,
    SupplyLink,
    Topology,
    connected_phases,
)
from borne.foundation.units import PerPhase

STAGE = FailSafeStage


@pytest.mark.parametrize(
    ("silence_s", "stage"),
    [
        (0, STAGE.CONNECTED),
        (59.9, STAGE.CONNECTED),
        (60, STAGE.LIMITED),
        (75.9, STAGE.LIMITED),
        (76, STAGE.STATIC),
    ],
)
def test_stages_of_a_slave(silence_s: float, stage: FailSafeStage) -> None:
    assert FailSafeTiming(60, 10).stage(silence_s) is stage


def test_the_master_frees_its_reserve_before_a_slave_rises() -> None:
    timing = FailSafeTiming(60, 10)
    assert timing.detected_in_time(master_timeout_s=40, period_s=30)
    assert not timing.detected_in_time(master_timeout_s=60, period_s=30)


@pytest.mark.parametrize(("last_a", "reserved_a"), [(0, 8), (8, 8), (20, 20)])
def test_the_reservation_for_an_unreachable_slave(last_a: float, reserved_a: float) -> None:
    assert reservation_a(last_a, 8) == reserved_a


def test_overcommitted_links_are_named() -> None:
    topology = Topology([Group("st", PerPhase(16, 10, 16))])
    sockets = [
        DisconnectedSocket(8, "st"),
        DisconnectedSocket(8, "st", connected_phases(1)),
        DisconnectedSocket(3, "st"),
    ]
    assert overcommitments(topology, PerPhase.same(19), sockets) == (
        Overcommitment(SupplyLink("st", GridPhase.N1), 19, 16),
        Overcommitment(SupplyLink("st", GridPhase.N2), 11, 10),
    )


def test_an_it_network_counts_the_return_line() -> None:
    sockets = [DisconnectedSocket(8, connected=connected_phases(1))]
    found = overcommitments(Topology(), PerPhase(8, 7, 0), sockets, it_network=True)
    assert [over.link.phase for over in found] == [GridPhase.N2]
