"""The charging profiles of the backend, seen and cleared by people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from borne.domain.principals import Role
from borne.domain.smart_charging.profiles import (
    Installed,
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Schedule,
)
from tests.support.fake_station import FakeHost, FakeProfiles
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import text_of

PAGE, API = "/backend/profiles", "/api/v1/charging-profiles"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def profile(number: int, connector: int = 1, periods: int = 1) -> Installed:
    steps = tuple(Period(60 * index, 6.0 + index, 3) for index in range(periods))
    schedule = Schedule(RateUnit.AMPERE, steps, 3600, NOON)
    return Installed(
        connector, Profile(number, 2, Purpose.DEFAULT, ProfileKind.ABSOLUTE, schedule), NOON, None
    )


def install(host: FakeHost, *entries: Installed) -> FakeProfiles:
    profiles = host.all.charging_profiles
    assert isinstance(profiles, FakeProfiles)
    profiles.install(*entries)
    return profiles


@pytest.fixture
async def person(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


async def test_the_api_lists_the_profiles(person: Client, host: FakeHost) -> None:
    install(host, profile(7))
    assert (await person.get(API)).json() == {
        "profiles": [
            {
                "id": 7,
                "connector": 1,
                "purpose": "TxDefaultProfile",
                "kind": "Absolute",
                "recurrency": None,
                "stack_level": 2,
                "session": None,
                "received_at": "2026-11-22T12:00:00Z",
                "valid_from": None,
                "valid_to": None,
                "start": "2026-11-22T12:00:00Z",
                "duration_s": 3600,
                "unit": "A",
                "periods": [{"start_s": 0, "limit": 6.0, "phases": 3}],
            }
        ]
    }


async def test_the_api_clears_one_profile_or_all(person: Client, host: FakeHost) -> None:
    profiles = install(host, profile(7), profile(8), profile(-1))
    assert (await person.delete(f"{API}/8")).json() == {"removed": 1}
    assert (await person.delete(f"{API}/8")).status_code == 404
    assert (await person.delete(f"{API}/-1")).json() == {"removed": 1}
    assert [entry.profile.profile_id for entry in profiles.entries] == [7]
    assert (await person.delete(API)).json() == {"removed": 1}
    assert (await person.delete(API)).json() == {"removed": 0}


@pytest.mark.parametrize("number", ["x", "1.5", "9" * 30])
async def test_an_unknown_profile_answers_404(person: Client, host: FakeHost, number: str) -> None:
    profiles = install(host, profile(7))
    assert (await person.delete(f"{API}/{number}")).status_code == 422
    assert (await person.post(f"{PAGE}/remove", data={"id": number})).status_code == 404
    assert len(profiles.entries) == 1


async def test_the_page_shows_and_clears_them(person: Client, host: FakeHost) -> None:
    profiles = install(host, profile(7), profile(8, connector=0, periods=9))
    text = text_of((await person.get(PAGE)).text)
    for words in ("2 profiles", "every session", "6\u202fA", "and 3 more", "Absolute", "all"):
        assert words in text
    answer = await person.post(f"{PAGE}/remove", data={"id": "7"})
    assert answer.headers["location"] == PAGE
    assert [entry.profile.profile_id for entry in profiles.entries] == [8]
    await person.post(f"{PAGE}/clear")
    assert "does not limit the current" in text_of((await person.get(PAGE)).text)


async def test_a_user_may_not_clear_profiles(browser: Clients, host: FakeHost) -> None:
    profiles = install(host, profile(7))
    user = await browser(Role.USER)
    assert (await user.get(PAGE)).status_code == 403
    assert (await user.get(API)).status_code == 403
    assert (await user.delete(API)).status_code == 403
    assert (await user.delete(f"{API}/7")).status_code == 403
    assert len(profiles.entries) == 1
