"""The meter at the supply of the building, for people who look and for programs (manual 7.4.2)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from borne.adapters.web.i18n import Words
from borne.adapters.web.live import EventHub
from borne.adapters.web.pages.site_meter import site_card
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_status import SiteMeterState
from borne.domain.principals import SYSTEM, Role
from borne.foundation.messages import Message
from borne.foundation.units import PerPhase
from tests.support.fake_meters import NO_SITE_METER, OTHER_METER, SITE_METER
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import HTMX, text_of

SILENT = replace(
    SITE_METER,
    state=SiteMeterState.SILENT,
    current_a=None,
    age_s=75.0,
    reason=Message("The second meter does not answer."),
)


async def seen(person: Client, path: str = "/") -> str:
    return text_of((await person.get(path)).text).replace("\u202f", " ")


async def test_without_a_second_meter_the_dashboard_has_no_card(browser: Clients) -> None:
    text = await seen(await browser(Role.USER))
    assert "Building" not in text
    assert "External meter" not in text


async def test_the_dashboard_shows_what_the_building_draws(
    browser: Clients, host: FakeHost
) -> None:
    host.site_meter.show(SITE_METER)
    text = await seen(await browser(Role.USER))
    assert "Building measured L1 12.3 A L2 8.1 A L3 -3.0 A (exports)" in text
    assert "less than 10 s ago · Siemens PAC2200 · LQN 0815" in text
    details = text[text.index("External meter") :]
    for words in ("L2 229.8 V, 8.1 A, 1.9 kW", "Exported energy 4.32 kWh", "Frequency 50.02 Hz"):
        assert words in details


async def test_a_silent_meter_is_no_present_value(browser: Clients, host: FakeHost) -> None:
    host.site_meter.show(SILENT)
    operator = await browser(Role.OPERATOR)
    text = await seen(operator)
    assert "Building not communicating" in text
    assert "Last value before the silence: 1 min ago" in text
    assert "The second meter does not answer." in text
    assert "load management" not in text.partition("The second meter does not answer.")[2][:90]
    await host.all.settings.change({"DLMRole": "master"}, SYSTEM, "test")
    assert "Until it answers, load management leaves nothing for cars." in await seen(operator)
    host.site_meter.show(replace(SILENT, fallback_a=PerPhase(20, 20, 16)))
    text = await seen(operator)
    assert "load management assumes 20.0 A, 20.0 A, 16.0 A for the building" in text


def test_a_meter_in_doubt_says_what_counts() -> None:
    doubted = replace(
        SITE_METER,
        state=SiteMeterState.DOUBTED,
        current_a=PerPhase(22.0, 8.1, -3.0),
        reason=Message("It did not follow the own sockets on L1."),
    )
    card = site_card(doubted, Words("en"), master=True)
    assert card is not None
    assert card.state == "in doubt"
    assert card.assumed.startswith("Load management counts with 22.0\u202fA, 8.1\u202fA")
    assert site_card(NO_SITE_METER, Words("en"), master=True) is None


async def test_a_meter_that_reports_changes_only_is_unchanged(
    browser: Clients, host: FakeHost
) -> None:
    host.site_meter.show(replace(SITE_METER, age_s=75.0))
    assert "unchanged for 1 min" in (await seen(await browser(Role.USER))).replace("\u00a0", " ")


async def test_a_meter_that_never_answered(browser: Clients, host: FakeHost) -> None:
    host.site_meter.show(replace(SILENT, measurement=None, age_s=None, serial_number=""))
    assert "No value yet. · Siemens PAC2200" in await seen(await browser(Role.USER))


async def test_what_a_meter_lacks_is_no_zero(browser: Clients, host: FakeHost) -> None:
    host.site_meter.show(replace(SITE_METER, measurement=Measurement(1.0)))
    assert "L1 – L2 – L3 –" in await seen(await browser(Role.USER))


async def test_an_exchanged_meter_is_accepted_by_an_operator(
    browser: Clients, host: FakeHost
) -> None:
    host.site_meter.show(OTHER_METER)
    user, operator = await browser(Role.USER), await browser(Role.OPERATOR)
    assert "Accept the new meter" not in await seen(user)
    assert (await user.post("/meters/second/accept", headers=HTMX)).status_code == 403
    for path in ("/", "/help/meter-external"):
        text = await seen(operator, path)
        assert "serial number LQN 4711 instead of LQN 0815" in text
        assert "Accept the new meter" in text
    answer = await operator.post("/meters/second/accept", headers=HTMX)
    assert "The new meter is accepted." in answer.text
    assert host.site_meter.accepted_by == ["operator at 127.0.0.1"]
    assert "Accept the new meter" not in await seen(operator)
    refused = await operator.post("/meters/second/accept", headers=HTMX)
    assert refused.status_code == 409


async def test_programs_read_and_accept_the_second_meter(api: Clients, host: FakeHost) -> None:
    operator = await api(Role.OPERATOR)
    answer = (await operator.get("/api/v1/meters/second")).json()
    assert (answer["state"], answer["measured"], answer["current_a"]) == ("absent", None, None)
    host.site_meter.show(OTHER_METER)
    answer = (await operator.get("/api/v1/meters/second")).json()
    assert answer["accepted_serial_number"] == "LQN 0815"
    assert answer["measured"]["current_a"] == [12.34, 8.1, -3.04]
    assert answer["current_a"] is None
    assert (await operator.post("/api/v1/meters/second/accept", json={})).status_code == 200
    assert host.site_meter.status is SITE_METER
    host.replace(site_meter=None)
    assert (await operator.get("/api/v1/meters/second")).status_code == 404


async def test_streams_follow_the_meter(host: FakeHost) -> None:
    """The meter is no part of the station's status, whose changes the streams follow."""
    hub = EventHub(host.services)
    ticks = hub.follow("me", lambda: True, [host.site_meter.changed])
    assert (await anext(ticks)).snapshot is not None
    following = asyncio.ensure_future(anext(ticks))
    await asyncio.sleep(0)
    host.site_meter.show(SITE_METER)
    assert (await following).snapshot is None
    hub.close()
    assert [tick async for tick in ticks] == []
