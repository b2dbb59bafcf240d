"""A type of meter, and what follows from its description."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import decoding, encoding, likeness, planning
from borne.protocols.meter_profiles.description import MeterDescription, Transport
from borne.protocols.meter_profiles.quantities import MEASURED, MOMENTARY, by_phase
from borne.protocols.meter_profiles.registers import Block, Words


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
    has_digital_input: bool
    signed_current: SignedCurrent


@dataclass(frozen=True, slots=True)
class Profile(MeterDescription):
    """A type of meter, with what follows from its description: requests, capabilities, and the way
    between registers and measurements."""

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
            has_digital_input="digital_input" in names,
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

    def reads_input_only(self, block: Block) -> bool:
        """Whether a request reads nothing but the digital input, which not all variants have."""
        register = self.registers.get("digital_input")
        return register is not None and block == Block(
            register.function, register.address, register.count
        )

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
