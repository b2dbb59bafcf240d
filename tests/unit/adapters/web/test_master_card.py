"""The master card on the pages: registering it, and the password that was forgotten."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from borne.adapters.web.pages.master_card import OUTCOMES
from borne.domain.principals import SYSTEM, Role
from tests.support.fake_station import PASSWORD, FakeHost
from tests.unit.adapters.web.conftest import BASE, HTML, Client, Clients
from tests.unit.adapters.web.test_pages import text_of

CARD = "04567DAA5F3580"
SAME_SITE = HTML | {"origin": BASE}


async def know(host: FakeHost, **settings: object) -> None:
    await host.all.settings.change(settings, SYSTEM, "test")


async def held_while(host: FakeHost, posting: asyncio.Task[httpx.Response]) -> httpx.Response:
    """Somebody holds the card until the station has noticed."""
    while not posting.done():
        assert host.all.simulator is not None
        await host.all.simulator.present_card(uid=CARD)
        await asyncio.sleep(0)
    return posting.result()


async def test_a_card_is_registered_and_removed(browser: Clients, host: FakeHost) -> None:
    client = await browser(Role.OPERATOR)
    posting = asyncio.create_task(client.post("/account/master-card"))
    answer = await held_while(host, posting)
    assert answer.headers["location"] == "/account?card=registered"
    assert host.all.settings.settings["MasterRFID"] == CARD
    text = text_of((await client.get("/account?card=registered")).text)
    assert "This is the master card now." in text
    assert "Card …5F3580 resets the passwords" in text
    assert CARD not in text
    answer = await client.post("/account/master-card/remove")
    assert answer.headers["location"] == "/account?card=removed"
    assert host.all.settings.settings["MasterRFID"] == ""


async def test_a_login_that_ended_while_waiting_registers_no_card(
    browser: Clients, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await browser(Role.OPERATOR)
    waits = asyncio.Event()

    async def next_card() -> str:
        waits.set()
        await asyncio.Event().wait()
        return CARD

    monkeypatch.setattr(host.all.master_card, "next_card", next_card)
    posting = asyncio.create_task(client.post("/account/master-card"))
    await waits.wait()
    await host.accounts.set_password(Role.OPERATOR, "another horse")
    assert (await posting).headers["location"] == "/account?card=missed"
    assert host.all.settings.settings["MasterRFID"] == ""


async def test_an_api_token_cannot_register_a_card(operator: Client) -> None:
    for path in ("/account/master-card", "/account/master-card/remove"):
        assert (await operator.post(path)).json()["error"] == "login_only"


async def test_users_do_not_see_the_master_card(browser: Clients) -> None:
    assert "Master card" not in (await (await browser(Role.USER)).get("/account")).text


async def test_the_master_card_resets_forgotten_passwords(anyone: Client, host: FakeHost) -> None:
    for role in Role:
        await host.accounts.set_password(role, PASSWORD)
    await know(host, MasterRFID=CARD)
    page = text_of((await anyone.get("/login", headers=HTML)).text)
    assert "Forgot password? With the master card: press the button" in page
    posting = asyncio.create_task(anyone.post("/login/master-card", headers=SAME_SITE))
    answer = await held_while(host, posting)
    assert answer.headers["location"] == "/login?card=reset"
    page = (await anyone.get("/login?card=reset", headers=HTML)).text
    assert "The passwords are reset." in page
    assert 'value="operator"' in page
    has = [await host.accounts.has_password(role) for role in Role]
    assert [role for role, left in zip(Role, has, strict=True) if left] == [Role.MANUFACTURER]


async def test_without_a_master_card_the_login_link_is_explained(anyone: Client) -> None:
    page = text_of((await anyone.get("/login", headers=HTML)).text)
    assert "Forgot password?" in page
    assert "This station knows no master card" in page
    assert "borne login-link" in page
    answer = await anyone.post("/login/master-card", headers=SAME_SITE)
    assert answer.headers["location"] == "/login?card=no_master_card"


async def test_one_wait_at_a_time(anyone: Client, host: FakeHost) -> None:
    await know(host, MasterRFID=CARD)
    first = asyncio.create_task(anyone.post("/login/master-card", headers=SAME_SITE))
    second = asyncio.create_task(anyone.post("/login/master-card", headers=SAME_SITE))
    done, _ = await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
    (refused,) = done
    assert refused.result().headers["location"] == "/login?card=busy"
    other = second if refused is first else first
    assert (await held_while(host, other)).headers["location"] == "/login?card=reset"


async def test_another_site_cannot_start_the_reset(anyone: Client, host: FakeHost) -> None:
    await know(host, MasterRFID=CARD)
    headers = HTML | {"origin": "http://elsewhere.test"}
    assert (await anyone.post("/login/master-card", headers=headers)).status_code == 403


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_every_outcome_has_a_text(outcome: str, anyone: Client, browser: Clients) -> None:
    _, sentence = OUTCOMES[outcome]
    client = await browser(Role.OPERATOR)
    assert sentence in text_of((await client.get(f"/account?card={outcome}")).text)
    assert sentence in text_of((await anyone.get(f"/login?card={outcome}", headers=HTML)).text)


async def test_a_station_that_requires_a_master_card_redirects_to_its_page(
    anyone: Client, host: FakeHost
) -> None:
    await host.accounts.set_password(Role.OPERATOR, PASSWORD)
    fields = {"name": "operator", "password": PASSWORD}

    async def leads() -> str:
        answer = await anyone.post("/login", data=fields, headers=SAME_SITE)
        anyone.cookies.clear()
        return str(answer.headers["location"])

    assert await leads() == "/"
    await know(host, EnforceMasterRFID=True)
    assert await leads() == "/account?card=enforced"
    await know(host, MasterRFID=CARD)
    assert await leads() == "/"
