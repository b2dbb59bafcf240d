"""What a start asks of the disk: with many stations in a process each job and each file counts
(decision 0176)."""

from __future__ import annotations

from pathlib import Path

import pytest

from borne.adapters.storage.database import Database
from tests.support.central_system import CentralSystem, central_system
from tests.support.running_station import running_station


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs of the databases."""
    asked: list[str] = []
    submit = Database._submit

    async def counted(self: Database, job: object) -> object:
        asked.append("job")
        return await submit(self, job)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(Database, "_submit", counted)
    return asked


async def start_and_end(data: Path, central: CentralSystem) -> None:
    central.ledger.seen.clear()
    central.ledger.interval_s = 1234  # held in memory, and told to all whom a change concerns
    async with running_station(
        data, ConnectionType="ethernet", ChargePointID="CP", WebSocketsBackendURL=central.url
    ) as station:
        await station.until_online()
        for connector in (1, 2):
            await central.ledger.wait_for(
                "StatusNotification", connector_id=connector, status="Available"
            )


async def test_a_start_opens_the_database_and_the_first_one_stores_its_backend(
    tmp_path: Path, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with central_system() as central:
        await start_and_end(tmp_path, central)
        assert len(jobs) == 2
        jobs.clear()
        stored: list[Path] = []
        replace = Path.replace

        def noted(path: Path, target: Path) -> Path:
            stored.append(target)
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", noted)
        await start_and_end(tmp_path, central)
    assert len(jobs) == 1
    assert stored == [], "no file of a start is written anew"
