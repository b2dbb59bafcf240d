"""Help in a real browser: rings that blink as the station's, steps that tick themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from borne.adapters.web.rings import ARCS, shown_colour
from borne.domain.station.faults import Fault
from borne.domain.station.indication import PATTERNS, Colour
from tests.browser.conftest import Pages, Site
from tests.support.fake_station import free_connector
from tests.support.timeouts import TEST_TIMEOUT_S

pytestmark = pytest.mark.browser
expect.set_options(timeout=TEST_TIMEOUT_S * 1000)

FAULT = {"id": Fault.LOCK_STUCK.value, "since": "2026-11-22T09:57:00Z"}
RESIDUAL = {"id": Fault.RESIDUAL_CURRENT.value, "since": "2026-11-22T09:57:00Z"}
SAMPLE = """([elapsed, ring]) => {
  for (const animation of ring.getAnimations({ subtree: true })) {
    animation.pause();
    animation.currentTime = elapsed * 1000;
  }
  return [...ring.querySelectorAll(".arc")].map((arc) => getComputedStyle(arc).stroke);
}"""
COLOURS = """() => {
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = {};
  for (const name of ["off", "green", "yellow", "blue", "white"]) {
    probe.style.color = `var(--led-${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  return found;
}"""


@pytest.fixture
def page(site: Site, pages: Pages) -> Page:
    return pages.enter(site)


@pytest.mark.parametrize("name", [name for name in PATTERNS if name != "checking"])
def test_a_ring_blinks_as_the_table_says(name: str, page: Page, site: Site) -> None:
    site.fake.do(lambda host: host.status.edit(1, led=name))
    page.goto(site.url)
    ring = page.locator("#socket-1 svg.ring")
    expect(ring).to_have_attribute("data-led", name)
    colours, handle = page.evaluate(COLOURS), ring.element_handle()
    for tenths in (0.5, 2.6, 5.1, 7.6, 12.5, 47.5, 52.5):
        expected = PATTERNS[name].colour_at(tenths / 10)
        arcs = [colours[shown_colour(expected, arc).value] for arc in ARCS]
        assert page.evaluate(SAMPLE, [tenths / 10, handle]) == arcs, tenths


def test_a_ring_turns_while_a_card_is_checked(page: Page, site: Site) -> None:
    site.fake.do(lambda host: host.status.edit(1, led="checking"))
    page.goto(site.url)
    arcs = page.locator("#socket-1 svg.ring .arcs")
    animation = (
        "(arcs) => { const a = arcs.getAnimations()[0]; return a.effect.getTiming().duration; }"
    )
    assert arcs.evaluate(animation) == PATTERNS["checking"].frames[0][1] * 1000


def test_without_motion_the_ring_is_steady(page: Page, site: Site) -> None:
    site.fake.do(lambda host: host.status.edit(1, led="charging"))
    page.emulate_media(reduced_motion="reduce")
    page.goto(site.url)
    ring = page.locator("#socket-1 svg.ring")
    assert ring.evaluate("(ring) => ring.getAnimations({ subtree: true }).length") == 0
    blue = page.evaluate(COLOURS)[Colour.BLUE.value]
    assert ring.locator(".arc-2").evaluate("(arc) => getComputedStyle(arc).stroke") == blue


def test_a_fault_is_followed_from_the_dashboard_to_its_end(page: Page, site: Site) -> None:
    site.fake.do(lambda host: host.status.edit(2, name="Right", locked=True, faults=[FAULT]))
    page.get_by_role("link", name="Fix it: Right: Type 2 actuator stuck").click()
    expect(page.get_by_text("Present now: Right")).to_be_visible()
    page.get_by_role("button", name="Unlock socket 2").click()
    expect(page.get_by_text("The cable is being released.")).to_be_visible()
    site.fake.do(lambda host: host.status.edit(2, faults=[]))
    expect(page.get_by_text("The station does not have this problem now.")).to_be_visible()


def test_a_step_is_ticked_when_it_is_done(page: Page, site: Site) -> None:
    plugged = free_connector(1) | {"cable_a": 32, "pilot": "C2", "faults": [RESIDUAL]}
    site.fake.do(lambda host: host.status.edit(1, **plugged))
    page.goto(f"{site.url}/help/residual-current")
    step = page.get_by_role("listitem").filter(has_text="Unplug the car from the station.")
    expect(step).to_contain_text("not yet")
    site.fake.do(lambda host: host.status.edit(1, cable_a=None, pilot="A1"))
    expect(step).to_contain_text("done")


def test_a_light_is_chosen_and_help_is_searched(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/help")
    page.get_by_role("link", name="Blue, blinking fast").click()
    expect(page.locator("#meaning")).to_contain_text("Accepted: charging can begin.")
    page.get_by_role("searchbox").fill("lever")
    expect(page.locator("#help-list")).not_to_contain_text("Contactor welded")
    expect(page.locator("#help-list")).to_contain_text("Error as soon as a car is plugged in")


def test_a_restart_is_confirmed_first(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/help/rfid-reader")
    page.get_by_role("button", name="Restart …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It takes some seconds.")
    dialog.get_by_role("button", name="Restart now").click()
    expect(page.get_by_text("Restarting …")).to_be_visible()
