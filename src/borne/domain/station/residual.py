"""When a tripped residual current monitor may be re-armed (manual 9).

At once when the cable is unplugged from the station; otherwise some time after the vehicle left (10
s, or 15 min with old sensors). If it trips again without a vehicle, the pause doubles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LONGEST_PAUSE_S = 900.0


@dataclass(frozen=True, slots=True)
class ResidualTrip:
    """The state of a trip."""

    tripped: bool = False
    trips_without_vehicle: int = 0
    """Number of consecutive trips without a vehicle."""
    rearm_at_s: float | None = None

    def update(
        self, now_s: float, reset_s: float, *, tripped: bool, vehicle: bool, cable: bool
    ) -> ResidualTrip:
        """Process the present state; `reset_s` depends on the sensor."""
        state = self
        if tripped and not state.tripped:
            lonely = 0 if vehicle else state.trips_without_vehicle + 1
            state = ResidualTrip(tripped=True, trips_without_vehicle=lonely)
        elif not tripped:
            lonely = 0 if vehicle else state.trips_without_vehicle
            return ResidualTrip(trips_without_vehicle=lonely)
        if vehicle:
            return replace(state, rearm_at_s=None, trips_without_vehicle=0)
        if not cable and not state.trips_without_vehicle:
            return replace(state, rearm_at_s=now_s)
        if state.rearm_at_s is not None:
            return state
        doublings = max(0, state.trips_without_vehicle - 1)
        pause_s = min(reset_s * 2**doublings, max(reset_s, LONGEST_PAUSE_S))
        return replace(state, rearm_at_s=now_s + pause_s)

    def due(self, now_s: float) -> bool:
        """True if the board must be re-armed now."""
        return self.tripped and self.rearm_at_s is not None and now_s >= self.rearm_at_s
