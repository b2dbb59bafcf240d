"""What one poll of an energy meter gave, in the units of the station.

Power and current are positive for import from the grid, negative for export. A value that the meter
does not have, or that it marks as invalid, is None, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

Phases = tuple[float | None, float | None, float | None]
"""A value for each of L1, L2, L3 of the meter."""
NO_PHASES: Phases = (None, None, None)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement. Current and phase power are signed alike; `import_wh` and `export_wh` are
    whole watt-hours, rounded down."""

    at_s: float
    """Monotonic time at which the answer arrived."""
    voltage_v: Phases = NO_PHASES
    """Between line and neutral."""
    current_a: Phases = NO_PHASES
    power_w: Phases = NO_PHASES
    power_total_w: float | None = None
    import_wh: int | None = None
    export_wh: int | None = None
    frequency_hz: float | None = None
    serial_number: str = ""
    """Empty if the meter does not give one."""
    digital_input: bool | None = None
    """State of the meter's digital input; None if it has none or does not tell it."""
