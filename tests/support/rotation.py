"""A part of many seeds or points for each commit; the campaign takes them all.

Two runs of one commit take the same part. `BORNE_REVISION` chooses the part of another commit.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def revision() -> str:
    """BORNE_REVISION, or the commit of the checkout, or without git a hash of its sources."""
    chosen = os.environ.get("BORNE_REVISION")
    return chosen or _commit() or _hash_of_sources()


def _commit() -> str | None:
    if not (ROOT / ".git").exists():  # an outer repository is another's
        return None
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _hash_of_sources() -> str:
    digest = hashlib.sha256()
    for folder in ("src", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def part_of(values: Iterable[int], count: int, name: str) -> list[int]:
    """`count` of the values, by `name` and the revision; sorted."""
    found = list(values)
    return sorted(random.Random(f"{name} {revision()}").sample(found, min(count, len(found))))


def rotating(values: Iterable[int], count: int, name: str, always: Iterable[int] = ()) -> list[Any]:
    """Parameters named `NAME-VALUE`: `count` of the values and those of `always` run with this
    revision, the others in the campaign."""
    kept = set(always)
    others = [value for value in values if value not in kept]
    now = kept | set(part_of(others, count, name))
    return [
        pytest.param(
            value, id=f"{name}-{value}", marks=[] if value in now else pytest.mark.campaign
        )
        for value in sorted({*others, *kept})
    ]
