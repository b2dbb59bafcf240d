"""The security log is looked at when a station starts: a change is reported once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from borne.application.security.security_events import SecurityEvent, SecurityEvents
from tests.support.running_station import RunningStation, running_station
from tests.support.timeouts import TEST_TIMEOUT_S

EVENTS = 5


def events(station: RunningStation) -> SecurityEvents:
    running = station.host.station
    assert running is not None
    return running.events


async def event_texts(station: RunningStation) -> list[str]:
    """What was noted about a changed log."""
    found = []
    sources = events(station)
    while (event := await sources.next()) is not None:
        if event.kind == SecurityEvent.TAMPER_DETECTION:
            found.append(event.detail)
        await sources.reported(event.seq)
    return found


async def wait_for_events(station: RunningStation) -> list[str]:
    noted = asyncio.Event()
    forget = events(station).noted.subscribe(lambda _: noted.set())
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while not (found := await event_texts(station)):
                await noted.wait()
                noted.clear()
            return found
    finally:
        forget()


async def test_a_changed_log_is_reported_once(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        for number in range(EVENTS):
            await events(station).note(SecurityEvent.RECONFIGURATION, f"change {number}")
        await events(station).check()
        assert await event_texts(station) == []
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        connection.execute("UPDATE security_event SET detail = 'nothing' WHERE seq = 3")
        connection.commit()
    async with running_station(tmp_path) as station:
        assert await wait_for_events(station) == ["security log, event 3"]
    async with running_station(tmp_path) as station:
        await events(station).check()
        assert await event_texts(station) == []
