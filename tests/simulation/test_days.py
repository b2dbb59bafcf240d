"""Three virtual days of a station a seed: the bill is right whatever happens.

Seeds that failed once are kept in `failed_seeds.txt` and run always, some others by the commit, all
of them in the campaign. A failing seed is named by its test; `BORNE_SEEDS=17,40-50` plays these.

The campaign plays months: `BORNE_MONTHS=500` of them from the thousandth seed on, or chosen ones by
`BORNE_MONTHS=1002,1040-1050`. A month takes about two minutes of a core.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.days import Days
from tests.support.rotation import rotating
from tests.support.simulated_network import simulate

SEEDS = 20
SEEDS_OF_A_COMMIT = 4
MONTHS = 10
FIRST_MONTH = 1000
FAILED = Path(__file__).with_name("failed_seeds.txt")


def spans(wanted: str) -> list[int]:
    """`17,40-50` as numbers."""
    spans = [part.partition("-") for part in wanted.split(",")]
    return [n for low, _, high in spans for n in range(int(low), int(high or low) + 1)]


def failed_seeds(test: str) -> set[int]:
    """The seeds that failed once in that test."""
    lines = [line.split() for line in FAILED.read_text().splitlines()]
    return {int(words[1]) for words in lines if words and words[0] == test}


def _seeds() -> list[Any]:
    """Those of the environment, or the usual ones and those that failed once."""
    if wanted := os.environ.get("BORNE_SEEDS"):
        return [pytest.param(seed, id=f"seed-{seed}") for seed in spans(wanted)]
    return rotating(range(1, SEEDS + 1), SEEDS_OF_A_COMMIT, "seed", always=failed_seeds("days"))


def _months() -> list[int]:
    """So many as the environment says, or those that it names, or a few."""
    wanted = os.environ.get("BORNE_MONTHS", str(MONTHS))
    if not wanted.isdigit() or int(wanted) > FIRST_MONTH:
        return spans(wanted)
    usual = range(FIRST_MONTH + 1, FIRST_MONTH + 1 + int(wanted))
    return sorted(failed_seeds("month") | set(usual))


def _play(days: Days) -> Days:
    simulate(days.play, days.seed)
    found = "\n".join(days.wrong[:20])
    assert not days.wrong, f"seed {days.seed}: {len(days.wrong)} things are wrong\n{found}"
    return days


@pytest.mark.parametrize("seed", _seeds())
def test_three_days(tmp_path: Path, seed: int) -> None:
    days = _play(Days(seed, tmp_path))
    assert days.sessions > 30


def test_two_stations_in_one_process_are_billed_separately(tmp_path: Path) -> None:
    days = _play(Days(101, tmp_path, days=1.0, stations=2))
    assert days.sessions > 20
    assert {path.name for path in tmp_path.iterdir()} == {"station-1", "station-2"}


def test_messages_given_up_are_in_the_journal_of_lost_messages(tmp_path: Path) -> None:
    few = {"TransactionMessageAttempts": 3}
    days = _play(Days(202, tmp_path, days=2.0, settings=few, may_lose=True))
    assert days.sessions > 20


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", _months(), ids=lambda seed: f"seed-{seed}")
def test_a_month(tmp_path: Path, seed: int) -> None:
    days = _play(Days(seed, tmp_path, days=30.0))
    assert days.sessions > 300
