"""A residual current device that recloses by itself: "up to a certain point this is corrected
automatically" (manual 9).

A device may reclose three times within a day. The fourth time, the fault stays until the station is
restarted, because something keeps tripping the device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TIMES = 3
WITHIN_S = 24 * 3600.0
STEADY_S = 5.0
"""The contact counts as closed after this time."""


@dataclass(frozen=True, slots=True)
class Reclosing:
    """Trips of one device."""

    tripped: bool = False
    trips_s: tuple[float, ...] = ()
    closed_since_s: float | None = None
    latched: bool = False

    @property
    def faulty(self) -> bool:
        """The fault is present."""
        return self.tripped or self.latched

    @property
    def left(self) -> int:
        """Number of times that it may still reclose."""
        return max(0, TIMES - len(self.trips_s))

    @property
    def due_s(self) -> float | None:
        """When `update` must be called again even without a change."""
        if not self.tripped or self.closed_since_s is None or self.latched:
            return None
        return self.closed_since_s + STEADY_S

    def update(self, open_now: bool, now_s: float) -> Reclosing:
        """Process the auxiliary contact."""
        if open_now:
            if self.tripped:
                return replace(self, closed_since_s=None)
            trips_s = tuple(at for at in self.trips_s if now_s - at < WITHIN_S)
            return replace(
                self,
                tripped=True,
                closed_since_s=None,
                trips_s=(*trips_s[-TIMES:], now_s),
                latched=self.latched or len(trips_s) >= TIMES,
            )
        if not self.tripped:
            return self
        since_s = now_s if self.closed_since_s is None else self.closed_since_s
        if now_s < since_s + STEADY_S:
            return replace(self, closed_since_s=since_s)
        return replace(self, tripped=False, closed_since_s=None)
