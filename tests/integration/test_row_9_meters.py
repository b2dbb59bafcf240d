"""Manual 9, meters: "OCPP meter not communicating" stops the transaction, "External meter not
communicating" does not. A whole station on virtual time; the links are cut by the simulator's
routes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from borne.adapters.web import create_app
from borne.app import Host, HostOptions
from borne.domain.principals import Role
from tests.support.running_station import store_settings
from tests.support.virtual_time import run_virtual

SETTINGS = {
    "FreeCharging": "on",
    "FreeChargingMode": "no_ocpp",
    "DLMExternalMeterSupport": "on",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A charging station and its API."""

    client: httpx.AsyncClient

    async def put(self, path: str, **body: Any) -> None:
        (await self.client.put(path, json=body)).raise_for_status()

    async def post(self, path: str, **body: Any) -> None:
        (await self.client.post(path, json=body)).raise_for_status()

    async def link(self, name: str, *, up: bool) -> None:
        await self.put(f"/api/v1/simulator/links/{name}", up=up)

    async def status(self) -> dict[str, Any]:
        return dict((await self.client.get("/api/v1/status")).raise_for_status().json())

    async def connector(self) -> dict[str, Any]:
        return dict((await self.status())["connectors"][0])

    async def faults(self) -> set[str]:
        """Of the station and of socket 1."""
        status = await self.status()
        found = [*status["faults"], *status["connectors"][0]["faults"]]
        return {fault["id"] for fault in found}

    async def sessions(self) -> list[dict[str, Any]]:
        answer = await self.client.get("/api/v1/sessions")
        return list(answer.raise_for_status().json()["sessions"])


@asynccontextmanager
async def charging(data: Path) -> AsyncIterator[Bench]:
    store_settings(data, SETTINGS)
    host = Host(HostOptions(data, live=False, rng=random.Random(7), control_socket=False))
    await host.start()
    try:
        services = host.services()
        assert services is not None
        _, token = await services.accounts.create_token(Role.MANUFACTURER, "test")
        transport = httpx.ASGITransport(create_app(host), client=("127.0.0.1", 4711))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8080", headers=headers
        ) as client:
            bench = Bench(client)
            await asyncio.sleep(2)
            await bench.post("/api/v1/simulator/connectors/1/plug", vehicle="family")
            await asyncio.sleep(10)
            assert (await bench.connector())["state"] == "charging"
            yield bench
    finally:
        await host.stop()


def test_the_ocpp_meter_stops_the_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with charging(tmp_path) as bench:
            await asyncio.sleep(600)
            before_wh = (await bench.connector())["session"]["energy_wh"]
            assert before_wh > 0
            await bench.link("meter", up=False)
            await asyncio.sleep(9)
            assert await bench.faults() == set()
            await asyncio.sleep(10)
            assert await bench.faults() == {"meter-ocpp"}
            [session] = await bench.sessions()
            assert session["ended_at"] is not None
            assert session["energy_wh"] >= before_wh
            await bench.link("meter", up=True)
            await asyncio.sleep(2)
            assert await bench.faults() == set()

    run_virtual(scenario())


def test_the_external_meter_does_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with charging(tmp_path) as bench:
            meter = (await bench.status())["site_meter"]
            assert (meter["state"], meter["serial_number"][:3]) == ("ok", "SIM")
            assert meter["current_a"][0] > 10
            await bench.link("external-meter", up=False)
            await asyncio.sleep(9)
            assert await bench.faults() == set()
            await asyncio.sleep(2)
            assert await bench.faults() == {"meter-external"}
            meter = (await bench.status())["site_meter"]
            assert (meter["state"], meter["current_a"]) == ("silent", None)
            assert meter["fallback_a"] == [9999, 9999, 9999]
            assert "does not answer" in meter["reason"]
            await asyncio.sleep(60)
            connector = await bench.connector()
            assert (connector["state"], connector["session"] is None) == ("charging", False)
            await bench.link("external-meter", up=True)
            await asyncio.sleep(2)
            assert await bench.faults() == set()
            assert (await bench.status())["site_meter"]["state"] == "ok"

    run_virtual(scenario())
