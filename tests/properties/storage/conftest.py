"""A place for many small databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.examples import data_in_memory


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder whose syncs cost nothing, if the machine has one."""
    with data_in_memory() as folder:
        yield folder
