"""Detection of a vehicle that draws more than its offer.

It may draw (offer + 0.5 A) * 1.10 and has 5 s to follow a lower offer. More than that for 7 s is a
fault: contactor off, state F, and a new attempt after a pause. The fourth fault stays (practice of
EVerest's manifest; IEC 61851-1 Table A.6 sequence 6). A vehicle that exceeds its offer repeatedly
for a short time heats the line as well: current beyond the offers of the last 5 s is summed as heat
(current squared times time), and drawing less cools. Decision 0128.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.foundation.units import PerPhase

MARGIN_A = 0.5
MARGIN_FACTOR = 1.10
FOLLOW_S = 5.0
"""Time in which a vehicle must follow a lower offer."""
TRIP_DELAY_S = 7.0
HEAT_TRIP_DELAY_S = 14.0
"""For pulses: the heat of the present excess during this time."""
MIN_A = 6.0
"""Every line carries this current, which determines the slowest cooling."""
MAX_OFFERS = 16
"""Maximum number of lower offers that are distinguished within the time to follow."""
PAUSES_S = (30.0, 120.0, 600.0)
"""Pauses before the second, third and fourth attempt."""


def tolerated_a(offered_a: float) -> float:
    """The current that may be drawn for an offer."""
    return (offered_a + MARGIN_A) * MARGIN_FACTOR


@dataclass(frozen=True, slots=True)
class Offered:
    """An earlier, higher offer that may still be drawn until a deadline."""

    tolerated_a: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Flow:
    """The current since the last call."""

    at_s: float
    drawn_a: float
    tolerated_a: float

    @property
    def heat_a2(self) -> float:
        """Heat per second beyond the permitted current; negative while cooling."""
        return self.drawn_a**2 - self.tolerated_a**2


@dataclass(frozen=True, slots=True)
class OverCurrent:
    """The state of the detection for the plugged-in vehicle."""

    since_s: float | None = None
    trips: int = 0
    until_s: float | None = None
    """End of the fault; infinite if no attempts are left."""
    heat_a2s: float = 0.0
    flow: Flow | None = None
    offers: tuple[Offered, ...] = ()
    """Earlier offers that may still be drawn, highest first; the present one is last."""

    @property
    def faulty(self) -> bool:
        """The fault is present."""
        return self.until_s is not None

    @property
    def latched(self) -> bool:
        """No attempts are left; the fault stays until unplugging."""
        return self.until_s == float("inf")

    @property
    def cold(self) -> bool:
        """True if no relevant heat is left."""
        return self.flow is None and self.since_s is None and not self.heat_a2s and not self.offers

    @property
    def due_s(self) -> float | None:
        """When `update` must be called again even without a change."""
        if self.until_s is not None:
            return None if self.latched else self.until_s
        if self.since_s is None or self.flow is None:
            return None
        due_s = [self.since_s + TRIP_DELAY_S]
        if self.flow.heat_a2 > 0:
            rest_s = HEAT_TRIP_DELAY_S - self.heat_a2s / self.flow.heat_a2
            due_s.append(self.flow.at_s + rest_s)
        due_s += [offer.until_s for offer in self.offers[:-1]]
        later = [due for due in due_s if due > self.flow.at_s]
        return min(later, default=None)

    def update(
        self, drawn_a: PerPhase, offered_a: float, now_s: float, *, closed: bool
    ) -> OverCurrent:
        """Process the present current through the contactor and the offer."""
        state = self
        if state.until_s is not None:
            if now_s < state.until_s:
                return OverCurrent(trips=state.trips, until_s=state.until_s)
            state = OverCurrent(trips=state.trips)
        if state.cold and not closed:
            return state
        state = state.followed(max(drawn_a) if closed else 0.0, offered_a, now_s)
        if not closed or max(drawn_a) <= tolerated_a(offered_a):
            return state.cooled()
        since_s = now_s if state.since_s is None else state.since_s
        state = replace(state, since_s=since_s)
        if now_s < since_s + TRIP_DELAY_S and not state.hot:
            return state
        last = state.trips >= len(PAUSES_S)
        until_s = float("inf") if last else now_s + PAUSES_S[state.trips]
        return OverCurrent(trips=state.trips + 1, until_s=until_s)

    @property
    def hot(self) -> bool:
        excess_a2 = 0.0 if self.flow is None else self.flow.heat_a2
        return 0 < excess_a2 * HEAT_TRIP_DELAY_S <= self.heat_a2s

    def followed(self, drawn_a: float, offered_a: float, now_s: float) -> OverCurrent:
        """Add the heat up to now, and use the new current and offer from now on."""
        heat_a2s = self.heat_a2s
        if self.flow is not None:
            heat_a2s += self.flow.heat_a2 * max(0.0, now_s - self.flow.at_s)
        offers = _still_allowed(self.offers, offered_a, now_s)
        flow = Flow(now_s, drawn_a, max(offers[0].tolerated_a, tolerated_a(MIN_A)))
        return replace(self, heat_a2s=max(0.0, heat_a2s), flow=flow, offers=offers)

    def cooled(self) -> OverCurrent:
        """Drop heat and offers that no longer matter."""
        state = replace(self, since_s=None)
        drawn = state.flow is not None and state.flow.drawn_a > 0
        if drawn or state.heat_a2s > 0:
            return state
        return replace(state, flow=None, offers=())


def _still_allowed(
    offers: tuple[Offered, ...], offered_a: float, now_s: float
) -> tuple[Offered, ...]:
    """The offers that may be drawn now: the present one, and each higher one for 5 s after it was
    lowered."""
    present = Offered(tolerated_a(offered_a), float("inf"))
    lowered = [
        replace(offer, until_s=min(offer.until_s, now_s + FOLLOW_S))
        for offer in offers
        if offer.tolerated_a > present.tolerated_a and offer.until_s > now_s
    ]
    return (*lowered[-MAX_OFFERS:], present)
