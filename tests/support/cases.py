"""One test over many cases of a constant table: all are checked, each that fails is named.

Cheaper than a test per case where there are hundreds and nothing is set up for them.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Case = Callable[[object], AbstractContextManager[None]]
LONGEST = 600
"""Characters of a failure; the comparison of two pages is long."""


@contextmanager
def every_case() -> Iterator[Case]:
    """Checks the cases of the block, each within `with case(NAME):`; fails when there is none."""
    checked = 0
    failed: list[str] = []

    @contextmanager
    def case(name: object) -> Iterator[None]:
        nonlocal checked
        checked += 1
        try:
            yield
        except Exception as error:
            failed.append(f"{name}: {_described(error)}")

    yield case
    assert checked, "there is no case"
    if failed:
        lines = "\n".join(f"- {line}" for line in failed)
        raise AssertionError(f"{len(failed)} of {checked} cases fail:\n{lines}")


def _described(error: Exception) -> str:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    # The first frame is the block's own, the second the test's.
    return f"{what[:LONGEST]} (line {frames[1].lineno}: {frames[1].line})"
