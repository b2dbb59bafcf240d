"""Password hashes, API tokens and one-time links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from borne.adapters.storage.accounts import LINKS_LIMIT
from borne.application.ports.storage import Storage, StoredToken
from borne.domain.principals import Role
from tests.unit.adapters.storage.builders import opened

NOW = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T12:15:00Z"


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


async def test_a_password_is_set_changed_and_removed(storage: Storage) -> None:
    accounts = storage.accounts
    assert await accounts.password_hash(Role.USER) is None
    await accounts.set_password_hash(Role.USER, "one")
    await accounts.set_password_hash(Role.OPERATOR, "other")
    await accounts.set_password_hash(Role.USER, "two")
    assert await accounts.password_hash(Role.USER) == "two"
    await accounts.set_password_hash(Role.USER, None)
    assert await accounts.password_hash(Role.USER) is None
    assert await accounts.password_hash(Role.OPERATOR) == "other"


async def test_api_tokens_come_oldest_first(storage: Storage) -> None:
    one = StoredToken("b", "hash-b", Role.OPERATOR, "evcc", NOW)
    two = StoredToken("a", "hash-a", Role.USER, "", LATER)
    await storage.accounts.add_token(one)
    await storage.accounts.add_token(two)
    assert await storage.accounts.tokens() == [one, two]
    with pytest.raises(ValueError, match="already"):
        await storage.accounts.add_token(one)
    assert await storage.accounts.remove_token("b")
    assert not await storage.accounts.remove_token("b")
    assert await storage.accounts.tokens() == [two]


@pytest.mark.parametrize(
    ("expires_at", "now", "role"),
    [
        (LATER, NOW, Role.OPERATOR),
        (LATER, "2026-11-22T12:14:59.999Z", Role.OPERATOR),
        ("2026-11-22T12:00:00.500Z", NOW, Role.OPERATOR),
        (NOW, NOW, None),
        (NOW, "2026-11-22T12:00:00.001Z", None),
        (LATER, "2026-11-22T14:10:00+02:00", Role.OPERATOR),
        ("moment:a:900.000", "moment:a:899.000", Role.OPERATOR),
        ("moment:a:900.000", "moment:a:901.000", None),
        ("moment:a:900.000", "moment:b:1.000", None),
        ("moment:a:900.000", NOW, None),
        ("nonsense", NOW, None),
    ],
)
async def test_a_link_holds_until_it_expires(
    storage: Storage, expires_at: str, now: str, role: Role | None
) -> None:
    await storage.accounts.add_link("link", Role.OPERATOR, expires_at)
    assert await storage.accounts.use_link("link", now) is role


async def test_a_link_works_once(storage: Storage) -> None:
    assert await storage.accounts.use_link("link", NOW) is None
    await storage.accounts.add_link("link", Role.MANUFACTURER, LATER)
    uses = [storage.accounts.use_link("link", NOW) for _ in range(5)]
    assert sorted(map(str, await asyncio.gather(*uses))) == ["None"] * 4 + ["manufacturer"]


async def test_unused_links_do_not_pile_up(storage: Storage) -> None:
    for number in range(LINKS_LIMIT + 1):
        await storage.accounts.add_link(str(number), Role.USER, LATER)
    assert await storage.accounts.use_link("0", NOW) is None
    assert await storage.accounts.use_link("1", NOW) is Role.USER
