"""One process owns a data folder at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from borne.adapters.storage.lock import FolderInUse, FolderLock

OWNER = """
import sys
from pathlib import Path
from borne.adapters.storage.lock import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_gets_the_id_of_the_first(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        FolderLock(tmp_path).acquire()


def test_a_released_lock_can_be_acquired(tmp_path: Path) -> None:
    for _ in range(2):
        with FolderLock(tmp_path / "data"):
            pass


def test_acquiring_and_releasing_twice_is_harmless(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.acquire()
    lock.release()
    lock.release()
    with FolderLock(tmp_path):
        pass


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "owned\n"
        with pytest.raises(FolderInUse, match=f"process {owner.pid}"):
            FolderLock(tmp_path).acquire()
        owner.kill()
        owner.wait()
    with FolderLock(tmp_path):
        pass
