"""The journal of decisions on the disk: appended, bounded, and whole after a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from borne.adapters.storage import decision_files
from borne.adapters.storage.decision_files import (
    FILE_BYTES,
    FILE_S,
    KEEP_S,
    MAX_FILES,
    NEWEST,
    DecisionFiles,
    files_of_journal,
    whole_lines,
)
from borne.foundation import disk


class Wall:
    """A clock that files agree with."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def kept(folder: Path) -> list[str]:
    return [
        line.rstrip() for path in files_of_journal(folder / NEWEST) for line in whole_lines(path)
    ]


def test_lines_are_appended_by_each_run(tmp_path: Path) -> None:
    for lines in (["1", "2"], ["3"]):
        files = DecisionFiles(tmp_path)
        assert files.append(lines) is False
        assert files.append(["9"]) is False
    assert kept(tmp_path) == ["1", "2", "9", "3", "9"]
    assert (tmp_path / NEWEST).stat().st_mode & 0o777 == 0o600


def test_existing_lines_are_not_written_again(tmp_path: Path) -> None:
    files = DecisionFiles(tmp_path)
    files.append(["x" * 1000])
    before = (tmp_path / NEWEST).stat()
    files.append(["y"])
    after = (tmp_path / NEWEST).stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size + 2)


@pytest.mark.parametrize("torn", ['{"connector": 1, "a', "\x00\x00", "{"])
def test_a_torn_line_is_dropped_by_readers_and_writers(tmp_path: Path, torn: str) -> None:
    DecisionFiles(tmp_path).append(["1", "2"])
    with (tmp_path / NEWEST).open("a") as file:
        file.write(torn)
    assert kept(tmp_path) == ["1", "2"]
    DecisionFiles(tmp_path).append(["3"])
    assert kept(tmp_path) == ["1", "2", "3"]


def test_a_whole_last_line_counts_without_its_end(tmp_path: Path) -> None:
    (tmp_path / NEWEST).write_text('{"a": 1}\n{"a": 2}')
    assert len(kept(tmp_path)) == 2


def test_full_files_get_a_number_and_the_oldest_go(tmp_path: Path) -> None:
    files = DecisionFiles(tmp_path)
    for number in range(3 * MAX_FILES):
        assert files.append([str(number), "x" * FILE_BYTES]) is True
    files.append(["last"])
    paths = files_of_journal(tmp_path / NEWEST)
    assert len(paths) == MAX_FILES
    assert sum(path.stat().st_size for path in paths) < MAX_FILES * (FILE_BYTES + 100)
    numbers = [line for line in kept(tmp_path) if "x" not in line]
    assert numbers == [*map(str, range(2 * MAX_FILES + 1, 3 * MAX_FILES)), "last"]


def test_old_files_are_deleted_after_a_day_without_lines(tmp_path: Path) -> None:
    wall = Wall()
    files = DecisionFiles(tmp_path, wall)
    rolled: list[bool] = []
    for hour in range(40):
        rolled.append(files.append([str(hour)]))
        written = files_of_journal(tmp_path / NEWEST)[-1]
        os.utime(written, (wall.now_s, wall.now_s))
        wall.now_s += 3600.0
    first = int(kept(tmp_path)[0])
    assert kept(tmp_path) == [str(hour) for hour in range(first, 40)]
    assert KEEP_S <= (39 - first) * 3600.0 <= KEEP_S + 2 * FILE_S
    assert sum(rolled) == 40 * 3600 // (FILE_S + 3600)


def test_a_step_of_the_clock_begins_a_file(tmp_path: Path) -> None:
    wall = Wall()
    files = DecisionFiles(tmp_path, wall)
    files.append(["1"])
    wall.now_s -= 1000.0
    assert files.append(["2"]) is True


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    disk.simulate_full(tmp_path)
    try:
        with pytest.raises(OSError, match="No space"):
            DecisionFiles(tmp_path).append(["1"])
    finally:
        disk.end_simulated_full(tmp_path)


def test_other_files_are_read_alone(tmp_path: Path) -> None:
    DecisionFiles(tmp_path).append(["x" * decision_files.FILE_BYTES])
    other = tmp_path / "decisions-00000001.jsonl"
    assert files_of_journal(other) == [other]
    assert files_of_journal(tmp_path / NEWEST) == [other]
    DecisionFiles(tmp_path).append(["1"])
    assert files_of_journal(tmp_path / NEWEST) == [other, tmp_path / NEWEST]
    missing = tmp_path / "none" / NEWEST
    assert files_of_journal(missing) == [missing]
