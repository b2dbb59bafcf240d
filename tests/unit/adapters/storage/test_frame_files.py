"""Messages on the disk: the newest stay, whatever happens to the files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from borne.adapters.storage.frame_files import FILE_BYTES, FILE_LINES, KEPT, FrameFiles
from borne.domain.frames import FrameRecord
from tests.support.frames import frame
from tests.unit.adapters.storage.builders import NOON, opened


@pytest.fixture
async def pool() -> AsyncIterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def files(folder: Path, pool: ThreadPoolExecutor, *, enough_space: bool = True) -> FrameFiles:
    return FrameFiles(folder / "messages", pool, lambda: enough_space)


def records(first: int, number: int, text: str = "") -> list[FrameRecord]:
    return [
        frame(seq=seq, at=NOON + timedelta(seconds=seq), text=text)
        for seq in range(first, first + number)
    ]


def numbers(found: list[FrameRecord]) -> list[int]:
    return [record.seq for record in found]


async def test_a_restart_goes_on_with_the_same_file(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    await files(tmp_path, pool).append(records(1, 3))
    again = files(tmp_path, pool)
    await again.append(records(4, 2))
    assert numbers(await again.tail()) == [1, 2, 3, 4, 5]
    assert numbers(await again.tail(2)) == [4, 5]
    assert len(list((tmp_path / "messages").iterdir())) == 1


async def test_the_newest_five_thousand_are_kept_and_the_disk_is_bounded(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    kept = files(tmp_path, pool)
    for first in range(1, 20_000, 150):
        await kept.append(records(first, 150))
    found = numbers(await kept.tail())
    assert found == list(range(found[-1] - KEPT + 1, found[-1] + 1))
    sizes = [path.stat().st_size for path in (tmp_path / "messages").iterdir()]
    assert len(sizes) <= KEPT // FILE_LINES + 1
    for first in range(20_000, 20_300):
        await kept.append(records(first, 1, "é" * 100_000))
    sizes = [path.stat().st_size for path in (tmp_path / "messages").iterdir()]
    assert sum(sizes) < 12 * (FILE_BYTES + 250_000)


async def test_torn_and_invalid_lines_are_skipped(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    await files(tmp_path, pool).append(records(1, 2))
    (path,) = (tmp_path / "messages").iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    again = files(tmp_path, pool)
    await again.append(records(3, 1))
    path.with_name("notes.txt").write_text("x")
    path.with_name("00000007.jsonl").write_bytes(b'\xff\xfe\n[1]\n{"seq": 9}\n')
    assert numbers(await again.tail()) == [1, 3]


async def test_only_the_owner_can_read_the_files(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    await files(tmp_path, pool).append(records(1, 1))
    (path,) = (tmp_path / "messages").iterdir()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_on_a_full_disk_nothing_is_kept(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    kept = files(tmp_path, pool, enough_space=False)
    await kept.append(records(1, 1))
    assert await kept.tail() == []


async def test_a_bad_folder_is_reported_and_raises_nothing(
    tmp_path: Path, pool: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "messages").write_text("a file")
    kept = files(tmp_path, pool)
    for _ in range(3):
        await kept.append(records(1, 1))
    assert await kept.tail() == []
    assert len(caplog.records) == 1


async def test_old_files_are_forgotten(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    kept = files(tmp_path, pool)
    await kept.append(records(1, FILE_LINES))
    await kept.append(records(FILE_LINES + 1, 10))
    await kept.forget(NOON + timedelta(seconds=FILE_LINES + 5))
    assert numbers(await kept.tail()) == list(range(FILE_LINES + 1, FILE_LINES + 11))
    await kept.forget(NOON + timedelta(days=1))
    await kept.append(records(1000, 1))
    assert numbers(await kept.tail()) == [1000]


async def test_after_a_power_cut_nothing_is_written(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.frames.append(records(1, 1))
    storage.abort()
    await storage.frames.append(records(2, 1))
    assert await storage.frames.tail() == []
    again = await opened(tmp_path)
    assert numbers(await again.frames.tail()) == [1]
    await again.close()
