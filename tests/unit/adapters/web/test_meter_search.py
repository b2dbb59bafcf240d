"""The search for meters: bounded, cancelled with its page, and what it finds is staged."""

from __future__ import annotations

import asyncio
import re

import pytest

from borne.adapters.web.meter_searches import PAUSE_S, MeterSearches
from borne.adapters.web.meter_tests import LEASE_S
from borne.application.meters.meter_search import FoundMeter, SearchRequest
from borne.application.refusals import Refused
from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.principals import SYSTEM, Role
from borne.foundation.messages import Explained
from tests.support.fake_meters import BUILDING, FakeSearch
from tests.support.fake_station import FakeHost
from tests.support.virtual_time import virtual_time
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import HTMX, stage, text_of

IN_NETWORK = FoundMeter(MeterAddress("tq_em300", "192.0.2.50", 502, 2), True, BUILDING)
ON_LINE = FoundMeter(
    MeterAddress("abb_b23", unit=7, device="/dev/ttyUSB0", baud=19200, parity=Parity.EVEN),
    False,
    BUILDING,
    ("eastron_sdm630",),
)
BEHIND_GATEWAY = FoundMeter(MeterAddress("abb_b23", device="tcp://192.0.2.9:502"), True, BUILDING)
REQUEST = SearchRequest(("192.0.2.50",))
ON = {"DLMExternalMeterSupport": "on"}


@pytest.fixture
async def installer(browser: Clients) -> Client:
    return await browser(Role.INSTALLER)


async def search(person: Client, **fields: str) -> str:
    data = {"menu": "load-management", **fields}
    answer = await person.post("/meters/search", data=data, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return answer.text


async def renewed(person: Client, html: str, menu: str = "load-management") -> str:
    found = re.search(r'name="lease" value="([^"]+)"', html)
    assert found
    await asyncio.sleep(0)
    data = {"lease": found[1], "menu": menu}
    return (await person.post("/meters/search/renew", data=data, headers=HTMX)).text


# On the page --------------------------------------------------------------------------------------


async def test_a_meter_is_found_and_used(installer: Client, host: FakeHost) -> None:
    host.search.found = [IN_NETWORK]
    assert "Find meters" in await stage(installer, **ON)
    html = await search(installer, hosts="192.0.2.48/30, meter.example.com 192.0.2.50")
    text = text_of(await renewed(installer, html))
    assert "1 meter found." in text
    assert "Modbus B-Control EM300-LR (TCP) 192.0.2.50:502, unit id 2 · LQN 0815" in text
    assert host.search.requests == [
        SearchRequest(("192.0.2.49", "192.0.2.50", "meter.example.com"))
    ]
    await installer.post("/meters/second/use/0", headers=HTMX)
    draft = (await installer.get("/settings/draft.json")).json()
    assert draft == {
        "DLMExternalMeterSupport": True,
        "SecondMeterConfig": "tq_em300",
        "SecondMeterIP": "192.0.2.50",
        "SecondMeterUnitId": 2,
    }


async def test_a_meter_on_a_line_is_used_for_a_socket(installer: Client, host: FakeHost) -> None:
    host.search.found = [ON_LINE]
    device = {"device": "/dev/ttyUSB0", "baud": "19200", "parity": "even"}
    html = await search(installer, menu="installation", **device)
    text = text_of(await renewed(installer, html, "installation"))
    assert "Could also be: Modbus Eastron SDM630 (RTU). Compare with the plate" in text
    assert "Use for socket 1 Use for socket 2" in text
    assert host.search.requests[0].baud == 19200
    await installer.post("/meters/ocpp-2/use/0", headers=HTMX)
    assert (await installer.get("/settings/draft.json")).json() == {
        "MeterConfig_2": "abb_b23",
        "MeterUnitId_2": 7,
        "MeterSerialPort_2": "/dev/ttyUSB0",
        "MeterBaudRate_2": 19200,
        "MeterParity_2": "even",
    }


async def test_a_meter_behind_a_gateway_keeps_its_way(installer: Client, host: FakeHost) -> None:
    host.search.found = [BEHIND_GATEWAY]
    await stage(installer, **ON)
    await renewed(installer, await search(installer, hosts="192.0.2.9", port="1502"))
    assert host.search.requests == [SearchRequest(("192.0.2.9",), 1502)]
    await installer.post("/meters/second/use/0", headers=HTMX)
    draft = (await installer.get("/settings/draft.json")).json()
    assert draft["SecondMeterSerialPort"] == "tcp://192.0.2.9:502"


async def test_the_page_shows_progress_and_cancels(installer: Client, host: FakeHost) -> None:
    host.search.held = asyncio.Event()
    html = await search(installer, hosts="192.0.2.50")
    assert "1 of 2 places asked, now 192.0.2.50:502 unit 1" in await renewed(installer, html)
    ended = await installer.post("/meters/search/end", headers=HTMX)
    assert "The search was ended early. 0 meters found." in ended.text
    await asyncio.sleep(0)
    assert host.search.closed == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Enter addresses or a serial port."),
        ({"hosts": "192.0.2.0/24"}, "At most 128 addresses at once"),
        ({"hosts": "10.0.0.0/8"}, "At most 128 addresses at once"),
        ({"hosts": "192.0.2/24"}, "Enter a network such as"),
        ({"hosts": " ".join(f"192.0.2.{n}" for n in range(129))}, "At most 128"),
        ({"hosts": "http://192.0.2.1"}, "Enter"),
        ({"hosts": "192.0.2.1;drop?"}, "Enter addresses such as"),
        ({"hosts": "192.0.2.1", "port": "0"}, "Enter a port from 1 to 65535."),
        ({"hosts": "192.0.2.1", "port": "65536"}, "Enter a port from 1 to 65535."),
        ({"hosts": "192.0.2.1", "port": "five"}, "Enter a port from 1 to 65535."),
        ({"device": "/dev/ttyS0", "baud": "9601"}, "Choose a baud rate"),
        ({"device": "/dev/ttyS0", "parity": "mark"}, "Choose a baud rate"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    fields: dict[str, str], message: str, installer: Client, host: FakeHost
) -> None:
    answer = await installer.post("/meters/search", data=fields, headers=HTMX)
    assert answer.status_code == 422
    assert message in answer.text
    assert host.search.requests == []


async def test_the_search_is_the_installers(browser: Clients, host: FakeHost) -> None:
    operator = await browser(Role.OPERATOR)
    await host.all.settings.change({"OperatorMayInstall": False}, SYSTEM, "test")
    await host.all.settings.change({"DLMExternalMeterSupport": True}, SYSTEM, "test")
    assert "Find meters" not in (await operator.get("/settings/load-management")).text
    for path in ("search", "search/renew", "search/end", "second/use/0"):
        answer = await operator.post(f"/meters/{path}", data={"hosts": "192.0.2.1"}, headers=HTMX)
        assert answer.status_code == 403
    assert host.search.requests == []


async def test_nobody_uses_what_another_found(installer: Client, host: FakeHost) -> None:
    assert (await installer.post("/meters/second/use/0", headers=HTMX)).status_code == 404
    host.search.found = [IN_NETWORK]
    await renewed(installer, await search(installer, hosts="192.0.2.50"))
    assert (await installer.post("/meters/second/use/1", headers=HTMX)).status_code == 404
    assert (await installer.post("/meters/third/use/0", headers=HTMX)).status_code == 404


async def test_a_station_that_cannot_search(installer: Client, host: FakeHost) -> None:
    host.replace(find_meters=None)
    assert "Find meters" not in await stage(installer, **ON)
    answer = await installer.post("/meters/search", data={"hosts": "192.0.2.1"}, headers=HTMX)
    assert answer.status_code == 404


# Bounds -------------------------------------------------------------------------------------------


@virtual_time
async def test_one_search_at_a_time_and_a_pause_after_it() -> None:
    searches, find = MeterSearches(), FakeSearch()
    find.held = asyncio.Event()
    searches.start("me", REQUEST, find)
    with pytest.raises(Refused, match="is running already"):
        searches.start("you", REQUEST, find)
    find.held.set()
    await asyncio.sleep(1)
    with pytest.raises(Refused, match="Wait 9 s before the next search"):
        searches.start("you", REQUEST, find)
    await asyncio.sleep(PAUSE_S)
    searches.start("you", REQUEST, find)
    searches.close()


@virtual_time
async def test_it_ends_soon_after_its_page_was_left() -> None:
    searches, find = MeterSearches(), FakeSearch()
    find.held = asyncio.Event()
    search = searches.start("me", REQUEST, find)
    await asyncio.sleep(LEASE_S + 0.1)
    assert (search.is_over, search.complete, find.closed) == (True, False, 1)


@virtual_time
async def test_it_ends_with_its_login() -> None:
    searches, find = MeterSearches(), FakeSearch()
    find.held = asyncio.Event()
    search = searches.start("me", REQUEST, find)
    over = []
    for owner in ("you", "me"):
        searches.drop(owner)
        over.append(search.is_over)
    assert over == [False, True]
    assert searches.shown("me") is None


@virtual_time
async def test_its_failure_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    searches, find = MeterSearches(), FakeSearch()
    for error in (Explained("There is no such line."), ValueError("The line is in use.")):
        find.error = error
        search = searches.start("me", REQUEST, find)
        await asyncio.sleep(PAUSE_S + 1)
        assert str(search.problem) == str(error)
    find.error = RuntimeError("a bug")
    search = searches.start("me", REQUEST, find)
    await asyncio.sleep(1)
    assert str(search.problem) == "The search could not be carried out."
    assert "the search for meters failed" in caplog.text
