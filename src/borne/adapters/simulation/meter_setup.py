"""What a simulated meter is: its type, what it measures, and where it is served."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from borne.foundation.messages import Explained

MAX_METERS = 16
METER_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
SITE, BUILDING = "site", "building"
SOCKET_SOURCE = re.compile(r"socket-(\d{1,2})")
LOOPBACK = "127.0.0.1"


class MeterFraming(StrEnum):
    """Of a meter in the network. RTU: as a line behind a transparent gateway."""

    TCP = "tcp"
    RTU = "rtu"


class MeterFault(StrEnum):
    """A way in which one meter fails; the others go on."""

    SILENT = "silent"
    SLOW = "slow"
    """Answers after `SLOW_S`."""
    EXCEPTION = "exception"
    """Answers each request with exception 4, device failure."""
    WRONG_UNIT = "wrong-unit"
    GARBAGE = "garbage"
    """Answers with bytes that are no answer."""
    FROZEN = "frozen"
    """Answers with the values of the moment at which the fault began."""


@dataclass(frozen=True, slots=True)
class MeterSetup:
    """A meter as it was asked for. `host` and `port` are of a meter in the network (for Speedwire
    `host` is the interface), `unit` of all but Speedwire."""

    id: str
    type: str
    """Slug of a meter profile."""
    source: str = SITE
    """What it measures: "site", "building", "socket-1", ..."""
    host: str = LOOPBACK
    port: int = 0
    """0: any free one."""
    unit: int = 0
    """0: the one that meters of the type have at first."""
    framing: MeterFraming = MeterFraming.TCP
    serial: bool = False
    """On a serial line of its own (a pseudo-terminal)."""
    fault: MeterFault | None = None


class CannotServe(Explained):
    """A meter cannot be served."""


def number_of(serial_number: str) -> int:
    """The digits of a serial number, for meters that have numbers only; at most 31 bits."""
    digits = "".join(character for character in serial_number if character in "0123456789")
    return int(digits or 0) % 2**31
