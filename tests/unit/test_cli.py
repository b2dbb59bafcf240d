"""What the commands of the command line answer, with a station on the folder and without one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from borne import __version__
from tests.support.in_process import PAGE, borne, station
from tests.support.process import Ran

SITE = {"evse_sub_limit": [32, 32, 32]}
ONE = {"id": "A01", "type": "allocate", "site": SITE, "evses": [{"id": "A"}], "expected": {"A": 32}}
VECTORS = {"version": 1, "vectors": [ONE, ONE | {"id": "A02", "expected": {"A": 31}}]}
PASSWORD = "Stromkabel-2026"
ROLES = "user, operator, installer, manufacturer"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a station that runs."""
    data = tmp_path_factory.mktemp("running")
    with station(data, StationName="Rue Haute"):
        yield data


@pytest.fixture(params=["running", "stopped"])
def data(request: pytest.FixtureRequest, running: Path, tmp_path: Path) -> Path:
    """A folder with a station on it, and one without."""
    return running if request.param == "running" else tmp_path


def refused(ran: Ran, *parts: str, code: int = 2) -> None:
    assert (ran.code, ran.out) == (code, "")
    for part in parts:
        assert part in ran.sentence


def test_version_is_printed() -> None:
    assert borne("version") == Ran(0, f"borne {__version__}\n", "")


def test_help_needs_no_station() -> None:
    ran = borne("--help")
    assert ran.code == 0
    for name in ("serve", "settings", "user", "login-link", "token", "vectors", "version"):
        assert name in ran.out


def test_settings_are_set_and_read(data: Path) -> None:
    ran = borne("settings", "set", "--data", data, "OperatorCurrentLimit=10", "FLLEnable=on")
    assert ran == Ran(0, "OperatorCurrentLimit: stored\nFLLEnable: stored\n", "")
    assert borne("settings", "get", "OperatorCurrentLimit", "--data", data).out == "10\n"
    assert borne("settings", "get", "OperatorCurrentLimit_2", "--data", data).out == "32\n"
    assert borne("settings", "get", "FLLEnable", "--data", data).out == "on\n"
    changed = json.loads(borne("settings", "list", "--changed", "--json", "--data", data).out)
    assert {"OperatorCurrentLimit", "FLLEnable"} <= {row["name"] for row in changed}
    assert len(changed) < 10
    assert borne("settings", "set", "--data", data, "OperatorCurrentLimit=32").code == 0


def test_a_required_restart_is_printed(data: Path) -> None:
    ran = borne("settings", "set", "ChargePointModel=AC twin", "--data", data)
    assert ran.out == "ChargePointModel: stored (after a restart)\n"


def test_settings_list_is_complete(data: Path) -> None:
    lines = borne("settings", "list", "--data", data).out.splitlines()
    assert len(lines) > 200
    assert any(line.startswith("LogLevel = info") for line in lines)
    assert any(line.endswith("(planned)") for line in lines)


@pytest.mark.parametrize("pair", ["FreeCharging=maybe", "OperatorCurrentLimit=500", "Nonsense=1"])
def test_wrong_settings_change_nothing(data: Path, pair: str) -> None:
    before = borne("settings", "list", "--data", data).out
    ran = borne("settings", "set", "--data", data, "LocalPreAuthorize=off", pair)
    refused(ran, pair.partition("=")[0])
    assert borne("settings", "list", "--data", data).out == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("settings", "get", "Nonsense"), "no setting 'Nonsense'"),
        (("settings", "get", "freecharging"), "no setting 'freecharging'"),
        (("settings", "set", "FreeCharging"), "KEY=VALUE"),
        (("settings", "set", "=1"), "KEY=VALUE"),
        (("settings", "set", "RCMBDelta=5"), "Planned"),
        (("settings", "set", "APN=internet"), "no mobile modem"),
        (("settings", "set", "NumberOfConnectors=3"), "it cannot be changed"),
        (("settings", "set", "StationName=\udcff"), "StationName"),
        (("user", "set-password", "root"), ROLES),
        (("login-link", "--role", "root"), ROLES),
        (("token", "create", "--role", "root"), ROLES),
    ],
)
def test_invalid_arguments_are_answered_in_one_sentence(
    data: Path, arguments: tuple[str, ...], part: str
) -> None:
    refused(borne(*arguments, "--data", data), part)


def test_secrets_are_never_printed(data: Path) -> None:
    secret = "geheim-geheim-geheim"
    ran = borne("settings", "set", "--data", data, f"AuthorizationKey={secret}")
    assert ran.code == 0
    assert borne("settings", "get", "AuthorizationKey", "--data", data).out == "(set)\n"
    shown = [
        ran.out,
        borne("settings", "list", "--data", data).out,
        borne("settings", "list", "--json", "--data", data).out,
        borne("settings", "set", "--data", data, f"AuthorizationKey={secret[:9]}").err,
    ]
    assert not any(secret[:9] in text for text in shown)


def test_a_password_comes_from_standard_input(data: Path) -> None:
    ran = borne("user", "set-password", "installer", "--data", data, stdin=f"{PASSWORD}\n")
    assert ran == Ran(0, "The password of installer is set.\n", "")
    for weak, why in (("kurz", "at least 8"), ("", "at least 8"), ("yellow_zone", "manual")):
        ran = borne("user", "set-password", "operator", "--data", data, stdin=f"{weak}\n")
        refused(ran, why)


def test_strong_passwords_may_be_required(data: Path) -> None:
    assert borne("settings", "set", "EnforceStrongPasswords=on", "--data", data).code == 0
    ran = borne("user", "set-password", "user", "--data", data, stdin="nurkleinebuchstaben\n")
    refused(ran, "capital letters")


def test_a_link_of_a_running_station_opens_its_page(running: Path) -> None:
    for role in ROLES.split(", "):
        ran = borne("login-link", "--role", role, "--data", running)
        assert ran.out.startswith(f"{PAGE}/login/")
        assert ran.err == ""


def test_a_link_without_a_station_has_a_note(tmp_path: Path) -> None:
    ran = borne("login-link", "--role", "operator", "--data", tmp_path)
    assert ran.out.startswith("http://127.0.0.1:8080/login/")
    assert "No station runs" in ran.sentence
    elsewhere = ("--url", "http://[::1]:90/")
    ran = borne("login-link", "--role", "operator", "--data", tmp_path, *elsewhere)
    assert ran.out.startswith("http://[::1]:90/login/")


def test_a_token_is_shown_once(data: Path) -> None:
    made = [
        borne("token", "create", "--role", "operator", "--name", "wall", "--data", data)
        for _ in range(2)
    ]
    assert all((ran.code, ran.err) == (0, "") for ran in made)
    assert len({ran.out for ran in made}) == 2
    assert all(len(ran.out.strip()) > 20 for ran in made)


def test_settings_from_standard_input(data: Path) -> None:
    lines = "AuthorizationKey=geheim-geheim-geheim\nStationName=from a pipe\n"
    ran = borne("settings", "set", "--data", data, "--set-file", "-", stdin=lines)
    assert ran.out == "AuthorizationKey: stored\nStationName: stored\n"
    broken = borne("settings", "set", "--data", data, "--set-file", "-", stdin="geheim\n")
    refused(broken, "Line 1 of the settings is not of the form KEY=VALUE")
    binary = borne("settings", "set", "--data", data, "--set-file", "-", stdin=b"a=\xff\n")
    refused(binary, "not UTF-8")
    refused(borne("settings", "set", "--data", data), "--set-file")


def test_settings_from_a_missing_file(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    refused(borne("serve", "--data", tmp_path, "--set-file", nowhere), "cannot be read")
    large = tmp_path / "large"
    large.write_text("#" * 300_000)
    refused(borne("settings", "set", "--data", tmp_path, "--set-file", large), "larger than")


def test_vectors_are_run(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(VECTORS))
    ran = borne("vectors", path)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines() == ["A02: A: expected 31 A, got 32 A", "1 passed, 1 failed"]
    path.write_text("no vectors")
    assert borne("vectors", path).code == 2


def test_replaying_a_file_that_is_no_journal(tmp_path: Path) -> None:
    refused(borne("replay", tmp_path / "nowhere"), "nowhere")


def test_a_command_restores_the_loggers(tmp_path: Path) -> None:
    """A start that fails leaves the loggers of this process as they were."""
    before = logging.getLogger().handlers[:]
    borne("serve", "--data", tmp_path, "--port", "0", "--host", "203.0.113.9")
    assert logging.getLogger().handlers == before
