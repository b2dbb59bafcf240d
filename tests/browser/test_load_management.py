"""Load management set up as the manual says (7.4.1 and 7.4.2), and what the installer then sees.

Each station is fresh, a process of its own, and is entered with the printed password.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Pages
from tests.browser.test_every_page import judge
from tests.browser.test_quick_start import fresh, log_in, menu, restart
from tests.support.timeouts import TEST_TIMEOUT_S

pytestmark = pytest.mark.browser
expect.set_options(timeout=TEST_TIMEOUT_S * 1000)

ROLE = "Dynamic Load Management - DLM Master/Slave"
MASTER = "DLM Master (With internal DLM-Slave)"
SUB_LIMIT = "EVSE Sub-Distribution Limit (L1/L2/L3) [A]"
OPERATOR_LIMIT = "Operator EVSE Sub-Distribution Limit (L1/L2/L3) [A]"
MAIN_LIMIT = "Main Distribution Limit (L1/L2/L3) [A]"


def enter_amps(page: Page, name: str, amps: int) -> None:
    """The same current on each phase."""
    fields = page.get_by_role("group", name=name, exact=True).get_by_role("spinbutton")
    expect(fields).to_have_count(3)
    for number in range(3):
        enter(page, fields.nth(number), amps)


def enter(page: Page, field: Locator, value: int) -> None:
    """Type a value, and wait until it is staged."""
    field.fill(str(value))
    with page.expect_response("**/settings/stage"):
        field.press("Tab")


def charge(page: Page, number: int, car: str) -> None:
    """Plug a car in and start it on the dashboard."""
    page.locator('nav.side a[href="/simulator"]').click()
    page.locator(f'[data-open="plug-{number}"]').first.click()
    page.locator(f"#plug-{number} .choices button").filter(has_text=car).click()
    menu_to_dashboard(page)
    page.locator(f"#socket-{number}").get_by_role("button", name="Start").click()
    expect(page.locator(f"#socket-{number}")).to_contain_text("Charging at")


def menu_to_dashboard(page: Page) -> None:
    page.locator("nav.side").get_by_role("link", name="Dashboard").click()


def live_load(page: Page) -> None:
    page.locator("nav.side").get_by_role("link", name="Live load").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Load management")


def fixed_limit(page: Page) -> None:
    """Manual 7.4.1, step by step."""
    menu(page, "Load management")
    page.get_by_label(ROLE, exact=True).select_option(MASTER)
    enter_amps(page, SUB_LIMIT, 20)
    enter_amps(page, OPERATOR_LIMIT, 20)
    enter(page, page.get_by_label("Minimum Current Limit [A]", exact=True), 8)
    enter(page, page.get_by_label("Disconnected Limit [A]", exact=True), 8)
    restart(page, "Save & restart")


def beside_a_building(page: Page) -> None:
    """Manual 7.4.2, step by step. The simulated meter stands in while no address is set."""
    menu(page, "Load management")
    page.get_by_role("switch", name="External Meter Support", exact=True).check()
    kind = page.get_by_label("Meter configuration (Second)", exact=True)
    kind.select_option(label="Modbus Siemens 7KM2200 (TCP)")
    enter_amps(page, MAIN_LIMIT, 25)
    place = page.get_by_role("group", name="External Meter Location", exact=True)
    place.get_by_text("Including EVSE Sub-Distribution").click()
    restart(page, "Save & restart")


def two_cars_share(page: Page) -> None:
    charge(page, 1, "Family car")
    charge(page, 2, "Fast AC car")
    why = page.locator("#socket-1 details")
    expect(why).to_contain_text("Why 10\u202fA?")
    why.locator("summary").click()
    expect(why).to_contain_text("fair share on N1 of the EVSE sub-distribution")
    live_load(page)
    row = page.locator("#load-table tbody tr").first
    expect(row).to_contain_text("charging")
    expect(row).to_contain_text("10 / 10 / 10")
    expect(page.locator("#load-ticker")).to_contain_text("fair share among 2 on N1")
    expect(page.locator(".tank .value").first).to_have_text("20 / 20\u202fA")
    judge(page)


def the_building_counts(page: Page, address: str) -> None:
    menu_to_dashboard(page)
    building = page.locator("#site-meter")
    expect(building).to_contain_text("Main distribution limit")
    expect(building.locator(".phase")).to_have_count(3)
    live_load(page)
    expect(page.locator("#load-table tfoot")).to_contain_text("External load")
    page.request.put(
        f"{address}/api/v1/simulator/site",
        data={"building_a": [20.0, 2.0, 2.0]},
        headers={"Origin": address},
    )
    sources, rows = page.locator("#load-sources"), page.locator("#load-table tbody tr")
    binding = sources.locator(".lowest").filter(has_text="Main distribution less the building")
    expect(binding).to_contain_text("lowest on N1")
    expect(binding).to_contain_text("5 / ")
    for number in range(2):
        expect(rows.nth(number)).to_contain_text("waits for current")
        expect(rows.nth(number)).to_contain_text("on N1")
    judge(page)


def test_load_management_is_commissioned(pages: Pages, tmp_path: Path) -> None:
    with fresh(tmp_path, "--speed", "5") as address:
        page = pages.open()
        log_in(page, address)
        live_load(page)
        expect(page.get_by_role("heading", level=2)).to_have_text("Load management is off")
        page.get_by_role("link", name="Set up as master").click()
        fixed_limit(page)
        page.locator("#chips").get_by_role("link", name="Master").click()
        head = "Master of group 0 · 1 of 1 stations connected · sharing 20\u202fA per phase"
        expect(page.locator("#load-head")).to_contain_text(head)
        expect(page.locator("#load-sources")).to_contain_text("together draw at most 16\u202fA")
        expect(page.locator("#load-table tbody tr")).to_have_count(2)
        beside_a_building(page)
        two_cars_share(page)
        the_building_counts(page, address)
