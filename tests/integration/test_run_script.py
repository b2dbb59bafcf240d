"""`./run` on machines that have this and lack that: a copy with empty pins, on a bare PATH.

The pins being empty, nothing is fetched: what is tested is which interpreter is taken, when
something is set up, and what is said when it cannot be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    "cat", "chmod", "cksum", "dirname", "grep", "head", "id", "ls", "mv", "rm", "sed", "sh",
    "sort", "tail", "uniq",
)  # fmt: skip
NO_PYTHON = (
    "no Python 3.11 or newer (64-bit) found; on Debian: apt-get install python3 python3-venv"
)
PROGRAM = "import sys\nprint(sys.version_info.minor, *sys.argv[1:])\n"
UNREACHABLE = (
    "borne-no-such-package==1.0"
    " --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n"
)
MINOR = str(sys.version_info.minor)
LANES = "import os, sys\nprint(*sys.argv[1:], repr(os.environ['BORNE_CHROMIUM']))\n"
REAL_PYTHON = Path(getattr(sys, "_base_executable", sys.executable))


@dataclass(frozen=True, slots=True)
class Machine:
    """A checkout, a PATH and a home of their own."""

    checkout: Path
    bin: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(self.checkout / "run"), *arguments],
            env={
                "PATH": str(self.bin),
                "HOME": str(self.checkout.parent),
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
                "PIP_RETRIES": "0",
                **environment,
            },
            cwd=self.checkout.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def program(self, name: str, script: str) -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def pins(self, text: str) -> None:
        (self.checkout / "requirements.txt").write_text(text)


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """A machine without any Python."""
    checkout, programs = tmp_path / "check out", tmp_path / "bin"
    (checkout / "src" / "borne").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(ROOT / "run", checkout / "run")
    (checkout / "src" / "borne" / "__init__.py").touch()
    (checkout / "src" / "borne" / "__main__.py").write_text(PROGRAM)
    (checkout / "tools").mkdir()
    (checkout / "tools" / "lanes.py").write_text(LANES)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (checkout / name).write_text("# none\n")
    for name in TOOLS:
        path = shutil.which(name)
        assert path, name
        (programs / name).symlink_to(path)
    return Machine(checkout, programs)


@pytest.fixture
def with_pip(bare: Machine) -> Machine:
    """A machine with the Python that runs the tests, and no uv."""
    bare.program("python3", f'exec "{REAL_PYTHON}" "$@"')
    return bare


@pytest.fixture
def machine(with_pip: Machine) -> Machine:
    """The same with a stand-in for uv, which can install what pins nothing."""
    make = f'"{REAL_PYTHON}" -m venv --without-pip'
    with_pip.program(
        "uv",
        f"""for last; do :; done
case "$1 $2" in
    "venv "*) {make} "$last" ;;
    "pip install") ! grep -q == "$last" ;;
esac""",
    )
    return with_pip


def test_sets_up_once_and_hands_arguments_on(machine: Machine) -> None:
    first = machine.run("serve", "--set", "Name=two words")
    assert (first.returncode, first.stdout) == (0, f"{MINOR} serve --set Name=two words\n")
    assert "setting up" in first.stderr
    second = machine.run()
    assert (second.returncode, second.stdout, second.stderr) == (0, f"{MINOR}\n", "")


def test_pip_does_without_uv_and_says_when_the_index_is_out_of_reach(with_pip: Machine) -> None:
    with_pip.pins(UNREACHABLE)
    failed = with_pip.run("version")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "the package index cannot be reached" in failed.stderr.splitlines()[-1]
    with_pip.pins("# none\n")
    again = with_pip.run("version")
    assert (again.returncode, again.stdout) == (0, f"{MINOR} version\n")
    assert with_pip.run("version").stderr == ""


def test_second_start_needs_neither_interpreter_nor_installer(machine: Machine) -> None:
    assert machine.run().returncode == 0
    (machine.bin / "python3").unlink()
    (machine.bin / "uv").unlink()
    second = machine.run("version")
    assert (second.returncode, second.stdout, second.stderr) == (0, f"{MINOR} version\n", "")


def test_new_pins_are_installed(machine: Machine) -> None:
    assert machine.run().returncode == 0
    machine.pins("# others\n")
    assert "setting up" in machine.run().stderr
    assert machine.run().stderr == ""


def test_environment_of_the_tests_serves_the_station(machine: Machine) -> None:
    assert machine.run("setup", "dev").returncode == 0
    assert machine.run("version").stderr == ""


def test_program_is_in_the_environment(machine: Machine) -> None:
    assert machine.run().returncode == 0
    program = machine.checkout / ".venv" / "bin" / "borne"
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{MINOR} version\n"


def test_a_moved_checkout_finds_itself(machine: Machine) -> None:
    assert machine.run().returncode == 0
    moved = Machine(machine.checkout.rename(machine.checkout.parent / "moved"), machine.bin)
    assert moved.run("version").stdout == f"{MINOR} version\n"


def test_shims_that_do_not_run_are_skipped(machine: Machine) -> None:
    machine.program("python3.14", "echo 'pyenv: python3.14: command not found' >&2; exit 127")
    done = machine.run("version")
    assert (done.returncode, done.stdout) == (0, f"{MINOR} version\n")


def test_newest_is_listed_first(machine: Machine) -> None:
    machine.program("python3.12", "echo '3012 ok /old/python'")
    machine.program("python3.15", "echo '3015 ok /new/python'")
    listed = machine.run("pythons").stdout.splitlines()
    assert listed[0] == "3015 /new/python"
    assert listed == sorted(listed, reverse=True)


@pytest.mark.parametrize(
    ("prepare", "environment", "sentence"),
    [
        pytest.param(
            lambda m: None,
            {},
            NO_PYTHON,
            id="no Python",
        ),
        pytest.param(
            lambda m: m.program("python3", "exit 0"),
            {},
            NO_PYTHON,
            id="too old",
        ),
        pytest.param(
            lambda m: m.program("python3", "echo 3011 ensurepip /usr/bin/python3"),
            {},
            "/usr/bin/python3 lacks the module ensurepip; on Debian: apt-get install python3-venv",
            id="no venv",
        ),
        pytest.param(
            lambda m: m.program("python3", "echo 3013 sqlite3 /opt/python3"),
            {},
            "/opt/python3 lacks the module sqlite3; reinstall that Python with it "
            "(Debian's python3 has it), or set BORNE_PYTHON to another.",
            id="no sqlite3",
        ),
        pytest.param(
            lambda m: None,
            {"BORNE_PYTHON": "python9"},
            "BORNE_PYTHON=python9 is not a program; give a path or a name such as python3.13.",
            id="chosen one is not there",
        ),
        pytest.param(
            lambda m: m.program("old", "exit 1"),
            {"BORNE_PYTHON": "old"},
            "BORNE_PYTHON=old does not run as a 64-bit Python 3.11 or newer.",
            id="chosen one is too old",
        ),
    ],
)
def test_missing_requirements_are_named_in_a_sentence(
    bare: Machine,
    prepare: Callable[[Machine], object],
    environment: dict[str, str],
    sentence: str,
) -> None:
    prepare(bare)
    done = bare.run("version", **environment)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"run: {sentence}\n")


def test_pip_is_used_when_uv_fails(machine: Machine, tmp_path: Path) -> None:
    machine.program("uv", "echo 'error: no route' >&2; exit 2")
    asked = tmp_path / "asked"
    stand_in = tmp_path / "modules" / "pip.py"
    stand_in.parent.mkdir()
    stand_in.write_text(f"import sys\nopen({str(asked)!r}, 'a').write(f'{{sys.argv[1:]}}\\n')\n")
    done = machine.run("version", PYTHONPATH=str(stand_in.parent))
    assert done.stdout == f"{MINOR} version\n"
    assert asked.read_text().count("install") == 1
    assert "'--require-hashes'" in asked.read_text()


def test_uv_is_used_instead_of_pip(machine: Machine) -> None:
    assert machine.run("version").stdout == f"{MINOR} version\n"
    assert not list((machine.checkout / ".venv").glob("lib/python3*/site-packages/pip"))


def test_a_folder_that_is_no_environment_is_not_touched(machine: Machine) -> None:
    precious = machine.checkout.parent / "precious"
    precious.mkdir()
    (precious / "letter.txt").write_text("keep")
    done = machine.run("version", BORNE_VENV=str(precious))
    assert done.returncode == 1
    assert "is not an environment of Python" in done.stderr
    assert (precious / "letter.txt").read_text() == "keep"


def test_a_relative_folder_lies_where_the_user_is(machine: Machine) -> None:
    assert machine.run("version", BORNE_VENV="mine").returncode == 0
    assert (machine.checkout.parent / "mine" / "pyvenv.cfg").exists()


def test_another_interpreter_makes_another_environment(machine: Machine) -> None:
    assert machine.run().returncode == 0
    machine.program("other", f'exec "{REAL_PYTHON}" "$@"')
    assert "setting up" in machine.run(BORNE_PYTHON="other").stderr
    assert machine.run(BORNE_PYTHON="other").stderr == ""


def test_tests_get_the_chromium_that_is_there(machine: Machine) -> None:
    path = machine.program("chromium", "exit 0")
    assert machine.run("test", "-k", "pilot").stdout == f"test -k pilot {str(path)!r}\n"


@pytest.mark.parametrize(
    ("user", "apt"), [("1000", True), ("0", False)], ids=["not root", "no apt"]
)
def test_without_rights_to_install_the_way_to_a_browser_is_shown(
    machine: Machine, user: str, apt: bool
) -> None:
    (machine.bin / "id").unlink()
    machine.program("id", f"echo {user}")
    if apt:
        machine.program("apt-get", "exit 1")
    done = machine.run("test")
    assert (done.returncode, done.stdout) == (0, "test ''\n")
    assert "on Debian: sudo apt-get install chromium" in done.stderr
    assert "on Debian: sudo apt-get install nodejs" in done.stderr


@pytest.mark.parametrize("works", [True, False], ids=["installs", "fails"])
def test_root_installs_what_tests_need(machine: Machine, works: bool) -> None:
    (machine.bin / "id").unlink()
    machine.program("id", "echo 0")
    chromium = machine.bin / "chromium"
    install = (
        f'case "$1 $* " in install*" $package "*) for name in $names; do '
        f"printf '#!/bin/sh' >{machine.bin}/$name; chmod +x {machine.bin}/$name; done ;; esac"
    )
    lines = [
        f"package={package} names='{names}'; {install}"
        for package, names in (("chromium", "chromium"), ("npm", "node npm"))
    ]
    machine.program("apt-get", "\n".join(lines) if works else "exit 100")
    done = machine.run("test")
    assert done.stdout == f"test {str(chromium) if works else ''!r}\n"
    assert done.stderr.count("could not be installed") == (0 if works else 2)
