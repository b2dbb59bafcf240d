"""What people do with the pages, in a real browser: live updates, forms, keyboard, faults."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from borne.application.authorization.teach_in import TeachInState
from borne.application.people.passwords import LONGEST_DELAY_S
from borne.domain.principals import Role
from borne.domain.station.session import StopReason
from tests.browser.conftest import Fake, Pages, Site
from tests.support.fake_station import (
    PASSWORD,
    FakeBackend,
    FakeControl,
    FakeHost,
    FakeRestarter,
    FakeSimulator,
    charging_connector,
)
from tests.support.timeouts import TEST_TIMEOUT_S

pytestmark = pytest.mark.browser
expect.set_options(timeout=TEST_TIMEOUT_S * 1000)


HTMX_BEGAN = """new Promise((done) => {
  const look = () => setTimeout(window.htmx ? done : look);
  look();
})"""
"""What htmx does at once when it has been read is done."""


@pytest.fixture
def fake(site: Site) -> Fake:
    return site.fake


@pytest.fixture
def page(site: Site, fake: Fake, pages: Pages) -> Page:
    """The dashboard, logged in as manufacturer."""
    return pages.enter(site)


def control(fake: Fake) -> FakeControl:
    found = fake.host.all.control
    assert isinstance(found, FakeControl)
    return found


def simulator(fake: Fake) -> FakeSimulator:
    found = fake.host.all.simulator
    assert isinstance(found, FakeSimulator)
    return found


# Live ---------------------------------------------------------------------------------------------


def test_the_dashboard_follows_a_car_that_starts_to_charge(page: Page, fake: Fake) -> None:
    expect(page.locator("#socket-1")).to_contain_text("Free")
    fake.do(lambda host: host.status.edit(1, **charging_connector(1, 3, 10.7, "...5F3580")))
    expect(page.locator("#socket-1")).to_contain_text("Charging at 7.3\u202fkW")
    expect(page.locator("#socket-1 .big")).to_have_text("7.3\u202fkW")
    expect(page.locator("#flow")).to_contain_text("Charging now: 7.3\u202fkW")
    expect(page).to_have_title("[SIM] ⚡ 7.3\u202fkW – Station")
    expect(page.locator("#announcement")).to_contain_text("Socket 1: Charging")


def test_what_is_open_stays_open_and_focused_through_updates(page: Page, fake: Fake) -> None:
    card = page.locator("#socket-1")
    card.locator("summary").click()
    fake.do(lambda host: host.status.edit(1, name="Garage"))
    expect(card).to_contain_text("Garage")
    expect(card.locator("details")).to_have_attribute("open", "")
    expect(card.locator("summary")).to_be_focused()


def test_an_open_question_survives_updates(page: Page, fake: Fake) -> None:
    fake.do(FakeHost.show_two_cars)
    page.locator("#socket-1").get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog")
    fake.do(lambda host: host.status.edit(2, name="Garage"))
    expect(page.locator("#socket-2")).to_contain_text("Garage")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Stop and release cable").click()
    expect(page.get_by_text("The session ends.")).to_be_visible()
    expect(page.locator("#socket-1")).to_contain_text("Ended: please unplug")
    assert control(fake).calls == [("end_session", 1, StopReason.LOCAL)]


def test_a_refusal_is_shown(page: Page, fake: Fake) -> None:
    fake.do(lambda host: host.status.edit(2, name="Garage"))
    expect(page.locator("#socket-2")).to_contain_text("Garage")
    fake.do(lambda host: host.status.connector(1).update(state="charging"))
    page.locator("#socket-1").get_by_role("button", name="Start").click()
    expect(page.locator(".toast.fault")).to_contain_text("Socket 1 cannot start: it is charging.")


def test_values_are_marked_as_old_without_a_connection(page: Page, fake: Fake) -> None:
    expect(page.locator("#stale")).to_be_hidden()
    fake.do(lambda host: host.status.edit(2, name="Garage"))
    expect(page.locator("#socket-2"), "the stream stands").to_contain_text("Garage")
    fake.vanish()
    expect(page.locator("#stale")).to_contain_text("Live data interrupted at")
    expect(page.locator("body")).to_have_class("with-side with-tabs is-stale")


def test_live_data_arrive_when_a_script_loads_late(page: Page, site: Site, fake: Fake) -> None:
    """On a slow line, or a busy station."""
    held: list[Route] = []
    # Playwright cannot call a method of a built-in type.
    page.route("**/hx-sse.min.js*", lambda route: held.append(route))  # noqa: PLW0108
    with page.expect_request("**/hx-sse.min.js*"):
        page.goto(site.url, wait_until="commit")
    page.evaluate(HTMX_BEGAN)
    held[0].continue_()
    fake.do(lambda host: host.status.edit(2, name="Garage"))
    expect(page.locator("#socket-2")).to_contain_text("Garage")


def test_an_ended_login_redirects_to_the_login_page(page: Page, site: Site, fake: Fake) -> None:
    fake.run(fake.host.accounts.set_password(Role.MANUFACTURER, PASSWORD))
    fake.do(lambda host: host.status.edit(1, locked=True))
    page.wait_for_url(f"{site.url}/login")


def test_a_power_cut_and_back(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/simulator")
    page.get_by_role("button", name="Cut the power").click()
    page.get_by_role("dialog").get_by_role("button", name="Cut the power").click()
    expect(page.get_by_role("heading", name="The station has no power")).to_be_visible()
    page.get_by_role("button", name="Restore power").click()
    expect(page.get_by_role("heading", name="Simulator")).to_be_visible()
    assert fake.host.powered


def test_a_page_notices_a_power_cut_and_its_end_by_itself(page: Page, fake: Fake) -> None:
    fake.do(lambda host: setattr(host, "powered", False))
    expect(page.get_by_role("heading", name="The station has no power")).to_be_visible()
    fake.do(lambda host: setattr(host, "powered", True))
    expect(page.locator("#socket-1")).to_be_visible()


# Settings -----------------------------------------------------------------------------------------


def test_a_change_is_reviewed_and_saved(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/settings/load-management")
    limit = page.get_by_label("Operator Current Limit [A]", exact=True)
    limit.fill("16")
    limit.press("Tab")
    bar = page.get_by_role("region", name="Unsaved changes")
    expect(bar).to_contain_text("1 unsaved change")
    other = page.get_by_label("Operator Current Limit [A] (Connector 2)", exact=True)
    expect(other).to_be_focused()
    other.fill("20")
    other.press("Tab")
    expect(bar).to_contain_text("2 unsaved changes")
    page.reload()
    expect(limit).to_have_value("16")
    bar.get_by_role("button", name="2 unsaved changes").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("32\u202fA → 16\u202fA")
    dialog.get_by_role("button", name="Undo: Operator Current Limit [A] (Connector 2)").click()
    expect(other).to_have_value("32")
    page.keyboard.press("Escape")
    bar.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(bar).to_be_hidden()
    assert fake.do(lambda host: host.all.settings.settings["OperatorCurrentLimit"]) == 16
    page.get_by_role("button", name="Default: 32").click()
    expect(limit).to_have_value("32")


def test_an_error_is_shown_at_the_field_and_blocks_saving(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings/load-management")
    limit = page.get_by_label("Operator Current Limit [A]", exact=True)
    limit.fill("99")
    limit.press("Tab")
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#s-OperatorCurrentLimit-error")).to_contain_text("At most 32")
    bar = page.get_by_role("region", name="Unsaved changes")
    expect(bar.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    bar.get_by_role("button", name="Reset all").click()
    expect(limit).to_have_value("32")
    expect(bar).to_be_hidden()


def test_a_switch_shows_and_hides_its_fields(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings/load-management")
    switch = page.get_by_role("switch", name="Modbus TCP Server", exact=True)
    port = page.get_by_label("Modbus TCP Server Base Port")
    expect(port).to_be_hidden()
    switch.check()
    expect(port).to_be_visible()
    switch.uncheck()
    expect(port).to_be_hidden()
    expect(page.get_by_role("region", name="Unsaved changes")).to_be_hidden()


def away_and_back(page: Page, fake: Fake) -> None:
    """The station restarts, and the page notices that it is away."""
    with page.expect_response(lambda answer: answer.url.endswith("/readyz") and not answer.ok):
        fake.do(lambda host: setattr(host, "powered", False))
    fake.do(lambda host: setattr(host, "powered", True))


def test_save_and_restart_waits_for_the_station(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/settings/load-management")
    page.get_by_role("switch", name="Modbus TCP Server", exact=True).check()
    page.get_by_role("button", name="Save & restart").click()
    expect(page.get_by_text("Restarting …")).to_be_visible()
    restarter = fake.host.all.restarter
    assert isinstance(restarter, FakeRestarter)
    assert restarter.asked == ["now"]
    away_and_back(page, fake)
    expect(page.get_by_text("Restarting …")).to_be_hidden()
    expect(page.get_by_text("1 setting works after a restart.")).to_be_visible()


def test_a_restart_from_the_system_page_is_confirmed_first(
    page: Page, site: Site, fake: Fake
) -> None:
    page.goto(f"{site.url}/settings/system")
    page.get_by_role("button", name="Restart …").click()
    dialog = page.get_by_role("dialog", name="Restart")
    dialog.get_by_role("button", name="Cancel").click()
    restarter = fake.host.all.restarter
    assert isinstance(restarter, FakeRestarter)
    assert restarter.asked == []
    page.get_by_role("button", name="Restart …").click()
    dialog.get_by_role("button", name="Restart when free").click()
    expect(page.get_by_text("Restarting …")).to_be_visible()
    assert restarter.asked == ["idle"]
    away_and_back(page, fake)
    expect(page.get_by_text("Restarting …")).to_be_hidden()


def test_log_files_are_downloaded(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings/system")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download log files").click()
    assert download.value.suggested_filename.startswith("borne-")
    assert download.value.suggested_filename.endswith(".zip")


def test_settings_are_searched_while_typing(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings")
    page.get_by_label("Search all settings").press_sequentially("heartbeat")
    page.get_by_role("link", name="Force heartbeat").click()
    expect(page).to_have_url(f"{site.url}/settings/backend#s-ForceHeartbeat")


# Lists and log ------------------------------------------------------------------------------------


def test_add_find_delete_and_undo_a_card(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    number = page.get_by_label("Card number")
    number.fill("0a:0e:9b:83")
    page.get_by_label("Name (only here)").fill("Eve")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("0A0E9B83 added.")).to_be_visible()
    expect(number).to_have_value("")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#whitelist")).to_contain_text("0A0E9B83")
    page.get_by_label("Search the whitelist").press_sequentially("eve")
    expect(page.locator("#whitelist")).to_contain_text("1 of 10")
    page.get_by_role("button", name="Delete 0A0E9B83").click()
    expect(page.locator("#whitelist")).not_to_contain_text("0A0E9B83")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#whitelist")).to_contain_text("0A0E9B83")
    [entry], _ = fake.host.all.whitelist.page(search="0A0E9B83")
    assert entry.name == "Eve"


def test_cards_are_added_by_teach_in_named_and_found(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Hold a card to the reader of the station.")
    expect(dialog.get_by_role("timer")).to_contain_text("s")
    show(fake, "04112233445566")
    name = dialog.get_by_label("Name of 04112233445566")
    name.fill("Eve")
    show(fake, "04567DAA5F3580")
    expect(dialog.get_by_role("log")).to_contain_text("04567DAA5F3580 is in the list already")
    expect(name).to_have_value("Eve")
    expect(name).to_be_focused()
    name.press("Enter")
    expect(page.get_by_text("Saved.").first).to_be_visible()
    dialog.get_by_role("button", name="Anna").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("1 card added.")).to_be_visible()
    expect(page.locator("#whitelist")).to_contain_text("04112233445566")
    expect(page.get_by_label("Name of 04112233445566").last).to_have_value("Eve")
    assert fake.do(teaching) is None


def show(fake: Fake, uid: str) -> None:
    """Hold a card to the reader."""
    fake.run(simulator(fake).present_card(uid=uid))


def teaching(host: FakeHost) -> TeachInState | None:
    assert host.all.teach_in is not None
    return host.all.teach_in.state()


def test_leaving_the_page_ends_the_teach_in(
    page: Page, site: Site, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("borne.application.authorization.teach_in.LEASE_S", 600.0)
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    expect(page.get_by_role("timer")).to_be_visible()
    assert fake.do(teaching) is not None
    page.goto(site.url)
    expect(page.locator("#socket-1")).to_be_visible()
    page.goto(f"{site.url}/whitelists")
    expect(page.locator("#teach-note")).to_be_empty()


def test_the_teach_in_dialogue_shows_its_end(page: Page, site: Site, fake: Fake) -> None:
    page.clock.install()
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("timer")).to_be_visible()
    fake.do(lambda host: host.all.teach_in.abort())  # type: ignore[union-attr]  # the real one
    page.clock.run_for(6000)
    expect(dialog).to_contain_text("The time is over. Cards that are shown now are not added.")
    dialog.get_by_role("button", name="Start again").click()
    expect(dialog.get_by_role("timer")).to_be_visible()


def test_all_cards_are_deleted_and_restored(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Delete all …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type the number of entries").fill("8")
    dialog.get_by_role("button", name="Delete all").click()
    expect(page.locator(".toast.fault")).to_contain_text("type the number of entries, 9.")
    dialog.get_by_label("Type the number of entries").fill("9")
    dialog.get_by_role("button", name="Delete all").click()
    expect(page.locator("#whitelist")).to_contain_text("No entry yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#whitelist")).to_contain_text("9 entries")


def test_a_file_is_read_checked_and_imported(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists/import")
    file = {
        "name": "cards.csv",
        "mimeType": "text/csv",
        "buffer": b"04112233445566;Eve\nnonsense\n",
    }
    page.get_by_label("File").set_input_files(file)  # type: ignore[arg-type]  # a FilePayload
    expect(page.get_by_label("Or paste here")).to_have_value("04112233445566;Eve\nnonsense\n")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    expect(page.get_by_text("Line 2")).to_be_visible()
    page.get_by_role("button", name="Apply 1 change").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()


def test_the_spellings_appear_while_a_number_is_typed(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    page.get_by_label("Card number").press_sequentially("0a0e9b83")
    expect(page.locator("#spellings")).to_contain_text("839B0E0A")


def test_a_wrong_card_number_is_reported_and_kept(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/whitelists")
    page.get_by_role("button", name="Add entry").click()
    page.get_by_label("Card number").fill("hello")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".toast.fault")).to_contain_text("A card number has only the digits")
    expect(page.get_by_label("Card number")).to_have_value("hello")


def test_the_connection_steps_are_live_and_the_log_can_be_filtered(
    page: Page, site: Site, fake: Fake
) -> None:
    page.goto(f"{site.url}/backend")
    expect(page.locator("#backend-state")).to_contain_text("Connected (send heartbeat")

    def lose(host: FakeHost) -> None:
        assert isinstance(host.all.backend, FakeBackend)
        host.all.backend.lost = True
        host.status.edit(0, backend={"link": "waiting", "boot": "none", "queue": 3})

    fake.do(lose)
    expect(page.locator("#backend-state")).to_contain_text("HTTP 401 Unauthorized")
    expect(page.locator("#chips")).to_contain_text("no contact")
    page.get_by_label("Errors only").check()
    expect(page.locator("#messages .message")).to_have_count(1)


def test_a_session_has_a_drawn_curve(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sessions")
    page.get_by_role("link", name="2026-11-21 18:39").click()
    expect(page.locator("line-chart canvas")).to_be_visible()


# Simulator ----------------------------------------------------------------------------------------


def test_click_a_socket_to_plug_and_unplug(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/simulator")
    page.get_by_role("button", name="Socket 1: Free. Plug a car in").click()
    page.get_by_role("dialog").get_by_role("button", name="City car").click()
    expect(page.locator("#sim-drawing")).to_contain_text("Family car")
    assert simulator(fake).calls == [("plug", 1, "city")]
    page.get_by_role("button", name="Hold a card to the reader", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Anna").click()
    expect(page.locator("#sim-cars")).to_contain_text("Charging")
    page.get_by_role("button", name="Socket 1: Charging. Unplug").click()
    expect(page.locator(".toast.fault")).to_contain_text("The plug is locked")
    page.get_by_role("button", name="Pull by force").click()
    expect(page.get_by_role("button", name="Socket 1: Free. Plug a car in")).to_be_visible()


def test_the_drawing_works_with_the_keyboard(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/simulator")
    page.get_by_role("button", name="Socket 2: Free. Plug a car in").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Which car at socket 2?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_cause_is_set_with_a_value(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/simulator")
    page.get_by_role("button", name="Value: Current leaks to earth").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Value (mA)")).to_have_value("40.0")
    dialog.get_by_label("Value (mA)").fill("8")
    dialog.get_by_role("button", name="Set at socket 2").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("switch", name="Current leaks to earth at socket 2")).to_be_checked()
    assert simulator(fake).calls[-1] == ("fault", "residual-current", 8)
    assert simulator(fake).active == {("residual-current", 2)}


def test_a_fault_is_set_and_cleared(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/simulator")
    switch = page.get_by_role("switch", name="Current leaks to earth at socket 2")
    switch.check()
    expect(page.locator("#sim-faults")).to_contain_text("1 broken")
    expect(page.locator("#sim-cars")).to_contain_text("Out of order")
    switch.uncheck()
    expect(page.locator("#sim-faults")).to_contain_text("0 broken")
    page.get_by_label("Backend", exact=True).select_option(label="silent")
    expect(page.locator("#chips")).to_contain_text("no contact")
    assert simulator(fake).links["backend"] == {"up": False, "mode": "blackhole"}


def test_a_meter_is_added_fails_and_is_removed(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/simulator")
    page.get_by_role("button", name="Add a meter").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type").select_option(label="Modbus Eastron SDM630 (RTU)")
    dialog.get_by_label("Measures").select_option(label="Socket 2")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_be_hidden()
    card = page.locator("#sim-meters")
    expect(card).to_contain_text("127.0.0.1:1502")
    card.get_by_label("Fault of Modbus Eastron SDM630 (RTU)").select_option(label="slow")
    expect(card.locator(".tag")).to_have_text("slow")
    added, failed = simulator(fake).calls
    assert added[2] | {"port": 0, "unit": 0, "framing": "tcp", "serial": False} == added[2]
    assert (added[2]["type"], added[2]["source"]) == ("eastron_sdm630", "socket-2")
    assert failed == ("meter", "meter-1", {"fault": "slow"})
    card.get_by_role("button", name="Remove Modbus Eastron SDM630 (RTU)").click()
    expect(card).to_contain_text("No meter yet")


def test_building_load_and_photovoltaics_are_set(page: Page, site: Site, fake: Fake) -> None:
    page.goto(f"{site.url}/simulator")
    slider = page.get_by_label("Load on L1")
    slider.fill("25")
    expect(page.locator("#building-1-text")).to_have_text("25")
    page.get_by_label("Photovoltaics").fill("4000")
    expect(page.locator("#pv-text")).to_have_text("4000")
    page.reload()
    expect(slider).to_have_value("25")
    assert simulator(fake).site["building_a"] == [25, 6.5, 2]
    assert simulator(fake).site["pv_w"] == 4000


# Everybody ----------------------------------------------------------------------------------------


def test_the_theme_can_be_chosen_and_stays(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/account")
    page.get_by_label("Dark").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(site.url)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_calm_display_stops_all_motion(page: Page, site: Site, fake: Fake) -> None:
    fake.do(FakeHost.show_two_cars)
    moving = "document.getAnimations().length"
    page.goto(site.url)
    assert page.evaluate(moving) > 0
    page.goto(f"{site.url}/account")
    page.get_by_role("button", name="Switch motion off").click()
    page.goto(site.url)
    assert page.evaluate(moving) == 0


def test_the_first_tab_stop_skips_to_the_content(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sessions")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_phone_reaches_every_page(site: Site, fake: Fake, pages: Pages) -> None:
    phone = pages.open("phone")
    pages.log_in(phone, site)
    tabs = phone.get_by_role("navigation", name="Main, short")
    expect(tabs.get_by_role("link")).to_have_count(4)
    tabs.get_by_role("button", name="More").click()
    more = phone.get_by_role("dialog", name="More")
    for name in ("Backend", "Whitelists", "Account"):
        expect(more.get_by_role("link", name=name)).to_be_visible()
    more.get_by_role("button", name="Log out").click()
    phone.wait_for_url(f"{site.url}/login")


def test_the_countdown_runs(site: Site, fake: Fake, pages: Pages) -> None:
    def guess(host: FakeHost) -> None:
        for _ in range(20):
            host.accounts._attempts.count("installer", "127.0.0.1")

    fake.do(guess)
    page = pages.open()
    page.clock.install()
    page.goto(f"{site.url}/login")
    page.get_by_label("User name").fill("installer")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("Try again in")
    page.clock.run_for(int(LONGEST_DELAY_S * 1000))
    expect(page.get_by_role("alert")).to_contain_text("You can try again now.")


def test_a_master_card_is_registered(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/account")
    page.get_by_role("button", name="Register a card").click(no_wait_after=True)
    waiting = page.get_by_role("group", name="Cards of the simulator")
    waiting.get_by_role("button").first.click()
    expect(page.get_by_text("This is the master card now.")).to_be_visible()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("There is no master card any more.")).to_be_visible()


# The frame ----------------------------------------------------------------------------------------


def test_a_page_keeps_its_title_while_the_station_goes_on(
    page: Page, site: Site, fake: Fake
) -> None:
    page.goto(f"{site.url}/whitelists")
    fake.do(lambda host: host.status.edit(0, backend={"link": "off", "boot": "none", "queue": 0}))
    expect(page.locator("#chips")).to_contain_text("No backend")
    expect(page).to_have_title("[SIM] Whitelists – Station")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_header_stays_on_top_while_scrolling(page: Page, fake: Fake, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 500})
    covered = page.evaluate(
        """() => {
          const name = document.querySelector("#socket-2-name");
          scrollTo(0, scrollY + name.getBoundingClientRect().top - 10);
          const box = name.getBoundingClientRect();
          const above = document.elementFromPoint(box.left + 5, box.top + 5);
          return Boolean(above.closest(".page-head"));
        }"""
    )
    assert covered


def test_a_long_register_stays_on_one_line(page: Page, fake: Fake) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    fake.do(lambda host: host.status.edit(1, register_wh=2_615_060))
    register = page.locator("#socket-1 .facts dd").first
    expect(register).to_have_text("2,615.06\u202fkWh")
    one_line = register.evaluate(
        "each => each.getClientRects().length === 1 && each.offsetHeight < 40"
    )
    assert one_line
