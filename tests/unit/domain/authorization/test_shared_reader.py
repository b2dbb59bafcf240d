"""One reader for two sockets (decision D18)."""

from __future__ import annotations

import pytest

from borne.domain.authorization.shared_reader import Candidate, connector_for


def _free(connector: int) -> Candidate:
    return Candidate(connector, free=True)


def _waits(connector: int, since_s: float) -> Candidate:
    return Candidate(connector, waiting_since_s=since_s)


def _charges(connector: int, token: str) -> Candidate:
    return Candidate(connector, frozenset({token}))


def _busy(connector: int) -> Candidate:
    return Candidate(connector)


@pytest.mark.parametrize(
    ("candidates", "connector"),
    [
        ([_free(1), _free(2)], None),
        ([_waits(1, 10.0), _free(2)], 1),
        ([_free(1), _waits(2, 10.0)], 2),
        ([_waits(1, 10.0), _waits(2, 5.0)], 2),
        ([_waits(1, 5.0), _waits(2, 10.0)], 1),
        ([_charges(1, "a1"), _waits(2, 5.0)], 1),
        ([_waits(1, 5.0), _charges(2, "a1")], 2),
        ([_charges(1, "b2"), _waits(2, 5.0)], 2),
        ([_charges(1, "b2"), _free(2)], 2),
        ([_busy(1), _busy(2)], None),
        ([_free(1)], 1),
        ([], None),
    ],
    ids=[
        "no car is plugged: the next one",
        "one waits",
        "the other waits",
        "both wait: the earlier",
        "both wait: the earlier, the other way",
        "its own session before one that waits",
        "its own session at the other socket",
        "somebody else charges, one waits",
        "somebody else charges, one is free",
        "none can take it",
        "one socket",
        "none at all",
    ],
)
def test_the_socket_that_a_card_is_for(candidates: list[Candidate], connector: int | None) -> None:
    assert connector_for("A1", candidates) == connector
