"""Three virtual days of a station a seed: the bill is right whatever happens.

A failing seed is named by its test and can be replayed alone: `-k seed-17`, or any other seeds by
`BORNE_SEEDS=17,40-50`. Seeds that failed once are kept in `failed_seeds.txt`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.days import Days
from tests.support.simulated_street import simulate

SEEDS = 20
FAILED = Path(__file__).with_name("failed_seeds.txt")


def _seeds() -> list[int]:
    """Those of the environment, or the usual ones and those that failed once."""
    wanted = os.environ.get("BORNE_SEEDS")
    if wanted:
        spans = [part.partition("-") for part in wanted.split(",")]
        return [n for low, _, high in spans for n in range(int(low), int(high or low) + 1)]
    lines = [line.split() for line in FAILED.read_text().splitlines()]
    failed = {int(words[0]) for words in lines if words and words[0] != "#"}
    return sorted(failed | set(range(1, SEEDS + 1)))


def _play(days: Days) -> Days:
    simulate(days.play, days.seed)
    found = "\n".join(days.wrong[:20])
    assert not days.wrong, f"seed {days.seed}: {len(days.wrong)} things are wrong\n{found}"
    return days


@pytest.mark.parametrize("seed", _seeds(), ids=lambda seed: f"seed-{seed}")
def test_three_days(tmp_path: Path, seed: int) -> None:
    days = _play(Days(seed, tmp_path))
    assert days.sessions > 30
