"""From a snapshot to offers, each with the row that binds it (decision 0181)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.plan import (
    LimitPlan,
    LimitSnapshot,
    SocketSnapshot,
    lowered,
    lowered_offer,
    paused,
    plan,
    shared_limit,
)
from borne.domain.limits.rows import LimitRow, Offer
from borne.domain.limits.sources import Source
from borne.domain.load_management.group import RETRY_S
from borne.domain.load_management.socket_memory import SETTLE_S, SocketFacts, socket_id
from borne.domain.load_management.topology import ROOT, GridPhase, Rotation, SupplyLink
from borne.foundation.units import PerPhase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(source: Source, *amps: float, owner: str = "") -> LimitRow:
    three = PerPhase(*amps) if len(amps) == 3 else PerPhase.same(*amps)
    return LimitRow(source, three, LimitCause.SETTING, NOON, owner=owner)


def socket(connector: int, *rows: LimitRow, **facts: object) -> SocketSnapshot:
    charging = SocketFacts(
        participant=socket_id(connector), wants=True, asking=True, closed=True, live=True
    )
    own = rows or (row(sources.BOARD, 32),)
    return SocketSnapshot(connector, replace(charging, **facts), own)  # type: ignore[arg-type]  # any fact


def snapshot(*station: LimitRow, sockets: tuple[SocketSnapshot, ...] = ()) -> LimitSnapshot:
    return LimitSnapshot(NOON, 1000.0, sockets or (socket(1), socket(2)), station)


def next_of(before: LimitSnapshot, planned: LimitPlan, after_s: float) -> LimitSnapshot:
    """The same sockets, some time after a plan."""
    return replace(
        before,
        now=before.now + timedelta(seconds=after_s),
        now_s=before.now_s + after_s,
        group=planned.group,
        sockets=tuple(replace(s, offer=planned.offers[s.connector]) for s in before.sockets),
    )


def binding(offer: Offer) -> tuple[str, str]:
    assert offer.binding is not None
    return offer.binding.source.name, offer.binding.reason


@pytest.mark.parametrize("rows", [[], [row(sources.MINIMUM, 7)]])
def test_without_a_limit_of_the_station_nothing_is_shared(rows: list[LimitRow]) -> None:
    assert shared_limit(rows) is None
    planned = plan(snapshot(*rows))
    assert (planned.shared, planned.due_s) == (False, None)
    assert {number: offer.amps for number, offer in planned.offers.items()} == {1: 32.0, 2: 32.0}
    assert binding(planned.offers[1]) == ("board", "setting")


def test_each_shared_phase_names_its_lowest_row() -> None:
    line, backend = row(sources.SUPPLY_LINE, 32, 16, 20), row(sources.OCPP_STATION, 20, 20, -1)
    limit = shared_limit([line, backend])
    assert limit is not None
    assert limit.amps == PerPhase(20.0, 16.0, 0.0)
    assert limit.rows == (backend, line, backend)
    assert limit.row_of(None) is backend
    assert limit.row_of(SupplyLink(ROOT, GridPhase.N2)) is line


def test_a_share_has_source_and_date_of_its_lowest_row() -> None:
    first = snapshot(row(sources.SUPPLY_LINE, 20), row(sources.OCPP_STATION, 32))
    planned = plan(first)
    assert [offer.amps for offer in planned.offers.values()] == [10.0, 10.0]
    assert binding(planned.offers[1]) == ("supply_line", "fair_share")
    again = plan(next_of(first, planned, 60.0))
    assert again.offers == planned.offers


def test_grid_rows_are_rotated_to_the_socket() -> None:
    turned = socket(1, rotation=Rotation.STR, phase_count=1)
    rows = (row(sources.SUPPLY_LINE, 32, 8, 32), row(sources.OCPP_STATION, 32, 32, 32))
    offer = plan(snapshot(*rows, sockets=(turned,))).offers[1]
    assert offer.amps == 8.0
    others = [one.amps for one in offer.rows if one.source is sources.OCPP_STATION]
    assert others == [PerPhase.same(32.0)]


def test_an_own_row_binds_when_it_is_as_low_as_the_share() -> None:
    sockets = (socket(1, row(sources.BOARD, 32), row(sources.OPERATOR, 10)), socket(2))
    planned = plan(snapshot(row(sources.SUPPLY_LINE, 32), sockets=sockets))
    assert [offer.amps for offer in planned.offers.values()] == [10.0, 22.0]
    names = [one.source.name for one in planned.offers[1].effective]
    assert names == ["operator", "supply_line"]


def test_increases_wait_until_the_others_must_have_followed() -> None:
    first = snapshot(row(sources.SUPPLY_LINE, 32), sockets=(socket(1), socket(2, wants=False)))
    planned = plan(first)
    assert [offer.amps for offer in planned.offers.values()] == [32.0, 0.0]
    both = replace(next_of(first, planned, 60.0), sockets=(socket(1), socket(2)))
    soon = plan(both)
    assert [offer.amps for offer in soon.offers.values()] == [16.0, 0.0]
    assert binding(soon.offers[2]) == ("supply_line", "waits_for_others")
    later = plan(next_of(both, soon, SETTLE_S + 0.1))
    assert [offer.amps for offer in later.offers.values()] == [16.0, 16.0]


@pytest.mark.parametrize("station", [[], [row(sources.SUPPLY_LINE, 32)]])
def test_a_paused_plan_offers_nothing_with_a_reason_and_a_retry(
    station: list[LimitRow],
) -> None:
    planned = paused(snapshot(*station))
    assert {offer.amps for offer in planned.offers.values()} == {0.0}
    assert binding(planned.offers[1]) == ("load_management", "paused")
    assert planned.due_s == 1000.0 + RETRY_S


def test_lowering_never_raises_an_offer_and_keeps_the_shares() -> None:
    first = snapshot()
    before = next_of(first, plan(first), 60.0)
    assert lowered(before) == {s.connector: s.offer for s in before.sockets}
    own = replace(before.sockets[0], rows=(row(sources.BOARD, 32), row(sources.OCPP_TX, 9)))
    fallen = replace(
        before, sockets=(own, before.sockets[1]), station=(row(sources.OCPP_STATION, 20),)
    )
    offers = lowered(fallen)
    assert [offer.amps for offer in offers.values()] == [9.0, 11.0]
    assert binding(offers[1]) == ("ocpp_tx", "setting")
    assert binding(offers[2]) == ("ocpp_station", "group_limit")


def test_a_row_that_rose_raises_no_offer_without_a_plan() -> None:
    first = snapshot(sockets=(socket(1, row(sources.BOARD, 16)),))
    offer = plan(first).offers[1]
    assert lowered_offer(offer, [row(sources.BOARD, 32)], 3) == offer
    assert lowered_offer(offer, [row(sources.BOARD, 10)], 3).amps == 10.0
