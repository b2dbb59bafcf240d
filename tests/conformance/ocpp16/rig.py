"""The test bench of the certification cases: a station between a simulated world on one side and
an independent central system on the other. Cases are named by their ids of the OCPP 1.6
compliance test tool for charge points.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ocpp.v16 import call
from ocpp.v16.enums import MessageTrigger

from tests.support.central_system import CentralSystem, Ledger, central_system
from tests.support.running_station import CARD, RunningStation, running_station

QUICK_BOLT_S = (0.01, 0.02)
FAST_CAR: Mapping[str, Any] = {"reaction_s": 0.1}
OTHER_CARD = "04A1B2C3D4E5F6"
TAG = CARD.lower()
OTHER_TAG = OTHER_CARD.lower()


def _numbered(connector: dict[str, Any]) -> bool:
    session = connector["session"]
    return session is not None and session["transaction_id"] is not None


class Rig:
    """A station and its central system, with the steps that cases share."""

    def __init__(self, station: RunningStation, central: CentralSystem) -> None:
        self.station = station
        self.central = central

    @property
    def ledger(self) -> Ledger:
        """Everything that the central system received."""
        return self.central.ledger

    async def call(self, request: Any) -> Any:
        """Send a call to the station, as the central system."""
        return await self.central.call(request)

    async def status(self, status: str, connector: int = 1, count: int = 1) -> dict[str, Any]:
        """Wait until the central system received that status so many times; the last of them."""
        statuses = await self.ledger.wait_for(
            "StatusNotification", count, connector_id=connector, status=status
        )
        return statuses[-1]

    async def booted(self) -> None:
        """Wait until the station and both connectors are known as available."""
        for connector in (0, 1, 2):
            await self.status("Available", connector)

    async def plug(self, connector: int = 1, **vehicle: Any) -> None:
        """Plug a car in that reacts at once."""
        await self.station.plug(connector, {**FAST_CAR, **vehicle})

    async def unplug(self, connector: int = 1, *, force: bool = False) -> None:
        """Pull the plug once it is unlocked, or by force."""
        if not force:
            await self.station.until(lambda c: not c["locked"], connector)
        await self.station.simulator.unplug(connector, force=force)

    async def swipe(self, uid: str = CARD, connector: int | None = 1) -> None:
        """Hold a card."""
        await self.station.card(uid, connector)

    async def charging(self, connector: int = 1, **vehicle: Any) -> dict[str, Any]:
        """Plug, authorize by card, charge; the StartTransaction."""
        await self.plug(connector, **vehicle)
        await self.status("Preparing", connector)
        await self.swipe(CARD, connector)
        await self.status("Charging", connector)
        start = (await self.ledger.wait_for("StartTransaction", connector_id=connector))[-1]
        # The answer to it may still be on its way.
        await self.station.until(
            lambda c: c["session"] is not None and c["session"]["transaction_id"],
            connector,
        )
        return start

    async def stop(self, connector: int = 1) -> None:
        """The card that started ends the session."""
        await self.station.card_token(TAG, connector)
        await self.station.until_state("finishing", connector)

    async def pull_from_car(self, connector: int = 1) -> None:
        """Unplug at the car; the cable stays in the station."""
        await self.station.simulator.set_fault("pilot-open", active=True, connector=connector)

    async def offline(self) -> None:
        """Break the connection."""
        await self.station.simulator.set_link("backend", up=False, mode="reset")
        await self.station.until_backend(lambda view: view.link != "connected")

    async def online(self) -> None:
        """Restore the connection."""
        await self.station.simulator.set_link("backend", up=True, mode=None)
        await self.station.until_online()

    async def settled(self) -> None:
        """Wait some round trips, for what follows from an answer."""
        for count in range(1, 4):
            await self.call(call.TriggerMessage(requested_message=MessageTrigger.heartbeat))
            await self.ledger.wait_for("Heartbeat", count)

    @staticmethod
    def time(text: str) -> datetime:
        """A time on the wire; it must be in UTC."""
        assert text.endswith("Z"), text
        return datetime.fromisoformat(text)

    async def configure(self, **values: Any) -> None:
        """ChangeConfiguration; every key must be accepted."""
        for key, value in values.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            answer = await self.call(call.ChangeConfiguration(key=key, value=text))
            assert answer.status == "Accepted", (key, value, answer.status)


@asynccontextmanager
async def rig(
    folder: Path,
    ledger: Ledger | None = None,
    *,
    booted: bool = True,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A rig with these settings of the station (and options of its host), while the block runs.
    Its locks are quicker than any: they are not what these cases are about."""
    bolt = patch("borne.adapters.simulation.mechanics.LOCK_TRAVEL_S", QUICK_BOLT_S)
    async with central_system(ledger) as central:
        backend = {
            "ConnectionType": "ethernet",
            "WebSocketsBackendURL": central.url,
            "ChargePointID": "CP-1",
            "LocalPreAuthorize": "false",
        }
        with bolt:
            async with running_station(
                folder, options=options, **{**backend, **settings}
            ) as station:
                bench = Rig(station, central)
                if booted:
                    await bench.booted()
                yield bench
