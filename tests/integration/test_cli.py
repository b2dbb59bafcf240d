"""The command line against a running station and without one (house rules, "Outside contracts")."""

from __future__ import annotations

import json
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from borne import __version__
from tests.support.process import Ran, Served, borne, get, served

SITE = {"evse_sub_limit": [32, 32, 32]}
ONE = {"id": "A01", "type": "allocate", "site": SITE, "evses": [{"id": "A"}], "expected": {"A": 32}}
VECTORS = {"version": 1, "vectors": [ONE, ONE | {"id": "A02", "expected": {"A": 31}}]}
PASSWORD = "Stromkabel-2026"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Served]]:
    data = tmp_path_factory.mktemp("running")
    with served("--data", data, "--set", "StationName=Rue Haute") as running:
        yield data, running


@pytest.fixture(params=["running", "stopped"])
def data(request: pytest.FixtureRequest, station: tuple[Path, Served], tmp_path: Path) -> Path:
    """A folder with a station on it, and one without."""
    return station[0] if request.param == "running" else tmp_path


def refused(ran: Ran, *parts: str, code: int = 2) -> None:
    assert (ran.code, ran.out) == (code, "")
    for part in parts:
        assert part in ran.sentence


def test_version() -> None:
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
    names = {row["name"] for row in changed} - {"StationName"}
    assert names == {"OperatorCurrentLimit", "FLLEnable"}


def test_what_needs_a_restart_is_told(data: Path) -> None:
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
        (("settings", "set", "NumberOfConnectors=3"), "nobody can change"),
        (("settings", "set", "StationName=\udcff"), "StationName"),
        (("user", "set-password", "root"), "user, operator, installer, manufacturer"),
        (("login-link", "--role", "root"), "user, operator, installer, manufacturer"),
        (("token", "create", "--role", "root"), "user, operator, installer, manufacturer"),
    ],
)
def test_nonsense_is_one_sentence(data: Path, arguments: tuple[str, ...], part: str) -> None:
    refused(borne(*arguments, "--data", data), part)


def test_secrets_are_never_printed(data: Path) -> None:
    secret = "geheim-geheim-geheim"
    ran = borne("settings", "set", "--data", data, f"AuthorizationKey={secret}")
    assert ran.code == 0
    assert borne("settings", "get", "AuthorizationKey", "--data", data).out == "(set)\n"
    told = [
        ran.out,
        borne("settings", "list", "--data", data).out,
        borne("settings", "list", "--json", "--data", data).out,
        borne("settings", "set", "--data", data, f"AuthorizationKey={secret[:9]}").err,
    ]
    assert not any(secret[:9] in text for text in told)


def test_a_password_comes_from_standard_input(data: Path) -> None:
    ran = borne("user", "set-password", "installer", "--data", data, stdin=f"{PASSWORD}\n")
    assert ran == Ran(0, "The password of installer is set.\n", "")
    for weak, why in (("kurz", "at least 8"), ("", "at least 8"), ("yellow_zone", "manual")):
        ran = borne("user", "set-password", "operator", "--data", data, stdin=f"{weak}\n")
        refused(ran, why)


def test_strong_passwords_may_be_demanded(data: Path) -> None:
    assert borne("settings", "set", "EnforceStrongPasswords=on", "--data", data).code == 0
    ran = borne("user", "set-password", "user", "--data", data, stdin="nurkleinebuchstaben\n")
    refused(ran, "capital letters")


def test_a_link_opens_the_running_station(station: tuple[Path, Served]) -> None:
    data, running = station
    for role in ("user", "operator", "installer", "manufacturer"):
        ran = borne("login-link", "--role", role, "--data", data)
        link = ran.out.strip()
        assert link.startswith(f"{running.page}/login/")
        assert ran.err == ""
        assert get(link)[0] in (200, 303)


def test_the_link_of_the_greeting_opens_the_station(station: tuple[Path, Served]) -> None:
    _, running = station
    assert running.link.startswith(f"{running.page}/login/")
    assert get(running.link)[0] in (200, 303)


def test_a_link_without_a_station_says_so(tmp_path: Path) -> None:
    ran = borne("login-link", "--role", "operator", "--data", tmp_path)
    assert ran.out.startswith("http://127.0.0.1:8080/login/")
    assert "No station runs" in ran.sentence
    elsewhere = ("--url", "http://[::1]:90/")
    ran = borne("login-link", "--role", "operator", "--data", tmp_path, *elsewhere)
    assert ran.out.startswith("http://[::1]:90/login/")


def test_a_link_made_before_the_start_is_good_after_it(tmp_path: Path) -> None:
    link = borne("login-link", "--role", "operator", "--data", tmp_path).out.strip()
    with served("--data", tmp_path) as running:
        assert get(f"{running.page}/login/{link.rpartition('/')[2]}")[0] in (200, 303)


def test_a_token_opens_the_api(station: tuple[Path, Served]) -> None:
    data, running = station
    token = borne("token", "create", "--role", "operator", "--name", "wall", "--data", data).out
    status, body = get(
        f"{running.page}/api/v1/status", {"Authorization": f"Bearer {token.strip()}"}
    )
    assert status == 200
    assert [connector["id"] for connector in body["connectors"]] == [1, 2]


def test_a_token_made_without_a_station_is_good_at_its_start(tmp_path: Path) -> None:
    token = borne("token", "create", "--role", "user", "--data", tmp_path).out.strip()
    with served("--data", tmp_path) as running:
        headers = {"Authorization": f"Bearer {token}"}
        assert get(f"{running.page}/api/v1/status", headers)[0] == 200


def test_health_needs_no_login(station: tuple[Path, Served]) -> None:
    assert get(f"{station[1].page}/healthz")[0] == 200
    assert get(f"{station[1].page}/readyz")[0] == 200


def test_settings_of_the_start_are_stored(tmp_path: Path) -> None:
    """Those of a file first, so that the command line wins; no secret stays in the process list."""
    data, file = tmp_path / "data", tmp_path / "settings.txt"
    sets = ("--set", "StationName=A=b", "--set", "FreeCharging=off", "--set", "FreeCharging=on")
    secret = ("--set", "AuthorizationKey=0123456789abcdef")
    file.write_text("# at the start\nFreeCharging=off\n\nMeterValueSampleInterval=17\n")
    given = ("--data", data, *sets, *secret, "--set-file", file)
    with served(*given, new_interpreter=True) as running:
        shown = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
        assert running.end() == 0
    assert b"0123456789abcdef" not in shown
    assert b"AuthorizationKey=***" in shown
    expected = {
        "StationName": "A=b",
        "FreeCharging": "on",
        "MeterValueSampleInterval": "17",
        "AuthorizationKey": "(set)",
    }
    for name, value in expected.items():
        assert borne("settings", "get", name, "--data", data).out == f"{value}\n"


def test_settings_from_standard_input(data: Path) -> None:
    lines = "AuthorizationKey=geheim-geheim-geheim\nStationName=from a pipe\n"
    ran = borne("settings", "set", "--data", data, "--set-file", "-", stdin=lines)
    assert ran.out == "AuthorizationKey: stored\nStationName: stored\n"
    broken = borne("settings", "set", "--data", data, "--set-file", "-", stdin="geheim\n")
    refused(broken, "Line 1 of the settings is not of the form KEY=VALUE")
    refused(borne("settings", "set", "--data", data), "--set-file")
    refused(borne("serve", "--data", data, "--set-file", data / "nowhere"), "cannot be read")


def test_the_data_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    with served("--data", tmp_path / "new"):
        paths = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
        shared = [str(p) for p in paths if stat.S_IMODE(p.stat().st_mode) & 0o077]
        assert shared == []


def test_a_station_of_other_addresses_is_told_as_this_machine_types_them(tmp_path: Path) -> None:
    with served("--data", tmp_path, "--host", "0.0.0.0") as running:
        assert running.page.startswith("http://127.0.0.1:")
        assert get(running.link)[0] in (200, 303)


def own_address() -> str:
    """An address of this machine that other machines use."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.9", 9))
        except OSError:
            pytest.skip("could not run: this machine has no address but its own")
        return str(probe.getsockname()[0])


def test_a_link_that_cannot_work_is_said(tmp_path: Path) -> None:
    address = own_address()
    running = Served(["--data", str(tmp_path), "--port", "0", "--host", address])
    try:
        running.wait_for(running.out, f"A login link works on this machine only.*{address}")
        ran = borne("login-link", "--role", "operator", "--data", tmp_path)
        assert address in ran.sentence
    finally:
        assert running.end() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_politely(tmp_path: Path, how: signal.Signals) -> None:
    with served("--data", tmp_path) as running:
        assert running.end(how) == 0
        assert not (tmp_path / "control.sock").exists()
        left = {path.name for path in tmp_path.iterdir()}
        assert not any(name.endswith(("-wal", "-shm")) for name in left)


def test_vectors(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(VECTORS))
    ran = borne("vectors", path)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines() == ["A02: A: expected 31 A, got 32 A", "1 passed, 1 failed"]
    path.write_text("no vectors")
    assert borne("vectors", path).code == 2
