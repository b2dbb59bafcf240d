"""Any file of the data folder missing, empty, cut short, garbage, of another station or of a
newer version: the station starts, reports what is missing, opens no account that was closed, and
knows that it was in use."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from borne.adapters.storage import open_storage
from borne.adapters.storage.decision_files import DecisionFiles
from borne.application.people.accounts import PRINTED_PASSWORD, WrongPassword
from borne.application.ports.certificates import RootUse
from borne.application.ports.storage import Storage, StorageDamaged
from borne.domain.principals import SYSTEM, Role
from borne.foundation.clock import Clock, ClockTrust
from tests.support.frames import frame
from tests.support.running_station import RunningStation, running_station
from tests.unit.adapters.storage.builders import NOON, start, start_message, values_message

NOWHERE = "ws://127.0.0.1:9/ocpp"
TOKEN = "04567DAA5F3580"
PAGE = 4096


async def use(folder: Path, seed: int) -> None:
    """A station that was set up, and was killed in mid-session with messages in its queue."""
    options = {"new_id": iter_ids(seed)}
    async with running_station(
        folder, seed=seed, options=options, InstallationCurrentLimit=20, ConnectorName=f"S{seed}"
    ) as one:
        await one.services.accounts.set_password(Role.OPERATOR, "a good password")
        await one.services.whitelist.add(TOKEN, SYSTEM, name="Anna")
        DecisionFiles(folder).append(["{}"])
    root = folder / "certificates" / RootUse.CENTRAL_SYSTEM.value / "some.pem"
    root.parent.mkdir(parents=True)
    root.write_text(ssl.DER_cert_to_PEM_cert(b"\x30\x82\x01\x00" + bytes(256)))
    clock = Clock(lambda: 0.0, NOON, ClockTrust.NTP)
    storage = await open_storage(folder, clock, iter_ids(seed + 100))
    await storage.frames.append([frame()])
    await storage.journal.open(start(f"ended-{seed}", connector=1), start_message(f"ended-{seed}"))
    for number in range(12):
        name = f"session-{seed}-{number}"
        await storage.journal.open(start(name, connector=2), start_message(name))
        await storage.journal.queue(values_message(name, value="1" * 600))
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
async def started(data: Path) -> AsyncIterator[RunningStation]:
    """The station on it, with the command line's door."""
    from borne.adapters.storage.lock import FolderLock

    with FolderLock(data):
        async with running_station(
            data,
            options={"control_socket": True},
            RestartTransactionAfterPowerLoss="off",
            ConnectionType="ethernet",
            WebSocketsBackendURL=NOWHERE,
        ) as one:
            yield one


async def queue_of(one: RunningStation) -> set[str]:
    waiting = one.services.queue
    messages = (await waiting(limit=100)).messages
    return {str(message.queued.message.session_id) for message in messages}


def notices(one: RunningStation) -> list[str]:
    return [str(notice) for notice in one.services.status.snapshot().notices]


def faults(one: RunningStation) -> list[str]:
    return [active.fault.value for active in one.services.status.snapshot().faults]


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
            # Another simulated world has other meters.
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
            assert [notice for notice in found if "was in the place of" not in notice] == []
        if name == "station.db-shm":
            assert len(await queue_of(one)) == 13


GONE: tuple[tuple[str, ...], ...] = (
    ("station.db", "station.db-wal", "station.db-shm"),
    ("station.db", "station.db-wal", "station.db-shm", "commissioned.json"),
    ("station.db", "commissioned.json"),
    ("commissioned.json", "meters", "messages", "decisions.jsonl"),
)


@pytest.mark.parametrize("names", GONE, ids="+".join)
async def test_the_printed_password_never_comes_back(data: Path, names: Iterable[str]) -> None:
    for name in names:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    async with started(data) as one:
        assert notices(one)
        assert "storage-damaged" in faults(one)
        with pytest.raises(WrongPassword):
            await one.services.accounts.login("operator", PRINTED_PASSWORD, "192.0.2.1")
        assert one.services.notices is not None
        await one.services.notices.acknowledge(SYSTEM)
        assert notices(one) == []
        assert "storage-damaged" not in faults(one)
    async with started(data) as one:
        assert notices(one) == []
        assert await one.services.accounts.has_password(Role.OPERATOR)


def turned(path: Path, text: str) -> None:
    """The lowest bit of the last letter of a text in a file is another."""
    content = path.read_text()
    assert text in content
    path.write_text(content.replace(text, text[:-1] + chr(ord(text[-1]) ^ 1)))


@pytest.mark.parametrize("database", ["there", "missing", "empty"])
async def test_a_flipped_bit_in_a_role_opens_no_account(data: Path, database: str) -> None:
    await merged(data)
    turned(data / "commissioned.json", "operator")
    if database != "there":
        (data / "station.db").write_bytes(b"")
    if database == "missing":
        (data / "station.db").unlink()
    async with started(data) as one:
        assert any("commissioned.json" in notice for notice in notices(one))
        with pytest.raises(WrongPassword):
            await one.services.accounts.login("operator", PRINTED_PASSWORD, "192.0.2.1")


async def test_a_flipped_bit_in_the_name_loses_no_session(data: Path) -> None:
    await merged(data)
    station = json.loads((data / "commissioned.json").read_text())["station"]
    turned(data / "commissioned.json", station)
    storage = await opened(data)
    _, number = await storage.journal.page(limit=100)
    assert (number, await storage.outbox.length()) == (13, 25)
    assert ["commissioned.json" in str(notice) for notice in storage.notices] == [True]
    await storage.close()
    again = await opened(data)
    assert again.notices == ()
    await again.close()
    assert json.loads((data / "commissioned.json").read_text())["station"] == station


async def opened(data: Path) -> Storage:
    return await open_storage(data, Clock(lambda: 0.0, NOON, ClockTrust.NTP), iter_ids(7))


async def merged(data: Path) -> int:
    """The database without its log, as after a polite end; how many pages it has."""
    await (await opened(data)).close()
    return (data / "station.db").stat().st_size // PAGE


async def test_a_damaged_page_loses_its_table_and_the_station_starts(
    data: Path, tmp_path: Path
) -> None:
    pages = await merged(data)
    kept = 0
    for page in range(pages):
        copy = tmp_path / f"page-{page}"
        shutil.copytree(data, copy)
        content = bytearray((copy / "station.db").read_bytes())
        content[page * PAGE : (page + 1) * PAGE] = b"\xa5" * PAGE
        (copy / "station.db").write_bytes(content)
        storage = await opened(copy)
        _, number = await storage.journal.page(limit=100)
        waiting = await storage.outbox.length()
        assert await storage.accounts.password_hash(Role.OPERATOR) is not None
        if storage.notices:
            assert "station-damaged-1" in str(storage.notices[0])
            assert (number, waiting) in ((13, 25), (13, 0), (0, 25), (0, 0))
        else:
            assert (number, waiting) == (13, 25)
        kept += (number, waiting) == (13, 25)
        await storage.close()
        again = await opened(copy)
        assert again.notices == ()
        await again.close()
    assert kept > pages // 4


async def test_message_ids_are_not_reused_after_a_copy_was_restored(
    data: Path, tmp_path: Path
) -> None:
    """A copy of the folder that is put back knows nothing of what came later."""
    await merged(data)
    shutil.copytree(data, tmp_path / "copy")
    found = []
    for folder, seed in ((data, 7), (tmp_path / "copy", 8)):
        clock = Clock(lambda: 0.0, NOON, ClockTrust.NTP)
        storage = await open_storage(folder, clock, iter_ids(seed))
        before = [m.message_id for m in await storage.outbox.content()]
        await storage.journal.open(start("new"), start_message("new"))
        found.append((before, (await storage.outbox.content())[-1]))
        await storage.close()
    (old_1, new_1), (old_2, new_2) = found
    assert old_1 == old_2
    assert new_1.seq == new_2.seq
    assert new_1.message_id != new_2.message_id


async def test_a_truncated_write_ahead_log_is_reported(data: Path) -> None:
    log = data / "station.db-wal"
    log.write_bytes(log.read_bytes()[: 32 + 2 * (PAGE + 24)])
    storage = await opened(data)
    assert any("may be lost" in str(notice) for notice in storage.notices)
    await storage.close()


async def test_damage_found_while_running_is_reported_and_put_aside_at_the_next_start(
    data: Path,
) -> None:
    await merged(data)
    storage = await opened(data)
    found: list[str] = []
    storage.damage.subscribe(lambda notice: found.append(str(notice)))
    content = bytearray((data / "station.db").read_bytes())
    content[PAGE:] = b"\xa5" * (len(content) - PAGE)
    (data / "station.db").write_bytes(content)
    with pytest.raises(StorageDamaged):
        await storage.journal.page(limit=100)
    await asyncio.sleep(0)
    assert len(found) == 1
    storage.abort()
    storage = await opened(data)
    assert "station.db was damaged" in str(storage.notices[0])
    await storage.close()
