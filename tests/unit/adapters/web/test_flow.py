"""The bars of the dashboard: what flows on each phase, held only against what all sockets share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.present import flow, shared_limit, sockets
from borne.domain.load_management.topology import Rotation
from borne.domain.station.station_status import StationStatus
from borne.foundation.units import PerPhase
from tests.support.fake_station import free_connector, limit
from tests.support.status_reader import status_of

WORDS = Words("en")
OWN = [limit("board", 32, "hardware"), limit("installation", 32), limit("operator", 32)]


def charging(number: int, *amps: float, limits: list[dict[str, Any]] = OWN) -> dict[str, Any]:
    return free_connector(number) | {
        "measured_a": list(amps),
        "power_w": round(sum(amps) * 230),
        "limits": limits,
    }


def status(*connectors: dict[str, Any], shared: Sequence[dict[str, Any]] = ()) -> StationStatus:
    return status_of({"connectors": connectors, "limits": shared})


LINE = limit("supply_line", 32)


def test_sockets_without_a_shared_line_show_no_overload() -> None:
    found = flow(status(charging(1, 24, 24, 24), charging(2, 24, 24, 24)), WORDS)
    assert [bar.text for bar in found.bars] == ["48.0\u202fA"] * 3
    assert not any(bar.over for bar in found.bars)
    assert all(bar.limit_x is None for bar in found.bars)
    assert all(part.x + part.width <= 1000 for bar in found.bars for part in bar.segments)
    assert (found.limited, found.limit) == (False, "Each socket has its own limit")


def test_the_share_of_a_group_is_not_shown_as_a_limit_of_the_sum() -> None:
    rows = [*OWN, limit("load_management", 13, "fair_share", effective=True)]
    found = flow(
        status(charging(1, 13, 13, 13, limits=rows), charging(2, 13, 0, 0, limits=rows)), WORDS
    )
    assert not any(bar.over for bar in found.bars)


def test_the_sum_is_compared_with_supply_line_and_station_limit() -> None:
    two = status(
        charging(1, 12, 6, 6),
        charging(2, 12, 6, 6),
        shared=[LINE, limit("ocpp_station", 20, scope="station")],
    )
    assert shared_limit(two) == PerPhase(20, 20, 20)
    assert [bar.over for bar in flow(two, WORDS).bars] == [True, False, False]
    assert flow(two, WORDS).bars[0].text == "24.0\u00a0/\u00a020\u202fA"


def test_the_share_of_a_socket_is_not_the_limit_of_the_line() -> None:
    """The waterfall of a socket shows its share under the name of the line."""
    free = charging(2, 0, 0, 0, limits=[*OWN, limit("supply_line", 0, "no_demand")])
    found = flow(status(charging(1, 13, 13, 13), free, shared=[LINE]), WORDS)
    assert found.bars[0].text == "13.0\u00a0/\u00a032\u202fA"
    assert not any(bar.over for bar in found.bars)


def test_all_limits_of_a_single_socket_are_those_of_the_sum() -> None:
    rows = [limit("board", 32, "hardware"), limit("operator", 16)]
    found = flow(status(charging(1, 18, 15, 0, limits=rows)), WORDS)
    assert [bar.over for bar in found.bars] == [True, False, False]


def test_a_little_more_than_the_limit_is_no_overload() -> None:
    rows = [limit("operator", 16)]
    assert not flow(status(charging(1, 16.3, 16, 16, limits=rows)), WORDS).bars[0].over


def test_phases_that_are_turned_are_added_as_the_line_carries_them() -> None:
    two = status(charging(1, 24, 0, 0), charging(2, 24, 0, 0), shared=[LINE])
    turned = flow(two, WORDS, {1: Rotation.RST, 2: Rotation.STR})
    assert [bar.phase for bar in turned.bars] == ["N1", "N2", "N3"]
    assert [bar.text[:4] for bar in turned.bars] == ["24.0", "24.0", "0.0\u00a0"]
    assert not any(bar.over for bar in turned.bars)
    assert flow(two, WORDS).bars[0].over


def test_what_no_meter_gives_is_unknown_and_not_nothing() -> None:
    blind = charging(1, 0, 0, 0) | {"measured_a": None, "power_w": None}
    seen = status(blind, charging(2, 13, 13, 13))
    (card, _) = sockets(seen, {}, WORDS)
    assert [value for _, value, _ in card.phases] == ["–"] * 3
    assert card.big == "–"
    found = flow(seen, WORDS)
    assert [bar.text for bar in found.bars] == ["13.0\u202fA"] * 3
    assert found.headline == "Charging now: 9.0 kW".replace(" kW", "\u202fkW")
