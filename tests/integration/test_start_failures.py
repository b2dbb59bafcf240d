"""What can be wrong at a start is one sentence and an exit code, never a stack trace."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import Ran, Served, borne, command, served, unmeasured_environment

IS_ROOT = os.geteuid() == 0
PR_CAPBSET_DROP = 24
RIGHTS_OF_ROOT = (1, 2, 10)
"""Reading and writing what belongs to others, and binding low ports (linux/capability.h)."""


def give_up_rights() -> None:
    """Root without what makes it root; runs between fork and exec."""
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
    assert borne("settings", "set", "StationName=Rue Haute", "--data", data).code == 0
    assert borne("token", "create", "--role", "user", "--data", data).code == 0
    return data


# Settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sets", "part"),
    [
        (["FreeCharging=maybe"], "FreeCharging"),
        (["Nonsense=1"], "Nonsense"),
        (["FreeCharging"], "KEY=VALUE"),
        (["OperatorCurrentLimit=20", "InstallationCurrentLimit=16"], "OperatorCurrentLimit"),
        (["RCMBDelta=5"], "Planned"),
        (["HLC15118Mode=offer"], "ISO 15118"),
    ],
)
def test_wrong_settings_are_refused_whole(tmp_path: Path, sets: list[str], part: str) -> None:
    arguments = [word for text in ("StationName=New", *sets) for word in ("--set", text)]
    refused(start(tmp_path, *arguments), part, code=2)
    assert borne("settings", "get", "StationName", "--data", tmp_path).out == "Station\n"


def test_several_wrong_settings_are_one_sentence(tmp_path: Path) -> None:
    ran = start(tmp_path, "--set", "FreeCharging=maybe", "--set", "Nonsense=1")
    refused(ran, "FreeCharging", "Nonsense", code=2)


@pytest.mark.parametrize("speed", ["0.5", "nan", "inf", "fast"])
def test_impossible_speeds(tmp_path: Path, speed: str) -> None:
    assert start(tmp_path, "--speed", speed).code == 2


def test_a_backend_cannot_be_hurried(tmp_path: Path) -> None:
    ran = start(tmp_path, "--speed", "10", "--set", "ConnectionType=ethernet")
    refused(ran, "ConnectionType=no_backend", code=2)
    assert borne("settings", "get", "ConnectionType", "--data", tmp_path).out == "no_backend\n"


def test_there_is_no_real_hardware_yet(tmp_path: Path) -> None:
    refused(start(tmp_path, "--hardware", "board.yaml"), "hardware", code=2)


def test_damaged_settings_are_told_and_the_ones_before_are_in_force(tmp_path: Path) -> None:
    used(tmp_path)
    newest = max((tmp_path / "settings").glob("settings-*.json"))
    newest.write_bytes(newest.read_bytes()[:-20])
    with served("--data", tmp_path) as running:
        running.wait_for(running.err, "cannot be read")
        running.end()
        greeting = "".join(running.said)
    assert "the settings before it are in force" in greeting
    assert borne("settings", "get", "StationName", "--data", tmp_path).out == "Station\n"


def test_settings_of_a_newer_version_are_put_aside_and_told(tmp_path: Path) -> None:
    used(tmp_path)
    newest = max((tmp_path / "settings").glob("settings-*.json"))
    header, body, _ = newest.read_bytes().split(b"\n")
    document = {**json.loads(body), "schema": 999}
    body = json.dumps(document).encode()
    header = json.dumps(
        {**json.loads(header), "schema": 999, "sha256": hashlib.sha256(body).hexdigest()}
    ).encode()
    newest.write_bytes(header + b"\n" + body + b"\n")
    with served("--data", tmp_path) as running:
        running.end()
        assert "newer version, schema 999" in "".join(running.said)
    assert newest.with_name(f"{newest.name}.damaged").read_bytes().endswith(body + b"\n")


# Folder and disk -------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "data", "data/deeper"])
def test_a_folder_that_is_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    data = tmp_path / "file" / below
    for ran in (start(data), borne("settings", "list", "--data", data)):
        refused(ran, str(data), "cannot be used")


@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_a_folder_without_rights(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    for arguments in (("serve", "--port", "0"), ("settings", "list")):
        ran = borne(*arguments, "--data", data, preexec_fn=give_up_rights)
        refused(ran, str(data), "Permission denied")
    data.chmod(0o700)


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b"this is no database" * 1000),
        lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    ],
    ids=["overwritten", "cut"],
)
def test_a_damaged_database_is_put_aside_and_told(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(used(tmp_path) / "station.db")
    with served("--data", tmp_path) as running:
        running.end()
        assert "was damaged" in "".join(running.said)
    assert list(tmp_path.glob("station-damaged-*"))


def test_a_database_of_a_newer_version_keeps_no_station_from_starting(tmp_path: Path) -> None:
    path = used(tmp_path) / "station.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO schema_version VALUES (999)")
    with served("--data", tmp_path) as running:
        running.end()
        assert "newer version" in "".join(running.said)
    with contextlib.closing(sqlite3.connect(path)) as database:
        versions = {version for (version,) in database.execute("SELECT * FROM schema_version")}
    assert 999 in versions, "what an older version can read it uses as it is"


def test_a_database_that_is_a_folder_is_moved_away(tmp_path: Path) -> None:
    (tmp_path / "station.db").mkdir()
    with served("--data", tmp_path) as running:
        running.end()
    assert (tmp_path / "station.db").is_file()


def test_no_more_room_for_files(tmp_path: Path) -> None:
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


def test_a_disk_that_is_full_later(small_disk: Path) -> None:
    data = small_disk / "data"
    assert borne("settings", "set", "StationName=A", "--data", data).code == 0
    fill(small_disk)
    refused(borne("settings", "set", "StationName=B", "--data", data), "No space left")
    ran = borne("token", "create", "--role", "user", "--data", data)
    refused(ran, "full")
    refused(start(data), "full")
    (small_disk / "ballast").unlink()
    assert borne("settings", "get", "StationName", "--data", data).out == "A\n"


# Ports and processes ---------------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_taken_port(tmp_path: Path, taken: int) -> None:
    ran = borne("serve", "--data", tmp_path, "--port", str(taken))
    refused(ran, f"Port {taken} on 127.0.0.1", "another program uses it")


@pytest.mark.parametrize(
    ("host", "part"),
    [("203.0.113.9", "does not have that address"), ("no.such.host.invalid", "no such address")],
)
def test_addresses_of_other_machines(tmp_path: Path, host: str, part: str) -> None:
    refused(start(tmp_path, "--host", host), part)


def test_port_80_without_rights_becomes_a_high_one(tmp_path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        free = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()
        if int(free) <= 80:
            pytest.skip("could not run: everybody may use port 80 on this machine")
    arguments = ["--data", str(tmp_path), "--host", "127.0.0.2", "--port", "80"]
    running = Served(arguments, preexec_fn=give_up_rights)
    try:
        assert running.wait_for_page() == "http://127.0.0.2:8080"
        assert running.end() == 0
        assert "Port 80 needs privileges" in "".join(running.said)
    finally:
        running.process.kill()
        running.wait()


def test_a_folder_belongs_to_one_station(tmp_path: Path) -> None:
    with served("--data", tmp_path) as running:
        ran = start(tmp_path)
        refused(ran, f"in use by process {running.process.pid}")


def test_a_command_waits_for_a_station_that_begins(tmp_path: Path) -> None:
    running = Served(["--data", str(tmp_path), "--port", "0", "--set", "StationName=Begins"])
    try:
        lock = tmp_path / "lock"
        while not (lock.exists() and lock.read_text()):
            os.sched_yield()
        assert borne("settings", "get", "StationName", "--data", tmp_path).out == "Begins\n"
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
    assert "internal" not in "".join(running.said)
    with served("--data", tmp_path):
        pass


def test_a_killed_station_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with served("--data", tmp_path) as running:
        running.end(signal.SIGKILL)
        assert (tmp_path / "control.sock").exists()
    assert borne("settings", "get", "FreeCharging", "--data", tmp_path).out == "off\n"
    with served("--data", tmp_path):
        assert borne("settings", "get", "FreeCharging", "--data", tmp_path).out == "off\n"


def test_nobody_reads_the_greeting(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    start = command("serve", "--data", str(tmp_path), "--port", "0")
    process = subprocess.Popen(start, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    try:
        while not (tmp_path / "control.sock").exists():
            os.sched_yield()
        assert borne("settings", "get", "FreeCharging", "--data", tmp_path).out == "off\n"
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said
