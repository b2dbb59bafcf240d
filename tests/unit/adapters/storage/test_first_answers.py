"""What a start asks is read with the opening; a write makes an answer stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from borne.adapters.storage.database import Database
from borne.application.ports.storage import CachedToken, WhitelistEntry
from borne.domain.principals import Role
from tests.unit.adapters.storage.builders import (
    NOON,
    end,
    opened,
    start,
    start_message,
    stop_message,
)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the databases were asked from now on."""
    asked: list[str] = []
    submit = Database._submit

    async def counted(self: Database, job: object) -> object:
        asked.append("job")
        return await submit(self, job)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(Database, "_submit", counted)
    return asked


async def test_the_reads_at_a_start_are_one_job(tmp_path: Path, jobs: list[str]) -> None:
    storage = await opened(tmp_path)
    assert await storage.whitelist.load() == []
    assert await storage.tokens.load("cache") == await storage.tokens.load("local_list") == []
    assert await storage.accounts.password_hash(Role.OPERATOR) is None
    assert await storage.accounts.tokens() == []
    assert await storage.journal.open_sessions() == []
    assert await storage.journal.undated() == {}
    assert await storage.state.get("availability") is None
    assert await storage.security.verify() is None
    assert await storage.security.page() == []
    assert await storage.outbox.next() is None
    assert not await storage.outbox.end_waits(1)
    assert await storage.journal.forget(NOON) == 0
    assert jobs == ["job"]
    await storage.close()


async def test_a_start_reads_what_was_stored(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.whitelist.put([WhitelistEntry("AB")])
    await storage.tokens.put("cache", [CachedToken("CD", "Accepted")])
    await storage.accounts.set_password_hash(Role.OPERATOR, "hash")
    await storage.state.put("key", {"a": 1})
    await storage.journal.open(start(), start_message())
    await storage.close()
    storage = await opened(tmp_path)
    for _ in range(2):  # from the opening, then from the database
        assert [entry.token for entry in await storage.whitelist.load()] == ["AB"]
        assert [token.token for token in await storage.tokens.load("cache")] == ["CD"]
        assert await storage.accounts.password_hash(Role.OPERATOR) == "hash"
        assert await storage.state.get("key") == {"a": 1}
        assert [each.session_id for each in await storage.journal.open_sessions()] == ["s1"]
        message = await storage.outbox.next()
        assert message is not None
        assert message.message.session_id == "s1"
    await storage.close()


async def test_a_value_written_before_the_first_read_is_returned(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.whitelist.put([WhitelistEntry("AB")])
    await storage.tokens.put("local_list", [CachedToken("CD", "Accepted")])
    await storage.accounts.set_password_hash(Role.USER, "hash")
    await storage.state.put("key", 1)
    await storage.journal.open(start(), None)
    await storage.journal.close("s1", end(), stop_message())
    assert len(await storage.whitelist.load()) == 1
    assert len(await storage.tokens.load("local_list")) == 1
    assert await storage.accounts.password_hash(Role.USER) == "hash"
    assert await storage.state.get("key") == 1
    assert await storage.journal.open_sessions() == []
    assert await storage.outbox.end_waits(1)
    assert await storage.outbox.next() is not None
    await storage.close()
