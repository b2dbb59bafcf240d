"""Meters in a real browser: fields that follow the type, a live test that ends with its panel."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from borne.application.meters.meter_search import FoundMeter
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.site_status import SiteMeterState
from borne.domain.principals import SYSTEM
from tests.browser.conftest import Fake, Pages, Site, resize
from tests.browser.test_every_page import AXE, RULES, SIDEWAYS
from tests.support.fake_meters import BUILDING, IN_DOUBT, OTHER_METER, SITE_METER
from tests.support.fake_station import FakeHost
from tests.support.timeouts import TEST_TIMEOUT_S

pytestmark = pytest.mark.browser
expect.set_options(timeout=TEST_TIMEOUT_S * 1000)

LOAD = "/settings/load-management"


@pytest.fixture
def fake(site: Site) -> Fake:
    return site.fake


@pytest.fixture
def page(site: Site, fake: Fake, pages: Pages) -> Page:
    return pages.enter(site)


def save(fake: Fake, **changes: object) -> None:
    fake.run(fake.host.all.settings.change(changes, SYSTEM, "test"))


def answer(fake: Fake, **changes: Any) -> None:
    """How the meter answers from now on."""

    def change(host: FakeHost) -> None:
        for name, value in changes.items():
            setattr(host.meter, name, value)

    fake.do(change)


def second_meter(site: Site, page: Page, fake: Fake) -> None:
    save(fake, DLMExternalMeterSupport=True, SecondMeterConfig="tq_em300")
    page.goto(f"{site.url}{LOAD}")


def test_fields_follow_the_type_at_once(page: Page, site: Site, fake: Fake) -> None:
    second_meter(site, page, fake)
    kind = page.get_by_label("Meter configuration (Second)", exact=True)
    kind.select_option(label="Modbus Eastron SDM630 (RTU)")
    expect(page.get_by_label("Serial port of second meter", exact=True)).to_be_visible()
    expect(page.get_by_label("IP address of second meter", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Test this meter")).to_be_disabled()
    kind.select_option(label="Phoenix Contact EEM-MB371 / EEM-MB370 (TCP)")
    expect(page.get_by_label("IP address of second meter", exact=True)).to_be_visible()
    expect(page.get_by_label("Serial port of second meter", exact=True)).to_have_count(0)
    page.get_by_text("How the EEM-MB371 gets an address of your network").click()
    expect(page.get_by_text("Open http://192.168.1.2 in the browser")).to_be_visible()
    page.get_by_label("IP address of second meter", exact=True).fill("172.16.23.120")
    page.get_by_label("IP address of second meter", exact=True).press("Tab")
    expect(page.get_by_text("The master may give this address")).to_be_visible()
    expect(page.get_by_text("Open http://192.168.1.2 in the browser")).to_be_visible()


def test_a_live_test_follows_the_meter_and_ends_with_its_panel(
    page: Page, site: Site, fake: Fake
) -> None:
    second_meter(site, page, fake)
    page.get_by_label("IP address of second meter", exact=True).fill("192.0.2.50")
    page.get_by_label("IP address of second meter", exact=True).press("Tab")
    page.get_by_role("button", name="Test this meter").click()
    panel = page.locator("#meter-test-second")
    expect(panel).to_contain_text("The meter answers.")
    expect(panel.get_by_role("row", name="L3")).to_contain_text("exports")
    answer(fake, error="192.0.2.50 refuses connections on port 502.")
    expect(panel).to_contain_text("The meter does not answer.")
    expect(panel.get_by_role("listitem").first).to_contain_text("Is the meter's display on")
    panel.get_by_role("button", name="Close").click()
    expect(panel.locator(".panel")).to_have_count(0)
    assert fake.do(lambda host: host.all.settings.settings["SecondMeterIP"]) == ""


@pytest.mark.parametrize("size", ["narrow", "desktop"])
def test_the_panel_fits_and_is_accessible(size: str, page: Page, site: Site, fake: Fake) -> None:
    answer(fake, findings=(IN_DOUBT,))
    second_meter(site, page, fake)
    resize(page, size)
    save(fake, SecondMeterIP="192.0.2.50")
    page.goto(f"{site.url}/help/meter-external")
    page.get_by_role("button", name="Read meter now").click()
    expect(page.locator("#meter-test-second")).to_contain_text("LQN 0815")
    assert page.evaluate(SIDEWAYS) <= 0
    found = AXE.run(page, options={"runOnly": RULES}).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_the_dashboard_follows_the_building(page: Page, fake: Fake) -> None:
    fake.do(lambda host: host.site_meter.show(SITE_METER))
    card = page.locator("#site-meter")
    expect(card).to_contain_text("measured")
    expect(card).to_contain_text("-3.0\u202fA\u00a0(exports)")
    silent = replace(SITE_METER, state=SiteMeterState.SILENT, age_s=75.0)
    fake.do(lambda host: host.site_meter.show(silent))
    expect(card).to_contain_text("not communicating")
    expect(card.locator("count-up")).to_have_text("1\u202fmin ago")


def test_an_exchanged_meter_is_accepted(page: Page, fake: Fake) -> None:
    fake.do(lambda host: host.site_meter.show(OTHER_METER))
    expect(page.locator("#site-meter")).to_contain_text("LQN 4711")
    problems = AXE.run(page, options={"runOnly": RULES}).response["violations"]
    assert [each["id"] for each in problems] == []
    page.get_by_role("button", name="Accept the new meter").click()
    expect(page.get_by_text("The new meter is accepted.")).to_be_visible()
    expect(page.locator("#site-meter")).to_contain_text("measured")


def test_an_answer_is_shown_though_its_form_has_left_the_page(page: Page, fake: Fake) -> None:
    accept = _accept_slowly(page, fake)
    accept.continue_()
    expect(page.get_by_text("The new meter is accepted.")).to_be_visible()


def test_a_refusal_is_shown_though_its_form_has_left_the_page(page: Page, fake: Fake) -> None:
    accept = _accept_slowly(page, fake)
    accept.fulfill(status=409, json={"message": "It has just changed again."})
    expect(page.get_by_text("It has just changed again.")).to_be_visible()


def _accept_slowly(page: Page, fake: Fake) -> Route:
    """A new meter is accepted; before the answer the live stream removes the form."""
    sent: list[Route] = []

    def hold(route: Route) -> None:
        sent.append(route)

    page.route("**/meters/second/accept", hold)
    fake.do(lambda host: host.site_meter.show(OTHER_METER))
    accept = page.get_by_role("button", name="Accept the new meter")
    with page.expect_request("**/meters/second/accept"):
        accept.click()
    fake.do(lambda host: host.site_meter.show(SITE_METER))
    expect(accept).to_have_count(0)
    fake.do(lambda host: host.site_meter.show(OTHER_METER))
    expect(accept).to_have_count(1)
    return sent[0]


def test_a_meter_is_found_and_used(page: Page, site: Site, fake: Fake) -> None:
    found = FoundMeter(MeterAddress("tq_em300", "192.0.2.50"), False, BUILDING, ("kostal_ksem",))

    def prepare(host: FakeHost) -> None:
        host.search.found = [found]
        host.search.held = asyncio.Event()

    fake.do(prepare)
    resize(page, "narrow")
    page.goto(f"{site.url}/settings/installation")
    page.get_by_text("Find meters").click()
    page.get_by_label("IP addresses, or a network").fill("192.0.2.48/29")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#meter-found")).to_contain_text("192.0.2.50:502, unit id 1")
    assert page.evaluate(SIDEWAYS) <= 0
    problems = AXE.run(page, options={"runOnly": RULES}).response["violations"]
    assert [each["id"] for each in problems] == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#meter-found")).to_contain_text("The search was ended early.")
    page.get_by_role("button", name="Use for socket 2").click()
    expect(page.locator("#s-MeterIP_2-input")).to_have_value("192.0.2.50")
    expect(page.locator("#s-MeterConfig_2")).to_be_in_viewport()
