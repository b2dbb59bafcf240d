"""Who allows how much, and why (house: limits)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from borne.domain.station import limits
from borne.domain.station.limits import LimitBook, LimitRow, Source, Waterfall, waterfall
from borne.foundation.units import PerPhase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def row(source: Source, *amps: float, until_s: float | None = None) -> LimitRow:
    three = amps if len(amps) == 3 else amps * 3
    return LimitRow(source, PerPhase(*three), "test", NOON, until_s)


def test_nothing_may_be_offered_without_any_row() -> None:
    assert waterfall([]) == Waterfall((), 0.0, frozenset())
    assert limits.entitlement([]) is None


@pytest.mark.parametrize(
    ("rows", "phases", "offered_a", "effective"),
    [
        ([row(limits.BOARD, 32)], 3, 32.0, {"board"}),
        ([row(limits.CABLE, 20), row(limits.BOARD, 32)], 3, 20.0, {"cable"}),
        ([row(limits.CABLE, 20), row(limits.OPERATOR, 20)], 3, 20.0, {"cable", "operator"}),
        ([row(limits.OCPP_TX, 16, 10, 6), row(limits.BOARD, 32)], 3, 6.0, {"ocpp_tx"}),
        ([row(limits.OCPP_TX, 16, 10, 6), row(limits.BOARD, 32)], 1, 16.0, {"ocpp_tx"}),
        ([row(limits.OCPP_TX, -1), row(limits.BOARD, 32)], 3, 0.0, {"ocpp_tx"}),
    ],
)
def test_the_lowest_row_on_a_connected_phase_holds(
    rows: list[LimitRow], phases: int, offered_a: float, effective: set[str]
) -> None:
    fall = waterfall(rows, phases)
    assert (fall.offered_a, set(fall.effective)) == (offered_a, effective)


def test_rows_are_told_in_the_order_of_their_sources() -> None:
    rows = [row(limits.SUPPLY_LINE, 10), row(limits.OPERATOR, 16), row(limits.BOARD, 32)]
    assert [one.source.name for one in waterfall(rows).rows] == ["board", "operator", "supply_line"]


def test_a_row_that_says_the_same_again_keeps_its_date() -> None:
    book = LimitBook().put(row(limits.OPERATOR, 16))
    again = LimitRow(limits.OPERATOR, PerPhase.same(16.0), "test", LATER)
    assert book.put(again).rows["operator"].since == NOON
    other = LimitRow(limits.OPERATOR, PerPhase.same(10.0), "test", LATER)
    assert book.put(other).rows["operator"].since == LATER


@pytest.mark.parametrize(
    ("source", "fallback_a"),
    [(limits.ENERGY_MANAGER, 6.0), (limits.LOAD_MANAGEMENT, 0.0), (limits.OCPP_TX, 0.0)],
)
def test_a_row_whose_time_is_over_falls_back_and_never_vanishes(
    source: Source, fallback_a: float
) -> None:
    book = LimitBook().put(row(source, 16, until_s=100.0)).put(row(limits.BOARD, 32))
    assert book.next_expiry_s() == 100.0
    assert book.expire(99.9, LATER) == book
    over = book.expire(100.0, LATER)
    assert over.rows[source.name].amps == PerPhase.same(fallback_a)
    assert over.rows[source.name].reason == "fallback"
    assert over.next_expiry_s() is None
    assert over.expire(1e9, LATER) == over


def test_only_its_owner_takes_a_row_back() -> None:
    book = LimitBook().put(row(limits.OCPP_TX, 10)).put(row(limits.BOARD, 32))
    assert set(book.withdraw(limits.OCPP_TX).rows) == {"board"}
