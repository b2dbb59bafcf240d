"""The hardware of a station: boards, meters, readers, inputs and lights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from borne.domain.meters.measurement import Measurement
from borne.domain.station.board import BoardCapabilities, BoardCommand, BoardReport
from borne.domain.station.reading import MeterReading
from borne.foundation.events import Unsubscribe
from borne.foundation.messages import Explained


class EvsePort(Protocol):
    """One EVSE: a local board or a remote controller. Commands and reports are frozen values that
    could cross a process border. A command returns at once and never raises; its result is
    reported."""

    @property
    def capabilities(self) -> BoardCapabilities:
        """Fixed after `start`."""

    async def start(self) -> None:
        """Arm the board; the first reports (pilot, plug, lock, contactor) follow at once."""

    async def stop(self) -> None:
        """Stop in a safe state: pilot off, contactor open."""

    def subscribe(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        """Call `listener` with every report, in order, on the event loop."""

    def send(self, command: BoardCommand) -> None:
        """Send a command to the board."""


class MeterSilent(Explained):
    """The meter did not answer; the message says why."""


class MeterPort(Protocol):
    """The billing meter of a connector. Any exception of `read` counts as a missing answer, and so
    does an implausible one (`domain.station.reading`)."""

    @property
    def model(self) -> str:
        """Model name for users and BootNotification."""

    @property
    def serial_number(self) -> str:
        """Empty if unknown; a change during a session is a meter fault."""

    @property
    def billing(self) -> bool:
        """False: sessions measured by this meter are "not billable"."""

    @property
    def polls_itself(self) -> bool:
        """True: every second or so it reports a reading, or MeterSilent for each poll without an
        answer. False: it reports changes only."""

    async def start(self) -> None:
        """Start to watch."""

    async def stop(self) -> None:
        """Stop watching."""

    async def read(self) -> MeterReading:
        """Read the meter; raises MeterSilent."""

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        """Call `listener` with a reading after a change or poll, and with MeterSilent when answers
        stop."""


class SiteMeterPort(Protocol):
    """The second meter, at the supply of the building (manual 7.4.2). Any exception of `read`
    counts as a missing answer; `domain.meters.site_reading` checks every answer."""

    @property
    def model(self) -> str:
        """Model name for users."""

    @property
    def serial_number(self) -> str:
        """Empty if unknown."""

    @property
    def polls_itself(self) -> bool:
        """As of `MeterPort`."""

    async def start(self) -> None:
        """Start to watch; a meter that polls by itself may not have answered when this returns."""

    async def stop(self) -> None:
        """Stop watching."""

    async def read(self) -> Measurement:
        """Read the meter; raises MeterSilent."""

    def subscribe(self, listener: Callable[[Measurement | MeterSilent], None]) -> Unsubscribe:
        """Call `listener` with every poll's result; from a meter that does not poll by itself, with
        a measurement after a change and with MeterSilent when answers stop."""


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card at a reader. `uid` is hex as read; `id_token` replaces it for a counterpart that sends
    complete tokens. `connector` is None at a reader shared by several sockets."""

    uid: str
    connector: int | None = None
    secure: bool = False
    held_s: float = 2.0
    id_token: str | None = None


class ReaderPort(Protocol):
    """A card reader."""

    def subscribe(self, listener: Callable[[CardRead], None]) -> Unsubscribe:
        """Call `listener` with every card read."""

    def subscribe_link(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """Call `listener` with False when the reader stops answering, True when it answers
        again."""


class InputPort(Protocol):
    """Digital inputs of the station: optocouplers 1 and 2, and 3, the input for 230 V."""

    def active(self, number: int) -> bool:
        """The present level."""

    def subscribe(self, listener: Callable[[int, bool], None]) -> Unsubscribe:
        """Call `listener` with number and level of each change."""


class VehiclePort(Protocol):
    """Data that vehicles send by high-level communication (ISO 15118)."""

    def subscribe(self, listener: Callable[[int, str], None]) -> Unsubscribe:
        """Call `listener` with connector and MAC address (12 hex digits) of every vehicle plugged
        in."""


class IndicatorPort(Protocol):
    """LED ring of a socket."""

    def show(self, connector: int, pattern: str) -> None:
        """Show a named pattern of `domain.station.indication`."""

    def dim(self, percent: int) -> None:
        """Set the brightness of all rings; rings that cannot be dimmed ignore it."""


@dataclass(frozen=True, slots=True)
class EvseHardware:
    """The hardware of one socket."""

    connector: int
    board: EvsePort
    meter: MeterPort | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Hardware:
    """The complete hardware of a station."""

    evses: Sequence[EvseHardware]
    readers: Sequence[ReaderPort]
    indicator: IndicatorPort
    inputs: InputPort | None = None
    vehicles: VehiclePort | None = None
    site_meter: SiteMeterPort | None = None
