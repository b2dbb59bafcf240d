"""`borne` as a process: streams, exit codes, signals, and the way to a station that runs.

What each command answers: `tests/unit/test_cli.py`.
"""

from __future__ import annotations

import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from borne import __version__
from tests.support import in_process as here
from tests.support.process import Ran, Served, borne, get, served

PASSWORD = "Stromkabel-2026"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Served]]:
    data = tmp_path_factory.mktemp("running")
    with served("--data", data, "--set", "StationName=Rue Haute") as running:
        yield data, running


def refused(ran: Ran, *parts: str, code: int = 2) -> None:
    assert (ran.code, ran.out) == (code, "")
    for part in parts:
        assert part in ran.sentence


def test_version() -> None:
    assert borne("version", new_interpreter=True) == Ran(0, f"borne {__version__}\n", "")


def test_a_process_answers_on_its_streams_and_by_its_exit_code(tmp_path: Path) -> None:
    ran = borne("settings", "set", "FLLEnable=on", "--data", tmp_path)
    assert ran == Ran(0, "FLLEnable: stored\n", "")
    refused(borne("settings", "set", "FreeCharging=maybe", "--data", tmp_path), "FreeCharging")
    ran = borne("user", "set-password", "installer", "--data", tmp_path, stdin=f"{PASSWORD}\n")
    assert ran == Ran(0, "The password of installer is set.\n", "")
    refused(borne("serve", "--data", tmp_path, "--set", "Nonsense=1"), "Nonsense")


def test_a_link_opens_the_running_station(station: tuple[Path, Served]) -> None:
    data, running = station
    for role in ("user", "operator", "installer", "manufacturer"):
        ran = here.borne("login-link", "--role", role, "--data", data)
        link = ran.out.strip()
        assert link.startswith(f"{running.page}/login/")
        assert ran.err == ""
        assert get(link)[0] in (200, 303)


def test_the_link_of_the_greeting_opens_the_station(station: tuple[Path, Served]) -> None:
    _, running = station
    assert running.link.startswith(f"{running.page}/login/")
    assert get(running.link)[0] in (200, 303)


def test_a_link_made_before_the_start_works_after_it(tmp_path: Path) -> None:
    link = here.borne("login-link", "--role", "operator", "--data", tmp_path).out.strip()
    with served("--data", tmp_path) as running:
        assert get(f"{running.page}/login/{link.rpartition('/')[2]}")[0] in (200, 303)


def test_a_token_opens_the_api(station: tuple[Path, Served]) -> None:
    data, running = station
    token = here.borne(
        "token", "create", "--role", "operator", "--name", "wall", "--data", data
    ).out
    status, body = get(
        f"{running.page}/api/v1/status", {"Authorization": f"Bearer {token.strip()}"}
    )
    assert status == 200
    assert [connector["id"] for connector in body["connectors"]] == [1, 2]


def test_a_token_made_without_a_station_works_after_the_start(tmp_path: Path) -> None:
    token = here.borne("token", "create", "--role", "user", "--data", tmp_path).out.strip()
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
        assert here.borne("settings", "get", name, "--data", data).out == f"{value}\n"


def test_the_data_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    with served("--data", tmp_path / "new"):
        paths = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
        shared = [str(p) for p in paths if stat.S_IMODE(p.stat().st_mode) & 0o077]
        assert shared == []


def test_the_printed_address_works_on_this_machine(tmp_path: Path) -> None:
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


def test_a_link_that_cannot_work_is_noted(tmp_path: Path) -> None:
    address = own_address()
    running = Served(["--data", str(tmp_path), "--port", "0", "--host", address])
    try:
        running.wait_for(running.out, f"A login link works on this machine only.*{address}")
        ran = here.borne("login-link", "--role", "operator", "--data", tmp_path)
        assert address in ran.sentence
    finally:
        assert running.end() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_the_station_in_order(tmp_path: Path, how: signal.Signals) -> None:
    with served("--data", tmp_path) as running:
        assert running.end(how) == 0
        assert not (tmp_path / "control.sock").exists()
        left = {path.name for path in tmp_path.iterdir()}
        assert not any(name.endswith(("-wal", "-shm")) for name in left)
