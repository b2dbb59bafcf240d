"""Random sites in a closed loop: no line carries more than the computed bound, whatever happens.

Stations exchange messages only, which are delayed, lost and reordered; cars follow within 5 s; the
building rises by 30 A; meters are old or silent; stations, links and the master fail and come back.
Seeds that failed once are kept in `failed_seeds.txt` (`site`) and run always, with 200 others that
are the same for every commit.
`BORNE_SITE_HOURS` (10,000) in the campaign. `BORNE_SITES=17,40-50` plays these.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from borne.adapters.site.site_run import run_site
from borne.application.load_management.slave import Slave, SlaveCurrent
from borne.domain.limits.cause import LimitCause
from tests.simulation.test_days import failed_seeds, spans
from tests.support.random_sites import random_site, with_rogues

HOUR_S = 3600.0
CHUNK, CHUNKS = 10, 20
CAMPAIGN_HOURS = int(os.environ.get("BORNE_SITE_HOURS", "10000"))
CAMPAIGN_CHUNK = 100
SEEDS = range(1, CHUNK * CHUNKS + 1)


def chunk(number: int) -> Sequence[int]:
    """The seeds of a test."""
    return SEEDS[number::CHUNKS]


def exceeded(seed: int, *, rogue: bool = False) -> str:
    """What is wrong with a site; empty if nothing is."""
    site = random_site(seed, HOUR_S)
    result = run_site(with_rogues(site, seed) if rogue else site, HOUR_S)
    if not result.bound_exceeded or result.accounts.first_over is None:
        return ""
    at_s, line = result.accounts.first_over
    group, phase = result.accounts.topology.links[line]
    amperes = result.accounts.over_bound_as.rounded(2)
    return f"seed {seed}: {tuple(amperes)} As, first at {at_s:.1f} s, {group} N{int(phase)}"


def check(seeds: Sequence[int], *, rogue: bool = False) -> None:
    wrong = [found for seed in seeds if (found := exceeded(seed, rogue=rogue))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", range(CHUNKS))
def test_no_current_is_above_the_bound(number: int) -> None:
    check(chunk(number))


def test_seeds_that_failed_once() -> None:
    check(spans(os.environ["BORNE_SITES"]) if "BORNE_SITES" in os.environ else FAILED)


FAILED = sorted(failed_seeds("site"))


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(CAMPAIGN_HOURS // CAMPAIGN_CHUNK))
def test_no_current_is_above_the_bound_for_long(number: int) -> None:
    first = 1_000_000 + number * CAMPAIGN_CHUNK
    check(range(first, first + CAMPAIGN_CHUNK))


@pytest.mark.parametrize("number", range(2))
def test_rogue_cars_add_no_more_than_what_they_draw_beyond_their_offer(number: int) -> None:
    check(chunk(number), rogue=True)


def test_a_station_that_ignores_its_grants_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    full = SlaveCurrent(32.0, LimitCause.MAXIMUM)
    monkeypatch.setattr(
        Slave, "currents", lambda self, _: dict.fromkeys(self._disconnected_a, full)
    )
    assert any(exceeded(seed) for seed in range(1, 6))
