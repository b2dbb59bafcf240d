"""Simulated meters: of a socket (billing) and of the site (external).

They read the world's registers, which count whether somebody reads or not. A meter tells its
listeners when current, voltage or the meter itself changed, and when it falls silent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from borne.adapters.simulation.outlet import MeterQuantity, Socket
from borne.adapters.simulation.world import World
from borne.application.ports.hardware import MeterSilent
from borne.domain.station.reading import MeterReading
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.units import ZERO, PerPhase

Sent = tuple[bool, PerPhase, PerPhase, object]
NOT_A_NUMBER = PerPhase.same(math.nan)


class MeterGarbage(ValueError):
    """What a driver raises when a meter's answer makes no sense; it is not `MeterSilent`."""


class WorldMeter:
    """What simulated meters share: silence, and news that are told once a turn of the loop."""

    model = "Simulated meter"
    billing = False

    def __init__(self, world: World, link: str) -> None:
        self._world = world
        self._link = world.links[link]
        self._news: Signal[MeterReading | MeterSilent] = Signal()
        self._subscription: Unsubscribe | None = None
        self._sent: Sent = (False, ZERO, ZERO, None)
        self._scheduled = False

    @property
    def serial_number(self) -> str:
        """Of the meter that is installed now."""
        raise NotImplementedError

    async def start(self) -> None:
        """Begin to watch; a meter that is silent already says so."""
        if self._subscription is None:
            self._sent = (False, *self._tell()[1:])
            self._subscription = self._world.until_vacated(
                self._world.changed.subscribe(lambda _: self._notice())
            )
            self._notice()

    async def stop(self) -> None:
        if self._subscription is not None:
            self._subscription()
            self._subscription = None

    async def read(self) -> MeterReading:
        """A fresh reading; raises MeterSilent."""
        if self._silent():
            raise MeterSilent(f"{self.model} {self.serial_number} does not answer")
        if self._garbled():
            raise MeterGarbage(f"{self.model} {self.serial_number}: wrong checksum")
        return self._reading()

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        """Readings when something changed, silence when it begins."""
        return self._news.subscribe(listener)

    def _notice(self) -> None:
        if not self._scheduled and self._tell() != self._sent:
            self._scheduled = True
            self._world.loop.call_soon(self._publish)

    def _publish(self) -> None:
        self._scheduled = False
        now = self._tell()
        if self._subscription is None or not self._world.power_on or now == self._sent:
            return
        self._sent = now
        if self._reserved():
            return
        silent = MeterSilent(f"{self.model} does not answer")
        self._news.emit(silent if self._silent() else self._reading())

    def _tell(self) -> Sent:
        if self._silent():
            return (True, ZERO, ZERO, None)
        reading = self._measure()
        return (False, reading.current_a, reading.voltage_v, self._tampering())

    def _silent(self) -> bool:
        return not self._link.up or not self._world.power_on

    def _garbled(self) -> bool:
        """Answers, but nobody understands it."""
        return False

    def _reserved(self) -> bool:
        """Tells nothing by itself."""
        return False

    def _tampering(self) -> object:
        """Changes when the meter is not what it was."""
        return None

    def _reading(self) -> MeterReading:
        """What is told: first it is kept, then it leaves."""
        reading = self._measure()
        self._world.energy_read.emit(None)
        return reading

    def _measure(self) -> MeterReading:
        raise NotImplementedError


class SimulatedMeter(WorldMeter):
    """The billing meter of a socket."""

    billing = True

    def __init__(self, world: World, socket: Socket) -> None:
        super().__init__(world, "meter")
        self._socket = socket

    @property
    def serial_number(self) -> str:
        """Changes when the meter is replaced."""
        return self._socket.meter_serial

    def _silent(self) -> bool:
        defects = self._socket.defects
        return super()._silent() or defects.meter_silent or defects.supply_lost

    def _garbled(self) -> bool:
        return self._socket.defects.meter_garbage

    def _reserved(self) -> bool:
        return self._garbled() or self._socket.defects.meter_polled

    def _tampering(self) -> object:
        defects = self._socket.defects
        register = self._socket.register
        return (self._socket.meter_serial, register.tampered, defects.meter_nan, self._reserved())

    def _measure(self) -> MeterReading:
        socket = self._socket
        reading = MeterReading(
            register_wh=socket.register_wh,
            current_a=socket.current_a,
            voltage_v=socket.voltage_v,
            power_w=socket.power_w,
            at_s=self._world.loop.time(),
            serial_number=socket.meter_serial,
        )
        match socket.defects.meter_nan:
            case MeterQuantity.REGISTER:
                # A driver that does not check what it decodes hands over such a thing.
                return replace(reading, register_wh=math.nan)  # type: ignore[arg-type]
            case MeterQuantity.POWER:
                return replace(reading, power_w=math.nan)
            case MeterQuantity.CURRENT:
                return replace(reading, current_a=NOT_A_NUMBER)
        return reading


class SimulatedSiteMeter(WorldMeter):
    """The meter at the grid connection: building, roof and all sockets together."""

    model = "Simulated external meter"

    def __init__(self, world: World) -> None:
        super().__init__(world, "external-meter")

    @property
    def serial_number(self) -> str:
        """It is never replaced."""
        return "SIMSITE"

    def _measure(self) -> MeterReading:
        world = self._world
        current_a, voltage_v = world.grid_current_a, world.site.voltage_v
        now_s = world.loop.time()
        return MeterReading(
            register_wh=world.site_register.read_wh(now_s),
            current_a=current_a,
            voltage_v=voltage_v,
            power_w=current_a.times(voltage_v).total,
            at_s=now_s,
        )
