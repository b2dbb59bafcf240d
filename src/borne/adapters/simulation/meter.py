"""Simulated meters: the billing meter of a socket, and the external meter of the site.

They read the registers of the world, which count all the time. A meter notifies its listeners when
current, voltage or the meter itself has changed, and when it stops answering.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from borne.adapters.simulation.late_values import LateValues
from borne.adapters.simulation.meter_setup import SITE
from borne.adapters.simulation.outlet import MeterQuantity, Socket
from borne.adapters.simulation.world import World
from borne.adapters.simulation.world_measurement import world_measurement
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from borne.domain.station.reading import MeterReading
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import N_, Message
from borne.foundation.units import ZERO, PerPhase

R = TypeVar("R", MeterReading, Measurement)
MeterState = tuple[bool, object, object, object]
_NO_ANSWER = N_("{model} {serial_number} does not answer")
NOT_A_NUMBER = PerPhase.same(math.nan)


class MeterGarbage(ValueError):
    """Raised by a driver for an invalid answer of a meter; differs from `MeterSilent`."""


class WorldMeter(Generic[R]):
    """Common base of simulated meters: missing answers, and one notification per loop iteration."""

    model = "Simulated meter"
    billing = False
    polls_itself = False

    def __init__(self, world: World, link: str) -> None:
        self._world = world
        self._link = world.links[link]
        self._news: Signal[R | MeterSilent] = Signal()
        self._subscription: Unsubscribe | None = None
        self._sent: MeterState = (False, ZERO, ZERO, None)
        self._scheduled = False

    @property
    def serial_number(self) -> str:
        """The serial number of the installed meter."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start to watch; a meter that does not answer reports it at once."""
        if self._subscription is None:
            self._sent = (False, *self._state()[1:])
            self._subscription = self._world.until_station_removed(
                self._world.changed.notify(self._notice)
            )
            self._notice()

    async def stop(self) -> None:
        if self._subscription is not None:
            self._subscription()
            self._subscription = None

    async def read(self) -> R:
        """Read the meter; raises MeterSilent."""
        if self._silent():
            raise MeterSilent(self._silence())
        if self._garbled():
            raise MeterGarbage(f"{self.model} {self.serial_number}: wrong checksum")
        return self._reading()

    def subscribe(self, listener: Callable[[R | MeterSilent], None]) -> Unsubscribe:
        """Call `listener` with a reading after a change, and with MeterSilent when answers stop."""
        return self._news.subscribe(listener)

    def _notice(self) -> None:
        if not self._scheduled and self._state() != self._sent:
            self._scheduled = True
            self._world.loop.call_soon(self._publish)

    def _publish(self) -> None:
        self._scheduled = False
        now = self._state()
        if self._subscription is None or not self._world.power_on or now == self._sent:
            return
        self._sent = now
        if self._polled_only():
            return
        self._news.emit(MeterSilent(self._silence()) if self._silent() else self._reading())

    def _silence(self) -> Message:
        return Message(_NO_ANSWER, {"model": self.model, "serial_number": self.serial_number})

    def _state(self) -> MeterState:
        if self._silent():
            return (True, ZERO, ZERO, None)
        reading = self._measure()
        return (False, reading.current_a, reading.voltage_v, self._tampering())

    def _silent(self) -> bool:
        return not self._link.up or not self._world.power_on

    def _garbled(self) -> bool:
        """True if the answers are invalid."""
        return False

    def _polled_only(self) -> bool:
        """True if the meter sends no notifications."""
        return False

    def _tampering(self) -> object:
        """A value that changes when the meter is replaced or manipulated, or with its input."""
        return None

    def _reading(self) -> R:
        """A reading; the registers are stored before it leaves the simulation."""
        reading = self._measure()
        self._world.energy_read.emit(None)
        return reading

    def _measure(self) -> R:
        raise NotImplementedError


class SimulatedMeter(WorldMeter[MeterReading]):
    """The billing meter of a socket."""

    billing = True

    def __init__(self, world: World, socket: Socket) -> None:
        super().__init__(world, "meter")
        self._socket = socket

    @property
    def serial_number(self) -> str:
        """The serial number; changes when the meter is replaced."""
        return self._socket.meter_serial

    def _silent(self) -> bool:
        defects = self._socket.defects
        return super()._silent() or defects.meter_silent or defects.supply_lost

    def _garbled(self) -> bool:
        return self._socket.defects.meter_garbage

    def _polled_only(self) -> bool:
        return self._garbled() or self._socket.defects.meter_polled

    def _tampering(self) -> object:
        defects = self._socket.defects
        register = self._socket.register
        return (
            self._socket.meter_serial,
            register.tampered,
            defects.meter_nan,
            self._polled_only(),
        )

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
                # As from a driver that does not check what it decodes.
                return replace(reading, register_wh=math.nan)  # type: ignore[arg-type]
            case MeterQuantity.POWER:
                return replace(reading, power_w=math.nan)
            case MeterQuantity.CURRENT:
                return replace(reading, current_a=NOT_A_NUMBER)
        return reading


class SimulatedSiteMeter(WorldMeter[Measurement]):
    """The external meter: at the grid connection (building, photovoltaics and all sockets together)
    or before the building alone; its values can be late."""

    model = "Simulated external meter"

    def __init__(self, world: World, source: str = SITE, late: LateValues | None = None) -> None:
        super().__init__(world, "external-meter")
        self._source = source
        self._late = late

    @property
    def serial_number(self) -> str:
        return "SIMSITE"

    def _measure(self) -> Measurement:
        return self._late() if self._late else world_measurement(self._world, self._source)

    def _tampering(self) -> object:
        return self._world.site.meter_input
