"""The README's first try on a fresh station, and what a refused card says."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from borne import serve
from borne.adapters.simulation.world_view import CARDS
from borne.adapters.storage.commissioning import Commissioning
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.refused_card import refused
from borne.app import Host, HostOptions
from borne.domain.authorization.decision import Reason
from borne.domain.principals import SYSTEM
from borne.domain.station.station_status import LastCard, StationStatus
from borne.foundation.clock import ClockTrust
from borne.serve import ServeOptions
from tests.support.running_station import RunningStation, running_station

ANNA, UNKNOWN = CARDS[0]["uid"], "DEADBEEF"
BACKEND = (("ConnectionType", "ethernet"), ("WebSocketsBackendURL", "ws://127.0.0.1:9/"))


async def first_start(data: Path, *changes: tuple[str, str]) -> RunningStation:
    """What `borne serve` does before it listens."""
    new = Commissioning(data).is_new()
    settings = serve._prepare(ServeOptions(data, changes=changes), new=new)
    cards = serve._first_cards(settings.settings) if new else ()
    host = Host(
        HostOptions(data, live=False, control_socket=False, rng=random.Random(1), first_cards=cards)
    )
    await host.start()
    return RunningStation(host)


def entries(one: RunningStation) -> list[str]:
    return [entry.name for entry in one.services.whitelist.page()[0]]


async def test_the_first_card_of_a_fresh_station_charges(tmp_path: Path) -> None:
    one = await first_start(tmp_path)
    assert entries(one) == ["Anna (for trying out)"]
    await one.plug()
    await one.card(ANNA)
    await one.until_state("charging")
    await one.host.stop()


@pytest.mark.parametrize("changes", [BACKEND, (("FLLEnable", "off"),)], ids=["backend", "off"])
async def test_the_first_card_is_not_added_when_settings_were_given(
    tmp_path: Path, changes: tuple[tuple[str, str], ...]
) -> None:
    one = await first_start(tmp_path, *changes)
    assert entries(one) == []
    assert not one.services.settings.settings.flag("FLLEnable")
    await one.host.stop()


async def test_the_first_card_is_added_once(tmp_path: Path) -> None:
    one = await first_start(tmp_path)
    await one.services.whitelist.remove_all(SYSTEM)
    await one.host.stop()
    one = await first_start(tmp_path)
    assert entries(one) == []
    await one.host.stop()


async def test_a_station_that_was_in_use_gets_no_card(tmp_path: Path) -> None:
    async with running_station(tmp_path):
        pass
    (tmp_path / "station.db").unlink()
    one = await first_start(tmp_path)
    assert entries(one) == []
    await one.host.stop()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "local whitelist is switched off"),
        ({"FLLEnable": "on"}, "not on the local whitelist"),
        ({"FLLEnable": "on", "EnforceSecureRFID": "on"}, "protected against copying"),
        (
            {"ConnectionType": "ethernet", "WebSocketsBackendURL": "ws://127.0.0.1:9/"},
            "the backend cannot be reached",
        ),
    ],
)
async def test_a_refused_card_says_why_and_what_helps(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    async with running_station(tmp_path, **changes) as one:
        status = one.services.status
        await one.plug()
        await one.card(UNKNOWN)
        await one.until(lambda _: status.snapshot().last_card is not None)
        text = refused(status.snapshot(), Words("en"))
        assert expected in text
        assert "adbeef" in text


async def test_an_accepted_card_shows_no_reason(tmp_path: Path) -> None:
    async with running_station(tmp_path, FLLEnable="on") as one:
        await one.services.whitelist.add(ANNA, SYSTEM)
        await one.plug()
        await one.card(ANNA)
        await one.until_state("charging")
        snapshot = one.services.status.snapshot()
        assert snapshot.last_card is not None
        assert snapshot.last_card.accepted
        assert refused(snapshot, Words("en")) == ""


@pytest.mark.parametrize(
    ("why", "expected"),
    [("Blocked", "blocked"), ("Expired", "expired"), ("ConcurrentTx", "elsewhere")],
)
def test_the_status_from_the_backend_is_shown(why: str, expected: str) -> None:
    at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    card = LastCard(at, (1,), False, Reason.REFUSED_BY_BACKEND, why, "")
    seen = StationStatus(1, at, ClockTrust.NTP, (), last_card=card)
    assert expected in refused(seen, Words("en"))
    assert refused(replace(seen, time=at + timedelta(minutes=6)), Words("en")) == ""
