"""What is believed of the meter at the supply of the building.

More load is believed at once. Less load, which raises every car, is believed after two polls. A
meter that also measures the own sockets must show at least what they draw: if it shows less, what
they draw is used instead. See decisions 0209 and 0210.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.load_management.site import lowest_over_window
from borne.domain.meters.site_reading import SiteReading
from borne.foundation.units import PHASES, ZERO, PerPhase

JUMP_A = 3.0
"""A load that falls by more than this between two polls is believed with the second one."""
MIN_POLL_S = 0.2
"""Answers closer together than this are one poll."""
SKEW_S = 3.0
"""Own meters and the meter of the site are read up to this much apart."""
WINDOW_S = 10.0
MAX_SAMPLES = 32
OWN_A = 4.0
"""Own sockets are recognised in the current of a building from here on."""
TOLERANCE_A = 1.0
TOLERANCE = 0.1
FOLLOWED = 0.5
"""Share of a rise of the own sockets that the meter must show."""
_NO_PHASE = (False, False, False)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the meter showed, and what the own sockets drew, in amps per grid phase."""

    at_s: float
    shown_a: PerPhase
    own_a: PerPhase


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed after the polls so far; starts again when the meter was silent."""

    current_a: PerPhase | None = None
    """None before the second poll."""
    doubted: tuple[bool, bool, bool] = _NO_PHASE
    """Phases on which the meter did not follow the own sockets."""
    short: tuple[bool, bool, bool] = _NO_PHASE
    """Phases on which it shows less than the own sockets draw."""
    samples: tuple[Sample, ...] = ()
    shown_a: PerPhase | None = None
    """What the meter showed, without what own sockets draw; None before the second poll."""

    @property
    def answered_a(self) -> PerPhase | None:
        """The last answer, before a fall is believed."""
        return self.samples[-1].shown_a if self.samples else None

    @property
    def settled(self) -> bool:
        """False if another poll can lower what is believed."""
        if self.current_a is None:
            return False
        shown_a = self.samples[-1].shown_a
        return all(self.short[phase] or self.current_a[phase] <= shown_a[phase] for phase in PHASES)

    def after(self, reading: SiteReading, own_a: PerPhase | None) -> Trust:
        """Add a poll. `own_a` is what the own sockets draw per grid phase, None for a meter that
        does not measure them."""
        own = ZERO if own_a is None else own_a
        sample = Sample(reading.at_s, reading.current_a, own)
        if self.samples and sample.at_s - self.samples[-1].at_s < MIN_POLL_S:
            return self._within_poll(sample)
        return self._with(sample, self.samples)

    def _within_poll(self, sample: Sample) -> Trust:
        """A second answer within one poll may only raise the load."""
        last = self.samples[-1]
        higher = PerPhase(*map(max, last.shown_a, sample.shown_a))
        return self._with(replace(sample, at_s=last.at_s, shown_a=higher), self.samples[:-1])

    def _with(self, sample: Sample, before: tuple[Sample, ...]) -> Trust:
        samples = _recent((*before, sample))
        if not before:
            return Trust(samples=samples)
        shown_a = PerPhase(
            *map(_confirmed, sample.shown_a, before[-1].shown_a, self.current_a or [None] * 3)
        )
        floor = _floor(samples, sample.own_a)
        short = [_is_short(sample.shown_a[phase], floor[phase]) for phase in PHASES]
        doubted = [
            short[phase] and _is_doubted(samples, phase, already=self.doubted[phase])
            for phase in PHASES
        ]
        believed = PerPhase(
            *(
                max(shown_a[phase], floor[phase]) if short[phase] else shown_a[phase]
                for phase in PHASES
            )
        )
        return Trust(
            believed,
            (doubted[0], doubted[1], doubted[2]),
            (short[0], short[1], short[2]),
            samples,
            shown_a,
        )


def _recent(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The samples of the window and the one before it: a meter that reports changes only showed
    that one until then."""
    start_s = samples[-1].at_s - WINDOW_S
    older = sum(each.at_s < start_s for each in samples)
    return samples[max(0, older - 1) :][-MAX_SAMPLES:]


def _confirmed(shown_a: float, before_a: float, believed_a: float | None) -> float:
    """A jump downwards counts when the poll before showed it as well."""
    if believed_a is not None and shown_a >= believed_a - JUMP_A:
        return shown_a
    return max(shown_a, before_a)


def _floor(samples: tuple[Sample, ...], own_a: PerPhase) -> PerPhase:
    """What the own sockets drew at least while the meter measured."""
    start_s = samples[-1].at_s - SKEW_S
    return lowest_over_window(
        [own_a, *(sample.own_a for sample in samples if sample.at_s >= start_s)]
    )


def _is_short(shown_a: float, floor_a: float) -> bool:
    return floor_a >= OWN_A and shown_a < floor_a * (1 - TOLERANCE) - TOLERANCE_A


def _is_doubted(samples: tuple[Sample, ...], phase: int, *, already: bool) -> bool:
    """Whether the meter did not follow the own sockets. What feeds in behind the meter hides their
    current, but not its changes."""
    settled = [each for each in samples if samples[-1].at_s - each.at_s <= SKEW_S]
    before = [each for each in samples if samples[-1].at_s - each.at_s > SKEW_S]
    if not before:
        return already
    start = min(before, key=lambda each: each.own_a[phase])
    rise_a = min(each.own_a[phase] for each in settled) - start.own_a[phase]
    if rise_a < OWN_A:
        return already
    return max(each.shown_a[phase] for each in settled) - start.shown_a[phase] < FOLLOWED * rise_a
