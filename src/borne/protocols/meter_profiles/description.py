"""What is known of a type of meter: how it is asked, and where its values are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.meters.address import Parity
from borne.protocols.meter_profiles.register_types import RegisterType, WordOrder
from borne.protocols.meter_profiles.registers import Identity, Register


class Transport(StrEnum):
    """How the meter is connected as it is sold."""

    TCP = "tcp"
    RTU = "rtu"
    SPEEDWIRE = "speedwire"


class Confidence(StrEnum):
    """How well the map is known."""

    HIGH = "high"
    """Two independent sources, or one in wide use."""
    MEDIUM = "medium"
    """One source."""
    LOW = "low"
    """Partly a guess; the live test must confirm it."""


@dataclass(frozen=True, slots=True)
class MeterDescription:
    """A type of meter."""

    slug: str
    vendor: str
    model: str
    transport: Transport
    registers: Mapping[str, Register]
    function: int = 3
    also_functions: tuple[int, ...] = ()
    """Read functions that give the same registers."""
    unit: int = 1
    port: int = 502
    baud: int = 9600
    parity: Parity = Parity.NONE
    stop_bits: int = 1
    word_order: WordOrder = WordOrder.BIG
    probe_word_order: bool = False
    """`word_order` is not certain: `resolve` finds it by the frequency."""
    sunspec: bool = False
    """The registers are found by `resolve`."""
    invalid: Mapping[RegisterType, frozenset[int]] = field(default_factory=dict)
    """Bits that mean "no value"."""
    max_words: int = 120
    holes: bool = False
    """Addresses between those of the map may be read."""
    even: bool = False
    """Addresses and counts must be even."""
    pause_s: float = 0.0
    """Between an answer and the next request."""
    max_connections: int = 0
    """Clients that the meter serves at a time; 0 if that is not known."""
    current_is_signed: bool = False
    serial_number: Identity | None = None
    model_id: Identity | None = None
    confidence: Confidence = Confidence.LOW
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    set_up: tuple[str, ...] = ()
    """What the installer sets at the meter."""
    meter_serial: str = ""
    """Serial number of the meter at hand, after `resolve`."""
