"""What the storage costs: commits, queue, opening, many stations in one process.

    python -m tests.benchmarks.storage [--commits N] [--sessions N] [--stations N] [--folder DIR]

Give a folder on the disk in question: a sync is as dear as the disk makes it. Read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sqlite3
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from borne.adapters.storage import OpenFiles, open_storage
from borne.adapters.storage.open_files import FIRST_LIMIT, OFTEN
from borne.application.ports.storage import SessionGrouping, SessionQuery, Storage
from borne.domain.station.measurands import REGISTER, meter_value
from borne.domain.station.session import Sample, SessionEnd, SessionStart, StopReason
from borne.domain.station.transaction_messages import (
    MeterValuesMessage,
    StartMessage,
    StopMessage,
)
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.units import PerPhase

BEGAN_US = 1_700_000_000 * 10**6
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = Moment("boot", 1.0, NOW)
SAMPLE = Sample(AT, 1100, PerPhase.same(16.0), PerPhase.same(230.0), 11_000.0, 16.0)
VALUE = meter_value(SAMPLE, (REGISTER,))
assert VALUE is not None
VALUES = MeterValuesMessage("0", 1, (VALUE,))
ROW = "x" * 300
Calls = Callable[[int], Awaitable[object]]


async def opened(
    folder: Path, pool: ThreadPoolExecutor | None = None, open_files: OpenFiles | None = None
) -> Storage:
    clock = Clock(time.monotonic, NOW, ClockTrust.NTP, "boot")
    return await open_storage(folder, clock, executor=pool, open_files=open_files)


def start(session_id: str) -> SessionStart:
    return SessionStart(session_id, 1, Identity(IdentityKind.RFID, "04567DAA"), AT, 1000, True)


def stop_message(session_id: str) -> StopMessage:
    return StopMessage(session_id, 1, 2000, AT, StopReason.LOCAL)


def show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def start_message(session_id: str) -> StartMessage:
    return StartMessage(session_id, 1, "04567DAA", 1000, AT)


def bare_insert_ms(folder: Path, synchronous: str, commits: int) -> float:
    """The floor: one row in one commit of `sqlite3` itself."""
    path = folder / f"bare-{synchronous}.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, text TEXT)")
        began = time.perf_counter()
        for _ in range(commits):
            connection.execute("INSERT INTO row (text) VALUES (?)", (ROW,))
        return (time.perf_counter() - began) / commits * 1000


async def each_ms(count: int, call: Calls) -> tuple[float, float]:
    """Median and the worst in a hundred, in milliseconds."""
    figures = []
    for number in range(count):
        began = time.perf_counter()
        await call(number)
        figures.append((time.perf_counter() - began) * 1000)
    figures.sort()
    return statistics.median(figures), figures[int(count * 0.99)]


async def calls(folder: Path, count: int) -> None:
    """One call after the other, as a station makes them."""
    storage = await opened(folder)
    end = SessionEnd(AT, 2000, StopReason.LOCAL)
    journal, outbox = storage.journal, storage.outbox

    async def drain(_: int) -> None:
        queued = await outbox.next()
        assert queued is not None
        await outbox.answered(queued.seq, transaction_id=1)

    work: dict[str, tuple[int, Calls]] = {
        "open with Start": (
            count,
            lambda n: journal.open(start(f"{n}"), start_message(f"{n}")),
        ),
        "sample, no message": (count, lambda _: journal.sample("0", SAMPLE, None)),
        "sample with MeterValues": (
            count,
            lambda _: journal.sample("0", SAMPLE, VALUES),
        ),
        "close with Stop": (
            count,
            lambda n: journal.close(f"{n}", end, stop_message(f"{n}")),
        ),
        "next + answered": (3 * count, drain),
        "read a session": (count, lambda n: journal.get(f"{n}")),
        "page of 50": (count, lambda _: journal.page()),
        "put a state": (count, lambda n: storage.state.put("key", n)),
        "security event": (count, lambda n: storage.security.add("Event", f"{n}", AT)),
    }
    for name, (times, call) in work.items():
        median, worst = await each_ms(times, call)
        show(f"{name:28}{median:9.3f} ms   p99 {worst:8.3f} ms   {1000 / median:8.0f} /s")
    await storage.close()


async def openings(folder: Path, sessions: int) -> None:
    """New, full, and full after a power cut."""
    began = time.perf_counter()
    storage = await opened(folder)
    show(f"{'open, new':28}{(time.perf_counter() - began) * 1000:9.1f} ms")
    await storage.close()
    fill(folder, sessions, 600.0)
    size = (folder / "station.db").stat().st_size / 1e6
    for how in ("after a polite end", "after a power cut"):
        began = time.perf_counter()
        storage = await opened(folder)
        figure = (time.perf_counter() - began) * 1000
        show(f"{f'open, {sessions} sessions ({size:.0f} MB)':28}{figure:9.1f} ms {how}")
        await storage.state.put("key", 1)
        storage.abort()


def fill(folder: Path, sessions: int, every_s: float) -> None:
    """Ended sessions, one after the other, of 500 cards."""
    begins = [BEGAN_US + int(n * every_s * 1e6) for n in range(sessions)]
    with closing(sqlite3.connect(folder / "station.db")) as connection:
        connection.executemany(
            "INSERT INTO session (session_id, connector, identity_kind, id_token, start_boot,"
            " start_s, start_us, meter_start_wh, reported, start_flags, end_boot, end_s, end_us,"
            " meter_stop_wh, end_reason, end_flags, transaction_id, last_wh) VALUES (?, ?, 'RFID',"
            " ?, 'boot', 1.0, ?, 0, 1, '', 'boot', 2.0, ?, 9000, 'Local', '', ?, 9000)",
            [
                (session_id(n), n % 2 + 1, f"04{n % 500:06}", us, us + 5, n)
                for n, us in enumerate(begins)
            ],
        )
        connection.commit()


def session_id(number: int) -> str:
    """Ids in no order, as those of a station: they cost the check of the file the most."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


async def flatness(folder: Path, numbers: Sequence[int]) -> None:
    """What pages and exports ask of the sessions of one month, however many they are: medians."""
    columns = []
    for number in numbers:
        storage = await opened(folder / str(number))
        await storage.close()
        fill(folder / str(number), number, 30 * 86_400 / number)
        storage = await opened(folder / str(number))
        columns.append(await figures(storage, number))
        await storage.close()
    show(f"{'sessions in one month':28}" + "".join(f"{number:12}" for number in numbers))
    for name in columns[0]:
        show(f"{f'  {name}':28}" + "".join(f"{column[name]:9.3f} ms" for column in columns))


async def figures(storage: Storage, sessions: int) -> dict[str, float]:
    """Milliseconds of each question."""
    journal = storage.journal
    since = datetime.fromtimestamp(BEGAN_US / 1e6, UTC) + timedelta(hours=7)
    month = SessionQuery(since=since, until=since + timedelta(days=30))
    middle = session_id(sessions // 2)

    def lately(number: int) -> SessionQuery:
        return SessionQuery(since=since + timedelta(seconds=20 * number))

    asked: dict[str, Calls] = {
        "a month for the first time": lambda _: journal.totals(month),
        "totals over all": lambda _: journal.totals(),
        "totals of a month": lambda _: journal.totals(month),
        "by socket, a month": lambda _: journal.statistics(SessionGrouping.CONNECTOR, month),
        "by card, a month": lambda _: journal.statistics(SessionGrouping.CARD, month, limit=20),
        "by card, the last 30 days": lambda n: journal.statistics(
            SessionGrouping.CARD, lately(n), limit=20
        ),
        "by card, over all": lambda _: journal.statistics(SessionGrouping.CARD, limit=20),
        "first page": lambda _: journal.page(limit=25),
        "page in the middle": lambda _: journal.page(before=middle, limit=25),
        "page of one socket": lambda _: journal.page(SessionQuery(connector=2), limit=25),
        "page of a month": lambda _: journal.page(month, limit=25),
        "200 rows of a CSV": lambda _: journal.batch(month, before=middle, limit=200),
    }
    found = {}
    for name, call in asked.items():
        times = 1 if name.endswith("first time") else 41
        found[name], _ = await each_ms(times, call)
    return found


async def many(folder: Path, stations: int, open_files: OpenFiles) -> None:
    """A session in each of many stations on one thread."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * stations + 1000), hard))
    files, memory = open_descriptors(), resident_mb()
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        opened_ = [await opened(folder / str(n), pool, open_files) for n in range(stations)]
        for storage in opened_:
            await storage.journal.open(start("s"), start_message("s"))
            await storage.outbox.next()
        took = time.perf_counter() - began
        more = resident_mb() - memory
        show(f"{f'{stations} stations':28}{more:9.1f} MB   {more * 1000 / stations:6.0f} kB each")
        show(f"{'':28}{took / stations * 1000:9.1f} ms each to open and begin a session")
        used = open_descriptors() - files
        show(f"{'':28}{used / stations:9.1f} open files each")
        for storage in opened_:
            storage.abort()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def charging(folder: Path, stations: int, open_files: OpenFiles, rounds: int = 6) -> None:
    """What a MeterValues writes while many stations charge: a sample in the curve, the message,
    and its answer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * stations + 1000), hard))
    with ThreadPoolExecutor(2) as pool:
        opened_ = [await opened(folder / str(n), pool, open_files) for n in range(stations)]
        for storage in opened_:
            await storage.journal.open(start("s"), None)
        for _ in range(OFTEN + 1):
            await value_of_each(opened_)
        written, cpu_s = bytes_written(), time.process_time()
        for _ in range(rounds):
            await value_of_each(opened_)
        values = rounds * stations
        kb = (bytes_written() - written) / values / 1000
        cpu_ms = (time.process_time() - cpu_s) / values * 1000
        name = f"{stations} charging, {open_files.limit} open"
        show(f"{name:28}{kb:9.1f} kB written for each MeterValues, {cpu_ms:.2f} ms of CPU")
        for storage in opened_:
            storage.abort()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def value_of_each(storages: list[Storage]) -> None:
    for storage in storages:
        await storage.journal.sample("s", SAMPLE, replace(VALUES, session_id="s"))
        queued = await storage.outbox.next()
        assert queued is not None
        await storage.outbox.answered(queued.seq)


def bytes_written() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--stations", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=None)
    chosen = parser.parse_args()
    with TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        for synchronous in ("NORMAL", "FULL"):
            figure = bare_insert_ms(folder, synchronous, chosen.commits)
            show(f"{f'bare insert, {synchronous}':28}{figure:9.3f} ms")
        asyncio.run(calls(folder / "calls", chosen.commits))
        asyncio.run(openings(folder / "openings", chosen.sessions))
        asyncio.run(flatness(folder / "flat", (5, chosen.sessions // 10, chosen.sessions)))
        asyncio.run(many(folder / "resting", chosen.stations, OpenFiles()))
        asyncio.run(many(folder / "many", chosen.stations, OpenFiles(10**6, first=10**6)))
        asyncio.run(charging(folder / "few-files", 100, OpenFiles(FIRST_LIMIT)))
        asyncio.run(charging(folder / "enough-files", 100, OpenFiles(1000)))


if __name__ == "__main__":
    main()
