"""Any file of the data folder missing, empty, cut short, garbage, of another station or of a newer
version: the station starts, tells what is missing, opens no account that was closed, and knows that
it was in use."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from borne.adapters.storage import open_storage
from borne.application.certificate_ports import RootUse
from borne.application.ports import WhitelistEntry
from borne.domain.principals import SYSTEM, Role
from borne.foundation.clock import Clock, ClockTrust
from tests.support.street import Street, street
from tests.unit.adapters.storage.builders import NOON, start, start_message, values_message

NOWHERE = "ws://127.0.0.1:9/ocpp"
TOKEN = "04567DAA5F3580"
PAGE = 4096


async def use(folder: Path, seed: int) -> None:
    """A station that was set up, and was killed in mid-session with messages in its queue."""
    options = {"new_id": iter_ids(seed)}
    async with street(
        folder, seed=seed, options=options, InstallationCurrentLimit=20, ConnectorName=f"S{seed}"
    ) as one:
        await one.services.accounts.set_password(Role.OPERATOR, "a good password")
        await one.services.whitelist.add(WhitelistEntry(TOKEN, name="Anna"), SYSTEM)
        await one.host._write_decisions()
    root = folder / "certificates" / RootUse.CENTRAL_SYSTEM.value / "some.pem"
    root.parent.mkdir(parents=True)
    root.write_text(ssl.DER_cert_to_PEM_cert(b"\x30\x82\x01\x00" + bytes(256)))
    clock = Clock(lambda: 0.0, NOON, ClockTrust.NTP)
    storage = await open_storage(folder, clock, iter_ids(seed + 100))
    await storage.frames.append([{"at": "2026-11-22T12:00:00Z", "text": "[]"}])
    await storage.journal.open(start(f"ended-{seed}", connector=1), start_message(f"ended-{seed}"))
    for number in range(12):
        name = f"session-{seed}-{number}"
        await storage.journal.open(start(name, connector=2), start_message(name))
        await storage.journal.queue(values_message(name, connector_id=2, meter_value=[{}] * 200))
    storage.abort()


def iter_ids(seed: int) -> Callable[[], str]:
    """Ids that two stations do not share."""
    numbers = iter(range(1_000_000))
    return lambda: f"{seed}-{next(numbers)}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two stations."""
    base = tmp_path_factory.mktemp("used")
    for seed in (1, 2):
        asyncio.run(use(base / str(seed), seed))
    return base / "1", base / "2"


@pytest.fixture
def data(folders: tuple[Path, Path], tmp_path: Path) -> Path:
    shutil.copytree(folders[0], tmp_path / "data")
    return tmp_path / "data"


# Damage ---------------------------------------------------------------------------------------


def missing(path: Path, _: Path) -> None:
    path.unlink()


def empty(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def half(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage(path: Path, _: Path) -> None:
    path.write_bytes(b"\xa5" * path.stat().st_size)


def foreign(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def folder_in_its_place(path: Path, _: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "something").touch()


Damage = Callable[[Path, Path], None]
DAMAGE: tuple[Damage, ...] = (missing, empty, half, garbage, foreign, folder_in_its_place)
FILES = (
    "station.db",
    "station.db-wal",
    "station.db-shm",
    "commissioned.json",
    "reserve",
    "lock",
    "control.sock",
    "decisions.jsonl",
    "messages/00000001.jsonl",
    "certificates/central_system/some.pem",
)


def inside(folder: Path, name: str) -> Path:
    path = folder / name
    if "certificates" in name:
        (path,) = (folder / "certificates").rglob("*.pem")
    return path


def damage(data: Path, other: Path, name: str, how: Damage) -> None:
    path = inside(data, name)
    if not path.exists():
        path.write_bytes(b"stale")
    source = inside(other, name)
    how(path, source if source.exists() else path)


@asynccontextmanager
async def started(data: Path) -> AsyncIterator[Street]:
    """The station on it, with the command line's door."""
    from borne.adapters.storage.lock import FolderLock

    with FolderLock(data):
        async with street(
            data,
            options={"control_socket": True},
            RestartTransactionAfterPowerLoss="off",
            ConnectionType="ethernet",
            WebSocketsBackendURL=NOWHERE,
        ) as one:
            yield one


async def queue_of(one: Street) -> set[str]:
    waiting = one.services.queue
    return {str(message["session_id"]) for message in (await waiting(limit=100)).messages}


def notices(one: Street) -> list[str]:
    return list(one.services.status.snapshot()["notices"])


def faults(one: Street) -> list[str]:
    return [fault["id"] for fault in one.services.status.snapshot()["faults"]]


KEEPS = {"station.db-shm", "reserve", "lock", "control.sock", "decisions.jsonl"}
"""Nothing is lost with these."""


@pytest.mark.parametrize("how", DAMAGE, ids=lambda how: how.__name__)
@pytest.mark.parametrize("name", FILES)
async def test_a_station_starts_with_any_file_damaged(
    data: Path, folders: tuple[Path, Path], name: str, how: Damage
) -> None:
    damage(data, folders[1], name, how)
    async with started(data) as one:
        for number in (1, 2):
            found_faults = {fault["id"] for fault in one.connector(number)["faults"]}
            # Another street has other meters.
            assert found_faults <= {"meter-implausible"}
        accounts = one.services.accounts
        assert await accounts.has_password(Role.OPERATOR), "the operator's account is open again"
        found = notices(one)
        sessions, number = await one.services.sessions.page(limit=100)
        assert not any(s.session_id.startswith("session-2") for s in sessions)
        if number < 13:
            assert "storage-damaged" in faults(one)
            assert any("station.db" in notice for notice in found), found
        if name in KEEPS:
            assert number == 13
            assert [notice for notice in found if "there was a folder" not in notice] == []
        if name == "station.db-shm":
            assert len(await queue_of(one)) == 13
