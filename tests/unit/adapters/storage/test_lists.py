"""The local whitelist (manual 5.5) and what the backend said of tokens (manual 5.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from borne.adapters.storage.connection import connect_sqlite
from borne.adapters.storage.database import Database
from borne.adapters.storage.lists import SqlTokens
from borne.application.ports.storage import CachedToken, Storage, WhitelistEntry
from tests.unit.adapters.storage.builders import opened


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


ANYWHERE = WhitelistEntry("AA01", "RFID", None, "Ada", "2026-01-01T00:00:00Z", "")
LEFT = WhitelistEntry("AA01", "RFID", 1, "Ada, left", "", "2026-02-02T00:00:00Z")
CAR = WhitelistEntry("0A1B2C3D4E5F", "MAC", 2)


class TestWhitelist:
    async def test_entries_are_sorted_by_token_and_connector(self, storage: Storage) -> None:
        await storage.whitelist.put([LEFT, ANYWHERE, CAR])
        assert await storage.whitelist.load() == [CAR, ANYWHERE, LEFT]

    async def test_the_same_token_and_connector_is_replaced(self, storage: Storage) -> None:
        await storage.whitelist.put([ANYWHERE, LEFT])
        new = WhitelistEntry("AA01", name="Grace")
        await storage.whitelist.put([new])
        assert await storage.whitelist.load() == [new, LEFT]

    async def test_entries_are_removed_by_token_and_connector(self, storage: Storage) -> None:
        await storage.whitelist.put([ANYWHERE, LEFT, CAR])
        assert await storage.whitelist.remove([("AA01", None), ("AA01", 2), ("FF", None)]) == 1
        assert await storage.whitelist.load() == [CAR, LEFT]
        assert await storage.whitelist.remove([]) == 0
        assert await storage.whitelist.remove(None) == 2
        assert await storage.whitelist.load() == []

    async def test_the_whitelist_survives_a_restart(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path)
        await storage.whitelist.put([LEFT])
        storage.abort()
        storage = await opened(tmp_path)
        assert await storage.whitelist.load() == [LEFT]
        await storage.close()


ONE = CachedToken("01", "Accepted", "P", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
TWO = CachedToken("02", "Blocked")


class TestTokens:
    async def test_the_two_lists_are_separate(self, storage: Storage) -> None:
        await storage.tokens.put("cache", [ONE])
        await storage.tokens.replace("local_list", [TWO], 3)
        assert await storage.tokens.load("cache") == [ONE]
        assert await storage.tokens.load("local_list") == [TWO]

    async def test_a_new_answer_replaces_the_old_one(self, storage: Storage) -> None:
        await storage.tokens.put("cache", [ONE, TWO])
        newer = CachedToken("01", "Expired")
        await storage.tokens.put("cache", [newer])
        assert await storage.tokens.load("cache") == [TWO, newer]

    async def test_a_list_is_replaced_with_its_version(self, storage: Storage) -> None:
        assert await storage.tokens.version("local_list") == 0
        await storage.tokens.replace("local_list", [ONE], 7)
        assert await storage.tokens.version("local_list") == 7
        await storage.tokens.replace("local_list", [TWO], 8)
        assert await storage.tokens.load("local_list") == [TWO]
        assert await storage.tokens.version("local_list") == 8

    async def test_an_empty_list_has_version_0(self, storage: Storage) -> None:
        await storage.tokens.replace("local_list", [], 7)
        assert await storage.tokens.version("local_list") == 0
        await storage.tokens.replace("local_list", [ONE], 8)
        await storage.tokens.remove("local_list", None)
        assert await storage.tokens.version("local_list") == 0

    async def test_tokens_are_removed(self, storage: Storage) -> None:
        await storage.tokens.put("cache", [ONE, TWO])
        assert await storage.tokens.remove("cache", ["01", "99"]) == 1
        assert await storage.tokens.load("cache") == [TWO]
        assert await storage.tokens.remove("cache", None) == 1

    async def test_a_full_cache_loses_its_oldest_answers(
        self, storage: Storage, tmp_path: Path
    ) -> None:
        path = tmp_path / "station.db"
        small = Database(lambda: connect_sqlite(path), ThreadPoolExecutor(1))
        tokens = SqlTokens(small, cache_limit=3)
        for number in (1, 2, 3, 1, 4):
            await tokens.put("cache", [CachedToken(str(number), "Accepted")])
        assert [token.token for token in await tokens.load("cache")] == ["3", "1", "4"]
        await small.close()

    @pytest.mark.parametrize("which", ["", "whitelist", "'; DROP TABLE token"])
    async def test_other_list_names_are_refused(self, storage: Storage, which: str) -> None:
        with pytest.raises(ValueError, match="no such list"):
            await storage.tokens.load(which)
