"""Pages as browsers get them, without a browser: texts, forms, fragments."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from io import BytesIO
from zipfile import ZipFile

import pytest

from borne.domain.principals import Role
from tests.support.fake_station import (
    PASSWORD,
    FakeBackend,
    FakeControl,
    FakeHost,
    FakeRestarter,
    FakeSessions,
    whitelist,
)
from tests.unit.adapters.web.conftest import BASE, Client, Clients

HTMX = {"hx-request": "true"}
PAGES = [
    "/",
    "/sessions",
    "/sessions/session-0003",
    "/settings",
    "/settings/network",
    "/settings/backend",
    "/settings/authorization",
    "/settings/whitelists",
    "/settings/load-management",
    "/load",
    "/settings/installation",
    "/settings/system",
    "/settings/search?q=limit",
    "/whitelists",
    "/whitelists/import",
    "/backend",
    "/backend/presets",
    "/help",
    "/help?seen=faulted",
    "/help/lock-stuck",
    "/simulator",
    "/account",
    "/account/password",
]
MAX_PAGE_BYTES = 150_000


def text_of(html: str) -> str:
    """What a reader sees, in one line."""
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"[ \t\r\n\u00a0]+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.fixture
async def manufacturer(browser: Clients) -> Client:
    return await browser(Role.MANUFACTURER)


# All pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_a_complete_document(path: str, manufacturer: Client) -> None:
    answer = await manufacturer.get(path)
    html = answer.text
    assert answer.status_code == 200
    assert html.startswith("<!doctype html>")
    assert '<html lang="en"' in html
    assert html.count("<h1") == 1
    assert html.count("<main") == 1
    assert 'href="#main"' in html
    assert "SIMULATION" in html
    assert re.search(r"<title>\[SIM\] \S", html)
    assert len(answer.content) < MAX_PAGE_BYTES


@pytest.mark.parametrize("path", [*PAGES, "/login", "/nothing"])
async def test_every_page_keeps_the_content_security_policy(
    path: str, manufacturer: Client
) -> None:
    if path == "/login":
        await manufacturer.post("/logout")
    html = (await manufacturer.get(path)).text
    assert not re.search(r"\sstyle=", html)
    assert not re.search(r"\son\w+=", html)
    assert "<style" not in html
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert "hx-on" not in html
    assert "js:" not in html


@pytest.mark.parametrize("path", PAGES)
async def test_ids_are_unique_and_labels_belong_to_a_field(path: str, manufacturer: Client) -> None:
    html = (await manufacturer.get(path)).text
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)), sorted({name for name in ids if ids.count(name) > 1})
    for target in re.findall(r'<label[^>]*\sfor="([^"]+)"', html):
        assert target in ids
    for target in re.findall(r'data-open="([^"]+)"', html):
        assert target in ids


@pytest.mark.parametrize("path", PAGES)
async def test_real_hardware_shows_no_trace_of_a_simulator(
    path: str, manufacturer: Client, host: FakeHost
) -> None:
    host.power = None
    host.replace(simulator=None)
    answer = await manufacturer.get(path)
    if path == "/simulator":
        assert answer.status_code == 404
    else:
        assert "[SIM]" not in answer.text
        assert "SIMULATION" not in answer.text
        assert "/simulator" not in answer.text


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
async def test_the_server_sets_the_theme_of_the_page(theme: str, manufacturer: Client) -> None:
    await manufacturer.post("/preferences", data={"theme": theme, "calm": "1", "next": "/account"})
    html = (await manufacturer.get("/")).text
    assert ("data-theme" in html) is (theme != "auto")
    assert (f'data-theme="{theme}"' in html) is (theme != "auto")
    assert "data-calm" in html


async def test_an_unknown_preference_is_ignored(manufacturer: Client) -> None:
    data = {"theme": '"><script>', "language": "xx", "calm": "2", "next": "//evil.test"}
    answer = await manufacturer.post("/preferences", data=data)
    assert answer.headers["location"] == "/"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("path", "target"),
    [
        *(
            (path, "/settings/installation")
            for path in (
                "/operator",
                "/operator/operator",
                "/legacy",
                "/legacy/operator",
                "/legacy/operator/operator",
                "/legacy/manufacturer/manufacturer",
            )
        ),
        ("/doc", "/help"),
        ("/doc/doc_1", "/settings/search"),
        ("/doc/doc_2", "/settings/search"),
        ("/doc/other", "/help"),
    ],
)
async def test_the_addresses_in_the_manual_redirect(path: str, target: str, anyone: Client) -> None:
    """They lead to the login, and from there to a page that exists."""
    answer = await anyone.get(path)
    assert answer.headers["location"] == f"/login?next={target}"
    assert f'value="{target}"' in (await anyone.get(answer.headers["location"])).text


@pytest.mark.parametrize("target", ["/settings/installation", "/settings/search", "/help"])
async def test_the_addresses_in_the_manual_redirect_to_pages_that_exist(
    target: str, manufacturer: Client
) -> None:
    assert (await manufacturer.get(target)).status_code == 200


async def test_a_page_redirects_to_the_login_and_back(anyone: Client) -> None:
    answer = await anyone.get("/settings/system?show=changed", headers={"accept": "text/html"})
    target = "/login?next=/settings/system%3Fshow%3Dchanged"
    assert (answer.status_code, answer.headers["location"]) == (303, target)
    form = await anyone.get(target)
    assert 'value="/settings/system?show=changed"' in form.text


# Errors -------------------------------------------------------------------------------------------


async def test_an_unknown_page_answers_404(manufacturer: Client) -> None:
    answer = await manufacturer.get("/nothing")
    assert answer.status_code == 404
    assert "This page does not exist" in answer.text


async def test_a_page_of_a_stronger_role_answers_403(browser: Clients) -> None:
    answer = await (await browser(Role.USER)).get("/settings")
    assert answer.status_code == 403
    assert "You are user; this needs operator." in text_of(answer.text)
    assert "Change role" in answer.text


async def test_an_unexpected_error_shows_a_number(
    manufacturer: Client, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(host.all.sessions, "page", broken)
    answer = await manufacturer.get("/sessions")
    assert answer.status_code == 500
    assert re.search(r"Error number\s+[0-9a-f]{8}", text_of(answer.text))
    assert "secret inside" not in answer.text


async def test_without_power_the_page_says_so(manufacturer: Client, host: FakeHost) -> None:
    host.powered = False
    answer = await manufacturer.get("/")
    assert answer.status_code == 503
    assert "The station has no power" in answer.text
    assert "Restore power" in answer.text


async def test_without_a_login_there_is_no_power_switch(anyone: Client, host: FakeHost) -> None:
    host.powered = False
    answer = await anyone.get("/", headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "Restore power" not in answer.text


# Dashboard ----------------------------------------------------------------------------------------


async def test_units_and_signs_are_written_as_in_the_language(
    manufacturer: Client, host: FakeHost
) -> None:
    manufacturer.cookies.set("borne_language", "fr")
    fault = {"id": "residual-current", "since": "2026-11-22T09:57:00Z"}
    host.status.edit(2, state="faulted", led="faulted", faults=[fault], name="Right")
    assert "Right\u00a0: Courant" in (await manufacturer.get("/")).text
    text = text_of((await manufacturer.get("/settings/system")).text)
    assert "3650\u202fjours" in text


async def test_the_dashboard_has_a_sentence_for_the_state(
    manufacturer: Client, host: FakeHost
) -> None:
    host.show_two_cars()
    text = text_of((await manufacturer.get("/")).text)
    for words in (
        "Charging now: 10.3\u202fkW",
        "Left Charging at 7.3\u202fkW",
        "Right Charging at 3.0\u202fkW",
        "12.34\u202fkWh",
        "…5F3580",
        "13 / 10.7\u202fA",
        "Why 13\u202fA?",
        "Load management lowest · fair share among the sockets",
        "23.7 / 32\u202fA",
        "60",
    ):
        assert words in text


async def test_a_fault_is_shown_at_the_top(manufacturer: Client, host: FakeHost) -> None:
    fault = {"id": "residual-current", "since": "2026-11-22T09:57:00Z"}
    host.status.edit(2, state="faulted", led="faulted", faults=[fault], name="Right")
    html = (await manufacturer.get("/")).text
    text = text_of(html)
    assert "Right: Residual current detected via sensor for 3\u202fmin" in text
    assert "Out of order: Residual current detected via sensor" in text
    assert html.index('class="problem') < html.index('id="flow"')


@pytest.mark.parametrize(
    ("state", "led", "plugged", "sentence"),
    [
        ("available", "available", None, "Free"),
        ("reserved", "reserved", None, "Reserved"),
        ("preparing", "preparing", 32, "Plugged in: hold a card to the reader"),
        ("preparing", "checking", 32, "Checking card …"),
        ("preparing", "rejected", 32, "Card refused"),
        ("authorized", "authorized", None, "Accepted: plug in"),
        ("authorized", "authorized", 32, "Accepted: waiting for the car"),
        ("charging", "charging", 32, "Charging"),
        ("suspended_ev", "charging", 32, "Car is full or waiting"),
        ("suspended_evse", "charging", 32, "Waiting for power"),
        ("finishing", "finishing", 32, "Ending the previous charge"),
        ("finishing", "available", 32, "Ended: please unplug"),
        ("unavailable", "unavailable", None, "Switched off by operator"),
        ("faulted", "faulted", None, "Out of order"),
        ("available", "updating", None, "Updating, up to 10\u202fmin"),
    ],
)
async def test_each_state_has_a_sentence(
    state: str,
    led: str,
    plugged: int | None,
    sentence: str,
    manufacturer: Client,
    host: FakeHost,
) -> None:
    host.status.edit(1, state=state, led=led, cable_a=plugged)
    assert f"Socket 1 {sentence} " in text_of((await manufacturer.get("/")).text)


async def test_the_page_without_sessions(manufacturer: Client, host: FakeHost) -> None:
    host.replace(sessions=FakeSessions(0))
    assert "No charge yet." in (await manufacturer.get("/")).text
    assert "No charge yet." in (await manufacturer.get("/sessions")).text


@pytest.mark.parametrize(
    ("action", "role", "status"),
    [
        ("start", Role.USER, 403),
        ("unlock", Role.USER, 403),
        ("disable", Role.USER, 403),
        ("unlock", Role.OPERATOR, 303),
        ("disable", Role.OPERATOR, 303),
        ("enable", Role.OPERATOR, 303),
        ("stop", Role.OPERATOR, 409),
        ("explode", Role.OPERATOR, 404),
    ],
)
async def test_buttons_of_a_socket_answer_by_role(
    action: str, role: Role, status: int, browser: Clients
) -> None:
    client = await browser(role)
    assert (await client.post(f"/connectors/1/{action}")).status_code == status


async def test_a_button_with_htmx_answers_with_a_message(
    manufacturer: Client, host: FakeHost
) -> None:
    host.show_two_cars()
    answer = await manufacturer.post("/connectors/1/stop", headers=HTMX)
    assert "The session ends." in answer.text
    assert 'hx-target="#toasts"' in answer.text
    refused = await manufacturer.post("/connectors/1/stop", headers=HTMX)
    assert refused.json()["message"] == "Nothing is charging at socket 1."
    assert isinstance(host.all.control, FakeControl)
    assert [name for name, *_ in host.all.control.calls] == ["end_session"]


async def test_users_see_only_what_they_may_do(browser: Clients) -> None:
    html = (await (await browser(Role.USER)).get("/")).text
    assert "Make unavailable" not in html
    assert "/connectors/" not in html
    assert 'href="/settings"' not in html
    assert 'href="/sessions"' in html


# Settings -----------------------------------------------------------------------------------------


async def stage(client: Client, menu: str = "load-management", **fields: str | list[str]) -> str:
    data = {"_menu": menu, "_show": "", **fields}
    answer = await client.post("/settings/stage", data=data, headers=HTMX)
    assert answer.status_code == 200
    return answer.text


async def test_a_change_is_staged_not_saved(manufacturer: Client, host: FakeHost) -> None:
    html = await stage(manufacturer, OperatorCurrentLimit="16")
    assert "1 unsaved change" in html
    assert host.all.settings.settings["OperatorCurrentLimit"] == 32
    page = (await manufacturer.get("/settings/load-management")).text
    assert re.search(r'name="OperatorCurrentLimit" value="16"', page)
    assert "not saved" in page
    for path in ("/settings", "/settings/system"):
        assert "1 unsaved change" in (await manufacturer.get(path)).text


async def test_saving_applies_all(manufacturer: Client, host: FakeHost) -> None:
    await stage(manufacturer, OperatorCurrentLimit="16")
    await stage(manufacturer, menu="system", StationName="Car park left")
    answer = await manufacturer.post(
        "/settings/save", data={"_menu": "load-management", "_show": ""}, headers=HTMX
    )
    assert "Saved." in answer.text
    assert "unsaved" not in answer.text
    settings = host.all.settings.settings
    assert settings["OperatorCurrentLimit"] == 16
    assert "Car park left" in (await manufacturer.get("/")).text


async def test_a_wrong_value_stays_with_its_error(manufacturer: Client, host: FakeHost) -> None:
    html = await stage(manufacturer, OperatorCurrentLimit="99")
    assert "1 of 1 changes need attention" in html
    assert 'aria-invalid="true"' in html
    assert 'value="99"' in html
    answer = await manufacturer.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    assert "Not saved: some changes need attention." in answer.text
    assert host.all.settings.settings["OperatorCurrentLimit"] == 32


async def test_changes_are_listed_old_to_new_and_undone_one_by_one(manufacturer: Client) -> None:
    await stage(manufacturer, OperatorCurrentLimit="16")
    html = await stage(manufacturer, OperatorCurrentLimit_2="20")
    text = text_of(html)
    assert "Operator Current Limit [A] 32\u202fA → 16\u202fA" in text
    assert "Operator Current Limit [A] (Connector 2) 32\u202fA → 20\u202fA" in text
    answer = await manufacturer.post(
        "/settings/undo/OperatorCurrentLimit", data={"_menu": "load-management"}, headers=HTMX
    )
    assert "1 unsaved change" in answer.text
    reset = await manufacturer.post("/settings/reset", data={"_menu": ""}, headers=HTMX)
    assert "unsaved" not in reset.text


async def test_a_switch_shows_what_depends_on_it(manufacturer: Client) -> None:
    before = (await manufacturer.get("/settings/load-management")).text
    assert 'name="ModbusTCPServerBasePort"' not in before
    html = await stage(manufacturer, ModbusTCPServer=["off", "on"])
    assert 'name="ModbusTCPServerBasePort"' in html
    html = await stage(manufacturer, ModbusTCPServer="off")
    assert 'name="ModbusTCPServerBasePort"' not in html


async def test_three_phases_are_one_value(manufacturer: Client, host: FakeHost) -> None:
    await stage(manufacturer, DLMRole="master")
    html = await stage(manufacturer, DLMEVSESubDistributionLimit=["63", "63", "50"])
    assert "63 / 63 / 50" in text_of(html)


async def test_a_secret_is_never_shown(manufacturer: Client) -> None:
    html = await stage(manufacturer, menu="network", APNPassword="hunter2-secret")
    assert "hunter2-secret" not in html
    await manufacturer.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    page = (await manufacturer.get("/settings/network")).text
    assert "hunter2-secret" not in page
    assert "set, not shown" in page
    assert "hunter2" not in (await manufacturer.get("/settings/draft.json")).text


async def test_the_default_can_be_put_back(manufacturer: Client, host: FakeHost) -> None:
    await stage(manufacturer, OperatorCurrentLimit="16")
    await manufacturer.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    assert "Default: 32" in (await manufacturer.get("/settings/load-management")).text
    html = await stage(manufacturer, _default="OperatorCurrentLimit")
    assert "16\u202fA → 32\u202fA" in text_of(html)


async def test_a_setting_of_a_stronger_role_is_shown_locked(browser: Clients) -> None:
    operator = await browser(Role.OPERATOR)
    text = text_of((await operator.get("/settings/installation")).text)
    assert "Set by the manufacturer: log in as manufacturer." in text


async def test_a_conflict_is_resolved_by_choosing_a_value(browser: Clients, host: FakeHost) -> None:
    one, other = await browser(Role.OPERATOR), await browser(Role.INSTALLER)
    await stage(one, OperatorCurrentLimit="16")
    await stage(other, OperatorCurrentLimit="20")
    await other.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    answer = await one.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    text = text_of(answer.text)
    assert "Not saved: another user changed the same settings." in text
    assert "Another user changed it meanwhile; it is now 20\u202fA." in text
    await one.post("/settings/keep/OperatorCurrentLimit", data={"_menu": ""}, headers=HTMX)
    await one.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    assert host.all.settings.settings["OperatorCurrentLimit"] == 16


async def test_unsaved_changes_belong_to_a_login_and_end_with_it(
    browser: Clients, host: FakeHost
) -> None:
    one, other = await browser(Role.OPERATOR), await browser(Role.INSTALLER)
    await stage(one, OperatorCurrentLimit="16")
    assert "unsaved" not in (await other.get("/settings")).text
    await one.post("/logout")
    data = {"name": "operator", "password": PASSWORD}
    await one.post("/login", data=data)
    assert "unsaved" not in (await one.get("/settings")).text


async def test_save_and_restart(manufacturer: Client, host: FakeHost) -> None:
    html = await stage(manufacturer, ModbusTCPServer="on")
    assert "Save &amp; restart" in html
    data = {"_menu": "load-management", "restart": "now"}
    answer = await manufacturer.post("/settings/save", data=data, headers=HTMX)
    assert "Restarting" in answer.text
    assert isinstance(host.all.restarter, FakeRestarter)
    assert host.all.restarter.asked == ["now"]


async def test_the_system_page_restarts_and_offers_the_logs(
    browser: Clients, host: FakeHost
) -> None:
    """Manual 10: "Download log files"."""
    client = await browser(Role.OPERATOR)
    page = (await client.get("/settings/system")).text
    assert 'action="/settings/restart"' in page
    assert 'href="/settings/system/logs.zip"' in page
    for when in ("now", "idle"):
        await client.post("/settings/restart", data={"restart": when})
    assert isinstance(host.all.restarter, FakeRestarter)
    assert host.all.restarter.asked == ["now", "idle"]

    async def files() -> dict[str, str]:
        return {"log.jsonl": "{}\n", "settings.json": "{}"}

    host.replace(collect_logs=files)
    answer = await client.get("/settings/system/logs.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith('.zip"')
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["log.jsonl", "settings.json"]


async def test_a_restart_that_waits_says_so(browser: Clients, host: FakeHost) -> None:
    client = await browser(Role.OPERATOR)
    host.show_two_cars()
    answer = await client.post("/settings/restart", data={"restart": "idle"}, headers=HTMX)
    assert "The station restarts as soon as no car is charging." in answer.text
    assert "Saved." not in answer.text


async def test_log_files_are_packed_one_at_a_time(browser: Clients, host: FakeHost) -> None:
    client = await browser(Role.OPERATOR)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> dict[str, str]:
        begun.set()
        await go_on.wait()
        return {}

    host.replace(collect_logs=slow)
    first = asyncio.create_task(client.get("/settings/system/logs.zip"))
    await begun.wait()
    headers = {"accept": "application/json"}
    second = await client.get("/settings/system/logs.zip", headers=headers)
    assert (second.status_code, second.json()["error"]) == (503, "busy")
    go_on.set()
    assert (await first).status_code == 200


async def test_a_pending_restart_is_shown(manufacturer: Client) -> None:
    await stage(manufacturer, ModbusTCPServer="on")
    await manufacturer.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    html = (await manufacturer.get("/settings/load-management")).text
    assert "1 setting works after a restart." in html
    assert "works after restart" in html


async def test_a_restart_while_somebody_charges_asks(manufacturer: Client, host: FakeHost) -> None:
    host.show_two_cars()
    html = await stage(manufacturer, ModbusTCPServer="on")
    assert "Restart when free" in html
    data = {"_menu": "", "restart": "idle"}
    answer = await manufacturer.post("/settings/save", data=data, headers=HTMX)
    assert "restarts as soon as no car is charging" in answer.text
    assert isinstance(host.all.restarter, FakeRestarter)
    assert host.all.restarter.asked == ["idle"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("operatorcurrentlimit", "Operator Current Limit"),
        ("modbus port", "Modbus TCP Server Base Port"),
        ("smtp", "SMTP password"),
        ("zzzzz", "Nothing found."),
    ],
)
async def test_settings_are_searched(query: str, found: str, manufacturer: Client) -> None:
    for headers in ({}, HTMX):
        answer = await manufacturer.get("/settings/search", params={"q": query}, headers=headers)
        assert found in text_of(answer.text)


async def test_settings_are_filtered_by_changed(manufacturer: Client) -> None:
    html = (await manufacturer.get("/settings/system?show=changed")).text
    assert "Everything on this page has its default." in html
    await stage(manufacturer, menu="system", StationName="Left")
    html = (await manufacturer.get("/settings/system?show=changed")).text
    assert 'name="StationName"' in html
    assert 'name="TimeZone"' not in html


# Lists --------------------------------------------------------------------------------------------


async def test_a_card_is_added_found_deleted_and_brought_back(
    manufacturer: Client, host: FakeHost
) -> None:
    data = {"token": "0a:0e:9b:83", "name": "Eve", "connector": "2", "kind": "RFID"}
    added = await manufacturer.post("/whitelists/add", data=data, headers=HTMX)
    assert "0A0E9B83 added." in added.text
    found = await manufacturer.get("/whitelists", params={"q": "eve"}, headers=HTMX)
    assert "0A0E9B83" in found.text
    assert "1 of 10" in text_of(found.text)
    data = {"token": "0A0E9B83", "connector": "2"}
    gone = await manufacturer.post("/whitelists/remove", data=data, headers=HTMX)
    assert "0A0E9B83 deleted." in gone.text
    assert "Undo" in gone.text
    assert host.all.whitelist.page(search="0A0E9B83") == ([], 0)
    back = await manufacturer.post("/whitelists/undo", headers=HTMX)
    assert "1 entry is back." in back.text
    [entry], _ = host.all.whitelist.page(search="0A0E9B83")
    assert (entry.name, entry.connector) == ("Eve", 2)


async def test_an_invalid_card_number_keeps_what_was_typed(manufacturer: Client) -> None:
    data = {"token": "hello", "name": "Eve"}
    answer = await manufacturer.post("/whitelists/add", data=data)
    assert answer.status_code == 422
    assert "A card number has only the digits" in answer.text
    assert 'value="hello"' in answer.text
    assert 'value="Eve"' in answer.text


async def test_long_lists_are_paged(manufacturer: Client, host: FakeHost) -> None:
    host.replace(whitelist=await whitelist(host.all.clock, 120))
    assert "Page 1 of 3" in (await manufacturer.get("/whitelists")).text
    last = text_of((await manufacturer.get("/whitelists", params={"page": 3})).text)
    assert "Page 3 of 3" in last


async def test_sessions_by_month_and_socket(manufacturer: Client) -> None:
    text = text_of((await manufacturer.get("/sessions?month=2026-11&socket=1")).text)
    assert "30 sessions" in text
    assert "Unplugged" in text
    empty = await manufacturer.get("/sessions?month=2020-01")
    assert "No charging sessions in this period." in empty.text


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "separator=,"),
        ("?socket=1", "separator=,&connector=1"),
        (
            "?month=2026-12",
            "separator=,&since=2026-12-01T00:00:00Z&until=2027-01-01T00:00:00Z",
        ),
        ("?month=2026-1x", "separator=,"),
    ],
)
async def test_the_export_follows_the_filter(query: str, target: str, manufacturer: Client) -> None:
    answer = await manufacturer.get(f"/sessions/export{query}")
    assert answer.headers["location"] == f"/api/v1/sessions.csv?{target}"
    assert (await manufacturer.get(answer.headers["location"])).status_code == 200


async def test_a_session_with_its_curve_and_notes(manufacturer: Client) -> None:
    text = text_of((await manufacturer.get("/sessions/session-0005")).text)
    assert "not billable: there is no billing meter" in text
    html = (await manufacturer.get("/sessions/session-0005")).text
    assert "<line-chart data-chart=" in html
    assert "Show as table" in html


# Backend ------------------------------------------------------------------------------------------


async def test_the_connection_steps_show_the_failing_one_and_its_remedy(
    manufacturer: Client, host: FakeHost
) -> None:
    assert isinstance(host.all.backend, FakeBackend)
    text = text_of((await manufacturer.get("/backend")).text)
    assert "Connected (send heartbeat in 48 seconds)" in text
    host.all.backend.lost = True
    text = text_of((await manufacturer.get("/backend")).text)
    assert "Not connected; next try in 12 seconds" in text
    assert "HTTP 401 Unauthorized" in text
    assert "password or ChargeBoxIdentity" in text
    assert "3 transaction messages wait for the backend." in text


async def test_messages_are_paired_and_heartbeats_folded(manufacturer: Client) -> None:
    text = text_of((await manufacturer.get("/backend")).text)
    assert "5 heartbeats" in text
    assert text.count("StatusNotification") >= 7
    errors = text_of((await manufacturer.get("/backend?errors=1", headers=HTMX)).text)
    assert "InternalError" in errors
    assert "heartbeats" not in errors
    only = text_of((await manufacturer.get("/backend?action=Heartbeat", headers=HTMX)).text)
    assert "StatusNotification" not in only
    assert only.count("Heartbeat") >= 33


async def test_the_backend_page_without_a_backend(manufacturer: Client, host: FakeHost) -> None:
    host.replace(backend=None)
    text = text_of((await manufacturer.get("/backend")).text)
    assert "No backend. The station works on its own." in text


# Account ------------------------------------------------------------------------------------------


async def test_the_first_login_sets_a_password(anyone: Client) -> None:
    anyone.headers["accept"] = "text/html"
    await anyone.post("/login", data={"name": "operator", "password": "yellow_zone"})
    page = (await anyone.get("/account/password")).text
    assert "Set your password" in page
    assert 'name="current"' not in page
    for data, problem in (
        ({"new": PASSWORD, "again": "other"}, "are not the same"),
        ({"new": "short", "again": "short"}, "Use at least 8 characters."),
        ({"new": "yellow_zone", "again": "yellow_zone"}, "is printed in the manual"),
    ):
        answer = await anyone.post("/account/password", data=data, headers={"origin": BASE})
        assert answer.status_code == 422
        assert problem in answer.text
    assert (await anyone.get("/")).headers["location"] == "/account/password"


async def test_a_token_is_shown_once(manufacturer: Client, host: FakeHost) -> None:
    data = {"name": "Excel", "role": "operator"}
    page = (await manufacturer.post("/account/tokens", data=data)).text
    found = re.search(r"borne_[\w-]{43}", page)
    assert found
    assert host.accounts.token(found[0]) is not None
    again = (await manufacturer.get("/account")).text
    assert found[0] not in again
    assert "Excel" in again
    token_id = re.search(r"/account/tokens/(\w+)/delete", again)
    assert token_id
    await manufacturer.post(f"/account/tokens/{token_id[1]}/delete")
    assert host.accounts.token(found[0]) is None


async def test_a_token_cannot_have_more_rights_than_its_maker(browser: Clients) -> None:
    operator = await browser(Role.OPERATOR)
    data = {"name": "x", "role": "manufacturer"}
    assert (await operator.post("/account/tokens", data=data)).status_code == 403


async def test_a_password_for_a_weaker_role(manufacturer: Client, host: FakeHost) -> None:
    assert (
        await manufacturer.post("/account/passwords/user", data={"new": PASSWORD})
    ).status_code == 303
    _, login = await host.accounts.login("user", PASSWORD, "127.0.0.1")
    assert login.must_change
    weak = await manufacturer.post("/account/passwords/user", data={"new": "x"})
    assert weak.status_code == 422
    own = await manufacturer.post("/account/passwords/manufacturer", data={"new": PASSWORD})
    assert own.status_code == 403
