"""Meters on the pages of a whole station, against meters at real sockets (manual 7.4.2, 7.5, 9)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from borne.adapters.web import close_streams, create_app
from borne.domain.meters.site_status import SiteMeterState
from borne.domain.principals import Role
from tests.support.running_station import RunningStation, running_station
from tests.support.served_meter import THREE_PHASES, ServedMeter, served_meter
from tests.support.virtual_time import virtual_time

BASE = "http://127.0.0.1:8080"
HTMX = {"HX-Request": "true"}
LEASE = re.compile(r'name="lease" value="([^"]+)"')
SLUG = "tq_em300"


@asynccontextmanager
async def visitor(station: RunningStation) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which an installer has logged in."""
    link = await station.services.accounts.create_link(Role.INSTALLER)
    app = create_app(station.host)
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 4711))
    headers = {"Origin": BASE, "Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        await client.get(f"/login/{link}")
        yield client
    close_streams(app)


async def act(person: httpx.AsyncClient, path: str, **fields: str) -> str:
    answer = await person.post(path, data=fields, headers=HTMX)
    assert answer.is_success or answer.is_redirect, answer.text
    return answer.text


async def typed(person: httpx.AsyncClient, **fields: str) -> None:
    await act(person, "/settings/stage", _menu="load-management", _show="", **fields)


async def followed(person: httpx.AsyncClient, html: str, path: str, seconds: int) -> str:
    """A panel, renewed each second as a browser does; as a reader sees it at the end."""
    found = LEASE.search(html)
    assert found
    for _ in range(seconds):
        await asyncio.sleep(1)
        html = await act(person, path, lease=found[1])
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def address(meter: ServedMeter) -> dict[str, Any]:
    return {
        "DLMExternalMeterSupport": "on",
        "SecondMeterConfig": SLUG,
        "SecondMeterIP": "127.0.0.1",
        "SecondMeterPort": str(meter.port),
    }


@virtual_time
async def test_a_meter_is_tried_before_it_is_saved(tmp_path: Path) -> None:
    async with (
        served_meter(SLUG) as meter,
        running_station(tmp_path) as station,
        visitor(station) as person,
    ):
        await typed(person, **address(meter))
        html = await act(person, "/meters/second/test")
        text = await followed(person, html, "/meters/second/test/renew", 4)
        assert "The meter answers." in text
        assert re.search(r"L1 \S+ V 10\.0 A 2\.3 kW imports", text)
        assert "Imported energy 123.00 kWh Exported energy 7.00 kWh" in text
        turned = replace(
            THREE_PHASES, current_a=(10.0, -5.0, 2.0), power_w=(2300.0, -1155.0, 458.0)
        )
        meter.measure = lambda: replace(turned, power_total_w=1603.0)
        text = await followed(person, html, "/meters/second/test/renew", 4)
        assert "L2 exports while the building surely imports" in text
        meter.silent = True
        text = await followed(person, html, "/meters/second/test/renew", 8)
        assert "The meter does not answer." in text
        assert "What to check, in this order" in text
        await act(person, "/meters/second/test/end")
        asked = meter.requests
        await asyncio.sleep(10)
        assert meter.requests == asked, "nobody asks any more"
        assert not station.services.settings.settings.flag("DLMExternalMeterSupport")


@virtual_time
async def test_a_test_runs_beside_the_stations_own_polls(tmp_path: Path) -> None:
    async with (
        served_meter(SLUG) as meter,
        running_station(tmp_path, **address(meter)) as station,
        visitor(station) as person,
    ):
        await asyncio.sleep(5)
        html = await act(person, "/meters/second/test?saved=1")
        text = await followed(person, html, "/meters/second/test/renew", 30)
        assert "The meter answers." in text
        second = station.services.site_meter
        assert second is not None
        age_s = second.status.age_s
        assert second.status.state is SiteMeterState.OK
        assert age_s is not None
        assert age_s < 2, "the station's own polls go on"
        answer = (await person.get("/api/v1/meters/second")).json()
        assert answer["measured"]["import_wh"] == 123_000


@virtual_time
async def test_a_meter_is_found_used_and_saved(tmp_path: Path) -> None:
    async with (
        served_meter(SLUG) as meter,
        running_station(tmp_path) as station,
        visitor(station) as person,
    ):
        await typed(person, DLMExternalMeterSupport="on")
        where = {"hosts": "127.0.0.1", "port": str(meter.port), "menu": "load-management"}
        html = await act(person, "/meters/search", **where)
        text = await followed(person, html, "/meters/search/renew", 30)
        assert "1 meter found." in text
        assert "Modbus B-Control EM300-LR (TCP)" in text
        await act(person, "/meters/second/use/0")
        await act(person, "/settings/save", _menu="")
        settings = station.services.settings.settings
        assert settings["SecondMeterIP"] == "127.0.0.1"
        assert settings["SecondMeterPort"] == meter.port
