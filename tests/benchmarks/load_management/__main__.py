"""Runs the benchmarks of load management and prints their tables.

    python -m tests.benchmarks.load_management [PART ...] [--sizes N ...] [--without-acn]

Parts: time (B1), quality (B2), imbalance (B3), safety (B4), day (B5), vectors (B6); all without a
choice, which takes half an hour. acnportal is installed on demand.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from borne.application.load_management import vectors
from tests.benchmarks.load_management import balance, closed_loop, day, quality, timing

VECTORS = Path(__file__).parents[2] / "fixtures" / "load_management_vectors.json"


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load_management")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(timing.SIZES))
    parser.add_argument("--without-acn", action="store_true", help="do not run acnportal")
    options = parser.parse_args()
    with_acn = not options.without_acn
    parts: dict[str, Callable[[], object]] = {
        "time": lambda: timing.main(tuple(options.sizes), with_acn=with_acn),
        "quality": quality.main,
        "imbalance": balance.main,
        "safety": closed_loop.main,
        "day": lambda: day.main(with_acn=with_acn),
        "vectors": lambda: vectors.main(VECTORS),
    }
    if unknown := set(options.parts) - parts.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; parts are {', '.join(parts)}")
    for name in options.parts or parts:
        parts[name]()


if __name__ == "__main__":
    main()
