"""What can be wrong at a start is one sentence and an exit code, never a stack trace."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.in_process import borne, notices_of
from tests.support.process import Ran


def refused(ran: Ran, *parts: str, code: int = 1) -> None:
    assert (ran.code, ran.out) == (code, "")
    for part in parts:
        assert part in ran.sentence


def start(data: Path, *arguments: str) -> Ran:
    """A start that must fail."""
    return borne("serve", "--data", data, "--port", "0", *arguments)


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
def test_invalid_settings_are_refused_together(tmp_path: Path, sets: list[str], part: str) -> None:
    arguments = [word for text in ("StationName=New", *sets) for word in ("--set", text)]
    refused(start(tmp_path, *arguments), part, code=2)
    assert borne("settings", "get", "StationName", "--data", tmp_path).out == "Station\n"


def test_several_invalid_settings_are_one_sentence(tmp_path: Path) -> None:
    ran = start(tmp_path, "--set", "FreeCharging=maybe", "--set", "Nonsense=1")
    refused(ran, "FreeCharging", "Nonsense", code=2)


@pytest.mark.parametrize("speed", ["0.5", "nan", "inf", "fast"])
def test_invalid_speeds_are_refused(tmp_path: Path, speed: str) -> None:
    assert start(tmp_path, "--speed", speed).code == 2


def test_a_backend_excludes_a_higher_speed(tmp_path: Path) -> None:
    ran = start(tmp_path, "--speed", "10", "--set", "ConnectionType=ethernet")
    refused(ran, "ConnectionType=no_backend", code=2)
    assert borne("settings", "get", "ConnectionType", "--data", tmp_path).out == "no_backend\n"


def test_real_hardware_is_refused(tmp_path: Path) -> None:
    refused(start(tmp_path, "--hardware", "board.yaml"), "hardware", code=2)


def test_settings_of_a_newer_version_are_put_aside_and_reported(tmp_path: Path) -> None:
    used(tmp_path)
    newest = max((tmp_path / "settings").glob("settings-*.json"))
    header, body, _ = newest.read_bytes().split(b"\n")
    body = json.dumps({**json.loads(body), "schema": 999}).encode()
    sealed: dict[str, Any] = {
        **json.loads(header),
        "schema": 999,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    newest.write_bytes(json.dumps(sealed).encode() + b"\n" + body + b"\n")
    assert any("newer version, schema 999" in notice for notice in notices_of(tmp_path))
    assert newest.with_name(f"{newest.name}.damaged").read_bytes().endswith(body + b"\n")


# Folder ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "data", "data/deeper"])
def test_a_file_as_data_folder_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    data = tmp_path / "file" / below
    for ran in (start(data), borne("settings", "list", "--data", data)):
        refused(ran, str(data), "cannot be used")


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b"this is no database" * 1000),
        lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    ],
    ids=["overwritten", "cut"],
)
def test_a_damaged_database_is_put_aside_and_reported(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(used(tmp_path) / "station.db")
    assert any("was damaged" in notice for notice in notices_of(tmp_path))
    assert list(tmp_path.glob("station-damaged-*"))


def test_a_station_starts_with_a_database_of_a_newer_version(
    tmp_path: Path,
) -> None:
    path = used(tmp_path) / "station.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO schema_version VALUES (999)")
    assert any("newer version" in notice for notice in notices_of(tmp_path))
    with contextlib.closing(sqlite3.connect(path)) as database:
        versions = {version for (version,) in database.execute("SELECT * FROM schema_version")}
    assert 999 in versions, "what an older version can read it uses as it is"


def test_a_database_that_is_a_folder_is_moved_away(tmp_path: Path) -> None:
    (tmp_path / "station.db").mkdir()
    notices_of(tmp_path)
    assert (tmp_path / "station.db").is_file()


# Ports -----------------------------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_used_port_is_refused(tmp_path: Path, taken: int) -> None:
    ran = borne("serve", "--data", tmp_path, "--port", str(taken))
    refused(ran, f"Port {taken} on 127.0.0.1", "another program uses it")


@pytest.mark.parametrize(
    ("host", "part"),
    [("203.0.113.9", "does not have that address"), ("no.such.host.invalid", "no such address")],
)
def test_addresses_of_other_machines_are_refused(tmp_path: Path, host: str, part: str) -> None:
    refused(start(tmp_path, "--host", host), part)
