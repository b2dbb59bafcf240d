"""Runs linters, type checker, import contracts and the build of the documentation.

python -m tools.check [NAME ...]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PINS = ("requirements.txt", "requirements-dev.txt")


@dataclass(frozen=True, slots=True)
class Check:
    """A command that must exit with 0; it is skipped if `needs` does not exist."""

    name: str
    command: tuple[str, ...]
    needs: str = "."


CHECKS = (
    Check("types", (f"{BIN}/mypy",)),
    Check("lint", (f"{BIN}/ruff", "check", "--quiet")),
    Check("format", (f"{BIN}/ruff", "format", "--check", "--quiet")),
    Check("floors", (f"{BIN}/lint-imports", "--no-logo")),
    Check("dependencies", (f"{BIN}/deptry", "--no-ansi", "src")),
    Check("templates", (f"{BIN}/djlint", "--lint", "--quiet", "src"), "src/borne/adapters/web"),
    Check("spelling", (f"{BIN}/codespell",)),
    Check("pins", (sys.executable, "-m", "tools.pins")),
    Check("meters", (sys.executable, "-m", "tools.meter_profiles", "--check")),
    Check("docs", (f"{BIN}/mkdocs", "build", "--strict", "--quiet"), "mkdocs.yml"),
    Check("scripts", (f"{BIN}/shellcheck", "run", ".ci/run"), ".ci/run"),
)


def run(check: Check) -> tuple[Check, str, str]:
    """Run a check; returns it, its result, and its output if it failed."""
    if not (ROOT / check.needs).exists():
        return check, f"could not run: there is no {check.needs}", ""
    if shutil.which(check.command[0]) is None:
        return check, f"could not run: there is no {check.command[0]}", ""
    began = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = f"{time.monotonic() - began:.0f} s"
    if done.returncode:
        return check, f"FAILED ({seconds})", done.stdout
    return check, f"passed ({seconds})", ""


def main(names: Sequence[str]) -> int:
    """Run the named checks, or all; returns 0 if none failed."""
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        print(f"no such check: {', '.join(sorted(unknown))}; there are", *(c.name for c in CHECKS))
        return 2
    chosen = [check for check in CHECKS if not names or check.name in names]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, chosen))
    for check, _, output in results:
        if output:
            print(f"---- {check.name}\n{output.rstrip()}\n")
    for check, word, _ in results:
        print(f"{check.name:<14}{word}")
    return 1 if any(word.startswith("FAILED") for _, word, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
