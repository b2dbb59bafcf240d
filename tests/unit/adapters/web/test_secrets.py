"""No page, answer or file shows a secret again."""

from __future__ import annotations

import pytest

from borne.domain.principals import SYSTEM, Role
from tests.support.cases import every_case
from tests.support.fake_station import PASSWORD, FakeHost
from tests.unit.adapters.web.conftest import Clients
from tests.unit.adapters.web.test_access import ROUTES, STREAMS, filled

MARK = "geheim-"
SECRETS = {
    "AuthorizationKey": MARK + "backend-0123456789",
    "EmailSmtpPassword": MARK + "mail",
}
SPENT_LINK = "/login/{secret}"
READ = [path for method, path in ROUTES if method == "GET" and path not in STREAMS]
MENUS = ["backend", "system", "installation", "load-management", "network", "authorization"]


@pytest.fixture(autouse=True)
async def _secrets(host: FakeHost) -> None:
    await host.all.settings.change(SECRETS, SYSTEM, "test")


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_no_answer_contains_a_secret(kind: str, browser: Clients, host: FakeHost) -> None:
    client = await browser(Role.MANUFACTURER)
    _, token = await host.accounts.create_token(Role.OPERATOR, "x")
    with every_case() as case:
        for path in READ:
            with case(path):
                headers, query = {"accept": kind}, {"q": "Key"}
                answer = await client.get(filled(path), headers=headers, params=query)
                if path != SPENT_LINK:
                    assert answer.status_code not in {401, 403}, "it would prove nothing"
                assert MARK not in answer.text
                assert PASSWORD not in answer.text
                assert token not in answer.text
                assert MARK not in str(answer.headers)


@pytest.mark.parametrize("typed", [MARK + "staged-0123456789", MARK])
async def test_no_page_contains_a_secret_that_was_typed(typed: str, browser: Clients) -> None:
    """Both a valid one and one that is too short."""
    client = await browser(Role.MANUFACTURER)
    answers = [await client.post("/settings/stage", data={"AuthorizationKey": typed})]
    answers += [await client.get(f"/settings/{menu}") for menu in MENUS]
    answers += [await client.get(path) for path in ("/settings", "/settings/draft.json", "/")]
    answers += [await client.post("/settings/save")]
    for answer in answers:
        assert MARK not in answer.text
        assert MARK not in answer.headers.get("location", "")


async def test_no_refusal_contains_a_secret(browser: Clients) -> None:
    client = await browser(Role.OPERATOR)
    for body in (
        {"AuthorizationKey": [MARK]},
        {"AuthorizationKey": MARK},
        {"authorizationkey": MARK},
    ):
        answer = await client.patch("/api/v1/settings", json=body)
        assert answer.status_code == 422
        assert MARK not in answer.text
    wrong = await client.post("/login", data={"name": "operator", "password": MARK})
    assert MARK not in wrong.text
    fields = {"current": MARK, "new": MARK + "a", "again": MARK + "b"}
    assert MARK not in (await client.post("/account/password", data=fields)).text
