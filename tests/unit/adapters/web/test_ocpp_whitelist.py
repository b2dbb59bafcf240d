"""What the backend said of cards, on its page (manual 5.4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from borne.adapters.web.pages.ocpp_whitelist import STATUSES
from borne.application.authorization.token_lists import BackendTokens
from borne.application.ports.backend import IdTagInfo
from borne.domain.principals import Role
from borne.domain.settings.choices import CacheExpiry
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import text_of

PAGE = "/whitelists/ocpp"


async def know(host: FakeHost, *tags: str, status: str = "Accepted", **info: object) -> None:
    tokens = host.all.ocpp_whitelist
    assert isinstance(tokens, BackendTokens)
    for tag in tags:
        answer = IdTagInfo(status=status, **info)  # type: ignore[arg-type]  # the test's own names
        await tokens.learn(tag, answer, CacheExpiry.END_2038)


@pytest.fixture
async def person(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


async def test_entries_are_listed(person: Client, host: FakeHost) -> None:
    await know(host, "04aabbcc", parent="FLEET")
    await know(host, "04ddeeff", status="Blocked")
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await know(host, "04112233", expires_at=long_ago)
    text = text_of((await person.get(PAGE)).text)
    for words in ("04aabbcc", "accepted", "FLEET", "2038", "blocked", "expired", "3 entries"):
        assert words in text
    assert "comes back when the backend accepts the card again" in text


async def test_entries_are_searched(person: Client, host: FakeHost) -> None:
    await know(host, "04aabbcc", "04ddeeff")
    text = text_of((await person.get(PAGE, params={"q": "DDEE"})).text)
    assert "04ddeeff" in text
    assert "04aabbcc" not in text
    assert "Nothing found" in text_of((await person.get(PAGE, params={"q": "zz"})).text)


async def test_many_entries_are_paged(person: Client, host: FakeHost) -> None:
    await know(host, *(f"04{number:06x}" for number in range(51)))
    assert "04000032" not in (await person.get(PAGE)).text
    assert "04000032" in (await person.get(PAGE, params={"page": 2})).text


async def test_one_entry_is_forgotten(person: Client, host: FakeHost) -> None:
    await know(host, "04aabbcc", "04ddeeff")
    answer = await person.post(f"{PAGE}/remove", data={"token": "04AABBCC"})
    assert answer.headers["location"] == PAGE
    assert "04aabbcc" not in (await person.get(PAGE)).text
    assert "04ddeeff" in (await person.get(PAGE)).text
    again = await person.post(f"{PAGE}/remove", data={"token": "04aabbcc"})
    assert again.status_code == 404


async def test_all_entries_are_forgotten(person: Client, host: FakeHost) -> None:
    await know(host, "04aabbcc", "04ddeeff")
    await person.post(f"{PAGE}/clear")
    assert "No entry yet" in text_of((await person.get(PAGE)).text)


async def test_a_user_sees_no_card_numbers(browser: Clients, host: FakeHost) -> None:
    await know(host, "04aabbcc")
    answer = await (await browser(Role.USER)).get(PAGE)
    assert answer.status_code == 403
    assert "04aabbcc" not in answer.text


def test_every_status_of_a_backend_has_a_text() -> None:
    assert STATUSES.keys() == {"Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"}
