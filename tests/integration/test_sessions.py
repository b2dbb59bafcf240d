"""What a station keeps of its sessions, on virtual time: figures, privacy (manual 3, retention)."""
# ruff: noqa: N802 -- a test of a setting is named after it

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from borne.application.ports.storage import SessionGrouping, SessionQuery
from borne.application.refusals import Refused
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from tests.support.running_station import CARD, RunningStation, running_station
from tests.support.virtual_time import virtual_time

OTHER = "0A0E9B83"
LISTED: dict[str, Any] = {"FLLEnable": "on", "RFIDTagLetterCase": "upper"}
BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR_S, DAY_S = 3600.0, 86_400.0


async def charge(
    station: RunningStation, card: str, number: int, duration_s: float = HOUR_S
) -> None:
    """A session from plug to unplug."""
    await station.services.whitelist.add(card, SYSTEM)
    await station.plug(number)
    await station.card(card, number)
    await asyncio.sleep(duration_s)
    await station.simulator.unplug(number, force=True)
    await asyncio.sleep(10.0)


async def count(station: RunningStation) -> int:
    return (await station.services.sessions.page())[1]


@virtual_time
async def test_SessionRetentionDays(tmp_path: Path) -> None:
    async with running_station(tmp_path, wall=lambda: BEGIN, **LISTED) as station:
        await charge(station, CARD, 1)
        await asyncio.sleep(3 * DAY_S)
        await charge(station, CARD, 1)
        await station.set(SessionRetentionDays="3")
        await asyncio.sleep(DAY_S)
        assert await count(station) == 1
        await station.set(SessionRetentionDays="0")
        await asyncio.sleep(30 * DAY_S)
        assert await count(station) == 1
    later = BEGIN + timedelta(days=60)
    async with running_station(tmp_path, wall=lambda: later, SessionRetentionDays=30) as station:
        await asyncio.sleep(1.0)
        assert await count(station) == 0


@virtual_time
async def test_without_a_date_no_session_is_deleted(tmp_path: Path) -> None:
    async with running_station(tmp_path, wall=lambda: BEGIN, **LISTED) as station:
        await charge(station, CARD, 1)
    unset = datetime(1970, 1, 1, tzinfo=UTC)
    async with running_station(tmp_path, wall=lambda: unset, SessionRetentionDays=1) as station:
        await asyncio.sleep(30 * DAY_S)
        assert await count(station) == 1


@virtual_time
async def test_figures_per_socket_and_per_card(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await charge(station, CARD, 1, 2 * HOUR_S)
        await charge(station, CARD, 2)
        await charge(station, OTHER, 2)
        sessions = station.services.sessions
        cards = await sessions.statistics(SessionGrouping.CARD)
        found = [
            (group.identity.id_token, group.totals.sessions) for group in cards if group.identity
        ]
        assert found == [(CARD, 2), (OTHER, 1)]
        sockets = await sessions.statistics(SessionGrouping.CONNECTOR)
        assert sorted((group.connector, group.totals.sessions) for group in sockets) == [
            (1, 1),
            (2, 2),
        ]
        totals = await sessions.totals()
        energy_wh = sum(group.totals.energy_wh for group in sockets)
        assert energy_wh / 3 == totals.everything.mean_energy_wh > 10_000
        assert len(await sessions.statistics(SessionGrouping.CARD, limit=1)) == 1


@virtual_time
async def test_a_short_session_has_its_highest_power(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await station.plug(1)
        await station.card(CARD, 1)
        await asyncio.sleep(30.0)
        ((running,), _) = await station.services.sessions.page()
        assert running.max_power_w == 0.0
        await station.simulator.unplug(1, force=True)
        await asyncio.sleep(10.0)
        ((record,), _) = await station.services.sessions.page()
        assert record.end is not None
        assert 10_000 < record.max_power_w < 12_000
        assert await station.services.sessions.curve(record.session_id) == []


@virtual_time
async def test_a_changed_sample_interval_takes_effect_at_once(tmp_path: Path) -> None:
    settings = {"FreeCharging": "on", "FreeChargingMode": "full_fixed_without_auth"}
    url = "ws://127.0.0.1:9/"
    elsewhere: dict[str, Any] = {"ConnectionType": "ethernet", "WebSocketsBackendURL": url}
    changes = settings | elsewhere | {"MeterValueSampleInterval": 900}
    async with running_station(tmp_path, **changes) as station:
        await station.plug(1)
        await asyncio.sleep(100.0)
        ((record,), _) = await station.services.sessions.page()
        curve = station.services.sessions.curve
        assert await curve(record.session_id) == []
        await station.set(MeterValueSampleInterval=200)
        await asyncio.sleep(310.0)
        times = [point.at.monotonic_s for point in await curve(record.session_id)]
        assert len(times) == 2
        assert times[1] - times[0] == pytest.approx(200.0, abs=0.1)
        await station.set(StationName="the same interval")
        await asyncio.sleep(200.0)
        assert len(await curve(record.session_id)) == 3
        await station.set(MeterValueSampleInterval=10)
        await asyncio.sleep(25.0)
        assert len(await curve(record.session_id)) == 6


@virtual_time
async def test_an_export_has_every_session_once(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        for number in (1, 2, 1):
            await charge(station, CARD, number)
        sessions = station.services.sessions
        settings = [record.start.connector async for some in sessions.export() for record in some]
        assert settings == [1, 2, 1]
        of_two = [
            record.start.connector
            async for some in sessions.export(SessionQuery(connector=2))
            for record in some
        ]
        assert of_two == [2]


@virtual_time
async def test_without_a_backend_nothing_is_queued(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await charge(station, CARD, 1)
        ((record,), _) = await station.services.sessions.page()
        assert not record.start.reported
    url = "ws://127.0.0.1:9/"
    elsewhere: dict[str, Any] = {"ConnectionType": "ethernet", "WebSocketsBackendURL": url}
    async with running_station(tmp_path, **elsewhere) as station:
        assert station.services.status.snapshot().backend.queue == 0


@virtual_time
async def test_making_a_card_anonymous_keeps_the_energy(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await charge(station, CARD, 1)
        await charge(station, OTHER, 1)
        sessions = station.services.sessions
        before = await sessions.totals()
        assert await sessions.anonymise(SYSTEM, id_token=CARD) == 1
        tokens = [
            record.start.identity.id_token async for some in sessions.export() for record in some
        ]
        assert tokens == [OTHER, ""]
        assert await sessions.totals() == before
        with pytest.raises(Refused, match="Name the card"):
            await sessions.anonymise(SYSTEM)
        user = Principal(PrincipalKind.PERSON, Role.USER)
        with pytest.raises(Refused, match="needs operator"):
            await sessions.anonymise(user, id_token=OTHER)
