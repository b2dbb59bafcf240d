"""Every page in light and dark, on phone and desktop: axe finds nothing, nothing scrolls sideways,
the browser logs no error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from borne.application.authorization.token_lists import BackendTokens
from borne.application.ports.backend import IdTagInfo
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.settings.choices import CacheExpiry
from borne.domain.smart_charging.profiles import (
    Installed,
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Schedule,
)
from tests.browser.conftest import Pages, Site, resize
from tests.support.fake_load import DECISIONS, GARAGE, OFF, SLAVE, samples
from tests.support.fake_station import PASSWORD, FakeHost, FakeProfiles, free_connector

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe()
FAULT = {"id": "residual-current", "since": "2026-11-22T09:57:00Z"}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def charging(host: FakeHost) -> None:
    host.show_two_cars()


def faulted(host: FakeHost) -> None:
    host.status.edit(2, state="faulted", led="faulted", faults=[FAULT])
    host.status.edit(0, backend={"link": "waiting", "boot": "none", "queue": 3})


def sharing(host: FakeHost) -> None:
    silent = replace(GARAGE, missing=("s4",))
    host.load.show(silent, DECISIONS, samples())


def master_lost(host: FakeHost) -> None:
    slave = SLAVE.slave
    assert slave is not None
    lost_slave = replace(slave, stage=FailSafeStage.LIMITED, received_s=70.0, static_in_s=20.0)
    host.load.show(replace(SLAVE, slave=lost_slave))


def lost(host: FakeHost) -> None:
    host.all.backend.lost = True  # type: ignore[union-attr]  # the fake's own switch


def leave(host: FakeHost) -> None:
    """Leave the state as it is."""


def stage(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings/load-management")
    page.get_by_label("Operator Current Limit [A]", exact=True).fill("16")
    page.get_by_label("Operator Current Limit [A]", exact=True).press("Tab")
    page.get_by_text("1 unsaved change").first.wait_for()


def stage_wrong(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings/load-management")
    page.get_by_label("Operator Current Limit [A]", exact=True).fill("99")
    page.get_by_label("Operator Current Limit [A]", exact=True).press("Tab")
    page.get_by_text("1 of 1 changes need attention").first.wait_for()


def list_changes(page: Page, site: Site) -> None:
    stage(page, site)
    page.get_by_role("button", name="1 unsaved change").click()
    page.get_by_role("dialog").wait_for()


def open_all(page: Page, site: Site) -> None:
    page.goto(site.url)
    for summary in page.locator("summary").all():
        summary.click()


def ask_to_stop(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_role("button", name="Stop").first.click()
    page.get_by_role("dialog").wait_for()


def open_table(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sessions/session-0003")
    page.get_by_text("Show as table").click()


def open_message(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/backend")
    page.locator("details.message summary").first.click()


def open_technical(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/help/contactor-welded")
    page.locator("summary").click()


def type_card(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    page.get_by_label("Card number").press_sequentially("0a:0e:9b:83")
    page.get_by_text("839B0E0A", exact=True).wait_for()


def teach(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("timer").wait_for()
    for number, uid in enumerate(("04567DAA5F3580", "04A1B2C3D4E5F6"), 1):
        simulator = site.fake.host.all.simulator
        assert simulator is not None
        site.fake.run(simulator.present_card(uid=uid))
        dialog.get_by_role("listitem").nth(number - 1).wait_for()


def ask_to_clear(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Delete all …").click()
    page.get_by_role("dialog").wait_for()


def cached_cards(page: Page, site: Site) -> None:
    tokens = site.fake.host.all.ocpp_whitelist
    assert isinstance(tokens, BackendTokens)
    for tag, status in (("04567daa5f3580", "Accepted"), ("04a1b2c3d4e5f7", "Blocked")):
        info = IdTagInfo(status=status, parent="FLEET")
        site.fake.run(tokens.learn(tag, info, CacheExpiry.END_2038))
    page.goto(f"{site.url}/whitelists/ocpp")


def installed_profiles(page: Page, site: Site) -> None:
    profiles = site.fake.host.all.charging_profiles
    assert isinstance(profiles, FakeProfiles)
    schedule = Schedule(RateUnit.AMPERE, (Period(0, 10.0), Period(3600, 16.0)))
    profile = Profile(7, 2, Purpose.DEFAULT, ProfileKind.ABSOLUTE, schedule)
    profiles.install(Installed(1, profile, datetime(2026, 11, 22, 10, 0, tzinfo=UTC)))
    page.goto(f"{site.url}/backend/profiles")


def check_list(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists/import")
    page.get_by_label("Or paste here").fill("04567DAA5F3580;Anna B.\n04A1B2C3D4E5F7;Zoe\nhello;x")
    page.get_by_role("button", name="Check").click()
    page.get_by_role("heading", name="What would happen").wait_for()


def try_connection(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/backend/presets")
    page.get_by_role("button", name="Use with Ethernet").first.click()
    page.get_by_text("unsaved change").first.wait_for()
    page.get_by_role("button", name="Try the connection").click()
    page.get_by_role("heading", name="The connection does not work.").wait_for()


def ask_to_forget(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/load")
    page.get_by_text("Show as table").click()
    page.get_by_role("button", name="Clear slave list …").click()
    page.get_by_role("dialog").wait_for()


def choose_car(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/simulator")
    page.get_by_role("button", name="Plug a car in").first.click()
    page.get_by_role("dialog").wait_for()


Way = str | Callable[[Page, Site], None]
LOOKS: dict[str, tuple[Way, Callable[[FakeHost], None]]] = {
    "dashboard-free": ("/", leave),
    "dashboard-charging": ("/", charging),
    "dashboard-faulted": ("/", faulted),
    "dashboard-all-open": (open_all, charging),
    "dashboard-stop": (ask_to_stop, charging),
    "sessions": ("/sessions", leave),
    "sessions-none": ("/sessions?month=2020-01", leave),
    "session": (open_table, leave),
    "settings": ("/settings", leave),
    "settings-network": ("/settings/network", leave),
    "settings-backend": ("/settings/backend", leave),
    "settings-authorization": ("/settings/authorization", leave),
    "settings-load-management": ("/settings/load-management", leave),
    "load-off": ("/load", leave),
    "load-master": ("/load", sharing),
    "load-clear": (ask_to_forget, sharing),
    "load-slave": ("/load", master_lost),
    "settings-installation": ("/settings/installation", leave),
    "settings-system": ("/settings/system", leave),
    "settings-changed": ("/settings/system?show=changed", leave),
    "settings-search": ("/settings/search?q=limit", leave),
    "settings-staged": (stage, leave),
    "settings-wrong": (stage_wrong, leave),
    "settings-list": (list_changes, leave),
    "whitelists": ("/whitelists", leave),
    "whitelists-spelled": (type_card, leave),
    "whitelists-teach": (teach, leave),
    "whitelists-clear": (ask_to_clear, leave),
    "whitelists-ocpp": (cached_cards, leave),
    "whitelists-import": (check_list, leave),
    "backend": (open_message, leave),
    "backend-lost": ("/backend", lost),
    "backend-presets": ("/backend/presets", leave),
    "backend-profiles": (installed_profiles, leave),
    "backend-tried": (try_connection, leave),
    "help": ("/help?seen=faulted", leave),
    "help-problems": ("/help", faulted),
    "help-page": ("/help/lock-stuck", leave),
    "help-page-present": ("/help/residual-current", faulted),
    "help-page-technical": (open_technical, leave),
    "simulator": ("/simulator", leave),
    "simulator-charging": ("/simulator", charging),
    "simulator-choose": (choose_car, leave),
    "account": ("/account", leave),
    "password": ("/account/password", leave),
    "not-there": ("/nothing", leave),
}


@pytest.fixture
def screens(request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    """Sizes and themes. Colours do not depend on the size: two of the four pairs show every fault
    but a strange one."""
    found = [("phone", "light"), ("desktop", "dark")]
    if request.config.getoption("--campaign"):
        found += [("phone", "dark"), ("desktop", "light")]
    return found


def reset(host: FakeHost) -> None:
    for number in (1, 2):
        host.status.edit(number, **free_connector(number))
    host.status.data.pop("site", None)
    host.load.show(OFF)
    host.status.edit(
        0,
        backend={"link": "connected", "boot": "accepted", "queue": 0},
        load_management={"role": "disabled"},
    )
    host.all.backend.lost = False  # type: ignore[union-attr]  # the fake's own switch


def settle(page: Page) -> None:
    """Wait until nothing moves: pictures and axe need constant colours."""
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")


def judge(page: Page) -> None:
    settle(page)
    sideways = page.evaluate(SIDEWAYS)
    assert sideways <= 0, f"{sideways} px too wide"
    # Only what is wrong is described: the rest takes as long again.
    results = AXE.run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


def go(page: Page, site: Site, way: Way) -> None:
    if callable(way):
        way(page, site)
    else:
        page.goto(site.url + way)


def arrange(site: Site, way: Way, prepare: Callable[[FakeHost], None]) -> None:
    """Real stations are not changed."""
    if site.has_fake or prepare is not leave or callable(way):
        site.fake.do(reset)
        site.fake.do(prepare)


@pytest.mark.browser
@pytest.mark.parametrize("look", LOOKS)
def test_page_in_each_theme_and_width(
    look: str,
    screens: list[tuple[str, str]],
    shared_site: Site,
    request: pytest.FixtureRequest,
    picture: Callable[[Page, str], None],
) -> None:
    """Tests that only look share a login; tests that change something have their own."""
    way, prepare = LOOKS[look]
    if callable(way):
        page = request.getfixturevalue("pages").enter(shared_site)
    else:
        page = request.getfixturevalue("shared_page")
    arrange(shared_site, way, prepare)
    resize(page, *screens[0])
    go(page, shared_site, way)
    for size, theme in screens:
        resize(page, size, theme)
        settle(page)
        picture(page, f"{look}-{size}-{theme}")
        judge(page)
    if not callable(way):
        # 400 % zoom on a laptop (WCAG 1.4.10).
        resize(page, "narrow")
        assert page.evaluate(SIDEWAYS) <= 0, "too wide for 320 px"


@pytest.mark.browser
def test_page_without_login_in_each_theme_and_width(
    screens: list[tuple[str, str]],
    site: Site,
    pages: Pages,
    picture: Callable[[Page, str], None],
) -> None:
    fake = site.fake
    page = pages.open()

    def look(name: str) -> None:
        for size, theme in screens:
            resize(page, size, theme)
            settle(page)
            picture(page, f"{name}-{size}-{theme}")
            judge(page)

    page.goto(f"{site.url}/login")
    look("login")
    fake.do(guess_often)
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Try again in").wait_for()
    look("login-delayed")
    fake.host.accounts._store.hashes.clear()  # type: ignore[attr-defined]  # the one in memory
    fake.host.accounts._attempts.succeeded("operator", "127.0.0.1")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill("yellow_zone")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Set your password").wait_for()
    look("password-first")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and continue").click()
    page.wait_for_url(f"{site.url}/")
    fake.do(lambda host: setattr(host, "powered", False))
    page.goto(site.url)
    page.get_by_role("heading", name="The station has no power").wait_for()
    look("no-power")


def guess_often(host: FakeHost) -> None:
    """Enter wrong passwords until the next try must wait for minutes."""
    for _ in range(20):
        host.accounts._attempts.count("operator", "127.0.0.1")


@pytest.mark.browser
@pytest.mark.parametrize("language", ["de", "fr", "nl"])
def test_translated_pages_do_not_scroll_sideways(
    language: str, shared_site: Site, pages: Pages, picture: Callable[[Page, str], None]
) -> None:
    """At 320 pixels; the German pages, whose words are the longest, at every width."""
    page = pages.enter(shared_site, "narrow")
    page.context.add_cookies(
        [{"name": "borne_language", "value": language, "url": shared_site.url}]
    )
    sizes = ["phone", "desktop", "narrow"] if language == "de" else ["narrow"]
    for look, (way, prepare) in LOOKS.items():
        if not isinstance(way, str):
            continue
        if shared_site.has_fake:
            arrange(shared_site, way, prepare)
        go(page, shared_site, way)
        assert page.locator("html").get_attribute("lang") == language
        for size in sizes:
            resize(page, size)
            picture(page, f"{look}-{size}-{language}")
            assert page.evaluate(SIDEWAYS) <= 0, (look, size)
