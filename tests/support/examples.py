"""How many examples a costly property takes, and where their files cost nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def examples(usual: int, campaign: int) -> int:
    """`usual` of them, or those of a campaign."""
    return campaign if os.environ.get("HYPOTHESIS_PROFILE") == "campaign" else usual


def memory_folder() -> str | None:
    """A folder whose syncs cost nothing, if the machine has one."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() else None


@contextmanager
def data_in_memory() -> Iterator[Path]:
    """A data folder for one example."""
    with TemporaryDirectory(dir=memory_folder()) as name:
        yield Path(name)
