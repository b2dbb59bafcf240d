"""Limits of a whole station on virtual time: expiry, history, and sharing that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from borne.application.limits.limit_service import STATION, LimitService
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import Source
from borne.domain.load_management import group as load_group
from borne.foundation.clock import parse_utc
from borne.foundation.units import PerPhase
from tests.support.running_station import RunningStation, running_station
from tests.support.virtual_time import run_virtual, virtual_time

FREE: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
BIG: dict[str, Any] = {"max_a": 32}


def service(station: RunningStation) -> LimitService:
    running = station.host.station
    assert running is not None
    return running.limits


def put(station: RunningStation, connector: int, source: Source, amps: float, for_s: float) -> None:
    until_s = asyncio.get_running_loop().time() + for_s
    since = station.services.clock.now()
    row = LimitRow(source, PerPhase.same(amps), LimitCause.SETTING, since, until_s)
    service(station).put(connector, row)


def offered(station: RunningStation, number: int = 1) -> float:
    return float(station.connector(number)["offered_a"][0])


def row_of(station: RunningStation, source: str) -> dict[str, Any]:
    """The row of a source at socket 1, as the status shows it."""
    rows: list[dict[str, Any]] = station.connector()["limits"]
    return next(row for row in rows if row["source"] == source)


@virtual_time
async def test_an_expired_limit_of_a_socket_becomes_its_fallback(tmp_path: Path) -> None:
    async with running_station(tmp_path, **FREE) as station:
        await station.plug(1, BIG)
        await asyncio.sleep(10.0)
        put(station, 1, sources.ENERGY_MANAGER, 13.0, for_s=60.0)
        assert offered(station) == 13.0
        until = parse_utc(row_of(station, "energy_manager")["until"])
        left = until - station.services.clock.now()
        assert left.total_seconds() == pytest.approx(60.0, abs=0.01)
        await asyncio.sleep(60.1)
        assert offered(station) == 6.0
        row = row_of(station, "energy_manager")
        assert (row["reason"], row["until"], row["effective"]) == ("fallback", None, True)


@virtual_time
async def test_an_expired_limit_of_the_station_pauses_all(tmp_path: Path) -> None:
    async with running_station(tmp_path, **FREE) as station:
        await station.plug(1, BIG)
        await station.plug(2, BIG)
        put(station, STATION, sources.OCPP_STATION, 40.0, for_s=60.0)
        await asyncio.sleep(30.0)
        assert (offered(station, 1), offered(station, 2)) == (20.0, 20.0)
        await asyncio.sleep(30.1)
        assert (offered(station, 1), offered(station, 2)) == (0.0, 0.0)


@virtual_time
async def test_the_history_holds_every_change_and_its_cause(tmp_path: Path) -> None:
    async with running_station(tmp_path, **FREE, OperatorCurrentLimit=16) as station:
        await station.plug(1, BIG | {"cable_a": 13})
        await asyncio.sleep(1.0)
        await station.set(OperatorCurrentLimit="10")
        changes = [
            (change.before_a, change.after_a, change.cause)
            for change in service(station).history
            if change.connector == 1
        ]
        assert changes == [(0.0, 16.0, "operator"), (16.0, 13.0, "cable"), (13.0, 10.0, "operator")]


def test_when_the_distribution_fails_all_sockets_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ArithmeticError("a mistake")

    async def scenario(break_it: Callable[[], None], repair_it: Callable[[], None]) -> None:
        async with running_station(tmp_path, **FREE, SingleSupplyLine="on") as station:
            await station.plug(1, BIG)
            await asyncio.sleep(10.0)
            assert offered(station) == 32.0
            break_it()
            await station.plug(2, BIG)
            await asyncio.sleep(1.0)
            assert (offered(station, 1), offered(station, 2)) == (0.0, 0.0)
            repair_it()
            await asyncio.sleep(90.0)
            assert (offered(station, 1), offered(station, 2)) == (16.0, 16.0)

    run_virtual(scenario(lambda: monkeypatch.setattr(load_group, "plan", fail), monkeypatch.undo))
    assert "the distribution failed" in caplog.text
