"""The runner of the lanes, on a small tree of tests: what counts as passed, failed, not run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.lanes import LANES

ROOT = Path(__file__).resolve().parents[2]
GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert not 'good'\n"
BROKEN = "import no_such_module_anywhere\n"
SKIPPED = "import pytest\ndef test_later(): pytest.skip('on purpose')\n"
LACKING = "import pytest\ndef test_lacking(): pytest.skip('could not run: there is no moon')\n"
LONG = "import pytest\n@pytest.mark.campaign\ndef test_long(): pass\n"
USES_BROWSER = "def test_page(chromium): assert chromium\n"


class Tree:
    """A repository that holds nothing but lanes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "tools", root / "tools")
        (root / "tests").mkdir()
        for name in ("conftest.py", "support/__init__.py", "support/wire_story.py"):
            (root / "tests" / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "tests" / name, root / "tests" / name)
        shutil.copy(ROOT / "pyproject.toml", root / "pyproject.toml")

    def lane(self, name: str, **files: str) -> None:
        (self.root / "tests" / name).mkdir()
        for stem, text in files.items():
            (self.root / "tests" / name / f"test_{stem}.py").write_text(text)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        ours.pop("BORNE_LANE_REPORT", None)
        ours["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        ours["PYTEST_ADDOPTS"] = "-p pytest_asyncio.plugin -p pytest_timeout"
        return subprocess.run(
            [sys.executable, "-m", "tools.lanes", *arguments],
            cwd=self.root,
            env=ours | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("files", "exit_code", "total"),
    [
        pytest.param({"a": GOOD}, 0, "1 passed, 0 failed, 0 skipped", id="good"),
        pytest.param({"a": GOOD, "b": BAD}, 1, "1 passed, 1 failed, 0 skipped", id="one bad"),
        pytest.param({"a": GOOD, "b": SKIPPED}, 0, "1 passed, 0 failed, 1 skipped", id="skipped"),
        pytest.param({"a": BROKEN}, 1, "0 passed, 1 failed, 0 skipped", id="does not import"),
        pytest.param({}, 1, "0 passed, 0 failed, 0 skipped", id="nothing ran at all"),
        pytest.param(
            {"a": GOOD, "b": LONG}, 0, "1 passed, 0 failed, 0 skipped", id="long left out"
        ),
    ],
)
def test_the_sum_and_the_exit_code(
    tree: Tree, files: dict[str, str], exit_code: int, total: str
) -> None:
    tree.lane("unit", **files)
    done = tree.run("test")
    assert (done.returncode, total in lines(done)) == (exit_code, True), done.stdout


def test_a_failed_lane_does_not_hide_behind_a_good_one(tree: Tree) -> None:
    tree.lane("unit", good=GOOD)
    tree.lane("integration", bad=BAD)
    done = tree.run("test")
    assert done.returncode == 1
    words = {
        line.split()[0]: line.split()[1] for line in lines(done) if line.startswith(("unit", "int"))
    }
    assert words == {"unit": "passed", "integration": "FAILED"}


@pytest.mark.parametrize(
    ("options", "exit_code"), [((), 0), (("--all-must-run",), 1)], ids=["allowed", "all must run"]
)
def test_what_could_not_run_is_named(tree: Tree, options: tuple[str, ...], exit_code: int) -> None:
    for lane in LANES:
        tree.lane(lane, good=GOOD)
    (tree.root / "tests" / "unit" / "test_lacking.py").write_text(LACKING)
    done = tree.run("test", *options)
    assert "could not run in unit: 1 because there is no moon" in lines(done)
    assert done.returncode == exit_code


@pytest.mark.parametrize("absent", ["empty", "without a folder"])
def test_a_lane_without_tests_fails_where_all_must_run(tree: Tree, absent: str) -> None:
    for lane in LANES:
        if lane != "conformance":
            tree.lane(lane, good=GOOD)
        elif absent == "empty":
            tree.lane(lane)
    done = tree.run("test", "--all-must-run")
    assert "conformance: all of its tests must run here, and one at least" in lines(done)
    assert done.returncode == 1


def test_without_chromium_the_browser_could_not_run(tree: Tree) -> None:
    tree.lane("browser", page=USES_BROWSER)
    tree.lane("unit", good=GOOD)
    done = tree.run("test", PATH=str(tree.root), BORNE_CHROMIUM="")
    assert any(line.startswith("could not run in browser: 1") for line in lines(done)), done.stdout
    assert done.returncode == 0


def test_a_campaign_runs_the_long_ones(tree: Tree) -> None:
    tree.lane("simulation" if sys.version_info >= (3, 12) else "integration", long=LONG)
    assert "1 passed, 0 failed, 0 skipped" in lines(tree.run("campaign"))


def test_files_named_run_alone(tree: Tree) -> None:
    tree.lane("unit", good=GOOD, bad=BAD)
    done = tree.run("test", "tests/unit/test_good.py::test_good")
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_coverage_is_reported(tree: Tree) -> None:
    package = tree.root / "src" / "borne"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "def used():\n    return 1\n\ndef unused():\n    return 2\n"
    )
    (tree.root / "tests" / "unit").mkdir()
    test = "import borne\ndef test_used(): assert borne.used() == 1\n"
    (tree.root / "tests" / "unit" / "test_borne.py").write_text(test)
    done = tree.run("test", "--coverage", PYTHONPATH=str(tree.root / "src"))
    assert done.returncode == 0, done.stdout
    assert "src/borne/__init__.py" in done.stdout
