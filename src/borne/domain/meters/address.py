"""Where an energy meter is found: in the network, or on a serial line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Parity(StrEnum):
    """Parity of a serial line."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class MeterAddress:
    """A meter type and where to find the meter. Of `host` and `device` at most one is set;
    Speedwire meters need neither. `serial_number` selects one of several Speedwire meters."""

    slug: str
    """Of `domain.settings.catalogue.meter_profiles`."""
    host: str = ""
    port: int = 502
    unit: int = 1
    device: str = ""
    """A serial port such as /dev/ttyUSB0; "rtu://HOST:PORT" for a line behind a transparent
    gateway, "tcp://HOST:PORT" for one behind a Modbus TCP gateway."""
    baud: int = 9600
    parity: Parity = Parity.NONE
    serial_number: str = ""
