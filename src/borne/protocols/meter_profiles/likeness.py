"""How well an unknown device fits a profile, for a scan."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from borne.protocols.meter_profiles import decoding, planning, sunspec
from borne.protocols.meter_profiles.description import MeterDescription
from borne.protocols.meter_profiles.quantities import by_phase
from borne.protocols.meter_profiles.register_types import WordOrder
from borne.protocols.meter_profiles.registers import Block, Register, Words, areas

VOLTAGES_V = (80.0, 300.0)
ABSENT_PHASE_V = 10.0
"""Below it a phase is not connected."""
FREQUENCIES_HZ = (45.0, 65.0)
_POINTS_OF_MODEL = 10.0
_POINTS_OF_FREQUENCY = 2.0
_POINTS_OF_POWER = 0.1
MAX_POWER_W = 1e6


def blocks(profile: MeterDescription) -> tuple[Block, ...]:
    """The requests that show whether a device is of this type: the register of its model, voltages
    and frequency, or the power if it has no voltages."""
    if profile.sunspec:
        return (Block(profile.function, sunspec.BASES[0], len(sunspec.MARK)),)
    names = _names(profile)
    wanted = [r for r in profile.registers.values() if r.name in names]
    # The model has a request of its own: it often stands apart, among other values.
    model = [profile.model_id.register] if profile.model_id else []
    return planning.blocks(profile, model) + planning.blocks(profile, wanted)


def points(profile: MeterDescription, words: Words) -> float:
    """0 if the device is surely of another type, else more the more speaks for this one. Types with
    the same registers get the same. `words` are the answers to `blocks`; a refused one is missing.
    """
    if profile.sunspec:
        shown = tuple(words.get((profile.function, sunspec.BASES[0] + n)) for n in (0, 1))
        return _POINTS_OF_MODEL if shown == sunspec.MARK else 0.0
    orders = list(WordOrder) if profile.probe_word_order else [profile.word_order]
    return max(_points(replace(profile, word_order=order), words) for order in orders)


def _names(profile: MeterDescription) -> frozenset[str]:
    names = frozenset({*by_phase("voltage"), "frequency"})
    if names.isdisjoint(profile.registers):
        names = frozenset({"power", "power_import", "power_export"})
    return names


def _points(profile: MeterDescription, words: Words) -> float:
    wanted = [r for r in profile.registers.values() if r.name in _names(profile)]
    if not wanted or not _all_read(wanted, words):
        return 0.0
    of_values = _of_values({r.name: decoding.exact(profile, r, words) for r in wanted})
    return _with_model(profile, words, of_values) if of_values else 0.0


def _all_read(registers: list[Register], words: Words) -> bool:
    return all(
        (function, place) in words
        for register in registers
        for function, address, count in areas(register)
        for place in range(address, address + count)
    )


def _with_model(profile: MeterDescription, words: Words, of_values: float) -> float:
    """A model that the description does not know may be a newer one of the type: it counts against
    the type, but does not exclude it."""
    shown = decoding.identity(profile, profile.model_id, words).casefold()
    if not shown or profile.model_id is None:
        return of_values
    fits = any(
        shown.startswith(model.casefold()) if isinstance(model, str) else shown == str(model)
        for model in profile.model_id.models
    )
    return of_values + _POINTS_OF_MODEL if fits else of_values / 2


def _of_values(values: dict[str, Fraction | None]) -> float:
    found = 0.0
    for name, value in values.items():
        if name == "frequency":
            if value is None or not FREQUENCIES_HZ[0] <= value <= FREQUENCIES_HZ[1]:
                return 0.0
            found += _POINTS_OF_FREQUENCY
        elif name.startswith("power"):
            if value is not None and abs(value) < MAX_POWER_W:
                found += _POINTS_OF_POWER
        elif value is not None and abs(value) > ABSENT_PHASE_V:
            if not VOLTAGES_V[0] <= value <= VOLTAGES_V[1]:
                return 0.0
            found += 1.0
    has_voltages = any(name.startswith("voltage") for name in values)
    shows_voltage = found > _POINTS_OF_FREQUENCY or ("frequency" not in values and found)
    return found if shows_voltage or not has_voltages else 0.0
