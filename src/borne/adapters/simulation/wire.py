"""The control pilot wire between board and vehicle: what drives it, and what each end measures.

Physics of IEC 61851-1 Annex A, from the tables in `domain.station.pilot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from borne.domain.station import pilot
from borne.domain.station.board import (
    PilotCommand,
    PilotDigital,
    PilotNominal,
    PilotState,
    PilotStateE,
    PilotStateF,
)


class Drive(Enum):
    """Output of the board's generator."""

    UNPOWERED = "unpowered"
    HIGH = "constant +12 V"
    PWM = "square wave"
    ZERO = "0 V"
    LOW = "constant -12 V"


@dataclass(frozen=True, slots=True)
class Generator:
    """The board's end of the wire: generator output, and whether its relay connects it."""

    drive: Drive
    duty_percent: float = pilot.NO_PWM_PERCENT
    connected: bool = True


UNPOWERED = Generator(Drive.UNPOWERED)


def generator_for(command: PilotCommand, highest_a: float, *, connected: bool) -> Generator:
    """The generator state for a command. The offer is limited to `highest_a`, below 6 A there is
    none; states E and F apply even while the pilot is interrupted."""
    match command:
        case PilotNominal(current_a=asked_a) if asked_a >= pilot.LOWEST_OFFER_A:
            duty_percent = pilot.duty_for_current(min(asked_a, highest_a))
            return Generator(Drive.PWM, duty_percent, connected)
        case PilotDigital():
            return Generator(Drive.PWM, pilot.DIGITAL_DUTY_PERCENT, connected)
        case PilotStateE():
            return Generator(Drive.ZERO)
        case PilotStateF():
            return Generator(Drive.LOW)
        case _:
            return Generator(Drive.HIGH, connected=connected)


@dataclass(frozen=True, slots=True)
class WireFaults:
    """Damage of the wire."""

    shorted_to_earth: bool = False
    open: bool = False
    """Control pilot or protective earth interrupted."""


class Levels(NamedTuple):
    """Positive and negative voltage measured at the board."""

    high_v: float
    low_v: float


@dataclass(frozen=True, slots=True)
class PilotSignal:
    """What a vehicle sees. `dark`: 0 V or -12 V, as without a station."""

    dark: bool
    offer: pilot.Offer


DARK = PilotSignal(True, pilot.NO_OFFER)


def seen_by_vehicle(generator: Generator, faults: WireFaults) -> PilotSignal:
    """The signal at a plugged-in vehicle."""
    if faults.shorted_to_earth or faults.open or not generator.connected:
        return DARK
    match generator.drive:
        case Drive.PWM:
            return PilotSignal(False, pilot.offer_of_duty(generator.duty_percent))
        case Drive.HIGH:
            return PilotSignal(False, pilot.NO_OFFER)
        case _:
            return DARK


def measured(generator: Generator, faults: WireFaults, load: PilotState, *, diode: bool) -> Levels:
    """The voltages at the board; `load` A means that nothing is plugged in."""
    if generator.drive in (Drive.UNPOWERED, Drive.ZERO):
        return Levels(0.0, 0.0)
    if faults.shorted_to_earth and generator.connected:
        return Levels(0.0, 0.0)
    through = generator.connected and not faults.open
    ohm = pilot.vehicle_ohm(load if through else PilotState.A)
    high_v = pilot.loaded_v(pilot.SOURCE_V, ohm, diode=diode)
    low_v = pilot.loaded_v(-pilot.SOURCE_V, ohm, diode=diode)
    match generator.drive:
        case Drive.HIGH:
            return Levels(high_v, high_v)
        case Drive.LOW:
            return Levels(low_v, low_v)
        case _:
            return Levels(high_v, low_v)
