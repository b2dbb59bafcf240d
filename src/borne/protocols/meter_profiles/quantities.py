"""Names of registers and the units of their values.

A name is a quantity and, where it has one, its phase: `voltage_l1`. `power` and `energy_import`
without a phase are those of the whole connection.
"""

from __future__ import annotations

PHASES = ("l1", "l2", "l3")

_PER_PHASE = {
    "voltage": "V",
    "current": "A",
    "power": "W",
    "power_import": "W",
    "power_export": "W",
    "reactive_power": "var",
    "reactive_power_pos": "var",
    "reactive_power_neg": "var",
    "apparent_power": "VA",
    "power_factor": "",
    "energy_import": "Wh",
    "energy_export": "Wh",
}
_WHOLE = {
    "voltage_l12": "V",
    "voltage_l23": "V",
    "voltage_l31": "V",
    "current_n": "A",
    "current_sum": "A",
    "power": "W",
    "power_import": "W",
    "power_export": "W",
    "reactive_power": "var",
    "reactive_power_pos": "var",
    "reactive_power_neg": "var",
    "apparent_power": "VA",
    "apparent_power_pos": "VA",
    "apparent_power_neg": "VA",
    "power_factor": "",
    "frequency": "Hz",
    "energy_import": "Wh",
    "energy_import_t2": "Wh",
    "energy_export": "Wh",
    "energy_export_t2": "Wh",
    "energy_sum": "Wh",
    "digital_input": "",
}

UNITS = {f"{name}_{phase}": unit for name, unit in _PER_PHASE.items() for phase in PHASES} | _WHOLE
"""Every name that a register map may have. `power_import` and `power_export` are two unsigned
registers of which one is 0; `_t2` is what counts in tariff 2 and is added."""


def by_phase(quantity: str) -> tuple[str, str, str]:
    """The names of a quantity's three registers."""
    return f"{quantity}_l1", f"{quantity}_l2", f"{quantity}_l3"


_POWER = ("power", "power_import", "power_export")
MOMENTARY = frozenset(
    name
    for quantity in ("voltage", "current", *_POWER)
    for name in (*by_phase(quantity), *([quantity] if quantity in _POWER else []))
) | {"digital_input"}
"""What load management reads each second. The lowest bit of `digital_input` is the meter's first
input."""
COUNTERS = frozenset({"energy_import", "energy_import_t2", "energy_export", "energy_export_t2"})
MEASURED = MOMENTARY | COUNTERS | {"frequency"}
"""What becomes part of a measurement."""
