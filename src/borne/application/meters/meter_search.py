"""The search for meters in the network or on a serial line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.meters.measurement import Measurement

MAX_PLACES = 256
"""Pairs of a port and a unit that one search asks."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Where to look: at `hosts`, and on the line at `device` (as in `MeterAddress`)."""

    hosts: tuple[str, ...] = ()
    port: int = 502
    device: str = ""
    baud: int = 9600
    parity: Parity = Parity.NONE


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """How many places are done, and which was the last."""

    done: int
    total: int
    where: str


@dataclass(frozen=True, slots=True)
class FoundMeter:
    """A device that answers as a meter of the type of its address would."""

    address: MeterAddress
    sure: bool
    """No other type fits as well."""
    measurement: Measurement
    others: tuple[str, ...] = ()
    """Slugs of further types that fit."""


FindMeters = Callable[[SearchRequest], AsyncGenerator[SearchProgress | FoundMeter, None]]
"""Asks all places, by reading only; closing the generator ends the search. Raises ValueError with a
sentence for people for more than MAX_PLACES places and for a serial port that is in use at another
speed, and Explained for one that cannot be one."""
