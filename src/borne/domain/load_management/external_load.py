"""What everything beside the charging stations draws (manual 7.4.2, decision 0216).

A meter that includes the stations shows their changes later than they are reported, by a skew that
is not known at first. A change of the stations that may be on its way explains a difference; what
none explains is the building's. While the skew is not known, what could be the building's is.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from operator import itemgetter

from borne.domain.load_management.meter_skew import MeterSkew, Reading
from borne.domain.load_management.own_history import OwnHistory, highest
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import PHASES, ZERO, PerPhase

SILENT_S = 12.0
"""A reading that is older does not count."""
REPORT_DELAY_S = 1.0
"""A station reports a change up to this much after a meter without skew has shown it."""
FALL_S = 12.0
"""A lower load that a station may explain which has not reported its fall yet must last so long: a
station that lost its power never reports it, and its current counts for ten seconds more."""
QUICK_FALL_S = 3.0
"""The same for a station that reports its fall."""
DECIDE_S = 3.0
"""While the skew is not known, a difference that the stations may explain is the building's after
this time: their step then has shown the skew, or it was none."""
MARGIN_S = 1.0
MAX_AVERAGING_S = 300.0


@dataclass(frozen=True, slots=True)
class Averaged:
    """A load over time: a rise counts at once, a fall on average."""

    points: tuple[tuple[float, PerPhase, PerPhase], ...] = ()
    """Time, the load from then on, and the integral until then."""

    def with_value(self, at_s: float, amps: PerPhase) -> Averaged:
        """Add a value, in order of time."""
        if not self.points:
            return Averaged(((at_s, amps, ZERO),))
        last_s, last_a, _ = self.points[-1]
        if amps == last_a:
            return self
        points = (*self.points, (max(at_s, last_s), amps, self._integral(at_s)))
        old = bisect_right(points, at_s - MAX_AVERAGING_S, key=itemgetter(0)) - 1
        return Averaged(points[max(0, old) :])

    def at(self, now_s: float, averaging_s: float) -> PerPhase:
        """The higher of the present value and the average."""
        _, last_a, _ = self.points[-1]
        past = self._integral(now_s).minus(self._integral(now_s - averaging_s))
        return PerPhase(*(max(last_a[n], past[n] / averaging_s) for n in PHASES))

    def _integral(self, at_s: float) -> PerPhase:
        number = max(0, bisect_right(self.points, at_s, key=itemgetter(0)) - 1)
        since_s, amps, before = self.points[number]
        return PerPhase(*(before[n] + amps[n] * (at_s - since_s) for n in PHASES))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A recent reading, and the highest load that it allows."""

    at_s: float
    shown_a: PerPhase
    max_a: PerPhase


@dataclass(frozen=True, slots=True)
class ExternalLoad:
    """Readings of the meter, and the history of what the stations draw."""

    main_a: PerPhase | None = None
    """What the stations and the building may draw together; None: not known."""
    own: OwnHistory = field(default_factory=OwnHistory)
    skew: MeterSkew = field(default_factory=MeterSkew)
    rest_a: PerPhase | None = None
    """The load of the building by a meter that includes the stations; negative: it exports."""
    quick_a: PerPhase | None = None
    """The same as far as stations report within `QUICK_FALL_S`: what is averaged."""
    recent: tuple[_Seen, ...] = ()
    shown_s: float | None = None
    """Until when a reading that nothing confuses has shown what the stations drew: -inf before the
    first one; None: the meter is silent or does not show them."""
    including: Averaged = field(default_factory=Averaged)
    excluding: Averaged = field(default_factory=Averaged)

    def drawn(self, at_s: float, evse_a: PerPhase, max_a: PerPhase | None = None) -> ExternalLoad:
        """Add the sum of the stations' currents per grid phase, at each change: at least `evse_a`,
        which is certain, and `max_a` while cars follow lower offers."""
        if not all(map(isfinite, (*evse_a, *(max_a or ())))):
            evse_a, max_a = ZERO, None
        own = self.own.until(at_s - SILENT_S)  # readings may be so old
        return replace(self, own=own.with_value(at_s, evse_a, max_a))

    def measured(
        self, at_s: float, current_a: PerPhase | None, answered_a: PerPhase | None = None
    ) -> ExternalLoad:
        """Add a reading of the meter in amps per grid phase, also an unchanged one, at least every
        `SILENT_S`; None: it is silent. `answered_a`: its answer, if a fall is believed later."""
        if current_a is None or not all(map(isfinite, current_a)):
            return ExternalLoad(self.main_a, self.own, self.skew.silent())
        own = self.own.until(at_s)
        answered_a = current_a if answered_a is None else answered_a
        skew = self.skew.after(Reading(at_s, answered_a.total), own)
        rest_a, quick_a, max_a = self._rest(at_s, current_a, own, skew)
        seen = _Seen(at_s, current_a, max_a)
        start_s = at_s - max(DECIDE_S, FALL_S)
        return ExternalLoad(
            self.main_a,
            own,
            skew,
            rest_a,
            quick_a,
            (*(one for one in self.recent if one.at_s >= start_s), seen),
            self._shown_s(at_s, own, skew),
            self.including.with_value(at_s, _import(quick_a)),
            self.excluding.with_value(at_s, _import(current_a)),
        )

    def load_a(self, now_s: float, location: MeterLocation, averaging_s: float) -> PerPhase | None:
        """The load that counts, in amps per grid phase: a rise at once, a fall averaged, export as
        zero. None: the meter is silent."""
        if not self.recent or now_s - self.recent[-1].at_s > SILENT_S:
            return None
        averaging_s = max(1.0, averaging_s)
        if location is MeterLocation.EXCLUDING or self.rest_a is None:
            return self.excluding.at(now_s, averaging_s)
        return highest(self.including.at(now_s, averaging_s), _import(self.rest_a))

    def _shown_s(self, at_s: float, own: OwnHistory, skew: MeterSkew) -> float | None:
        first, last = skew.plausible
        start_s = at_s - last - MARGIN_S
        if skew.denied:
            return None
        if own.changed_between(start_s, at_s - first + MARGIN_S):
            return -inf if self.shown_s is None else self.shown_s
        return start_s

    def _rest(
        self, at_s: float, shown_a: PerPhase, own: OwnHistory, skew: MeterSkew
    ) -> tuple[PerPhase, PerPhase, PerPhase]:
        """Return the load of the building, the one to average, and the highest possible."""
        if skew.denied:
            return shown_a, shown_a, shown_a
        first, last = skew.plausible
        low_a, high_a = own.between(at_s - last - MARGIN_S, at_s - first + MARGIN_S)
        max_a, min_a = shown_a.minus(low_a), shown_a.minus(high_a)
        if self.rest_a is None or self.quick_a is None:
            return max_a, max_a, max_a
        if first - MARGIN_S < REPORT_DELAY_S:
            delay_s = max(REPORT_DELAY_S, MARGIN_S - first) if skew.known else REPORT_DELAY_S
            min_a = self._without_unreported(at_s, delay_s, min_a, own, high_a)
        min_a = _as_much_again(self.rest_a, min_a, max_a)
        slow_a = self._lasting(at_s - FALL_S, max_a)
        rest_a = highest(self.rest_a, min_a).lowest(slow_a)
        soon_a = self._lasting(at_s - QUICK_FALL_S, max_a)
        quick_a = highest(self.quick_a, min_a).lowest(soon_a)
        if not skew.known:
            certain_a = self._persisting(at_s, max_a)
            rest_a, quick_a = highest(rest_a, certain_a), highest(quick_a, certain_a)
        return rest_a, quick_a, max_a

    def _without_unreported(
        self, at_s: float, delay_s: float, min_a: PerPhase, own: OwnHistory, high_a: PerPhase
    ) -> PerPhase:
        """A rise may be that of a station which reports it in a moment, as far as the stations had
        room for it."""
        start_s = at_s - delay_s
        shown = [one.shown_a for one in self.recent if one.at_s > start_s]
        oldest_s = start_s - REPORT_DELAY_S  # a meter that is read seldom is believed at once
        before = [one.shown_a for one in self.recent if oldest_s <= one.at_s <= start_s]
        lasting = min_a
        for one in (*before[-1:], *shown):
            lasting = lasting.lowest(one.minus(high_a))
        if self.main_a is None or self.rest_a is None:
            return lasting
        room = self.main_a.minus(self.rest_a).minus(own.now_a)
        return PerPhase(*(max(lasting[n], min_a[n] - max(0.0, room[n])) for n in PHASES))

    def _lasting(self, after_s: float, max_a: PerPhase) -> PerPhase:
        """The highest load that was possible at some moment after that time."""
        for one in self.recent:
            if one.at_s > after_s:
                max_a = highest(max_a, one.max_a)
        return max_a

    def _persisting(self, at_s: float, max_a: PerPhase) -> PerPhase:
        """The highest load that was possible all the time."""
        for one in self.recent:
            if one.at_s > at_s - DECIDE_S:
                max_a = max_a.lowest(one.max_a)
        return max_a


def _as_much_again(before_a: PerPhase, min_a: PerPhase, max_a: PerPhase) -> PerPhase:
    """A building that certainly rises may have risen by as much again, as far as cars that follow
    lower offers hide it."""
    rises = (max(0.0, min_a[n] - before_a[n]) for n in PHASES)
    return PerPhase(*(max(min_a[n], min(min_a[n] + up, max_a[n])) for n, up in enumerate(rises)))


def _import(load_a: PerPhase) -> PerPhase:
    return PerPhase(*(max(0.0, amps) for amps in load_a))
