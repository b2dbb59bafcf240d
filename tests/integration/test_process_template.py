"""Copies of the template behave as programs of a new interpreter do."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.process import Served, borne, plain_environment, served


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("version",), id="answers"),
        pytest.param(("settings", "get", "Nonsense"), id="refused"),
        pytest.param(("nonsense",), id="wrong usage"),
    ],
)
def test_a_copy_exits_like_a_new_interpreter(arguments: tuple[str, ...], tmp_path: Path) -> None:
    new, copy = (
        borne(*arguments, new_interpreter=new, env=plain_environment() | {"BORNE_DATA": str(data)})
        for new, data in ((True, tmp_path / "a"), (False, tmp_path / "b"))
    )
    assert (copy.code, copy.out, copy.err.replace("/b", "/a")) == (new.code, new.out, new.err)


def test_a_copy_has_its_own_input_folder_and_environment(tmp_path: Path) -> None:
    environment = plain_environment() | {"BORNE_DATA": "data"}
    ran = borne(
        "settings", "set", "--set-file", "-", stdin="StationName=A", env=environment, cwd=tmp_path
    )
    assert ran.code == 0, ran.err
    assert (tmp_path / "data" / "settings").is_dir()
    assert "BORNE_DATA" not in os.environ


def test_signals_reach_a_copy_alone(tmp_path: Path) -> None:
    with served("--data", tmp_path / "a") as killed, served("--data", tmp_path / "b") as ended:
        assert killed.end(signal.SIGKILL) == -signal.SIGKILL
        assert ended.process.poll() is None
        assert ended.end() == 0


def test_a_copy_has_the_descriptors_of_a_program_and_no_more(tmp_path: Path) -> None:
    with served("--data", tmp_path / "a") as first, served("--data", tmp_path / "b") as second:
        theirs, ours = (
            {str(path.readlink()) for path in Path(f"/proc/{each.process.pid}/fd").iterdir()}
            for each in (first, second)
        )
        shared = {path for path in theirs & ours if not path.startswith("anon_inode:")}
        assert shared == {os.devnull}


def test_a_new_interpreter_serves_too(tmp_path: Path) -> None:
    running = Served(["--data", str(tmp_path), "--port", "0"], new_interpreter=True)
    running.wait_for_page()
    assert running.end() == 0
