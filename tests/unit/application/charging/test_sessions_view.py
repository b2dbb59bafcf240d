"""Figures of the sessions: what the last month is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from borne.application.charging.sessions_view import SessionsService
from borne.application.settings.running import RunningSettings
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock, ClockTrust, Moment
from tests.unit.adapters.storage.builders import end, opened, start

BEGINS = {
    "2026-02-28T22:59:00": 1,
    "2026-02-28T23:30:00": 10,
    "2026-03-31T21:59:00": 100,
    "2026-03-31T22:30:00": 1000,
    "2026-09-30T21:59:00": 1,
    "2026-09-30T22:30:00": 10,
    "2026-10-31T22:59:00": 100,
    "2026-10-31T23:30:00": 1000,
}
"""In UTC, around the ends of months in which Brussels changes its clocks; and the energy in Wh."""


@pytest.mark.parametrize(
    ("now", "zone", "energy_wh"),
    [
        ("2026-04-15T12:00:00", "Europe/Brussels", 110),
        ("2026-04-15T12:00:00", "UTC", 1100),
        ("2026-11-15T12:00:00", "Europe/Brussels", 110),
        ("2026-11-15T12:00:00", "UTC", 1100),
        # In Brussels it is November already, or April.
        ("2026-10-31T23:15:00", "Europe/Brussels", 110),
        ("2026-10-31T23:15:00", "UTC", 11),
        ("2026-03-31T22:15:00", "Europe/Brussels", 110),
        ("2026-03-31T22:15:00", "UTC", 11),
    ],
)
async def test_the_last_month_follows_the_time_zone_of_the_station(
    tmp_path: Path, now: str, zone: str, energy_wh: int
) -> None:
    storage = await opened(tmp_path)
    for number, (begin, wh) in enumerate(BEGINS.items()):
        wall = datetime.fromisoformat(begin).replace(tzinfo=UTC)
        begun = Moment("boot", number * 1e6, wall)
        await storage.journal.open(start(f"s{number}", when=begun, wh=0), None)
        ended = Moment("boot", number * 1e6 + 60, wall + timedelta(minutes=1))
        await storage.journal.close(f"s{number}", end(ended, wh), None)
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    clock = Clock(lambda: 0.0, moment, ClockTrust.NTP)
    settings = RunningSettings(Settings(stored={"TimeZone": "Asia/Tokyo"}))
    service = SessionsService(storage.journal, settings, clock)
    await service.totals()
    settings.replace(Settings(stored={"TimeZone": zone}))
    figures = await service.totals()
    await storage.close()
    assert (figures.last_month.energy_wh, figures.everything.energy_wh) == (energy_wh, 2222)
