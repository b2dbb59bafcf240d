"""Which requests read a set of registers.

A request spans neighbouring registers. What lies between two wanted ones is read along only where
the meter surely answers: over registers of the map, or over anything if the profile allows holes.
"""

from __future__ import annotations

from collections.abc import Iterable

from borne.protocols.meter_profiles.description import MeterDescription
from borne.protocols.meter_profiles.registers import Block, Register, areas

MAX_UNWANTED = 24
"""Words; at 9600 baud as many take as long as a request of their own."""


def blocks(profile: MeterDescription, wanted: Iterable[Register]) -> tuple[Block, ...]:
    """The requests for `wanted`, by function and rising address; no value is cut in two."""
    found: list[Block] = []
    for function, address, count in sorted({area for r in wanted for area in areas(r)}):
        last = found[-1] if found else None
        end = address + count
        if last and last.function == function and _may_join(profile, last, address, end):
            found[-1] = Block(function, last.address, end - last.address)
        else:
            found.append(Block(function, address, count))
    return tuple(found)


def listed(profile: MeterDescription, function: int) -> set[int]:
    """The addresses that the meter surely answers for."""
    identities = [i.register for i in (profile.serial_number, profile.model_id) if i]
    return {
        place
        for register in (*profile.registers.values(), *identities)
        for own, address, count in areas(register)
        if own == function
        for place in range(address, address + count)
    }


def _may_join(profile: MeterDescription, last: Block, address: int, end: int) -> bool:
    if end - last.address > profile.max_words:
        return False
    between = range(last.address + last.count, address)
    if len(between) > MAX_UNWANTED:
        return False
    return profile.holes or listed(profile, last.function).issuperset(between)
