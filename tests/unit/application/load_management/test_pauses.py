"""A limit that sways around the minimum does not wear the contactors (manual 7.4)."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from borne.application.load_management.group_record import MasterConfig
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.rotation_slots import MINIMUM_OFF_S
from borne.foundation.units import PerPhase
from tests.unit.application.load_management.engine_doubles import Group

RUN_S = 1800.0
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Swaying:
    """A group whose limit the test changes; a fall is obeyed at once, as the master service does.
    It records when each contactor opens and closes."""

    def __init__(self, limit_a: float, *names: str, sample_s: float = 1.0) -> None:
        config = MasterConfig(minimum_a=6.0, sample_s=sample_s)
        self.group = Group(limit_a, *names, config=config)
        self.on = [False] * len(names)
        self.opened_s: list[float | None] = [None] * len(names)
        self.starts = [0] * len(names)
        self.pauses_s: list[float] = []

    def limit(self, amps: float) -> None:
        group, before = self.group, self.group.limit_a
        group.limit_a = PerPhase.same(amps)
        if amps < before.l1:
            group.master.lower(group.limit_a, group.now_s)
            group.send()
            group.cycle()
            group.send()
        self._look()

    def run(self, for_s: int) -> None:
        for _ in range(for_s):
            self.group.run(1.0)
            self._look()

    def _look(self) -> None:
        now_s = self.group.now_s
        for place, amps in enumerate(self.group.amps()):
            closed, opened_s = amps > 0, self.opened_s[place]
            if closed and not self.on[place]:
                self.starts[place] += 1
                if opened_s is not None:
                    self.pauses_s.append(now_s - opened_s)
            if self.on[place] and not closed:
                self.opened_s[place] = now_s
            self.on[place] = closed


@pytest.mark.parametrize("sample_s", [1.0, 30.0])
@pytest.mark.parametrize("mean_s", [3.0, 30.0])
@pytest.mark.parametrize("names", ["a", "abc"])
def test_no_contactor_closes_within_a_minute_of_its_pause(
    sample_s: float, mean_s: float, names: str
) -> None:
    rng = random.Random(f"{sample_s} {mean_s} {names}")
    swaying = Swaying(6.5 * len(names), *names, sample_s=sample_s)
    while swaying.group.now_s < RUN_S:
        swaying.limit(6.0 * len(names) + rng.uniform(-1.0, 1.0))
        swaying.run(max(1, round(rng.expovariate(1 / mean_s))))
    assert len(swaying.pauses_s) > 0
    assert min(swaying.pauses_s) >= MINIMUM_OFF_S
    assert max(swaying.starts) <= RUN_S / MINIMUM_OFF_S


def test_a_short_lack_of_current_is_a_pause_of_a_minute_with_its_reason() -> None:
    swaying = Swaying(10.0, "a")
    swaying.run(60)
    swaying.limit(5.0)
    swaying.run(5)
    swaying.limit(10.0)
    swaying.run(20)
    (row,) = swaying.group.master.group.participants(swaying.group.now_s, NOW)
    assert (row.granted_a, row.reason.cause) == (0.0, LimitCause.PAUSED_RECENTLY)
    assert row.until is not None
    swaying.run(40)
    assert swaying.group.amps() == [10.0]
    assert swaying.pauses_s == [pytest.approx(MINIMUM_OFF_S, abs=3.0)]


def test_a_longer_lack_of_current_delays_nothing() -> None:
    swaying = Swaying(10.0, "a")
    swaying.run(60)
    swaying.limit(5.0)
    swaying.run(300)
    swaying.limit(10.0)
    swaying.run(3)
    assert swaying.group.amps() == [10.0]


def test_the_other_car_gets_the_current_while_one_rests() -> None:
    swaying = Swaying(12.0, "a", "b")
    swaying.run(60)
    swaying.limit(6.0)
    swaying.run(5)
    assert sorted(swaying.group.amps()) == [0.0, 6.0]
    swaying.limit(12.0)
    swaying.run(20)
    assert sorted(swaying.group.amps()) == [0.0, 12.0]
    swaying.run(60)
    assert swaying.group.amps() == [6.0, 6.0]
