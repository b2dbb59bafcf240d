"""The world around a simulated station: sockets, cars, building, links. It outlives stations.

Time is the event loop's alone (`loop.time`, `call_at`), so the same world runs in real time,
faster, or on a virtual clock, and with a given random generator it is deterministic.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.register import EnergyRegister
from borne.application.ports.hardware import CardRead
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.units import ZERO, PerPhase

NOMINAL_V = 230.0
INPUTS = (1, 2)


class LinkMode(StrEnum):
    """How a link is down."""

    RESET = "reset"
    """Connections are torn, new ones too."""
    BLACKHOLE = "blackhole"
    """Nothing arrives and nobody says so."""
    REFUSE = "refuse"
    """Connections are torn, new ones refused."""


class Link:
    """Something between the station and a counterpart."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = True
        self.mode = LinkMode.RESET
        """How it is down, while it is."""
        self.changed: Signal[Link] = Signal()
        self.followers: list[Callable[[], Awaitable[None]]] = []
        """Those who need a moment, for example to close a listening socket."""

    def set(self, up: bool, mode: LinkMode | None = None) -> None:
        """Cut or mend; told even when nothing changed, because mending clears back-offs."""
        self.up = up
        self.mode = mode or LinkMode.RESET
        self.changed.emit(self)

    async def switch(self, up: bool, mode: LinkMode | None = None) -> None:
        """Cut or mend, and return when everything that follows this link has followed."""
        self.set(up, mode)
        for follow in tuple(self.followers):
            await follow()


LINKS = ("backend", "meter", "external-meter", "master", "usb")


@dataclass(slots=True)
class Site:
    """The building behind the same grid connection."""

    voltage_v: PerPhase = field(default_factory=lambda: PerPhase.same(NOMINAL_V))
    building_a: PerPhase = ZERO
    """What it draws, per grid phase."""
    pv_w: float = 0.0
    """What its roof gives, spread over three phases."""


class World:
    """Everything that is not the station. Make it on the loop that it shall live on."""

    def __init__(
        self,
        connectors: int = 2,
        rng: random.Random | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = loop or asyncio.get_running_loop()
        self.rng = rng or random.Random(61851)  # noqa: S311 - a street, not a secret
        self.changed: Signal[World] = Signal()
        self.vacated: Signal[None] = Signal()
        """The station that stood here is no more: power is cut, or another one is built."""
        self.cards: Signal[CardRead] = Signal()
        self.input_changed: Signal[tuple[int, bool]] = Signal()
        self.readers_changed: Signal[bool] = Signal()
        self.energy_read: Signal[None] = Signal()
        """What a register shows is about to leave the world."""
        self.site = Site()
        self.site_register = EnergyRegister(self.rng.randrange(1_000, 9_000_000), self.loop.time())
        self.links: Mapping[str, Link] = {name: Link(name) for name in LINKS}
        self.inputs = dict.fromkeys(INPUTS, False)
        self.reader_alive = True
        self.clock_battery = True
        """False: at the next power-up nobody knows the date."""
        self.power_on = True
        self.disk_full = False
        self.disk_changed: Signal[bool] = Signal()
        """The disk on which the station writes is full (True), or has room again."""
        self.sockets: Mapping[int, Socket] = {
            number: Socket(number, self.loop, self.rng, self._supply_v)
            for number in range(1, connectors + 1)
        }
        for socket in self.sockets.values():
            socket.changed.subscribe(self._socket_changed)
        for link in self.links.values():
            link.changed.subscribe(lambda _: self.touch())

    # Site -----------------------------------------------------------------------------------

    @property
    def grid_current_a(self) -> PerPhase:
        """At the grid connection, per grid phase; negative when the roof gives more."""
        total = self.site.building_a
        for socket in self.sockets.values():
            total = total.plus(socket.grid_current_a)
        volts = self.site.voltage_v
        roof = (self.site.pv_w / 3 / v if v else 0.0 for v in volts)
        return total.minus(PerPhase(*roof))

    def settle_site(self) -> None:
        """Voltage or building changed: let everything follow."""
        for socket in self.sockets.values():
            socket.settle()
        self._measure_site()
        self.touch()

    # Power ----------------------------------------------------------------------------------

    def cut_power(self) -> None:
        """The station's supply is gone: boards die, contactors drop, registers and cars stay."""
        if self.power_on:
            self.power_on = False
            self.vacated.emit(None)
            for socket in self.sockets.values():
                socket.led = "off"
                socket.lose_power()
            self.touch()

    def restore_power(self) -> None:
        """The supply is back; boards live again when somebody builds them."""
        if not self.power_on:
            self.power_on = True
            self.touch()

    # Small things ---------------------------------------------------------------------------

    def set_input(self, number: int, active: bool) -> None:
        """A digital input of the station changes."""
        if self.inputs[number] is not active:
            self.inputs[number] = active
            self.input_changed.emit((number, active))
            self.touch()

    def set_reader(self, alive: bool) -> None:
        """The card readers die, or live again."""
        if self.reader_alive is not alive:
            self.reader_alive = alive
            self.readers_changed.emit(alive)
            self.touch()

    def set_disk_full(self, full: bool) -> None:
        """No byte more can be written by the station, or it can again."""
        if self.disk_full is not full:
            self.disk_full = full
            self.disk_changed.emit(full)
            self.touch()

    def until_vacated(self, unsubscribe: Unsubscribe) -> Unsubscribe:
        """End a subscription together with the station that it belongs to."""

        def end(*_: object) -> None:
            unsubscribe()
            forget()

        forget = self.vacated.subscribe(end)
        return end

    def touch(self) -> None:
        self.changed.emit(self)

    def _supply_v(self) -> PerPhase:
        return self.site.voltage_v

    def _socket_changed(self, _socket: Socket) -> None:
        self._measure_site()
        self.touch()

    def _measure_site(self) -> None:
        power_w = self.grid_current_a.times(self.site.voltage_v).total
        self.site_register.set_power(power_w, self.loop.time())
