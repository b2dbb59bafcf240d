"""The simulated world: sockets, cars, building, links. It survives restarts of its station.

All timing uses the event loop (`loop.time`, `call_at`). The same world runs in real time, faster,
or on a virtual clock, and is deterministic with a given random generator.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from borne.adapters.simulation.meter_setup import MeterSetup
from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.register import EnergyRegister, TwoWayRegister
from borne.application.ports.hardware import CardRead
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.units import ZERO, PerPhase

NOMINAL_V = 230.0
INPUTS = (1, 2, 3)
"""Optocouplers 1 and 2, and the input for 230 V."""


class LinkMode(StrEnum):
    """How a link fails."""

    RESET = "reset"
    """Existing and new connections are reset."""
    BLACKHOLE = "blackhole"
    """Data disappear without an error."""
    REFUSE = "refuse"
    """Existing connections are reset, new ones refused."""


class SimulatedLink:
    """A network link between the station and a counterpart."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = True
        self.mode = LinkMode.RESET
        """How it fails, while it is down."""
        self.changed: Signal[SimulatedLink] = Signal()
        self.followers: list[Callable[[], Awaitable[None]]] = []
        """Asynchronous listeners, for example to close a listening socket."""

    def set(self, up: bool, mode: LinkMode | None = None) -> None:
        """Cut or restore the link. Emitted even without a change, because restoring resets
        back-offs."""
        self.up = up
        self.mode = mode or LinkMode.RESET
        self.changed.emit(self)

    async def switch(self, up: bool, mode: LinkMode | None = None) -> None:
        """Cut or restore the link; returns when all followers have reacted."""
        self.set(up, mode)
        for follow in tuple(self.followers):
            await follow()


LINKS = ("backend", "meter", "external-meter", "master", "usb")


@dataclass(slots=True)
class SimulatedSite:
    """The building at the same grid connection."""

    voltage_v: PerPhase = field(default_factory=lambda: PerPhase.same(NOMINAL_V))
    building_a: PerPhase = ZERO
    """Load of the building per grid phase."""
    pv_w: float = 0.0
    """Power of the photovoltaics, spread over three phases."""
    meter_input: bool = False
    """The digital input of the meters at the grid connection is active."""


class SiteFlows:
    """The registers of the meters at the grid connection, and before the building alone."""

    def __init__(self, site_register: EnergyRegister, now_s: float) -> None:
        # No further random numbers, so that a seed keeps its world.
        start_wh = site_register.shown_from_wh
        self.site = TwoWayRegister(site_register, EnergyRegister(start_wh // 5, now_s))
        self.building = TwoWayRegister(
            EnergyRegister(start_wh // 2, now_s), EnergyRegister(start_wh // 4, now_s)
        )


class _StationSubscription:
    """Unsubscribes when called, or when the station is removed."""

    __slots__ = ("_forget", "_unsubscribe")

    def __init__(self, unsubscribe: Unsubscribe, station_removed: Signal[None]) -> None:
        self._unsubscribe = unsubscribe
        self._forget = station_removed.subscribe(self)

    def __call__(self, _: None = None) -> None:
        self._unsubscribe()
        self._forget()


class World:
    """Everything outside the station. Create it on the loop on which it runs."""

    def __init__(
        self,
        connectors: int = 2,
        rng: random.Random | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = loop or asyncio.get_running_loop()
        self.rng = rng or random.Random(61851)  # noqa: S311 - a simulation, no secret
        self.changed: Signal[World] = Signal()
        self.station_removed: Signal[None] = Signal()
        """The station was removed: power is cut, or another one is built."""
        self.cards: Signal[CardRead] = Signal()
        self.input_changed: Signal[tuple[int, bool]] = Signal()
        self.readers_changed: Signal[bool] = Signal()
        self.energy_read: Signal[None] = Signal()
        """Emitted before a register's value leaves the simulation."""
        self.site = SimulatedSite()
        self._neighbours_a = ZERO
        self.site_register = EnergyRegister(self.rng.randrange(1_000, 9_000_000), self.loop.time())
        self.flows = SiteFlows(self.site_register, self.loop.time())
        self.meters: dict[str, MeterSetup] = {}
        """The meters that are served to other programs, by their id."""
        self.links: Mapping[str, SimulatedLink] = {name: SimulatedLink(name) for name in LINKS}
        self.inputs = dict.fromkeys(INPUTS, False)
        self.reader_alive = True
        self.clock_battery = True
        """False: the date is unknown after the next power-up."""
        self.power_on = True
        self.disk_full = False
        self.disk_changed: Signal[bool] = Signal()
        """True when the station's disk becomes full, False when it has free space again."""
        self.sockets: Mapping[int, Socket] = {
            number: Socket(number, self.loop, self.rng, self._supply_v)
            for number in range(1, connectors + 1)
        }
        for socket in self.sockets.values():
            socket.changed.subscribe(self._socket_changed)
        for link in self.links.values():
            link.changed.subscribe(self._link_changed)

    # Site -----------------------------------------------------------------------------------

    @property
    def grid_current_a(self) -> PerPhase:
        """Current at the grid connection per grid phase; negative while power is exported."""
        others = self.building_current_a.plus(self._neighbours_a)
        return others.plus(self.sockets_current_a)

    @property
    def sockets_current_a(self) -> PerPhase:
        """What all sockets draw, per grid phase."""
        total = ZERO
        for socket in self.sockets.values():
            total = total.plus(socket.grid_current_a)
        return total

    @property
    def building_current_a(self) -> PerPhase:
        """The same without the sockets: building and photovoltaics."""
        roof = (self.site.pv_w / 3 / v if v else 0.0 for v in self.site.voltage_v)
        return self.site.building_a.minus(PerPhase(*roof))

    def set_neighbours(self, drawn_a: PerPhase) -> None:
        """What other stations draw behind the same grid connection, in amps per grid phase."""
        if drawn_a != self._neighbours_a:
            self._neighbours_a = drawn_a
            self._measure_site()
            self.touch()

    def settle_site(self) -> None:
        """Apply a change of voltage or building."""
        for socket in self.sockets.values():
            socket.settle()
        self._measure_site()
        self.touch()

    # Power ----------------------------------------------------------------------------------

    def cut_power(self) -> None:
        """Cut the station's supply: boards stop, contactors open, registers and cars stay."""
        if self.power_on:
            self.power_on = False
            self.station_removed.emit(None)
            for socket in self.sockets.values():
                socket.led = "off"
                socket.lose_power()
            self.touch()

    def restore_power(self) -> None:
        """Restore the supply; boards work again once they are built."""
        if not self.power_on:
            self.power_on = True
            self.touch()

    # Other actions ----------------------------------------------------------------------------

    def set_input(self, number: int, active: bool) -> None:
        """Set a digital input of the station."""
        if self.inputs[number] is not active:
            self.inputs[number] = active
            self.input_changed.emit((number, active))
            self.touch()

    def set_reader(self, alive: bool) -> None:
        """Let the card readers fail or work."""
        if self.reader_alive is not alive:
            self.reader_alive = alive
            self.readers_changed.emit(alive)
            self.touch()

    def set_disk_full(self, full: bool) -> None:
        """Simulate a full disk of the station, or end that."""
        if self.disk_full is not full:
            self.disk_full = full
            self.disk_changed.emit(full)
            self.touch()

    def until_station_removed(self, unsubscribe: Unsubscribe) -> Unsubscribe:
        """Let a subscription end when the station is removed."""
        return _StationSubscription(unsubscribe, self.station_removed)

    def touch(self) -> None:
        self.changed.emit(self)

    def _supply_v(self) -> PerPhase:
        return self.site.voltage_v

    def _link_changed(self, _link: SimulatedLink) -> None:
        self.touch()

    def _socket_changed(self, _socket: Socket) -> None:
        self._measure_site()
        self.touch()

    def _measure_site(self) -> None:
        volts, now_s = self.site.voltage_v, self.loop.time()
        self.flows.site.set_power(self.grid_current_a.times(volts).total, now_s)
        self.flows.building.set_power(self.building_current_a.times(volts).total, now_s)
