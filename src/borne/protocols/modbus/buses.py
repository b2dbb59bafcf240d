"""The buses of a station: one for each port, shared by all who ask something there."""

from __future__ import annotations

import os
from dataclasses import replace

from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.connection import Opener
from borne.protocols.modbus.endpoint import Endpoint, SerialEndpoint
from borne.protocols.modbus.transports import open_link


class Buses:
    """Counts who uses a port; the last one closes it."""

    def __init__(self, opener: Opener = open_link) -> None:
        self._opener = opener
        self._leased: dict[Endpoint, tuple[ModbusBus, int]] = {}
        """By the first endpoint that named the port."""
        self._names: dict[Endpoint, Endpoint] = {}

    def lease(self, endpoint: Endpoint) -> ModbusBus:
        """The bus of a port. Each lease is given back by `release`.

        Raises ValueError if the same serial port is in use with other settings.
        """
        first = self._names.get(endpoint) or self._other_name(endpoint)
        bus, leases = self._leased.get(first, (None, 0))
        if bus is None:
            bus = ModbusBus(endpoint, self._opener)
        self._leased[first] = (bus, leases + 1)
        self._names[endpoint] = first
        return bus

    def _other_name(self, endpoint: Endpoint) -> Endpoint:
        """A serial port has several names, such as those below /dev/serial/by-id."""
        if not isinstance(endpoint, SerialEndpoint):
            return endpoint
        path = os.path.realpath(endpoint.device)
        for other in self._leased:
            if not isinstance(other, SerialEndpoint) or os.path.realpath(other.device) != path:
                continue
            if replace(other, device=endpoint.device) != endpoint:
                raise ValueError(
                    f"{endpoint.device} is in use with {other.baud} baud, parity {other.parity}: "
                    "all meters on one line have the same settings."
                )
            return other
        return endpoint

    async def release(self, endpoint: Endpoint) -> None:
        """Give a lease back; without effect after `close` or `abort`, which end all leases."""
        first = self._names.get(endpoint)
        if first is None:
            return
        bus, leases = self._leased[first]
        if leases > 1:
            self._leased[first] = (bus, leases - 1)
            return
        del self._leased[first]
        self._names = {name: port for name, port in self._names.items() if port != first}
        await bus.close()

    def abort(self) -> None:
        """Close every port without waiting, as by a power cut."""
        for bus, _ in self._leased.values():
            bus.abort()
        self._leased.clear()
        self._names.clear()

    async def close(self) -> None:
        """Close every port."""
        buses = [bus for bus, _ in self._leased.values()]
        self._leased.clear()
        self._names.clear()
        for bus in buses:
            await bus.close()
