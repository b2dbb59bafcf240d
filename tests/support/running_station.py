"""A whole station in the process, in a simulated world of cars, driven as people would."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from borne.adapters.ocpp.backend import OcppBackend
from borne.adapters.storage.commissioning import Commissioning
from borne.adapters.storage.settings_files import PosixFiles
from borne.adapters.storage.settings_store import SettingsStore
from borne.app import Host, HostOptions
from borne.application.ports.backend import BackendView
from borne.application.ports.simulator import SimulatorPort
from borne.application.services import StationServices
from borne.application.settings.settings_service import SettingsService
from borne.domain.principals import SYSTEM
from borne.protocols.status_json import status_json
from tests.support.timeouts import TEST_TIMEOUT_S

CARD = "04567DAA5F3580"


class RunningStation:
    """A host with shorthands."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @property
    def services(self) -> StationServices:
        """The services of the running station."""
        services = self.host.services()
        assert services is not None, "the station has no power"
        return services

    @property
    def simulator(self) -> SimulatorPort:
        """The simulator of the world."""
        simulator = self.services.simulator
        assert simulator is not None, "the station has no simulated world"
        return simulator

    def connector(self, number: int = 1) -> dict[str, Any]:
        """The state of a connector as the API shows it."""
        snapshot = status_json(self.services.status.snapshot())
        return next(dict(c) for c in snapshot["connectors"] if c["id"] == number)

    async def until(
        self, reached: Callable[[dict[str, Any]], bool], number: int = 1
    ) -> dict[str, Any]:
        """Wait until a connector is as wanted."""
        status = self.services.status

        async def wait() -> dict[str, Any]:
            while not reached(found := self.connector(number)):
                await status.wait(status.revision, TEST_TIMEOUT_S)
            return found

        return await asyncio.wait_for(wait(), TEST_TIMEOUT_S)

    async def until_state(self, state: str, number: int = 1) -> dict[str, Any]:
        """Wait until a connector is in a state."""
        return await self.until(lambda c: c["state"] == state, number)

    async def until_online(self) -> None:
        """Wait until the backend has accepted the station."""
        await self.until_backend(lambda view: view.link == "connected" and view.boot == "accepted")

    async def until_backend(self, reached: Callable[[BackendView], bool]) -> BackendView:
        """Wait until the backend link is as wanted."""
        backend = self.services.backend
        assert isinstance(backend, OcppBackend)
        changed = asyncio.Event()
        forget = backend.client.changed.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(TEST_TIMEOUT_S):
                while not reached(view := backend.view()):
                    changed.clear()
                    await changed.wait()
                return view
        finally:
            forget()

    async def set(self, **changes: Any) -> None:
        """Change settings as the system."""
        await self.services.settings.change(changes, SYSTEM, "test")

    async def plug(self, number: int = 1, vehicle: Mapping[str, Any] | None = None) -> None:
        """Plug a car in."""
        await self.simulator.plug(number, vehicle or {})

    async def card(self, uid: str = CARD, number: int | None = 1) -> None:
        """Hold a card."""
        read: dict[str, Any] = {"uid": uid}
        if number is not None:
            read["connector"] = number
        await self.simulator.present_card(**read)

    async def card_token(self, token: str, number: int = 1) -> None:
        """Hold a card that the reader knows by its ready token."""
        await self.simulator.present_card(id_token=token, connector=number)

    async def until_restarted(self, before: object) -> None:
        """Wait until another station runs than `before`."""
        changed = asyncio.Event()
        forget = self.host.station_changed.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(TEST_TIMEOUT_S):
                while self.host.station is None or self.host.station is before:
                    changed.clear()
                    await changed.wait()
        finally:
            forget()

    async def until_queue(self, length: int) -> None:
        """Wait until so many transaction messages wait for the backend."""
        status = self.services.status
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while status.snapshot().backend.queue < length:
                await status.wait(status.revision, TEST_TIMEOUT_S)


def store_settings(data: Path, changes: Mapping[str, Any]) -> None:
    """Set a station up before its first start, also where a test has put a database already."""
    Commissioning(data).open()
    store = SettingsStore(PosixFiles(data / "settings"), PosixFiles(data))
    service = SettingsService.open(store)
    service.change_now(dict(changes), SYSTEM, "test")


@asynccontextmanager
async def running_station(
    data: Path,
    *,
    seed: int = 1,
    live: bool = False,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    options: Mapping[str, Any] | None = None,
    **changes: Any,
) -> AsyncIterator[RunningStation]:
    """A station on `data` with these settings, while the block runs."""
    store_settings(data, {name: str(value) for name, value in changes.items()})
    rng = random.Random(seed)
    given = {"rng": rng, "live": live, "wall": wall, "control_socket": False, **(options or {})}
    host = Host(HostOptions(data, **given))
    await host.start()
    try:
        yield RunningStation(host)
    finally:
        await host.stop()
