"""Runs the tests by lane, two lanes at a time, each in several workers, and prints a summary.

    python -m tools.lanes test [--coverage] [--all-must-run] [--record] [PYTEST ARGS]
    python -m tools.lanes campaign [PYTEST ARGS]

A lane is a folder of `tests/`. If the pytest arguments name files or folders, only these run, in
one process, with pytest's own output.
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

from tests.support.rotation import revision
from tools import lane_times

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS_COLLECTED = 5
LONGEST_LANE_S = 30 * 60
LANES_AT_ONCE = 2
"""While one lane ends with few tests, the other keeps the machine busy."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A folder of tests, and how it runs."""

    name: str
    workers_per_core: int = 1
    """More than 1 for tests that wait for sockets and processes."""
    measured: bool = True
    """Measure coverage. Simulation and browser would take twice as long, and the other lanes cover
    what they run."""
    alone: bool = False
    """Run without other lanes: benchmarks compare ratios on a quiet machine."""


# The longest first. The last one has many small tests that wait, so that all cores stay busy.
LANES = (
    Lane("integration", workers_per_core=2),
    Lane("unit"),
    Lane("browser", measured=False),
    Lane("simulation", measured=False),
    Lane("properties"),
    Lane("conformance", workers_per_core=2),
)
CAMPAIGN_LANES = (
    *(lane for lane in LANES if lane.name != "unit"),
    Lane("benchmarks", alone=True),
)


@dataclass(frozen=True, slots=True)
class Options:
    """The command line options."""

    arguments: tuple[str, ...] = ()
    coverage: bool = False
    campaign: bool = False
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a lane; `not_run` maps reasons to numbers of tests."""

    lane: str
    exit_code: int
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    not_run: dict[str, int] = field(default_factory=dict)
    cpu_s: float = 0.0
    tests: dict[str, float] = field(default_factory=dict)
    """Seconds of each test."""

    @property
    def word(self) -> str:
        """The result in one word, for the summary."""
        if self.exit_code not in (0, NO_TESTS_COLLECTED):
            return "FAILED"
        if self.not_run:
            return "could not run" if not self.passed else "ran in part"
        return "passed" if self.passed else "no tests"


def names_tests(arguments: Sequence[str]) -> bool:
    """True if pytest arguments name files or folders."""
    return any(
        not argument.startswith("-") and (ROOT / argument.split("::")[0]).exists()
        for argument in arguments
    )


def workers(lane: Lane, options: Options) -> int:
    """Number of worker processes of a lane; 0 runs the tests in pytest's own process."""
    if options.workers is not None:
        return options.workers
    return 0 if lane.alone else lane.workers_per_core * (os.cpu_count() or 1)


def command(lane: Lane, options: Options) -> list[str]:
    """The command that runs a lane."""
    measured = options.coverage and lane.measured
    runner = ["-m", "coverage", "run", "-m", "pytest"] if measured else ["-m", "pytest"]
    count = workers(lane, options)
    # Small chunks, so that no worker has a long queue while another is idle.
    distributed = ["-n", str(count), "--maxschedchunk", "4"] if count else []
    campaign = ["--campaign"] if options.campaign else []
    folder = f"tests/{lane.name}"
    return [sys.executable, *runner, "-q", folder, *distributed, *campaign, *options.arguments]


def environment(options: Options, report: Path) -> dict[str, str]:
    """The environment of a lane's processes."""
    profile = "campaign" if options.campaign else os.environ.get("HYPOTHESIS_PROFILE", "ci")
    wanted = {
        "BORNE_LANE_REPORT": str(report),
        "BORNE_REVISION": revision(),
        "HYPOTHESIS_PROFILE": profile,
    }
    # Without cached bytecode pytest compiles its plugins each time: 3 s per process.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | wanted


def run_lane(lane: Lane, options: Options) -> Result:
    """Run one lane; its output is printed at its end."""
    if not (ROOT / "tests" / lane.name).is_dir():
        return Result(lane.name, NO_TESTS_COLLECTED, 0.0)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="borne-lane-") as folder:
        report = Path(folder) / "report.json"
        output = Path(folder) / "output.txt"
        with output.open("w") as stream:
            try:
                exit_code = subprocess.run(
                    command(lane, options),
                    cwd=ROOT,
                    env=environment(options, report),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    timeout=None if options.campaign else LONGEST_LANE_S,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                exit_code = -1
                stream.write(f"\nstopped after {LONGEST_LANE_S} s\n")
        found = json.loads(report.read_text()) if report.exists() else {}
        seconds = time.monotonic() - began
        text = output.read_text(errors="replace")
        print(f"---- {lane.name} ({seconds:.0f} s)\n{text}", flush=True)
    return Result(lane.name, exit_code, seconds, **found)


def run_lanes(lanes: Sequence[Lane], options: Options) -> list[Result]:
    """Run the lanes: first those that share the machine, then the others one by one."""
    together = [lane for lane in lanes if not lane.alone]
    with ThreadPoolExecutor(LANES_AT_ONCE) as pool:
        results = list(pool.map(lambda lane: run_lane(lane, options), together))
    return results + [run_lane(lane, options) for lane in lanes if lane.alone]


def summary(results: Sequence[Result]) -> str:
    """A line for each lane, the tests that could not run, and the totals."""
    heads = "".join(f"{head:>8}" for head in ("passed", "failed", "skipped", "time", "CPU"))
    lines = ["", f"{'lane':<14}{'':<16}{heads}"]
    lines += [
        f"{r.lane:<14}{r.word:<16}{r.passed:>8}{r.failed:>8}{r.skipped:>8}"
        f"{r.seconds:>6.0f} s{r.cpu_s:>6.0f} s"
        for r in results
    ]
    lines += [
        f"could not run in {r.lane}: {count} because {reason}"
        for r in results
        for reason, count in r.not_run.items()
    ]
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    # A lane that failed before its first test counts as one failure.
    failed += sum(1 for r in results if r.word == "FAILED" and not r.failed)
    lines.append(f"{passed} passed, {failed} failed, {sum(r.skipped for r in results)} skipped")
    return "\n".join(lines)


def missed(results: Sequence[Result]) -> list[str]:
    """A line for each lane in which tests were skipped, or none ran."""
    return [
        f"{r.lane}: all of its tests must run here, and one at least"
        for r in results
        if r.not_run or not r.passed
    ]


def report_times(results: Sequence[Result], options: Options, *, record: bool) -> None:
    """Print which lanes became slow, or record the times."""
    times = {r.lane: lane_times.Times(round(r.seconds), round(r.cpu_s)) for r in results}
    conditions = lane_times.conditions(coverage=options.coverage)
    if record and (options.arguments or any(r.word == "FAILED" for r in results)):
        print("no times recorded: only those of whole lanes in which nothing failed are")
    elif record:
        tests = {name: seconds for r in results for name, seconds in r.tests.items()}
        lane_times.write(conditions, times, tests)
    elif not options.campaign:
        for line in lane_times.grown(conditions, times):
            print(line)


def report_coverage() -> int:
    """Combine and print the coverage; returns the exit code of the threshold."""
    subprocess.run([sys.executable, "-m", "coverage", "combine", "--quiet"], cwd=ROOT, check=False)
    return subprocess.run(
        [sys.executable, "-m", "coverage", "report"], cwd=ROOT, check=False
    ).returncode


def parse() -> tuple[argparse.Namespace, list[str]]:
    """Parse our options; the others are for pytest."""
    parser = argparse.ArgumentParser(prog="./run", allow_abbrev=False)
    parser.add_argument("what", choices=("test", "campaign"))
    parser.add_argument("--coverage", action="store_true", help="measure branches, print them")
    parser.add_argument(
        "--all-must-run", action="store_true", help="fail when a test could not run"
    )
    parser.add_argument("--workers", type=int, help="processes of each lane; 0: none beside pytest")
    parser.add_argument("--record", action="store_true", help="keep the times of the lanes")
    return parser.parse_known_args()


def main() -> int:
    """Run the lanes; returns 0 if nothing failed."""
    chosen, arguments = parse()
    campaign = chosen.what == "campaign"
    if names_tests(arguments):
        extra = ["--campaign"] if campaign else []
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *extra, *arguments])
    options = Options(tuple(arguments), chosen.coverage, campaign, chosen.workers)
    lanes = CAMPAIGN_LANES if campaign else LANES
    began = time.monotonic()
    print(f"seeds of revision {revision()} (BORNE_REVISION=... chooses)", flush=True)
    if chosen.coverage:
        subprocess.run([sys.executable, "-m", "coverage", "erase"], cwd=ROOT, check=True)
    results = run_lanes(lanes, options)
    enough = report_coverage() == 0 if chosen.coverage else True
    print(summary(results))
    report_times(results, options, record=chosen.record)
    print(f"{time.monotonic() - began:.0f} s in all")
    complaints = missed(results) if chosen.all_must_run else []
    complaints += [] if enough else ["coverage: too little"]
    for complaint in complaints:
        print(complaint)
    broken = any(r.word == "FAILED" for r in results)
    nothing = not any(r.passed for r in results)
    return 1 if broken or complaints or nothing else 0


if __name__ == "__main__":
    sys.exit(main())
