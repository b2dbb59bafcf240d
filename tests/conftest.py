"""What holds for every lane: profiles of hypothesis, long tests, what could not run and why.

A test that lacks something of the machine (a browser, a newer Python) calls
`pytest.skip("could not run: REASON")`. It is then listed apart from tests that were skipped on
purpose, and counts as a failure where all must run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.wire_story import stories

COULD_NOT_RUN = "could not run: "
TESTS = Path(__file__).parent

settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile("campaign", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_not_collected = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="run the long tests too")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_not_collected] = Counter()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The simulated loop needs Python 3.12; on 3.11 its lane is told as "could not run"."""
    in_lane = collection_path.is_relative_to(TESTS / "simulation")
    if not in_lane or importlib.util.find_spec("simloop") is not None:
        return None
    if collection_path.match("test_*.py"):
        config.stash[_not_collected]["the simulated loop needs Python 3.12 (files)"] += 1
    return collection_path.suffix == ".py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--campaign"):
        return
    long = [item for item in items if item.get_closest_marker("campaign")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("campaign")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Whatever a test is about: what its stations told a backend could be true."""
    stories.clear()
    result = yield
    for story in stories:
        story.check()
    stories.clear()
    return result


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    where = report.longrepr
    text = str(where[2]) if isinstance(where, tuple) else str(where)
    return text.removeprefix("Skipped: ")


def _not_run(config: pytest.Config, reporter: pytest.TerminalReporter) -> Counter[str]:
    reasons = config.stash[_not_collected].copy()
    for report in reporter.stats.get("skipped", []):
        if _reason(report).startswith(COULD_NOT_RUN):
            reasons[_reason(report).removeprefix(COULD_NOT_RUN)] += 1
    return reasons


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reasons = _not_run(config, terminalreporter)
    if reasons:
        terminalreporter.section("could not run")
        for reason, count in reasons.items():
            terminalreporter.line(f"{count} x {reason}")
    if path := os.environ.get("BORNE_LANE_REPORT"):
        stats = terminalreporter.stats
        counts = {
            "passed": len(stats.get("passed", [])) + len(stats.get("xfailed", [])),
            "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
            "skipped": len(stats.get("skipped", [])),
            "not_run": dict(reasons),
        }
        Path(path).write_text(json.dumps(counts))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the test could not run."""
    for name in (os.environ.get("BORNE_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    pytest.skip(COULD_NOT_RUN + "there is no Chromium; on Debian: apt-get install chromium")
