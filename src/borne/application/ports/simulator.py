"""The knobs of the simulated world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from borne.foundation.messages import Explained, Message


class SimulatorError(Explained):
    """A physical impossibility, for example a second plug; `status` is an HTTP code."""

    def __init__(self, status: int, message: Message | str) -> None:
        super().__init__(message)
        self.status = status


class SimulatorPort(Protocol):
    """The world around a simulated station, for page, API and tests. Every call returns after
    the world changed. Raises SimulatorError."""

    def vehicles(self) -> Mapping[str, Any]:
        """`{"vehicles": {name: vehicle}, "schema": JSON schema of a vehicle}`."""

    async def plug(self, connector: int, vehicle: Mapping[str, object]) -> None:
        """Plug in; `{}`, `{"vehicle": NAME}` or a whole vehicle."""

    async def unplug(self, connector: int, *, force: bool) -> None:
        """Pull the plug; 409 when locked unless forced."""

    async def change_vehicle(self, connector: int, change: Mapping[str, object]) -> None:
        """Change the plugged vehicle."""

    async def present_card(self, card: Mapping[str, object]) -> None:
        """`{"uid", "connector"?, "hold_s"?, "secure"?}` or `{"id_token"}`."""

    def faults(self) -> list[Mapping[str, Any]]:
        """Every physical cause that can be set, with its state."""

    async def set_fault(
        self,
        fault: str,
        *,
        active: bool,
        connector: int | None,
        extent: Mapping[str, object] | None = None,
        value: object = None,
    ) -> None:
        """Set or clear a physical cause; `other:CODE` carries an OCPP error code. How bad it is
        says `value` (of the unit that `faults` tells), or `extent` by name."""

    async def set_link(self, link: str, *, up: bool, mode: str | None) -> None:
        """backend, meter, external-meter, master, usb; modes reset, blackhole, refuse."""

    async def set_site(self, change: Mapping[str, object]) -> None:
        """Building load and voltage per phase, PV."""

    async def set_input(self, number: int, *, active: bool) -> None:
        """A digital input."""

    async def set_temperature(self, board_c: float, connector: int | None) -> None:
        """Of the boards."""

    def view(self) -> Mapping[str, Any]:
        """The whole world for the page: sockets, vehicles, cards, links, faults, site, power."""
