"""Help: a page for everything that can go wrong (manual 9 and 10)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from httpx import Response

from borne.adapters.web.i18n import NAMES, Words
from borne.adapters.web.pages import help_checks, help_pages
from borne.application.ports.backend import StepResult
from borne.domain.help.remedies import LIGHTS, REMEDIES, Check, RemedyAction
from borne.domain.principals import Role
from borne.domain.settings import CATALOGUE as SETTINGS
from borne.domain.settings.active import ACTIVE
from borne.domain.station.faults import CATALOGUE, Fault, FaultScope, vendor_code
from borne.domain.station.indication import PATTERNS
from borne.domain.station.station_status import StationStatus
from tests.support.cases import every_case
from tests.support.fake_station import FakeControl, FakeHost, free_connector
from tests.support.fake_station import step as connection_step
from tests.support.status_reader import status_of
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import text_of

SINCE = "2026-11-22T09:57:00Z"


def raised(fault: Fault) -> dict[str, str]:
    return {"id": fault.value, "since": SINCE}


@pytest.fixture
async def person(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


# Every fault has its page -------------------------------------------------------------------------


async def test_the_dashboard_links_a_fault_to_its_help_page(person: Client, host: FakeHost) -> None:
    with every_case() as case:
        for fault, kind in CATALOGUE.items():
            with case(fault.value):
                of_station = kind.scope is FaultScope.STATION
                host.status.edit(2, faults=[] if of_station else [raised(fault)])
                host.status.edit(0, faults=[raised(fault)] if of_station else [])
                dashboard = (await person.get("/")).text
                assert f'href="/help/{fault.value}"' in dashboard
                page = text_of((await person.get(f"/help/{fault.value}")).text)
                for words in (kind.activation, kind.resolution, kind.code_16, vendor_code(fault)):
                    assert words in page
                assert f"Present now: {'Station' if of_station else 'Socket 2'}" in page


@pytest.mark.parametrize("language", sorted(set(NAMES) - {"en"}))
async def test_faults_are_shown_in_every_language(
    language: str, person: Client, host: FakeHost
) -> None:
    person.cookies.set("borne_language", language)
    words = Words(language)
    for fault, kind in CATALOGUE.items():
        station_wide = kind.scope is FaultScope.STATION
        host.status.edit(1, faults=[] if station_wide else [raised(fault)])
        host.status.edit(0, faults=[raised(fault)] if station_wide else [])
        present, gone = words(kind.activation), words(kind.resolution)
        assert {present, gone}.isdisjoint({kind.activation, kind.resolution})
        assert present in text_of((await person.get("/")).text)
        page = text_of((await person.get(f"/help/{fault.value}")).text)
        assert present in page
        assert gone in page


async def test_a_help_page_says_whether_one_can_charge_who_repairs_and_how(person: Client) -> None:
    with every_case() as case:
        for slug, remedy in REMEDIES.items():
            answer = await person.get(f"/help/{slug}")
            with case(slug):
                text = text_of(answer.text)
                assert answer.status_code == 200
                for words in (
                    remedy.title,
                    remedy.explanation,
                    remedy.clears,
                    "Is charging possible?",
                ):
                    assert Words("en")(words) in text
                for step in remedy.steps:
                    assert Words("en")(help_pages.text_of(step)) in text


async def test_an_unknown_help_page_answers_404(person: Client) -> None:
    assert (await person.get("/help/nothing")).status_code == 404


STEPS = [(slug, step) for slug, remedy in REMEDIES.items() for step in remedy.steps]


def test_a_step_has_settings_exactly_when_its_action_opens_them() -> None:
    for slug, step in STEPS:
        assert (step.action is RemedyAction.OPEN_SETTINGS) is bool(step.settings), (slug, step.text)
        assert all(key in SETTINGS.settings for key in step.settings)


def test_steps_name_active_settings_only() -> None:
    for slug, step in STEPS:
        if not set(step.settings) <= ACTIVE:
            assert step.without, (slug, step.text)
            assert help_pages.text_of(step) == step.without


def test_every_action_of_a_step_has_a_button() -> None:
    assert set(RemedyAction) == {*help_pages.LINKS, *help_pages.COMMANDS, *help_pages.ANSWERED}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INSTALLER, Role.MANUFACTURER])
async def test_help_links_only_to_what_is_on_its_page(role: Role, browser: Clients) -> None:
    person = await browser(role)
    pages: dict[str, Response] = {}
    with every_case() as case:
        for slug in REMEDIES:
            html = (await person.get(f"/help/{slug}")).text
            for address in re.findall(r'href="(/[^"]*)"', html):
                path, _, anchor = unescape(address).partition("#")
                if path not in pages:
                    pages[path] = await person.get(path, headers={"accept": "text/html"})
                with case(f"{address} on {slug}"):
                    assert pages[path].status_code == 200
                    assert not anchor or f'id="{anchor}"' in pages[path].text


async def test_help_for_a_card_that_is_not_read_offers_what_works(person: Client) -> None:
    text = text_of((await person.get("/help/card-not-read")).text)
    assert "cannot be set here yet" in text
    assert "factory reset" not in text


# The entrance -------------------------------------------------------------------------------------


async def test_present_faults_are_listed_first(person: Client, host: FakeHost) -> None:
    assert "No problem is known." in text_of((await person.get("/help")).text)
    host.status.edit(1, name="Left", faults=[raised(Fault.PLUG_LOCK)])
    html = (await person.get("/help")).text
    assert "Left: Plug lock failed" in text_of(html)
    assert html.index("Plug lock failed") < html.index("What do you see")


def test_every_pattern_of_the_ring_has_a_picture_and_a_meaning() -> None:
    shown = [name for _, names in help_pages.lights() for name in names]
    assert sorted(shown) == sorted(PATTERNS) == sorted(LIGHTS)
    assert {first for first, _ in help_pages.lights()} == help_pages.SEEN.keys()


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("available", ("Free: plug in, or show a card.", "Plugged in: show a card.")),
        ("reserved", ("Reserved by the operator", "The previous session is being ended")),
        ("faulted", ("Out of order because of a technical error.", "Error as soon as a car")),
        ("unavailable", ("Switched off by the operator, or no supply.", "All lights are off")),
    ],
)
async def test_a_light_pattern_is_explained(
    seen: str, expected: tuple[str, ...], person: Client
) -> None:
    text = text_of((await person.get(f"/help?seen={seen}")).text)
    for words in expected:
        assert words in text


@pytest.mark.parametrize("seen", ["finishing", "nothing", '"><script>'])
async def test_an_unknown_light_is_ignored(seen: str, person: Client) -> None:
    answer = await person.get("/help", params={"seen": seen})
    assert answer.status_code == 200
    assert 'id="meaning"' not in answer.text


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("earth", "Residual current detected via sensor", "All lights are off"),
        ("E12", "Type 2 actuator stuck", "Plug lock failed"),
        ("groundfailure", "RCD triggered", "Contactor welded"),
        ("RED lever", "Error as soon as a car", "RCD triggered"),
        ("zzz", "Nothing found", "RCD triggered"),
    ],
)
async def test_help_is_searched(query: str, found: str, missing: str, person: Client) -> None:
    answer = await person.get("/help", params={"q": query}, headers={"hx-request": "true"})
    text = text_of(answer.text)
    assert found in text
    assert missing not in text


# Steps --------------------------------------------------------------------------------------------


def status(*connectors: dict[str, Any], **more: Any) -> StationStatus:
    backend = {"link": "connected", "boot": "accepted"}
    return status_of({"connectors": connectors, "backend": backend} | more)


FREE = free_connector(1)
PLUGGED = free_connector(1) | {"pilot": "B1", "cable_a": 32}
ODD = free_connector(1) | {"pilot": "E"}
LOST = {"backend": {"link": "waiting", "boot": "none"}}
STUCK = free_connector(1) | {"faults": [raised(Fault.LOCK_STUCK)]}
NO_DNS = (connection_step("dns", "failed"),)
NO_TLS = (connection_step("dns"), connection_step("tls", "failed"))


@pytest.mark.parametrize(
    ("check", "seen", "steps", "expected"),
    [
        (Check.UNPLUGGED, status(FREE), (), True),
        (Check.UNPLUGGED, status(PLUGGED), (), False),
        (Check.PLUGGED, status(PLUGGED), (), True),
        (Check.PLUGGED, status(FREE), (), False),
        (Check.PILOT_IN_ORDER, status(PLUGGED), (), True),
        (Check.PILOT_IN_ORDER, status(ODD), (), False),
        (Check.LOCK_MOVES, status(FREE), (), True),
        (Check.LOCK_MOVES, status(STUCK), (), False),
        (Check.CONTACT_CLOSED, status(FREE), (), True),
        (Check.CONTACT_CLOSED, status(FREE, faults=[raised(Fault.RCD_TRIPPED)]), (), False),
        (Check.ROOM_ON_DISK, status(FREE, faults=[raised(Fault.STORAGE_FULL)]), (), False),
        (Check.BACKEND_CONNECTED, status(FREE), (), True),
        (Check.BACKEND_CONNECTED, status(FREE, **LOST), (), False),
        (Check.BACKEND_ACCEPTED, status(FREE), (), True),
        (Check.BACKEND_ACCEPTED, status(FREE, backend={"link": "connected"}), (), False),
        (Check.NETWORK_UP, status(FREE), (), True),
        (Check.NETWORK_UP, status(FREE, **LOST), NO_DNS, False),
        (Check.NETWORK_UP, status(FREE, **LOST), NO_TLS, True),
        (Check.NETWORK_UP, status(FREE, **LOST), (), None),
        (Check.CARD_SEEN, status(FREE), (), None),
    ],
)
def test_checks_follow_the_state_of_the_station(
    check: Check, seen: StationStatus, steps: tuple[StepResult, ...], expected: bool | None
) -> None:
    assert help_checks.passes(check, REMEDIES["other"], seen, steps) is expected


def test_a_check_looks_at_the_socket_with_the_fault() -> None:
    """A car at another socket does not matter."""
    faulted = free_connector(2) | {"faults": [raised(Fault.RESIDUAL_CURRENT)]}
    seen = status(PLUGGED, faulted)
    assert help_checks.passes(Check.UNPLUGGED, REMEDIES["residual-current"], seen) is True
    assert help_checks.passes(Check.UNPLUGGED, REMEDIES["rcd-tripped"], seen) is False


async def test_steps_are_ticked_while_the_fault_is_present(person: Client, host: FakeHost) -> None:
    before = text_of((await person.get("/help/residual-current")).text)
    assert "The station does not have this problem now." in before
    assert "not yet" not in before
    host.status.edit(2, cable_a=32, pilot="B2", faults=[raised(Fault.RESIDUAL_CURRENT)])
    text = text_of((await person.get("/help/residual-current")).text)
    assert "Unplug the car from the station. not yet" in text
    assert "Plug in again, firmly, until the plug is fully in. done" in text


async def test_buttons_act_on_the_socket_with_the_fault(person: Client, host: FakeHost) -> None:
    host.status.edit(2, faults=[raised(Fault.LOCK_STUCK)])
    html = (await person.get("/help/lock-stuck")).text
    assert 'action="/connectors/2/unlock"' in html
    assert 'action="/connectors/1/unlock"' not in html
    assert 'data-open="help-restart"' in html
    await person.post("/connectors/2/unlock")
    assert isinstance(host.all.control, FakeControl)
    assert host.all.control.calls[-1] == ("unlock", 2)


async def test_users_get_help_without_buttons(browser: Clients, host: FakeHost) -> None:
    host.status.edit(2, faults=[raised(Fault.LOCK_STUCK)])
    html = (await (await browser(Role.USER)).get("/help/lock-stuck")).text
    assert "Press the plug in while you let the station unlock." in html
    assert "/unlock" not in html
    assert "help-restart" not in html


async def test_settings_are_confirmed_on_the_help_page(person: Client, browser: Clients) -> None:
    html = (await person.get("/help/settings-damaged")).text
    assert "Installation Current Limit [A]</dt><dd>32\N{NARROW NO-BREAK SPACE}A</dd>" in html
    revision = re.search(r'action="(/settings/confirm\?revision=\d+)"', html)
    assert revision is not None
    old = await person.post("/settings/confirm?revision=4711")
    assert old.status_code == 409
    answer = await person.post(revision[1])
    assert (answer.status_code, answer.headers["location"]) == (303, "/help/settings-damaged")
    assert (await (await browser(Role.USER)).post("/settings/confirm")).status_code == 403


def test_every_light_and_every_way_of_clearing_has_a_text() -> None:
    words = Words("en")
    for first, _ in help_pages.lights():
        found = help_pages.light_of(first, words)
        assert found
        assert all(found.meanings)
    for kind in CATALOGUE.values():
        assert all(value for _, value in help_pages.facts(kind, words))
