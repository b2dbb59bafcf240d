"""The boards, meters, readers, inputs and lights under a station."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from borne.domain.station.board import BoardCapabilities, BoardCommand, BoardReport
from borne.domain.station.reading import MeterReading
from borne.foundation.events import Unsubscribe


class EvsePort(Protocol):
    """One EVSE: a local board or a remote controller. Commands and reports are plain frozen values
    that may cross the border of a process. A command returns at once and never raises; what became
    of it is told by reports."""

    @property
    def capabilities(self) -> BoardCapabilities:
        """Fixed after `start`."""

    async def start(self) -> None:
        """Arm the board; the first reports (pilot, plug, lock, contactor) follow at once."""

    async def stop(self) -> None:
        """Leave the board safe: pilot off, contactor open."""

    def subscribe(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        """Every report from now on, in order, on the event loop."""

    def send(self, command: BoardCommand) -> None:
        """Tell the board what to do."""


class MeterSilent(Exception):
    """The meter did not answer."""


class MeterPort(Protocol):
    """A meter of one connector (billing) or of the site. Whatever `read` raises counts as
    silence, and so does an answer that cannot be true (`domain.station.reading`)."""

    @property
    def model(self) -> str:
        """For people and BootNotification."""

    @property
    def serial_number(self) -> str:
        """Empty when unknown; a change during a session is a meter fault."""

    @property
    def billing(self) -> bool:
        """False: sessions measured by it are marked "not billable"."""

    async def start(self) -> None:
        """Begin to watch."""

    async def stop(self) -> None:
        """End watching."""

    async def read(self) -> MeterReading:
        """A fresh reading; raises MeterSilent."""

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        """Readings when something changed, silence when it begins."""


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card at a reader. `uid` is plain hex as read; `id_token` replaces it when a counterpart
    gives a ready token. `connector` is None at a reader shared by several sockets."""

    uid: str
    connector: int | None = None
    secure: bool = False
    held_s: float = 2.0
    id_token: str | None = None


class ReaderPort(Protocol):
    """A card reader."""

    def subscribe(self, listener: Callable[[CardRead], None]) -> Unsubscribe:
        """Every card that was read."""

    def subscribe_link(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """False when the reader stops answering, True when it is back."""


class InputPort(Protocol):
    """Digital inputs of the station (optocouplers 1 and 2)."""

    def active(self, number: int) -> bool:
        """The level now."""

    def subscribe(self, listener: Callable[[int, bool], None]) -> Unsubscribe:
        """Input number and level at each change."""


class VehiclePort(Protocol):
    """What vehicles tell of themselves by high-level communication (ISO 15118)."""

    def subscribe(self, listener: Callable[[int, str], None]) -> Unsubscribe:
        """Connector and MAC address (12 hex digits) of every vehicle that is plugged in."""


class IndicatorPort(Protocol):
    """LED ring of a socket."""

    def show(self, connector: int, pattern: str) -> None:
        """Show a named pattern of `domain.station.indication`."""

    def dim(self, percent: int) -> None:
        """Brightness of all rings; those that cannot be dimmed stay as they are."""


@dataclass(frozen=True, slots=True)
class EvseHardware:
    """What belongs to one socket."""

    connector: int
    board: EvsePort
    meter: MeterPort | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Hardware:
    """All that a station is built on."""

    evses: Sequence[EvseHardware]
    readers: Sequence[ReaderPort]
    indicator: IndicatorPort
    inputs: InputPort | None = None
    vehicles: VehiclePort | None = None
