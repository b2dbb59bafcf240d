"""Simulated card readers, digital inputs and LED rings of a station.

Subscriptions end with a power failure, or when the next station is built.
"""

from __future__ import annotations

from collections.abc import Callable

from borne.adapters.simulation.world import World
from borne.application.ports.hardware import CardRead
from borne.foundation.events import Unsubscribe


class SimulatedReader:
    """The reader of one socket, or a reader shared by all (`connector` None). A dead reader reads
    no cards."""

    def __init__(self, world: World, connector: int | None = None) -> None:
        self._world = world
        self._connector = connector

    def subscribe(self, listener: Callable[[CardRead], None]) -> Unsubscribe:
        """Call `listener` for each card held to this reader."""

        def read(card: CardRead) -> None:
            if self._world.reader_alive and card.connector == self._connector:
                listener(card)

        return self._world.until_station_removed(self._world.cards.subscribe(read))

    def subscribe_link(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """Call `listener` with False when the reader fails (or is dead already), True when it works
        again."""
        if not self._world.reader_alive:
            self._world.loop.call_soon(listener, False)
        return self._world.until_station_removed(self._world.readers_changed.subscribe(listener))


class SimulatedModem:
    """Reports the MAC address of each plugged-in vehicle with high-level communication."""

    def __init__(self, world: World) -> None:
        self._world = world

    def subscribe(self, listener: Callable[[int, str], None]) -> Unsubscribe:
        """Call `listener` with connector and MAC address."""
        present = {number: socket.vehicle for number, socket in self._world.sockets.items()}

        def look(_: World) -> None:
            for number, socket in self._world.sockets.items():
                vehicle, before = socket.vehicle, present[number]
                present[number] = vehicle
                if vehicle is not None and vehicle is not before and vehicle.model.evccid:
                    listener(number, vehicle.model.evccid.upper())

        return self._world.until_station_removed(self._world.changed.subscribe(look))


class SimulatedInputs:
    """Optocouplers 1 and 2."""

    def __init__(self, world: World) -> None:
        self._world = world

    def active(self, number: int) -> bool:
        return self._world.inputs[number]

    def subscribe(self, listener: Callable[[int, bool], None]) -> Unsubscribe:
        """Call `listener` with number and level of each change."""
        world = self._world
        return world.until_station_removed(
            world.input_changed.subscribe(lambda change: listener(*change))
        )


class SimulatedIndicator:
    """The LED rings; the pattern is stored at the socket, for the simulator page."""

    def __init__(self, world: World) -> None:
        self._world = world

    def show(self, connector: int, pattern: str) -> None:
        """Show a pattern; ignored without power."""
        socket = self._world.sockets.get(connector)
        if socket is not None and self._world.power_on and socket.led != pattern:
            socket.led = pattern
            self._world.touch()

    def dim(self, percent: int) -> None:
        """Set the brightness of all rings."""
        for socket in self._world.sockets.values():
            socket.led_percent = percent
        self._world.touch()
