"""Recorded times of the lanes, and which lanes have become slower.

Stored in `tests/recorded_times.json` per kind of machine and run, with the slow tests, which the
workers of a lane start with.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "recorded_times.json"
GROWN = 1.5
SHORT_S = 10
"""Growth below this time is noise."""
SLOW_TEST_S = 2.0


class Times(NamedTuple):
    """Times of a lane."""

    seconds: int
    cpu_s: int
    """Over all cores; hardly affected by other processes."""


def conditions(*, coverage: bool) -> str:
    """What the times depend on besides the tests; only times under equal conditions are
    compared."""
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return f"{python}, {os.cpu_count()} cores" + (", coverage" if coverage else "")


def read() -> dict[str, Any]:
    """All recorded times."""
    empty: dict[str, Any] = {"lanes": {}, "slowest": {}}
    recorded: dict[str, Any] = json.loads(RECORDED.read_text()) if RECORDED.exists() else empty
    return recorded


def write(where: str, times: Mapping[str, Times], tests: Mapping[str, float]) -> None:
    """Record a run; times recorded under other conditions stay."""
    recorded = read()
    recorded["lanes"][where] = {lane: list(found) for lane, found in sorted(times.items())}
    slow = {name: round(s, 1) for name, s in sorted(tests.items()) if s >= SLOW_TEST_S}
    recorded["slowest"] = slow
    RECORDED.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")


def grown(where: str, times: Mapping[str, Times]) -> Iterator[str]:
    """A line for each lane that takes 50 % longer than recorded."""
    recorded = read()["lanes"].get(where, {})
    if not recorded:
        yield f"no times are recorded for {where}: ./run test --record keeps these"
    for lane, now in times.items():
        before = Times(*recorded[lane]) if lane in recorded else now
        for unit, new, old in (
            ("s", now.seconds, before.seconds),
            ("s of CPU", now.cpu_s, before.cpu_s),
        ):
            if new > max(old, SHORT_S) * GROWN:
                yield f"{lane} has grown: {new} {unit}, {old} {unit} when recorded ({where})"
