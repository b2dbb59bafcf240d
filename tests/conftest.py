"""What holds for every lane: profiles of hypothesis, long tests, what could not run and why.

A test that lacks something of the machine (a browser, a newer Python) calls
`pytest.skip("could not run: REASON")`. It is then listed apart from tests that were skipped on
purpose, and counts as a failure where all must run.

A lane runs in several worker processes (pytest-xdist). The workers collect; what they count beside
the outcomes of tests reaches the controller, which reports, when they end.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.conversation_checker import checkers
from tests.support.process_template import stop_template
from tests.support.rotation import revision

COULD_NOT_RUN = "could not run: "
TESTS = Path(__file__).parent
RECORDED = TESTS / "recorded_times.json"

settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile("campaign", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_not_collected = pytest.StashKey[Counter[str]]()
_cpu_s = pytest.StashKey[dict[str, float]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="run the long tests too")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_not_collected] = Counter()
    config.stash[_cpu_s] = {}


def pytest_report_header() -> str:
    return f"seeds rotate with revision {revision()} (BORNE_REVISION chooses another)"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The simulated loop needs Python 3.12; on 3.11 its lane is reported as "could not run"."""
    in_lane = collection_path.is_relative_to(TESTS / "simulation")
    if not in_lane or importlib.util.find_spec("simloop") is not None:
        return None
    if collection_path.match("test_*.py"):
        config.stash[_not_collected]["the simulated loop needs Python 3.12 (files)"] += 1
    return collection_path.suffix == ".py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--campaign"):
        long = [item for item in items if item.get_closest_marker("campaign")]
        if long:
            config.hook.pytest_deselected(items=long)
            items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    if hasattr(config, "workerinput"):
        slowest = _slowest()
        items.sort(key=lambda item: -slowest.get(item.nodeid, 0.0))


def _slowest() -> dict[str, float]:
    """Seconds of the recorded slow tests: workers begin with them, so that none ends a lane."""
    if not RECORDED.exists():
        return {}
    slowest: dict[str, float] = json.loads(RECORDED.read_text())["slowest"]
    return slowest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """For every test: what its stations sent to a backend must be possible."""
    checkers.clear()
    result = yield
    for checker in checkers:
        checker.check()
    checkers.clear()
    return result


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its counts to the controller."""
    stop_template()
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        not_collected = session.config.stash[_not_collected]
        output["not_collected"] = dict(not_collected)
        output["cpu_s"] = _cpu_s_of_all(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects everything: files that were left out count once."""
    output: dict[str, Any] = getattr(node, "workeroutput", None) or {}
    config: pytest.Config = node.config
    not_collected = config.stash[_not_collected]
    not_collected |= Counter(output.get("not_collected", {}))
    config.stash[_cpu_s][node.gateway.id] = output.get("cpu_s", 0.0)


def _cpu_s_of_all(config: pytest.Config) -> float:
    """Seconds of a core that the tests took, with the processes that they started."""
    own, workers = os.times(), config.stash[_cpu_s]
    children = sum(workers.values()) if workers else own.children_user + own.children_system
    return own.user + own.system + children


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


def _seconds_of_tests(reporter: pytest.TerminalReporter) -> dict[str, float]:
    seconds: Counter[str] = Counter()
    for outcome in ("passed", "failed", "xfailed"):
        for report in reporter.stats.get(outcome, []):
            seconds[report.nodeid] += round(report.duration, 2)
    return dict(seconds)


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
        report = {
            "passed": len(stats.get("passed", [])) + len(stats.get("xfailed", [])),
            "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
            "skipped": len(stats.get("skipped", [])),
            "not_run": dict(reasons),
            "cpu_s": round(_cpu_s_of_all(config), 1),
            "tests": _seconds_of_tests(terminalreporter),
        }
        Path(path).write_text(json.dumps(report))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the test could not run."""
    for name in (os.environ.get("BORNE_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    pytest.skip(COULD_NOT_RUN + "there is no Chromium; on Debian: apt-get install chromium")
