"""The buses of a station: one for each port, shared by all who ask something there."""

from __future__ import annotations

from borne.protocols.modbus.bus import ModbusBus, Opener
from borne.protocols.modbus.endpoint import Endpoint, SerialEndpoint
from borne.protocols.modbus.transports import open_link


class Buses:
    """Counts who uses a port; the last one closes it."""

    def __init__(self, opener: Opener = open_link) -> None:
        self._opener = opener
        self._leased: dict[Endpoint, tuple[ModbusBus, int]] = {}

    def lease(self, endpoint: Endpoint) -> ModbusBus:
        """The bus of a port. Each lease is given back by `release`.

        Raises ValueError if the same serial port is in use with other settings.
        """
        bus, leases = self._leased.get(endpoint, (None, 0))
        if bus is None:
            self._check_settings(endpoint)
            bus = ModbusBus(endpoint, self._opener)
        self._leased[endpoint] = (bus, leases + 1)
        return bus

    def _check_settings(self, endpoint: Endpoint) -> None:
        if not isinstance(endpoint, SerialEndpoint):
            return
        for other in self._leased:
            if isinstance(other, SerialEndpoint) and other.device == endpoint.device:
                raise ValueError(
                    f"{endpoint.device} is in use with {other.baud} baud, parity {other.parity}: "
                    "all meters on one line have the same settings."
                )

    async def release(self, endpoint: Endpoint) -> None:
        """Give a lease back."""
        bus, leases = self._leased[endpoint]
        if leases > 1:
            self._leased[endpoint] = (bus, leases - 1)
            return
        del self._leased[endpoint]
        await bus.close()

    def abort(self) -> None:
        """Close every port without waiting, as by a power cut."""
        for bus, _ in self._leased.values():
            bus.abort()
        self._leased.clear()

    async def close(self) -> None:
        """Close every port."""
        buses = [bus for bus, _ in self._leased.values()]
        self._leased.clear()
        for bus in buses:
            await bus.close()
