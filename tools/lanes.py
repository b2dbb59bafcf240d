"""Runs the tests lane by lane, a process each, two at a time, and sums them up.

    python -m tools.lanes test [--coverage] [--all-must-run] [PYTEST ARGS]
    python -m tools.lanes campaign [PYTEST ARGS]

A lane is a folder of `tests/`. When the pytest arguments name files or folders, these alone run,
in one process, with pytest's own output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANES = ("unit", "properties", "conformance", "integration", "simulation", "browser")
CAMPAIGN_LANES = (
    "properties",
    "conformance",
    "integration",
    "simulation",
    "browser",
    "benchmarks",
)
UNMEASURED = ("simulation", "browser")
"""Coverage would make these take twice as long, and what they run the other lanes run too."""
NO_TESTS_COLLECTED = 5
LONGEST_LANE_S = 30 * 60


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a lane; `not_run` maps the reason to the number of tests."""

    lane: str
    exit_code: int
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    not_run: dict[str, int] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The lane in a word, for the summary."""
        if self.exit_code not in (0, NO_TESTS_COLLECTED):
            return "FAILED"
        if self.not_run:
            return "could not run" if not self.passed else "ran in part"
        return "passed" if self.passed else "no tests"


def names_tests(arguments: Sequence[str]) -> bool:
    """Whether pytest arguments name files or folders."""
    return any(
        not argument.startswith("-") and (ROOT / argument.split("::")[0]).exists()
        for argument in arguments
    )


def command(lane: str, arguments: Sequence[str], *, coverage: bool, campaign: bool) -> list[str]:
    """The command that runs a lane."""
    measured = coverage and lane not in UNMEASURED
    runner = ["-m", "coverage", "run", "-m", "pytest"] if measured else ["-m", "pytest"]
    options = ["--campaign"] if campaign else []
    return [sys.executable, *runner, "-q", f"tests/{lane}", *options, *arguments]


def run_lane(lane: str, arguments: Sequence[str], *, coverage: bool, campaign: bool) -> Result:
    """Run one lane; its output is printed in one piece when it is done."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="borne-lane-") as folder:
        report = Path(folder) / "report.json"
        output = Path(folder) / "output.txt"
        environment = os.environ | {
            "BORNE_LANE_REPORT": str(report),
            "HYPOTHESIS_PROFILE": "campaign"
            if campaign
            else os.environ.get("HYPOTHESIS_PROFILE", "ci"),
        }
        # pytest compiles its plugins each time when it may not keep what it compiled: 3 s a lane.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with output.open("w") as stream:
            try:
                exit_code = subprocess.run(
                    command(lane, arguments, coverage=coverage, campaign=campaign),
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    timeout=None if campaign else LONGEST_LANE_S,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                exit_code = -1
                stream.write(f"\nstopped after {LONGEST_LANE_S} s\n")
        counts = json.loads(report.read_text()) if report.exists() else {}
        seconds = time.monotonic() - began
        print(f"---- {lane} ({seconds:.0f} s)\n{output.read_text(errors='replace')}", flush=True)
    return Result(lane, exit_code, seconds, **counts)


def summary(results: Sequence[Result]) -> str:
    """A line for each lane, then what could not run and why, then the sum."""
    lines = ["", f"{'lane':<14}{'':<16}{'passed':>8}{'failed':>8}{'skipped':>8}{'time':>8}"]
    lines += [
        f"{r.lane:<14}{r.word:<16}{r.passed:>8}{r.failed:>8}{r.skipped:>8}{r.seconds:>6.0f} s"
        for r in results
    ]
    lines += [
        f"could not run in {r.lane}: {count} because {reason}"
        for r in results
        for reason, count in r.not_run.items()
    ]
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    # A lane that broke before its first test has failed without a failed test.
    failed += sum(1 for r in results if r.word == "FAILED" and not r.failed)
    lines.append(f"{passed} passed, {failed} failed, {sum(r.skipped for r in results)} skipped")
    return "\n".join(lines)


def report_coverage() -> int:
    """Join what the lanes measured and print it; the exit code tells whether it is enough."""
    subprocess.run([sys.executable, "-m", "coverage", "combine", "--quiet"], cwd=ROOT, check=False)
    return subprocess.run(
        [sys.executable, "-m", "coverage", "report"], cwd=ROOT, check=False
    ).returncode


def main() -> int:
    """Run the lanes; 0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="./run", allow_abbrev=False)
    parser.add_argument("what", choices=("test", "campaign"))
    parser.add_argument("--coverage", action="store_true", help="measure branches, print them")
    parser.add_argument(
        "--all-must-run", action="store_true", help="fail when a test could not run"
    )
    chosen, arguments = parser.parse_known_args()
    campaign = chosen.what == "campaign"
    if names_tests(arguments):
        options = ["--campaign"] if campaign else []
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *options, *arguments])
    all_lanes = CAMPAIGN_LANES if campaign else LANES
    lanes = [lane for lane in all_lanes if (ROOT / "tests" / lane).is_dir()]
    began = time.monotonic()
    if chosen.coverage:
        subprocess.run([sys.executable, "-m", "coverage", "erase"], cwd=ROOT, check=True)
    # Benchmarks compare ratios measured on a quiet machine: a campaign runs one lane at a time.
    with ThreadPoolExecutor(1 if campaign else min(2, os.cpu_count() or 1)) as pool:
        results = list(
            pool.map(
                lambda lane: run_lane(lane, arguments, coverage=chosen.coverage, campaign=campaign),
                lanes,
            )
        )
    enough = report_coverage() == 0 if chosen.coverage else True
    print(summary(results))
    print(f"{time.monotonic() - began:.0f} s in all")
    broken = [r for r in results if r.word == "FAILED"]
    missed = [r.lane for r in results if r.not_run or not r.passed]
    missed += [lane for lane in all_lanes if lane not in lanes]
    if not chosen.all_must_run:
        missed = []
    for lane in missed:
        print(f"{lane}: all of its tests must run here, and one at least")
    if not enough:
        print("coverage: too little")
    nothing = not any(r.passed for r in results)
    return 1 if broken or missed or not enough or nothing else 0


if __name__ == "__main__":
    sys.exit(main())
