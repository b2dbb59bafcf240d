"""What a start does not import, so that it stays quick: no times are taken here."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.process import unmeasured_environment

WEB = {"fastapi", "starlette", "uvicorn", "jinja2", "babel", "markupsafe", "anyio"}
LATER = {"asyncssh", "cryptography", "httpx", "lxml", "numpy", "pymodbus", "rich", "serial"}
LATER |= {"borne.protocols.modbus", "borne.protocols.meter_profiles", "borne.adapters.meters"}
LATER |= {"borne.meter_cli"}
HEAVY = {"asyncio", "borne.app", "borne.domain", "pydantic", "sqlite3", "ssl", "websockets"}


def imported(code: str) -> set[str]:
    """Packages and modules that a fresh interpreter has after the code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured_environment(),
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(found)


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        pytest.param("import borne.cli", WEB | LATER | HEAVY, id="the command line"),
        pytest.param("import borne.__main__", HEAVY | {"typer"}, id="before signals are minded"),
        pytest.param(
            "import borne.adapters.control.socket",
            (WEB | LATER | HEAVY) - {"asyncio", "ssl"},
            id="a command for a running station",
        ),
        pytest.param(
            "import borne.data_folder",
            WEB | LATER | {"borne.app", "pydantic", "websockets"},
            id="a command without a station",
        ),
        pytest.param("import borne.serve", WEB | LATER | {"typer"}, id="a station"),
    ],
)
def test_modules_not_imported_at_the_start(code: str, unwanted: set[str]) -> None:
    assert imported(code) & unwanted == set()
