"""What is known of a type of meter: how it is asked, and where its values are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.meters.address import Parity
from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import decoding, encoding, likeness, planning
from borne.protocols.meter_profiles.quantities import MEASURED, MOMENTARY, by_phase
from borne.protocols.meter_profiles.register_types import RegisterType, WordOrder
from borne.protocols.meter_profiles.registers import Block, Identity, Register, Words


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


class Refresh(StrEnum):
    """What a poll reads."""

    FAST = "fast"
    """Voltage, current and power."""
    ALL = "all"
    """Energy and frequency, too."""


class SignedCurrent(StrEnum):
    """Whence a current has its sign."""

    BY_METER = "by_meter"
    BY_POWER = "by_power"
    """The meter gives the magnitude; the sign is that of the power of the phase."""
    UNKNOWN = "unknown"
    """The magnitude counts as import."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the registers of a profile give."""

    has_phase_voltages: bool
    has_phase_currents: bool
    has_phase_power: bool
    has_power: bool
    """In total, measured or as the sum of the phases."""
    has_energy: bool
    has_export_energy: bool
    has_frequency: bool
    has_serial_number: bool
    signed_current: SignedCurrent


@dataclass(frozen=True, slots=True)
class Profile:
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
    _plans: dict[frozenset[str], tuple[Block, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """Requests by what they read, as they are found."""

    @property
    def capabilities(self) -> Capabilities:
        """What a measurement of this meter can hold."""
        names = self.registers
        with_power = [decoding.has_power(names, place) for place in by_phase("")]
        with_current = [name in names for name in by_phase("current")]
        signed = SignedCurrent.UNKNOWN
        if self.current_is_signed:
            signed = SignedCurrent.BY_METER
        elif all(p for c, p in zip(with_current, with_power, strict=True) if c):
            signed = SignedCurrent.BY_POWER
        return Capabilities(
            has_phase_voltages=any(name in names for name in by_phase("voltage")),
            has_phase_currents=any(with_current),
            has_phase_power=any(with_power),
            has_power=decoding.has_power(names, "") or any(with_power),
            has_energy="energy_import" in names,
            has_export_energy="energy_export" in names,
            has_frequency="frequency" in names,
            has_serial_number=self.serial_number is not None
            or self.transport is Transport.SPEEDWIRE,
            signed_current=signed,
        )

    def blocks(self, what: Refresh) -> tuple[Block, ...]:
        """The requests of a poll, by rising address. Empty with Speedwire, which is not asked."""
        return self.blocks_of(MOMENTARY if what is Refresh.FAST else MEASURED)

    def blocks_of(self, names: frozenset[str]) -> tuple[Block, ...]:
        """The requests that read the named registers, those that the meter has."""
        if self.transport is Transport.SPEEDWIRE:
            return ()
        if names not in self._plans:
            wanted = [r for r in self.registers.values() if r.name in names]
            self._plans[names] = planning.blocks(self, wanted)
        return self._plans[names]

    @property
    def identity_blocks(self) -> tuple[Block, ...]:
        """The requests that read serial number and model."""
        known = [identity.register for identity in (self.serial_number, self.model_id) if identity]
        return planning.blocks(self, known)

    def measurement(self, words: Words, at_s: float) -> Measurement:
        """The values that `words` hold; None for those that it does not, or that are invalid."""
        return decoding.measurement(self, words, at_s)

    def read_serial_number(self, words: Words) -> str:
        """The serial number; "" if the profile or `words` have none."""
        return decoding.identity(self, self.serial_number, words)

    def read_model(self, words: Words) -> str:
        """The model the meter calls itself; "" if the profile or `words` have none."""
        return decoding.identity(self, self.model_id, words)

    @property
    def fingerprint(self) -> tuple[Block, ...]:
        """The requests of a scan: what shows that a device is of this type."""
        return likeness.blocks(self)

    def likeness(self, words: Words) -> float:
        """How well the answers to `fingerprint` fit: 0 if the device is of another type, else
        the higher the more speaks for this one. Types with the same registers get the same."""
        return likeness.points(self, words)

    def encode(self, measurement: Measurement) -> dict[tuple[int, int], int]:
        """The registers of a meter that shows this; a value beyond a register's range is its
        highest or lowest. Those of a SunSpec meter are known after `resolve` only."""
        return encoding.registers(self, measurement)
