"""Figures of the sessions per socket and per card, and forgetting who charged."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from borne.domain.principals import Role
from borne.domain.station.session import SessionFlag
from borne.domain.vehicle import IdentityKind
from tests.support.fake_station import FakeHost, FakeSessions
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import text_of

CARD = "04567DAA5F3580"


def figures(html: str) -> str:
    """The part below the list."""
    return text_of(html[html.index('id="figures"') :])


async def test_figures_per_socket_and_in_sum(browser: Clients) -> None:
    text = figures((await (await browser(Role.USER)).get("/sessions?month=2026-11")).text)
    assert "Figures of 2026-11" in text
    rows = re.findall(r"(Socket \d|All) (\d+) ([\d.]+)", text)
    assert [name for name, _, _ in rows] == ["Socket 1", "Socket 2", "All"]
    numbers = [int(number) for _, number, _ in rows]
    energies = [float(energy) for _, _, energy in rows]
    assert numbers[2] == numbers[0] + numbers[1] > 0
    assert energies[2] == pytest.approx(energies[0] + energies[1])
    assert "1\u202fh 00" in text


async def test_without_a_month_the_last_thirty_days_are_shown(browser: Clients) -> None:
    answer = await (await browser(Role.USER)).get("/sessions")
    assert "Figures of the last 30 days" in figures(answer.text)
    assert "/sessions?month=2026-10" in answer.text


@pytest.mark.parametrize(("role", "seen"), [(Role.USER, False), (Role.OPERATOR, True)])
async def test_figures_per_card_need_the_role_operator(
    role: Role, seen: bool, browser: Clients
) -> None:
    text = figures((await (await browser(role)).get("/sessions")).text)
    assert ("…5F3580" in text) is seen
    assert ("free charging" in text) is seen


async def test_only_cards_can_be_made_anonymous(browser: Clients) -> None:
    html = (await (await browser(Role.OPERATOR)).get("/sessions")).text
    assert f'name="id_token" value="{CARD}"' in html
    assert 'aria-label="Make …5F3580 anonymous"' in html
    assert "Make free charging anonymous" not in html


async def test_a_card_is_made_anonymous(browser: Clients, host: FakeHost) -> None:
    client = await browser(Role.OPERATOR)
    answer = await client.post("/sessions/anonymise", data={"id_token": CARD})
    assert answer.headers["location"] == "/sessions?forgotten=10"
    html = (await client.get(answer.headers["location"])).text
    assert "10 sessions made anonymous." in text_of(html)
    assert CARD not in html
    assert isinstance(host.all.sessions, FakeSessions)
    assert sum(each.energy_wh for each in host.all.sessions.records) > 0


@pytest.mark.parametrize("token", ["", "A" * 256])
async def test_making_anonymous_needs_a_card(token: str, browser: Clients, host: FakeHost) -> None:
    assert isinstance(host.all.sessions, FakeSessions)
    before = list(host.all.sessions.records)
    client = await browser(Role.OPERATOR)
    answer = await client.post("/sessions/anonymise", data={"id_token": token})
    assert answer.status_code == 422
    assert host.all.sessions.records == before


async def test_free_unreported_sessions_are_marked_not_billable(
    manufacturer_page: Client, host: FakeHost
) -> None:
    sessions = FakeSessions(4)
    given = sessions.records[3]
    assert given.start.identity.kind is IdentityKind.FREE
    host.replace(sessions=sessions)
    assert "not billable" not in text_of((await manufacturer_page.get("/sessions")).text)
    sessions.records[3] = replace(given, start=replace(given.start, reported=False))
    assert text_of((await manufacturer_page.get("/sessions")).text).count("not billable") == 1
    page = text_of((await manufacturer_page.get("/sessions/session-0003")).text)
    assert "not billable: free charging that is not reported to a backend" in page
    answer = (await manufacturer_page.get("/api/v1/sessions")).json()
    assert [each["billable"] for each in answer["sessions"]] == [True, True, True, False]


async def test_dates_without_a_zone_are_those_of_the_station(
    manufacturer_page: Client,
) -> None:
    changed = await manufacturer_page.patch("/api/v1/settings", json={"TimeZone": "Europe/Berlin"})
    assert changed.json()["applied"] == ["TimeZone"]
    whole = (await manufacturer_page.get("/api/v1/sessions")).json()["sessions"]
    began = datetime.fromisoformat(whole[2]["started_at"]).astimezone(ZoneInfo("Europe/Berlin"))
    local = began.replace(tzinfo=None).isoformat()
    for path in ("/api/v1/sessions", "/api/v1/sessions.csv"):
        for since in (local, began.isoformat(), began.astimezone(UTC).isoformat()):
            answer = await manufacturer_page.get(path, params={"since": since})
            assert answer.status_code == 200
            assert answer.text.count(whole[2]["id"]) == 1
            assert whole[3]["id"] not in answer.text
        assert (
            await manufacturer_page.get(path, params={"since": "0001-01-01"})
        ).status_code == 200


@pytest.fixture
async def manufacturer_page(browser: Clients) -> Client:
    return await browser(Role.MANUFACTURER)


def test_metered_sessions_are_billable_unless_free_and_unreported() -> None:
    record = FakeSessions(1).records[0]
    unmetered = frozenset({SessionFlag.NOT_BILLABLE})
    for kind, reported, flags, billable in (
        (IdentityKind.RFID, True, frozenset[SessionFlag](), True),
        (IdentityKind.RFID, False, frozenset[SessionFlag](), True),
        (IdentityKind.FREE, True, frozenset[SessionFlag](), True),
        (IdentityKind.FREE, False, frozenset[SessionFlag](), False),
        (IdentityKind.RFID, True, unmetered, False),
    ):
        identity = replace(record.start.identity, kind=kind)
        start = replace(record.start, identity=identity, reported=reported, flags=flags)
        assert replace(record, start=start).billable is billable
