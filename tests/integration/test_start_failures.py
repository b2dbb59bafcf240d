"""What can be wrong at a start is one sentence and an exit code, never a stack trace: what takes a
process of its own (rights, limits, a full disk, signals). The rest: `tests/unit`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import in_process as here
from tests.support.process import Ran, Served, borne, command, served, unmeasured_environment

IS_ROOT = os.geteuid() == 0
PR_CAPBSET_DROP = 24
RIGHTS_OF_ROOT = (1, 2, 10)
"""Reading and writing what belongs to others, and binding low ports (linux/capability.h)."""


def give_up_rights() -> None:
    """Give up the capabilities of root; runs between fork and exec."""
    if IS_ROOT:
        libc = ctypes.CDLL(None, use_errno=True)
        for right in RIGHTS_OF_ROOT:
            if libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def refused(ran: Ran, *parts: str, code: int = 1) -> None:
    assert (ran.code, ran.out) == (code, "")
    for part in parts:
        assert part in ran.sentence


def start(data: Path, *arguments: str, **how: Any) -> Ran:
    """A start that must fail."""
    return borne("serve", "--data", data, "--port", "0", *arguments, **how)


def used(data: Path) -> Path:
    """A folder that a station has used."""
    assert here.borne("settings", "set", "StationName=Rue Haute", "--data", data).code == 0
    assert here.borne("token", "create", "--role", "user", "--data", data).code == 0
    return data


# What is reported ------------------------------------------------------------------------------


def test_damaged_settings_are_reported_and_the_revision_before_is_in_force(tmp_path: Path) -> None:
    used(tmp_path)
    newest = max((tmp_path / "settings").glob("settings-*.json"))
    newest.write_bytes(newest.read_bytes()[:-20])
    with served("--data", tmp_path) as running:
        running.wait_for(running.err, "cannot be read")
        running.end()
        greeting = "".join(running.lines)
    assert "the settings before it are in force" in greeting
    assert here.borne("settings", "get", "StationName", "--data", tmp_path).out == "Station\n"


# Folder and disk -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_a_folder_without_rights(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    for arguments in (("serve", "--port", "0"), ("settings", "list")):
        ran = borne(*arguments, "--data", data, preexec_fn=give_up_rights)
        refused(ran, str(data), "Permission denied")
    data.chmod(0o700)


def test_the_limit_of_file_sizes_is_reached(tmp_path: Path) -> None:
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    changes = ("settings", "set", "FLLEnable=on", "--data")
    ran = borne(*changes, tmp_path, preexec_fn=no_room, env=unmeasured_environment())
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 256 KiB."""
    path = Path(tempfile.mkdtemp(prefix="borne-disk-"))
    mounted = IS_ROOT and shutil.which("mount") is not None
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "borne-test", str(path)],
            capture_output=True,
            check=False,
        )
        mounted = done.returncode == 0
    if not mounted:
        path.rmdir()
        pytest.skip("could not run: this user may not mount a file system")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
    path.rmdir()


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(512))


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("settings", "list")])
def test_a_full_disk_at_the_first_start(small_disk: Path, arguments: tuple[str, ...]) -> None:
    fill(small_disk)
    ran = borne(*arguments, "--data", small_disk / "data")
    refused(ran, "No space left")


def test_a_disk_that_fills_after_the_start(small_disk: Path) -> None:
    data = small_disk / "data"
    assert borne("settings", "set", "StationName=A", "--data", data).code == 0
    fill(small_disk)
    refused(borne("settings", "set", "StationName=B", "--data", data), "No space left")
    ran = borne("token", "create", "--role", "user", "--data", data)
    refused(ran, "the disk is full")
    refused(start(data), "the disk is full")
    (small_disk / "ballast").unlink()
    assert here.borne("settings", "get", "StationName", "--data", data).out == "A\n"


# Ports and processes ---------------------------------------------------------------------------


def test_without_rights_for_port_80_a_high_one_is_used(tmp_path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        free = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()
        if int(free) <= 80:
            pytest.skip("could not run: everybody may use port 80 on this machine")
    arguments = ["--data", str(tmp_path), "--host", "127.0.0.2", "--port", "80"]
    running = Served(arguments, preexec_fn=give_up_rights)
    try:
        assert running.wait_for_page() == "http://127.0.0.2:8080"
        assert running.end() == 0
        assert "Port 80 needs privileges" in "".join(running.lines)
    finally:
        running.process.kill()
        running.wait()


def test_a_folder_belongs_to_one_station(tmp_path: Path) -> None:
    with served("--data", tmp_path) as running:
        ran = start(tmp_path)
        refused(ran, f"in use by process {running.process.pid}")


def test_a_command_waits_for_a_starting_station(tmp_path: Path) -> None:
    running = Served(["--data", str(tmp_path), "--port", "0", "--set", "StationName=Begins"])
    try:
        lock = tmp_path / "lock"
        while not (lock.exists() and lock.read_text()):
            os.sched_yield()
        assert here.borne("settings", "get", "StationName", "--data", tmp_path).out == "Begins\n"
        running.wait_for_page()
        assert running.end() == 0
    finally:
        running.process.kill()
        running.wait()


@pytest.mark.parametrize(
    ("mark", "how"),
    [
        ("lock", signal.SIGTERM),
        ("settings", signal.SIGINT),
        ("station.db", signal.SIGTERM),
        ("control.sock", signal.SIGINT),
    ],
)
def test_a_signal_during_the_start_ends_it(tmp_path: Path, how: signal.Signals, mark: str) -> None:
    running = Served(["--data", str(tmp_path), "--port", "0"])
    while not (tmp_path / mark).exists():
        os.sched_yield()
    assert running.end(how) in (0, 128 + how)
    assert "internal" not in "".join(running.lines)
    with served("--data", tmp_path):
        pass


def test_a_station_starts_after_a_kill(tmp_path: Path) -> None:
    with served("--data", tmp_path) as running:
        running.end(signal.SIGKILL)
        assert (tmp_path / "control.sock").exists()
    assert here.borne("settings", "get", "FreeCharging", "--data", tmp_path).out == "off\n"
    with served("--data", tmp_path):
        assert here.borne("settings", "get", "FreeCharging", "--data", tmp_path).out == "off\n"


def test_a_closed_standard_output_does_not_stop_the_start(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    start = command("serve", "--data", str(tmp_path), "--port", "0")
    process = subprocess.Popen(start, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    try:
        while not (tmp_path / "control.sock").exists():
            os.sched_yield()
        assert here.borne("settings", "get", "FreeCharging", "--data", tmp_path).out == "off\n"
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors
