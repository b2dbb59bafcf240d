"""Who allows how much, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import nan

import pytest

from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import (
    LimitBook,
    LimitRow,
    Offer,
    holding,
    minimum_a,
    offer_of,
)
from borne.domain.limits.sources import SOURCES, LimitKind, LimitScope, Source
from borne.foundation.units import PerPhase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
SURPLUS = Source(LimitCause.EXTERNAL_LOAD, LimitScope.CONNECTOR, LimitKind.RECOMMENDATION, 6.0, 1)
TARIFF = Source(LimitCause.SCHEDULER, LimitScope.CONNECTOR, LimitKind.RECOMMENDATION, 8.0, 2)
DEMAND = Source(LimitCause.MINIMUM, LimitScope.CONNECTOR, LimitKind.DEMAND)


def row(
    source: Source, *amps: float, until_s: float | None = None, owner: str = "", over: bool = False
) -> LimitRow:
    three = amps if len(amps) == 3 else amps * 3
    cause = LimitCause.FALLBACK if over else LimitCause.SETTING
    return LimitRow(source, PerPhase(*three), cause, NOON, until_s, owner)


def test_sources_are_declared_once_and_shown_in_the_order_of_their_causes() -> None:
    causes = [source.cause for source in SOURCES]
    assert len(set(causes)) == len(causes)
    order = list(LimitCause)
    assert causes == sorted(causes, key=order.index)


@pytest.mark.parametrize("rows", [[], [row(SURPLUS, 16)], [row(DEMAND, 6)]])
def test_without_an_obligation_nothing_is_offered(rows: list[LimitRow]) -> None:
    assert holding(rows) == ()
    assert offer_of(rows) == Offer()
    assert offer_of(rows).binding is None


@pytest.mark.parametrize(
    ("rows", "phases", "offered_a", "effective"),
    [
        ([row(sources.BOARD, 32)], 3, 32.0, ["board"]),
        ([row(sources.CABLE, 20), row(sources.BOARD, 32)], 3, 20.0, ["cable"]),
        ([row(sources.OPERATOR, 20), row(sources.CABLE, 20)], 3, 20.0, ["cable", "operator"]),
        ([row(sources.OCPP_TX, 16, 10, 6), row(sources.BOARD, 32)], 3, 6.0, ["ocpp_tx"]),
        ([row(sources.OCPP_TX, 16, 10, 6), row(sources.BOARD, 32)], 1, 16.0, ["ocpp_tx"]),
        ([row(sources.OCPP_TX, -1), row(sources.BOARD, 32)], 3, 0.0, ["ocpp_tx"]),
        ([row(sources.BOARD, 32), row(sources.OCPP_TX, 16, nan, 16)], 3, 0.0, ["ocpp_tx"]),
    ],
)
def test_the_lowest_row_on_a_connected_phase_binds(
    rows: list[LimitRow], phases: int, offered_a: float, effective: list[str]
) -> None:
    offer = offer_of(rows, phases)
    assert offer.amps == offered_a
    assert [one.source.name for one in offer.effective] == effective
    assert offer.binding is offer.effective[-1]


def test_rows_are_shown_in_the_order_of_their_sources() -> None:
    rows = [row(sources.SUPPLY_LINE, 10), row(sources.OPERATOR, 16), row(sources.BOARD, 32)]
    assert [one.source.name for one in offer_of(rows).rows] == ["board", "operator", "supply_line"]


@pytest.mark.parametrize(
    ("rows", "offered_a", "shown"),
    [
        ([row(SURPLUS, 10)], 10.0, ["external_load"]),
        ([row(SURPLUS, 60)], 32.0, ["external_load"]),
        ([row(SURPLUS, 10), row(TARIFF, 16)], 16.0, ["scheduler"]),
        ([row(SURPLUS, 16), row(TARIFF, 10)], 10.0, ["scheduler"]),
        ([row(SURPLUS, 16), row(TARIFF, 8, over=True)], 16.0, ["external_load"]),
        ([row(SURPLUS, 6, over=True), row(TARIFF, 8, over=True)], 8.0, ["scheduler"]),
        ([row(SURPLUS, 16, owner="a"), row(SURPLUS, 10, owner="b")], 10.0, ["external_load"] * 2),
    ],
)
def test_the_recommendation_of_highest_priority_holds_below_the_obligations(
    rows: list[LimitRow], offered_a: float, shown: list[str]
) -> None:
    offer = offer_of([*rows, row(sources.BOARD, 32)])
    assert offer.amps == offered_a
    assert [one.source.name for one in offer.rows] == ["board", *shown]


def test_a_demand_limits_nothing() -> None:
    rows = [row(sources.BOARD, 32), row(DEMAND, 8), row(sources.MINIMUM, 7)]
    assert offer_of(rows).amps == 32.0
    assert minimum_a(rows) == 8.0
    assert minimum_a([]) == 0.0


def test_an_equal_row_keeps_its_date() -> None:
    book = LimitBook().put(row(sources.OPERATOR, 16))
    again = LimitRow(sources.OPERATOR, PerPhase.same(16.0), LimitCause.SETTING, LATER)
    assert [one.since for one in book.put(again)] == [NOON]
    other = LimitRow(sources.OPERATOR, PerPhase.same(10.0), LimitCause.SETTING, LATER)
    assert [one.since for one in book.put(other)] == [LATER]


def test_the_reason_is_the_cause_with_its_detail() -> None:
    profile = LimitRow(sources.OCPP_TX, PerPhase.same(16.0), LimitCause.PROFILE, NOON, detail="7")
    assert profile.reason == "profile 7"
    assert row(sources.OPERATOR, 16).reason == "setting"


FALLBACKS_A = {sources.ENERGY_MANAGER: 6.0}
"""Sources whose expired rows leave some current; those of all others pause the socket."""


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_an_expired_row_becomes_its_fallback(source: Source) -> None:
    book = LimitBook().put(row(source, 16, until_s=100.0, owner="x")).put(row(source, 20))
    assert book.next_expiry_s() == 100.0
    assert book.expire(99.9, LATER) is book
    over = book.expire(100.0, LATER)
    left = over.get(source, "x")
    assert left is not None
    expected_a = FALLBACKS_A.get(source, 0.0)
    assert (left.amps, left.reason) == (PerPhase.same(expected_a), "fallback")
    assert over.get(source) == row(source, 20)
    assert over.next_expiry_s() is None
    assert over.expire(1e9, LATER) is over


def test_owners_of_a_source_replace_and_withdraw_their_own_rows_only() -> None:
    book = LimitBook()
    for owner, amps in {"modbus": 16.0, "semp": 10.0}.items():
        book = book.put(row(sources.ENERGY_MANAGER, amps, owner=owner))
    book = book.put(row(sources.BOARD, 32))
    assert offer_of(book).amps == 10.0
    assert len(list(book.withdraw(sources.ENERGY_MANAGER))) == 3
    assert offer_of(book.withdraw(sources.ENERGY_MANAGER, "semp")).amps == 16.0
    assert offer_of(book.withdraw(sources.OCPP_TX, "semp")).amps == 10.0
