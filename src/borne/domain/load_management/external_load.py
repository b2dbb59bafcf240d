"""What everything beside the charging stations draws (manual 7.4.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.load_management.site import lowest_over_window
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import ZERO, PerPhase

MAX_SKEW_S = 30.0
"""A meter may show what was so long ago."""


@dataclass(frozen=True, slots=True)
class ExternalLoad:
    """Readings of the meter, and the history of what the stations draw."""

    shown_a: PerPhase | None = None
    """None: the meter is silent."""
    shown_at_s: float = 0.0
    own: tuple[tuple[float, PerPhase], ...] = ()
    """What the stations certainly drew, from a time on."""

    def measured(self, at_s: float, current_a: PerPhase | None) -> ExternalLoad:
        """Add a reading of the meter in amps per grid phase; None: it is silent."""
        return replace(self, shown_a=current_a, shown_at_s=at_s)

    def drawn(self, at_s: float, evse_a: PerPhase) -> ExternalLoad:
        """Add the certain sum of the stations' currents per grid phase."""
        old = [one for one in self.own if one[0] <= at_s - MAX_SKEW_S][-1:]
        recent = [one for one in self.own if one[0] > at_s - MAX_SKEW_S]
        return replace(self, own=(*old, *recent, (at_s, evse_a)))

    def load_a(self, now_s: float, location: MeterLocation, averaging_s: float) -> PerPhase | None:
        """The load that counts, in amps per grid phase; None: the meter is silent."""
        del now_s, averaging_s  # a first version: the highest load that is possible
        if self.shown_a is None:
            return None
        own_a = ZERO
        if location is MeterLocation.INCLUDING:
            own_a = lowest_over_window(amps for _, amps in self.own)
        return PerPhase(*(max(0.0, amps) for amps in self.shown_a.minus(own_a)))
