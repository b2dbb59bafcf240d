"""Hand-checked cases in the format of `borne vectors`; currents were also checked by the oracle of
the property tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from borne.application.load_management.vector_format import Case, Fields, amps_by_id
from borne.application.load_management.vectors import run_vectors
from borne.domain.load_management.participant import Demand
from tests.properties.load_management.oracle import expected

DOCUMENT = json.loads((Path(__file__).parent / "vectors" / "cases.json").read_text())
VECTORS = DOCUMENT["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector(vector: dict[str, object]) -> None:
    report = run_vectors({**DOCUMENT, "vectors": [vector]})
    assert [result.problems for result in report.results] == [()]


def test_ids_are_unique() -> None:
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


ALLOCATIONS = [vector for vector in VECTORS if vector["type"] == "allocate"]


@pytest.mark.parametrize("vector", ALLOCATIONS, ids=[vector["id"] for vector in ALLOCATIONS])
def test_the_oracle_agrees_with_the_hand_checked_vectors(vector: dict[str, object]) -> None:
    fields = Fields(vector, "vector")
    case = Case(fields)
    found = expected(
        case.supply.topology,
        case.supply.root_limit_a,
        case.participants,
        case.supply.imbalance,
        it_network=case.supply.it_network,
    )
    hand = fields.field("expected", amps_by_id)
    asleep = {one.id for one in case.participants if one.demand is Demand.WAKE_UP}
    for name in hand.keys() - asleep:
        assert found[name] == pytest.approx(hand[name], abs=0.05)
