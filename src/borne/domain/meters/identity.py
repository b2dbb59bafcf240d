"""Which meter is believed: the first serial number that was seen at an address is kept.

Nothing else tells a meter in a network from a device that pretends to be it. A meter without a
serial number cannot be distinguished.
"""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.meters.address import MeterAddress

MAX_SERIAL = 64
"""Characters that are kept of a serial number."""


@dataclass(frozen=True, slots=True)
class KnownMeter:
    """A meter that was seen, or accepted by an operator."""

    type: str
    """Slug of the type."""
    place: str
    """Where it is reached, as `place_of` says."""
    serial_number: str


def place_of(address: MeterAddress) -> str:
    """Host, port and unit, or serial port and unit. Baud rate and parity are no identity."""
    if address.host:
        return f"{address.host}:{address.port}/{address.unit}"
    if address.device:
        return f"{address.device}/{address.unit}"
    return address.serial_number


def meter_at(address: MeterAddress, serial_number: str) -> KnownMeter:
    """The meter that answers at an address."""
    return KnownMeter(address.slug, place_of(address), serial_number.strip()[:MAX_SERIAL])


def is_other_meter(known: KnownMeter | None, seen: KnownMeter) -> bool:
    """Whether another meter answers where a known one was. A meter at another address, or of
    another type, was set on purpose: that is a new one. A known meter that no longer tells its
    serial number is another one."""
    if known is None or (known.type, known.place) != (seen.type, seen.place):
        return False
    return bool(known.serial_number) and known.serial_number != seen.serial_number
