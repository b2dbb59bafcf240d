"""Secrets among the arguments are not left in the process list."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from borne.domain.settings import CATALOGUE
from borne.foundation.process_list import covered, hide_secrets
from tests.support.cases import every_case

SECRET = "0123456789abcdef"


def test_every_secret_setting_is_covered() -> None:
    keys = [entry.key for entry in CATALOGUE if entry.type.is_secret]
    with every_case() as case:
        for key, form in product(keys, ["{}=", "{}_2=", "--set={}=", "--set={}_2="]):
            name = form.format(key)
            with case(name):
                hidden = covered(f"{name}{SECRET}".encode())
                assert hidden is not None
                assert hidden.rstrip(b"\0") == f"{name}***".encode()
                assert len(hidden) == len(name) + len(SECRET)


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("AuthorizationKey=a=b", "AuthorizationKey=***"),
        ("authorizationkey=x", "authorizationkey=*"),
        ("SIMPin=1234", "SIMPin=***"),
        ("WebSocketsProxy=http://me:secret@proxy:3128", "WebSocketsProxy=http://***@proxy:3128"),
        ("WebSocketsBackendURL=wss://host/ocpp?t=0123", "WebSocketsBackendURL=wss://host/ocpp?***"),
        ("Any=ws://me:0123@host/a#0123", "Any=ws://***@host/a#***"),
        ("Any=ws://host/a?t=me@host", "Any=ws://host/a?***"),
        ("Any=ws://host/a?", None),
        ("StationName=Who? #1", None),
        ("StationName=A", None),
        ("WebSocketPingInterval=30", None),
        ("WebSocketsBackendURL=wss://host/ocpp", None),
        ("AuthorizationKey=", None),
        ("--data", None),
    ],
)
def test_covered_arguments(argument: str, shown: str | None) -> None:
    hidden = covered(argument.encode())
    assert (hidden.rstrip(b"\0").decode() if hidden is not None else None) == shown


def test_the_process_list_shows_no_secret() -> None:
    script = (
        "import sys; from borne.foundation.process_list import hide_secrets; "
        "assert hide_secrets(sys.argv); sys.stdout.write(sys.argv[1] + '\\n'); sys.stdout.flush(); "
        "sys.stdin.read()"
    )
    arguments = [f"AuthorizationKey={SECRET}", "StationName=seen"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == arguments[0], "the program has it"
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert process.stdin is not None
        process.stdin.close()
    assert SECRET.encode() not in shown
    assert b"AuthorizationKey=***" in shown
    assert shown.endswith(b"StationName=seen\0")


@pytest.mark.parametrize("stat", [None, "1 (a) b c", f"1 (a b) S {'0 ' * 44}17 18 0"])
def test_without_support_false_is_returned(stat: str | None, tmp_path: Path) -> None:
    (tmp_path / "cmdline").write_bytes(b"x\0")
    if stat is not None:
        (tmp_path / "stat").write_text(stat)
    assert not hide_secrets(["AuthorizationKey=x"], tmp_path)
    assert hide_secrets(["StationName=x"], tmp_path)
