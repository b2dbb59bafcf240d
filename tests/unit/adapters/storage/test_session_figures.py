"""Sums and pages of the sessions equal a recount, whatever happens to the sessions."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from borne.adapters.storage import schema, session_periods, session_queries
from borne.adapters.storage.connection import connect_sqlite
from borne.application.ports.storage import (
    ALL_SESSIONS,
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    SessionTotals,
    Storage,
)
from borne.domain.station.session import SessionRecord
from borne.foundation import disk
from tests.unit.adapters.storage.builders import NOON, at, end, opened, start

DAY_S = 86_400.0
CARDS = ("A", "B", "C", "")
OLD = Path(__file__).parent / "old"


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


async def all_records(storage: Storage) -> list[SessionRecord]:
    return (await storage.journal.page(limit=10_000))[0]


def matching(records: Sequence[SessionRecord], query: SessionQuery) -> list[SessionRecord]:
    def fits(record: SessionRecord) -> bool:
        begun, dated = record.start.at.wall, query.since or query.until
        return (
            query.connector in (None, record.start.connector)
            and query.id_token in (None, record.start.identity.id_token)
            and not (dated and begun is None)
            and not (query.since and begun and begun < query.since)
            and not (query.until and begun and begun >= query.until)
        )

    return [record for record in records if fits(record)]


def summed(records: Sequence[SessionRecord]) -> SessionTotals:
    totals = SessionTotals()
    for record in records:
        if record.end is None:
            continue
        begun, ended = record.start.at, record.end.at
        seconds: float | None = None
        if begun.boot_id == ended.boot_id:
            seconds = ended.monotonic_s - begun.monotonic_s
        elif begun.wall is not None and ended.wall is not None:
            seconds = (ended.wall - begun.wall).total_seconds()
        totals = SessionTotals(
            totals.sessions + 1,
            totals.energy_wh + max(0, record.end.meter_stop_wh - record.start.meter_start_wh),
            totals.duration_s + max(0.0, seconds or 0.0),
            totals.timed + (seconds is not None),
        )
    return totals


def grouped(records: Sequence[SessionRecord], by: SessionGrouping) -> list[SessionGroup]:
    card = by is SessionGrouping.CARD
    groups: dict[Any, list[SessionRecord]] = defaultdict(list)
    for record in records:
        identity = replace(record.start.identity, group_id=None)
        if record.end is not None:
            groups[identity if card else record.start.connector].append(record)
    rows = [
        SessionGroup(None if card else key, key if card else None, summed(found))
        for key, found in groups.items()
    ]
    return sorted(
        rows,
        key=lambda row: (
            -row.totals.energy_wh,
            row.connector or 0,
            row.identity.kind if row.identity else "",
            row.identity.id_token if row.identity else "",
        ),
    )


def queries(rng: random.Random) -> Iterator[SessionQuery]:
    yield ALL_SESSIONS
    for _ in range(12):
        since = NOON + timedelta(seconds=rng.choice([0, rng.uniform(-2, 6) * DAY_S]))
        until = since + timedelta(seconds=rng.choice([3600.0, rng.uniform(0, 5) * DAY_S]))
        yield SessionQuery(
            connector=rng.choice([None, None, 1, 2, 3]),
            id_token=rng.choice([None, None, *CARDS]),
            since=rng.choice([None, since]),
            until=rng.choice([None, until]),
        )


async def assert_figures(storage: Storage, rng: random.Random) -> None:
    records = await all_records(storage)
    for query in queries(rng):
        fitting = matching(records, query)
        assert await storage.journal.totals(query) == summed(fitting)
        assert await storage.journal.page(query, limit=10_000) == (fitting, len(fitting))
        for by in SessionGrouping:
            assert await storage.journal.statistics(by, query) == grouped(fitting, by)


async def edit(storage: Storage, rng: random.Random, name: str) -> None:
    """One thing that happens to sessions; times are whole seconds, so that sums are exact."""
    second, dated = float(rng.randrange(int(5 * DAY_S))), rng.random() < 0.8
    moment = at(second, dated=dated, boot=rng.choice(["boot-1", "boot-2"]))
    running = await storage.journal.open_sessions()
    journal = storage.journal
    match rng.choice(["open", "open", "close", "close", "forget", "anonymise", "date"]):
        case "close" if running:
            one = rng.choice(running)
            await journal.close(one.session_id, end(moment, rng.randrange(500, 9000)), None)
        case "forget" if rng.random() < 0.3:
            await journal.forget(NOON + timedelta(days=rng.uniform(0, 2)))
        case "anonymise" if rng.random() < 0.3:
            await journal.anonymise(id_token=rng.choice("AB"))
        case "date" if rng.random() < 0.3:
            await journal.date(rng.choice(["boot-1", "boot-2"]), NOON, 0.0)
        case _:
            connector, token = rng.choice([1, 1, 2]), rng.choice(CARDS)
            await journal.open(start(name, connector=connector, when=moment, token=token), None)


@pytest.mark.parametrize("seed", range(4))
async def test_sums_equal_a_recount_after_any_edits(storage: Storage, seed: int) -> None:
    rng = random.Random(seed)
    for number in range(80):
        await edit(storage, rng, f"s{number}")
        if number % 20 == 19:
            await assert_figures(storage, rng)


PERIODS = (
    SessionQuery(since=NOON - timedelta(days=1), until=NOON + timedelta(days=2)),
    SessionQuery(since=NOON + timedelta(days=2), until=NOON + timedelta(days=3, hours=1)),
    SessionQuery(since=NOON + timedelta(hours=5), until=NOON + timedelta(days=4)),
    SessionQuery(since=NOON + timedelta(hours=5), until=NOON + timedelta(days=4), connector=2),
)


@pytest.fixture
def every_period_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_periods, "MIN_SESSIONS", 1)


async def assert_periods(storage: Storage, queries: Sequence[SessionQuery]) -> None:
    records = await all_records(storage)
    for query in queries:
        fitting = matching(records, query)
        for by in SessionGrouping:
            assert await storage.journal.statistics(by, query) == grouped(fitting, by)
        assert await storage.journal.totals(query) == summed(fitting)
        assert (await storage.journal.page(query))[1] == len(fitting)


@pytest.mark.usefixtures("every_period_is_kept")
@pytest.mark.parametrize("most", [48, 2])
@pytest.mark.parametrize("seed", range(3))
async def test_kept_sums_of_periods_equal_a_recount_after_any_edits(
    storage: Storage, seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_periods, "MAX_PERIODS", most)
    rng = random.Random(seed)
    for number in range(60):
        await edit(storage, rng, f"s{number}")
        if number % 6 == 5:
            # The last days: their begin goes forward, and back when the clock is set.
            moving = SessionQuery(since=NOON + timedelta(days=rng.uniform(-1, 5)))
            await assert_periods(storage, [moving, *PERIODS])


@pytest.mark.usefixtures("every_period_is_kept")
async def test_only_the_newest_periods_are_kept(
    tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_periods, "MAX_PERIODS", 2)
    await storage.journal.open(start(), None)
    for hours in range(1, 5):
        await storage.journal.totals(SessionQuery(since=NOON, until=NOON + timedelta(hours=hours)))
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        for table in ("session_period", "session_period_socket", "session_period_card"):
            query = f"SELECT DISTINCT period FROM {table} ORDER BY period"
            assert connection.execute(query).fetchall() == [(3,), (4,)], table


@pytest.mark.usefixtures("every_period_is_kept")
async def test_a_period_that_moves_is_one_period(tmp_path: Path, storage: Storage) -> None:
    for day in range(4):
        await storage.journal.open(start(f"s{day}", when=at(day * DAY_S)), None)
    for day in (0, 2, 1):
        query = SessionQuery(since=NOON + timedelta(days=day))
        assert await storage.journal.statistics(SessionGrouping.CARD, query) == []
        assert (await storage.journal.page(query))[1] == 4 - day
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        assert connection.execute("SELECT count(*) FROM session_period").fetchone() == (1,)


async def test_a_period_of_few_sessions_writes_nothing(tmp_path: Path, storage: Storage) -> None:
    await storage.journal.open(start(), None)
    await storage.journal.statistics(SessionGrouping.CARD, SessionQuery(since=NOON))
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        assert connection.execute("SELECT count(*) FROM session_period").fetchone() == (0,)


@pytest.mark.usefixtures("every_period_is_kept")
async def test_figures_are_counted_on_a_full_disk(tmp_path: Path, storage: Storage) -> None:
    await storage.journal.open(start(), None)
    await storage.journal.close("s1", end(), None)
    disk.simulate_full(tmp_path)
    try:
        totals = await storage.journal.totals(SessionQuery(since=NOON))
    finally:
        disk.end_simulated_full(tmp_path)
    assert totals == SessionTotals(1, 2500, 3600.0, 1)


@pytest.mark.usefixtures("every_period_is_kept")
async def test_an_anonymous_card_is_removed_from_the_sums(tmp_path: Path, storage: Storage) -> None:
    await storage.journal.open(start(token="SECRET"), None)
    await storage.journal.close("s1", end(), None)
    await storage.journal.statistics(SessionGrouping.CARD, SessionQuery(since=NOON))
    await storage.journal.anonymise(id_token="SECRET")
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        for table in ("session_card_sum", "session_period_card"):
            rows = connection.execute(f"SELECT id_token, ended FROM {table}").fetchall()
            assert rows == [("", 1)], table


async def test_sessions_written_by_an_older_program_count(tmp_path: Path) -> None:
    """A program of an older schema uses the database as it is, with its own statements."""
    storage = await opened(tmp_path)
    await storage.journal.open(start("new"), None)
    await storage.close()
    with closing(connect_sqlite(tmp_path / "station.db")) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        names = [row[1] for row in connection.execute("PRAGMA table_info(session)").fetchall()]
        row = dict(
            zip(names, connection.execute("SELECT * FROM session").fetchone(), strict=True)
        ) | {"number": None, "session_id": "old"}
        marks = ", ".join("?" * len(row))
        for verb in ("INSERT", "INSERT OR REPLACE"):
            row["session_id"] = verb
            connection.execute(
                f"{verb} INTO session ({', '.join(row)}) VALUES ({marks})", list(row.values())
            )
        connection.execute(
            "UPDATE session SET end_boot = start_boot, end_s = start_s + 60, meter_stop_wh = 1500,"
            " end_flags = '', end_reason = 'Local'"
            " WHERE session_id = 'INSERT'"
        )
        connection.execute("DELETE FROM session WHERE session_id = 'INSERT OR REPLACE'")
    storage = await opened(tmp_path)
    assert await storage.journal.totals() == SessionTotals(1, 500, 60.0, 1)
    assert (await storage.journal.page())[1] == 2
    await storage.close()


@pytest.mark.parametrize("version", [1, 2, 3, 4])
async def test_sessions_of_older_schemas_are_counted(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        connection.executescript((OLD / f"station-{version}.sql").read_text(encoding="utf-8"))
    storage = await opened(tmp_path)
    await assert_figures(storage, random.Random(version))
    assert (await storage.journal.totals()).energy_wh == 2500
    await storage.close()


def test_programs_of_the_schema_before_can_use_it() -> None:
    newest = schema.packaged("station")[-1]
    assert (newest.version, newest.readable_from) == (5, 2)


class TestPages:
    @pytest.fixture
    async def filled(self, storage: Storage) -> Storage:
        for number in range(37):
            moment = at(3600.0 * (number if number % 5 else 50), dated=number % 7 != 0)
            connector = 2 if number % 3 else 1
            await storage.journal.open(start(f"s{number}", when=moment, connector=connector), None)
        return storage

    QUERIES = (
        ALL_SESSIONS,
        SessionQuery(connector=2),
        SessionQuery(since=NOON + timedelta(hours=3), until=NOON + timedelta(hours=30)),
        SessionQuery(connector=1, since=NOON + timedelta(hours=3)),
    )

    @pytest.mark.parametrize("query", QUERIES)
    async def test_pages_by_key_cover_all_rows_once(
        self, filled: Storage, query: SessionQuery
    ) -> None:
        journal = filled.journal
        every, total = await journal.page(query, limit=1000)
        paged, before = list[SessionRecord](), None
        while records := (await journal.page(query, before=before, limit=5))[0]:
            assert (await journal.page(query, before=before, limit=5))[1] == total
            assert await journal.batch(query, before=before, limit=5) == records
            paged += records
            before = records[-1].session_id
        assert paged == every
        assert len(every) == total > 10

    @pytest.mark.parametrize("query", QUERIES)
    async def test_pages_back_by_key_are_the_same(
        self, filled: Storage, query: SessionQuery
    ) -> None:
        every, _ = await filled.journal.page(query, limit=1000)
        newer, _ = await filled.journal.page(query, after=every[9].session_id, limit=4)
        assert newer == every[5:9]
        assert (await filled.journal.page(query, after=every[0].session_id))[0] == []

    async def test_new_sessions_do_not_shift_pages(self, filled: Storage) -> None:
        first, _ = await filled.journal.page(limit=5)
        await filled.journal.open(start("meanwhile"), None)
        second, _ = await filled.journal.page(before=first[-1].session_id, limit=5)
        assert [record.session_id for record in second] == [f"s{n}" for n in range(31, 26, -1)]

    async def test_a_page_after_a_deleted_session_is_empty(self, filled: Storage) -> None:
        assert (await filled.journal.page(before="gone"))[0] == []

    async def test_unreadable_rows_do_not_end_an_export(
        self, tmp_path: Path, filled: Storage
    ) -> None:
        await filled.close()
        with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
            connection.execute("UPDATE session SET identity_kind = '?' WHERE number > 20")
            connection.commit()
        storage = await opened(tmp_path)
        (newest, *_) = await storage.journal.batch(ALL_SESSIONS, limit=5)
        assert newest.session_id == "s19"
        await storage.close()


class Explaining(sqlite3.Connection):
    """Collects how the questions are answered."""

    plans: list[str]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql.startswith("SELECT"):
            rows = super().execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
            self.plans.extend(row[3] for row in rows)
        return super().execute(sql, parameters)


@pytest.fixture
async def explaining(tmp_path: Path) -> AsyncIterator[Explaining]:
    await (await opened(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "station.db", factory=Explaining)) as connection:
        connection.plans = []
        yield connection


@pytest.mark.parametrize(
    "query",
    [
        SessionQuery(),
        SessionQuery(connector=2),
        SessionQuery(since=NOON, until=NOON + timedelta(days=1)),
        SessionQuery(since=NOON, until=NOON + timedelta(days=9), connector=1),
    ],
)
def test_no_page_sorts_or_scans_all_sessions(explaining: Explaining, query: SessionQuery) -> None:
    """What keeps a list as fast with a hundred thousand sessions as with five."""
    session_queries.page(explaining, query, 0, 50, None, None)
    session_queries.totals(explaining, query)
    assert not [plan for plan in explaining.plans if "TEMP B-TREE" in plan]
    # Without a filter the page walks the table from its end, and ends with its last row.
    walks = ["SCAN session"] if query == ALL_SESSIONS else []
    scans = [plan for plan in explaining.plans if plan.startswith("SCAN") and "session" in plan]
    assert scans == walks


@pytest.mark.parametrize(
    "query", [SessionQuery(since=NOON), SessionQuery(since=NOON, until=NOON + timedelta(days=30))]
)
def test_cards_of_a_kept_period_are_read_in_their_order(
    explaining: Explaining, query: SessionQuery
) -> None:
    session_periods.keep(explaining, query)
    explaining.plans.clear()
    session_queries.statistics(explaining, SessionGrouping.CARD, query, 20)
    session_periods.are_worthwhile(explaining, query)
    assert [plan for plan in explaining.plans if "session_period_card_energy" in plan]
    assert not [
        plan for plan in explaining.plans if "TEMP B-TREE" in plan or "SCAN session" in plan
    ]


async def test_a_page_of_a_month_reads_as_many_rows_anywhere(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    for number in range(400):
        await storage.journal.open(start(f"s{number}", when=at(60.0 * number)), None)
    await storage.close()
    begin = NOON - timedelta(hours=12)
    month = SessionQuery(since=begin, until=begin + timedelta(days=30))
    steps = {}
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        for middle in ("s360", "s40"):
            count = Counter[str]()
            connection.set_progress_handler(partial(count.update, ["step"]), 1)
            assert len(session_queries.page(connection, month, 0, 25, middle, None)[0]) == 25
            session_queries.page(connection, month, 0, 25, None, middle)
            steps[middle] = count["step"]
    assert steps["s40"] < 1.2 * steps["s360"]
