"""Exact account of the currents on every line: what was above a limit, and above its bound.

All currents and limits are constant between two events, so the sums are exact. The *bound* is what
physics allows: see `Accounts.bound_a`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from borne.application.load_management.remote_station import UNCONFIRMED_S
from borne.domain.load_management.topology import ROOT, Topology
from borne.foundation.units import PerPhase

SLACK_A = 1e-6
ROOT_LINKS = (0, 1, 2)


@dataclass(slots=True)
class Line:
    """One grid phase of one group."""

    limit_a: float
    amps: float = 0.0
    """All sockets below it."""
    excused_a: float = 0.0
    """Of `amps`, what cars draw that ignore their offer, above it."""
    over_limit_as: float = 0.0
    over_bound_as: float = 0.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the master could not lower what flows, although a limit may have fallen."""

    from_s: float
    until_s: float
    stations: bool = True
    """Only what flows in stations out of contact is excused; else everything."""


@dataclass
class Accounts:
    """Currents and limits of all lines since the start.

    `reach_s`: the time in which a fallen limit must be obeyed; `gaps` returns the gaps that are
    open or ended within it, `locked_a` what flows on a phase of the root in stations out of
    contact, and `unheard_a` what of it is above what the master has granted them.
    """

    topology: Topology
    root_a: PerPhase
    """The limit of the root at the start."""
    reach_s: float
    gaps: Callable[[float], Sequence[Gap]]
    locked_a: Callable[[int], float]
    unheard_a: Callable[[int], float]
    now_s: float = 0.0
    first_over: tuple[float, int] | None = None
    """When and on which line the bound was first exceeded."""
    lines: list[Line] = field(init=False)
    _changed_s: list[float] = field(init=False)
    _limits: list[PerPhase] = field(init=False)
    _over: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        capacities = self.topology.capacities(self.root_a)
        self.lines = [Line(limit) for limit in capacities]
        self._changed_s, self._limits = [float("-inf")], [self.root_a]

    def settle(self, now_s: float) -> None:
        """Account for the time up to now; called before anything changes."""
        if now_s > self.now_s:
            for number in self._over:
                self._add(number, self.now_s, now_s)
            self.now_s = now_s

    def draw(self, links: Sequence[int], change_a: float, excused_a: float = 0.0) -> None:
        """Change what flows through some lines."""
        for number in links:
            line = self.lines[number]
            line.amps += change_a
            line.excused_a += excused_a
            self._watch(number)

    def limit_root(self, limit_a: PerPhase) -> None:
        """Set the limit of the root from now on."""
        if limit_a == self._limits[-1]:
            return
        self._changed_s.append(self.now_s)
        self._limits.append(limit_a)
        for number in ROOT_LINKS:
            self.lines[number].limit_a = limit_a[number]
            self._watch(number)

    def bound_a(self, phase: int, at_s: float) -> float:
        """The highest current that the root may carry on a phase at a moment.

        It is the highest limit within the last `reach_s` (age of the meter, cycle, messages,
        reaction of the car, margin). What flows in a station without contact cannot be lowered
        before its time-outs: up to that current, the highest limit since the contact was lost
        counts. Until the master has noticed, the others use what it has left them: so long, what
        the station draws above grants that it did not get counts in addition.
        """
        limit_a = bound_a = self._highest(phase, at_s - self.reach_s, at_s)
        for gap in self.gaps(at_s):
            since_a = self._highest(phase, gap.from_s - self.reach_s, at_s)
            excused_a = since_a
            if gap.stations:
                excused_a = self.locked_a(phase)
                if at_s <= gap.from_s + UNCONFIRMED_S + self.reach_s:
                    excused_a = max(excused_a, limit_a + self.unheard_a(phase))
            bound_a = max(bound_a, min(since_a, excused_a))
        return bound_a

    @property
    def root_limit_a(self) -> PerPhase:
        """The limit of the root now."""
        return self._limits[-1]

    @property
    def over_bound_as(self) -> PerPhase:
        """Beyond the bound, all groups together, per grid phase."""
        sums = [0.0, 0.0, 0.0]
        for number, line in enumerate(self.lines):
            sums[number % 3] += line.over_bound_as
        return PerPhase(*sums)

    def over_limit_as(self) -> Iterator[tuple[str, PerPhase]]:
        """Group and ampere-seconds above its limit, per grid phase."""
        names = [ROOT, *self.topology.groups]
        for number, name in enumerate(names):
            three = self.lines[3 * number : 3 * number + 3]
            yield name, PerPhase(*(line.over_limit_as for line in three))

    def _watch(self, number: int) -> None:
        line = self.lines[number]
        if line.amps > line.limit_a + SLACK_A:
            self._over.add(number)
        else:
            self._over.discard(number)

    def _highest(self, phase: int, from_s: float, to_s: float) -> float:
        first = bisect_right(self._changed_s, from_s) - 1
        last = bisect_right(self._changed_s, to_s)
        return max(limit_a[phase] for limit_a in self._limits[max(0, first) : last])

    def _add(self, number: int, from_s: float, to_s: float) -> None:
        line = self.lines[number]
        line.over_limit_as += (line.amps - line.limit_a) * (to_s - from_s)
        obedient_a = line.amps - line.excused_a
        if number not in ROOT_LINKS:
            self._add_beyond(number, obedient_a - line.limit_a, from_s, to_s)
            return
        marks = [from_s, *self._marks(from_s, to_s), to_s]
        for begin_s, end_s in pairwise(marks):
            middle_s = (begin_s + end_s) / 2
            self._add_beyond(number, obedient_a - self.bound_a(number, middle_s), begin_s, end_s)

    def _marks(self, from_s: float, to_s: float) -> list[float]:
        """The moments in between at which a former limit leaves the reach."""
        first = bisect_right(self._changed_s, from_s - self.reach_s)
        last = bisect_right(self._changed_s, to_s - self.reach_s)
        return [at_s + self.reach_s for at_s in self._changed_s[first:last]]

    def _add_beyond(self, number: int, excess_a: float, from_s: float, to_s: float) -> None:
        if excess_a <= SLACK_A or to_s <= from_s:
            return
        self.lines[number].over_bound_as += excess_a * (to_s - from_s)
        if self.first_over is None:
            self.first_over = (from_s, number)
