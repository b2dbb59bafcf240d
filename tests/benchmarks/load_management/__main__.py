"""Runs the benchmarks of load management and prints their tables.

python -m tests.benchmarks.load_management [time] [day] [--sizes N ...]
"""

from __future__ import annotations

import argparse

from tests.benchmarks.load_management import day, timing

PARTS = ("time", "day")


def main() -> None:
    """Run the chosen parts; all without a choice."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load_management")
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=list(timing.SIZES))
    options = parser.parse_args()
    parts = options.parts or PARTS
    if "time" in parts:
        timing.main(tuple(options.sizes))
    if "day" in parts:
        day.main()


if __name__ == "__main__":
    main()
