"""The accounts of the meters: through kills, power cuts in mid-write, damage and a full disk."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from borne.adapters.storage.meter_file import SLOT_BYTES, MeterFile
from borne.domain.station.metering import Account, Verdict
from tests.unit.adapters.storage.builders import at, opened, sample, start

ACCOUNT = Account(
    serial_number="SIM1",
    register_wh=5_000_123,
    line_wh=1_000_123,
    at=at(17.5),
    power_w=11_040.5,
    session_id="s1",
    doubts=frozenset({Verdict.EXCHANGED, Verdict.TOO_SLOW}),
    surplus_wh=0.25,
    deficit_wh=3.5,
)


def file_of(folder: Path, monotonic_s: float = 0.0) -> MeterFile:
    return MeterFile(folder / "meters", ThreadPoolExecutor(1), lambda: monotonic_s)


async def written(folder: Path, *accounts: Account) -> None:
    meters = file_of(folder)
    await meters.load()
    for account in accounts:
        meters.keep(1, account)
        while meters._planned:
            assert meters._writing is not None
            await meters._writing
    meters.abort()


async def test_a_stored_account_is_read_unchanged(tmp_path: Path) -> None:
    undated = replace(ACCOUNT, at=at(3, dated=False), doubts=frozenset())
    storage = await opened(tmp_path)
    storage.meters.keep(1, ACCOUNT)
    storage.meters.keep(2, undated)
    await storage.close()
    again = await opened(tmp_path)
    assert await again.meters.load() == {1: ACCOUNT, 2: undated}
    await again.close()
    assert (tmp_path / "meters").stat().st_mode & 0o077 == 0


async def test_a_new_station_has_no_accounts(tmp_path: Path) -> None:
    assert await file_of(tmp_path).load() == {}


async def test_after_a_kill_written_accounts_are_there(tmp_path: Path) -> None:
    for register_wh in range(5):
        await written(tmp_path, replace(ACCOUNT, register_wh=register_wh))
        assert (await file_of(tmp_path).load())[1].register_wh == register_wh


@pytest.mark.parametrize("torn_at", [0, 5, 9, 100, 200])
async def test_a_truncated_write_leaves_the_account_before(tmp_path: Path, torn_at: int) -> None:
    older, newer = ACCOUNT, replace(ACCOUNT, line_wh=1_000_200)
    await written(tmp_path, older)
    before = (tmp_path / "meters").read_bytes()
    await written(tmp_path, newer)
    after = (tmp_path / "meters").read_bytes()
    slot = next(n for n in (0, SLOT_BYTES) if before[n : n + 40] != after[n : n + 40])
    torn = after[: slot + torn_at] + before[slot + torn_at :]
    (tmp_path / "meters").write_bytes(torn)
    assert await file_of(tmp_path).load() == {1: older}


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 2 * SLOT_BYTES, b"12345678 {}\n", b"\xff" * 100, b"00000000 \n"]
)
async def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "meters").write_bytes(content)
    meters = file_of(tmp_path)
    assert await meters.load() == {}
    await written(tmp_path, ACCOUNT)
    assert await file_of(tmp_path).load() == {1: ACCOUNT}


async def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    await written(tmp_path, ACCOUNT)
    content = (tmp_path / "meters").read_bytes()
    begin = next(n for n in (0, SLOT_BYTES) if content[n])
    for place in range(begin, begin + content[begin:].index(b"\n"), 7):
        flipped = bytearray(content)
        flipped[place] ^= 4
        (tmp_path / "meters").write_bytes(flipped)
        assert await file_of(tmp_path).load() in ({}, {1: ACCOUNT})


async def test_accounts_are_made_durable_every_five_seconds_and_doubts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, synced = 0.0, list[float]()
    for call in ("fsync", "fdatasync"):  # the first is for a new file, and its folder
        monkeypatch.setattr(os, call, lambda _: synced.append(now_s))
    meters = MeterFile(tmp_path / "meters", ThreadPoolExecutor(1), lambda: now_s)
    for second in range(20):
        now_s = float(second)
        meters.keep(1, replace(ACCOUNT, line_wh=second), urgent=second == 12)
        assert meters._writing is not None
        await meters._writing
        while meters._planned:
            await meters._writing
    assert list(dict.fromkeys(synced)) == [0, 5, 10, 12, 17]
    meters.abort()


async def test_a_full_disk_is_logged_and_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    storage = await opened(tmp_path)
    monkeypatch.setattr(os, "pwrite", _no_room)
    storage.meters.keep(1, ACCOUNT)
    await storage.journal.open(start(), None)
    monkeypatch.undo()
    newer = replace(ACCOUNT, line_wh=1_000_200)
    storage.meters.keep(1, newer)
    await storage.close()
    assert [r.message for r in caplog.records if "not kept" in r.message] == [
        "the accounts of the meters are not kept: [Errno 28] full"
    ]
    again = await opened(tmp_path)
    assert await again.meters.load() == {1: newer}
    await again.close()


def _no_room(*_: object) -> int:
    raise OSError(errno.ENOSPC, "full")


async def test_the_account_of_a_session_has_its_meter_and_last_sample(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(serial="SIM1"), None)
    record = await storage.journal.get("s1")
    assert record is not None
    assert (record.start.meter_serial, record.last_at) == ("SIM1", None)
    await storage.journal.sample("s1", sample(60, 1100), None)
    record = await storage.journal.get("s1")
    assert record is not None
    assert record.last_at == at(60)
    await storage.close()
