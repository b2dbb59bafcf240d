"""The card of the simulated energy meters on the simulator page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from borne.adapters.simulation.meter_setup import MeterFault
from borne.adapters.simulation.meter_types import SIMULATED
from borne.adapters.web.pages.simulated_meters import FAULTS, meter_types
from borne.domain.principals import Role
from tests.support.fake_station import SERVED_METER, FakeHost, FakeSimulator
from tests.unit.adapters.web.conftest import Client, Clients

API = "/api/v1/simulator"


@pytest.fixture
async def page(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


def simulator_of(host: FakeHost) -> FakeSimulator:
    found = host.all.simulator
    assert isinstance(found, FakeSimulator)
    return found


def card(html: str) -> str:
    """The text of the card, in one line."""
    found = re.search(r'<section class="[^"]*" id="sim-meters".*?</section>', html, re.DOTALL)
    assert found is not None
    text = unescape(re.sub(r"<[^>]+>", " ", found[0]))
    return re.sub(r"[\s\u00a0\u202f]+", " ", text)


def test_it_offers_every_type_and_every_fault() -> None:
    assert dict(meter_types()) == SIMULATED
    assert set(FAULTS) == set(MeterFault)


async def test_without_meters_it_says_so_and_asks_nothing(page: Client) -> None:
    html = (await page.get("/simulator")).text
    assert "No meter yet" in card(html)
    assert "/simulator/meters" not in html.replace("/api/v1/simulator/meters", "")


async def test_a_meter_is_shown_with_what_it_serves(page: Client, host: FakeHost) -> None:
    simulator_of(host).served["grid"] = SERVED_METER | {"id": "grid"}
    text = card((await page.get("/simulator")).text)
    for part in (
        "Modbus Eastron SDM630 (RTU) in operation Grid connection (with the sockets)",
        "127.0.0.1:1502, unit 1 ",
        "Current 4.1 / -6.3 / – A",
        "Voltage 230 / 230 / 231 V",
        "Power -503 W",
        "Import 1,234.50 kWh",
        "Export 20.00 kWh",
        "17 requests, last from 127.0.0.1",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"fault": "wrong-unit"}, "answers for another unit"),
        ({"framing": "rtu"}, "127.0.0.1:1502, unit 1, RTU frames"),
        ({"serial": True, "address": "/dev/pts/4", "framing": "rtu"}, "/dev/pts/4, unit 1 "),
        ({"state": "failed", "values": None, "address": "", "note": "Taken."}, "not available"),
        ({"state": "failed", "values": None, "address": "", "note": "Taken."}, "Taken."),
        ({"source": "socket-2"}, "Socket 2"),
        ({"type": "sma_speedwire", "requests": 1}, "1 packet sent"),
        ({"requests": 1, "last_client": ""}, " 1 request "),
    ],
)
async def test_states_in_words(
    change: dict[str, object], shown: str, page: Client, host: FakeHost
) -> None:
    simulator_of(host).served["grid"] = SERVED_METER | {"id": "grid"} | change
    assert shown in card((await page.get("/simulator")).text)


async def test_the_card_alone_is_given_to_a_page_that_is_open(page: Client, host: FakeHost) -> None:
    simulator_of(host).served["grid"] = SERVED_METER | {"id": "grid"}
    part = (await page.get("/simulator/meters", headers={"hx-request": "true"})).text
    assert part.startswith('<hx-partial hx-target="#sim-meters"')
    assert 'hx-get="/simulator/meters"' in part
    assert (await page.get("/simulator/meters")).headers["location"] == "/simulator"


async def test_a_meter_is_added_changed_and_removed(operator: Client, host: FakeHost) -> None:
    added = await operator.post(f"{API}/meters", json={"type": "abb_b23", "source": "building"})
    assert (added.status_code, added.json()) == (201, {"meter": "meter-1"})
    changed = await operator.put(f"{API}/meters/meter-1", json={"fault": "slow"})
    assert changed.json()["revision"] == host.status.revision
    (meter,) = (await operator.get(API)).json()["meters"]
    assert (meter["type"], meter["source"], meter["fault"]) == ("abb_b23", "building", "slow")
    assert (await operator.delete(f"{API}/meters/meter-1")).status_code == 200
    assert (await operator.get(API)).json()["meters"] == []


@pytest.mark.parametrize(
    ("meter", "staged"),
    [
        (
            {"type": "tq_em300", "host": "0.0.0.0", "port": 1503, "unit": 7, "source": "building"},
            {
                "SecondMeterConfig": "tq_em300",
                "SecondMeterIP": "127.0.0.1",
                "SecondMeterPort": 1503,
                "SecondMeterUnitId": 7,
            },
        ),
        (
            {"type": "eastron_sdm630", "framing": "rtu", "source": "site"},
            {
                "SecondMeterConfig": "eastron_sdm630",
                "SecondMeterSerialPort": "rtu://127.0.0.1:1502",
                "DLMExternalMeterLocation": "including",
            },
        ),
        (
            {"type": "eastron_sdm630", "serial": True, "address": "/dev/pts/7"},
            {
                "SecondMeterConfig": "eastron_sdm630",
                "SecondMeterSerialPort": "/dev/pts/7",
                "DLMExternalMeterLocation": "including",
            },
        ),
    ],
    ids=["in the network", "behind a gateway", "on a line"],
)
async def test_one_button_makes_it_the_second_meter(
    page: Client, host: FakeHost, meter: dict[str, Any], staged: dict[str, Any]
) -> None:
    simulator_of(host).served["grid"] = SERVED_METER | {"id": "grid"} | meter
    assert "/simulator/meters/grid/use" in (await page.get("/simulator")).text
    answer = await page.post("/simulator/meters/grid/use")
    assert answer.headers["location"] == "/settings/load-management"
    draft = (await page.get("/settings/draft.json")).json()
    assert draft == {"DLMExternalMeterSupport": True} | staged


async def test_a_meter_that_the_settings_cannot_name_has_no_such_button(
    page: Client, host: FakeHost
) -> None:
    meter = SERVED_METER | {"id": "grid", "type": "tq_em300", "framing": "rtu"}
    simulator_of(host).served["grid"] = meter
    assert "/simulator/meters/grid/use" not in (await page.get("/simulator")).text
    assert (await page.post("/simulator/meters/grid/use")).status_code == 404
    assert (await page.post("/simulator/meters/none/use")).status_code == 404
