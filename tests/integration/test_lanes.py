"""The runner of the lanes, on a small tree of tests: what counts as passed, failed, not run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import lane_times
from tools.lane_times import Times
from tools.lanes import LANES, Result, missed

ROOT = Path(__file__).resolve().parents[2]
GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert not 'good'\n"
BROKEN = "import no_such_module_anywhere\n"
SKIPPED = "import pytest\ndef test_later(): pytest.skip('on purpose')\n"
LACKING = "import pytest\ndef test_lacking(): pytest.skip('could not run: there is no moon')\n"
LONG = "import pytest\n@pytest.mark.campaign\ndef test_long(): pass\n"
SUPPORT = (
    "conftest.py",
    "support/__init__.py",
    "support/process_template.py",
    "support/rotation.py",
    "support/conversation_checker.py",
)
HAS_SIMLOOP = importlib.util.find_spec("simloop") is not None
USES_BROWSER = "def test_page(chromium): assert chromium\n"


class Tree:
    """A repository that holds nothing but lanes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Compiled files come and go while other tests import them.
        shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("*.pyc*"))
        (root / "tests").mkdir()
        for name in SUPPORT:
            (root / "tests" / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "tests" / name, root / "tests" / name)
        shutil.copy(ROOT / "pyproject.toml", root / "pyproject.toml")

    def lane(self, name: str, **files: str) -> None:
        (self.root / "tests" / name).mkdir()
        for stem, text in files.items():
            (self.root / "tests" / name / f"test_{stem}.py").write_text(text)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        others = ("COV", "PYTEST_XDIST")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        ours.pop("BORNE_LANE_REPORT", None)
        ours["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        ours["PYTEST_ADDOPTS"] = "-p pytest_asyncio.plugin -p pytest_timeout -p xdist.plugin"
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


def test_every_result_is_counted_once_over_all_workers(tree: Tree) -> None:
    tree.lane("unit", a=GOOD, b=BAD, c=SKIPPED, d=LACKING, e=LONG, f=GOOD)
    done = tree.run("test", "--workers", "2")
    assert done.returncode == 1
    assert "2 passed, 1 failed, 2 skipped" in lines(done), done.stdout
    assert "could not run in unit: 1 because there is no moon" in lines(done)


@pytest.mark.parametrize(
    ("files", "exit_code", "total"),
    [
        pytest.param({"a": GOOD, "b": LONG}, 0, "1 passed, 0 failed, 0 skipped", id="good"),
        pytest.param({"a": BROKEN}, 1, "0 passed, 1 failed, 0 skipped", id="does not import"),
        pytest.param({}, 1, "0 passed, 0 failed, 0 skipped", id="nothing ran at all"),
    ],
)
def test_the_sum_and_the_exit_code(
    tree: Tree, files: dict[str, str], exit_code: int, total: str
) -> None:
    tree.lane("unit", **files)
    done = tree.run("test", "--workers", "1")
    assert (done.returncode, total in lines(done)) == (exit_code, True), done.stdout


def test_a_failed_lane_does_not_hide_behind_a_good_one(tree: Tree) -> None:
    tree.lane("unit", good=GOOD)
    tree.lane("integration", bad=BAD)
    done = tree.run("test", "--workers", "0")
    assert done.returncode == 1
    words = {
        line.split()[0]: line.split()[1] for line in lines(done) if line.startswith(("unit", "int"))
    }
    assert words == {"unit": "passed", "integration": "FAILED"}


def test_where_all_must_run_a_lane_without_tests_fails(tree: Tree) -> None:
    tree.lane("unit", good=GOOD)
    tree.lane("conformance")
    done = tree.run("test", "--all-must-run", "--workers", "0")
    short = [line.partition(":")[0] for line in lines(done) if "all of its tests" in line]
    assert sorted(short) == sorted(lane.name for lane in LANES if lane.name != "unit")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("result", "complaints"),
    [
        (Result("unit", 0, 1.0, passed=3), 0),
        (Result("unit", 0, 1.0, passed=3, skipped=1, not_run={"no moon": 1}), 1),
        (Result("unit", 0, 1.0, skipped=1), 1),
    ],
    ids=["all ran", "one could not", "none ran"],
)
def test_a_test_that_could_not_run_fails_where_all_must_run(
    result: Result, complaints: int
) -> None:
    assert len(missed([result])) == complaints


@pytest.mark.skipif(HAS_SIMLOOP, reason="only without the simulated loop")
def test_files_that_no_worker_can_collect_count_once(tree: Tree) -> None:
    tree.lane("simulation", one=GOOD, two=GOOD)
    done = tree.run("test", "--workers", "2")
    assert any(line.startswith("could not run in simulation: 2") for line in lines(done))


def test_without_chromium_the_browser_could_not_run(tree: Tree) -> None:
    tree.lane("browser", page=USES_BROWSER)
    tree.lane("unit", good=GOOD)
    done = tree.run("test", "--workers", "0", PATH=str(tree.root), BORNE_CHROMIUM="")
    assert any(line.startswith("could not run in browser: 1") for line in lines(done)), done.stdout
    assert done.returncode == 0


def test_a_campaign_runs_the_long_ones(tree: Tree) -> None:
    tree.lane("integration", long=LONG)
    assert "1 passed, 0 failed, 0 skipped" in lines(tree.run("campaign", "--workers", "0"))


def test_files_named_run_alone(tree: Tree) -> None:
    tree.lane("unit", good=GOOD, bad=BAD)
    done = tree.run("test", "tests/unit/test_good.py::test_good")
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_coverage_includes_the_workers(tree: Tree) -> None:
    package = tree.root / "src" / "borne"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "def used():\n    return 1\n\ndef unused():\n    return 2\n"
    )
    (tree.root / "tests" / "unit").mkdir()
    test = "import borne\ndef test_used(): assert borne.used() == 1\n"
    (tree.root / "tests" / "unit" / "test_borne.py").write_text(test)
    done = tree.run("test", "--coverage", "--workers", "2", PYTHONPATH=str(tree.root / "src"))
    assert done.returncode == 0, done.stdout
    (line,) = [line.split() for line in lines(done) if line.startswith("src/borne/__init__.py")]
    assert line[-1] == "5"


def test_a_recorded_lane_that_takes_half_as_much_again_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_times, "RECORDED", tmp_path / "recorded.json")
    here = lane_times.conditions(coverage=False)
    before = {"unit": Times(60, 100), "browser": Times(2, 3), "simulation": Times(60, 60)}
    lane_times.write(here, before, {"test_a": 3.04, "test_b": 1.0})
    lane_times.write("elsewhere", {"unit": Times(1, 1)}, {"test_a": 3.04})
    now = {"unit": Times(90, 151), "browser": Times(9, 9), "simulation": Times(91, 60)}
    assert list(lane_times.grown(here, now)) == [
        f"unit has grown: 151 s of CPU, 100 s of CPU when recorded ({here})",
        f"simulation has grown: 91 s, 60 s when recorded ({here})",
    ]
    assert lane_times.read()["slowest"] == {"test_a": 3.0}
    (line,) = lane_times.grown("another machine", now)
    assert line.startswith("no times are recorded for another machine")
