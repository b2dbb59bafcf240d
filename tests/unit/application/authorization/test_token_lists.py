"""Answers of the backend that the station keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from borne.application.authorization.token_lists import BackendTokens, in_one_year
from borne.application.ports.backend import IdTagInfo
from borne.application.ports.storage import StorageFull, TokenCacheStore
from borne.domain.settings.choices import CacheExpiry
from borne.foundation.clock import Clock, ClockTrust


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ((2026, 11, 30), (2027, 11, 30)),
        ((2026, 12, 31), (2027, 12, 31)),
        ((2026, 2, 28), (2027, 2, 28)),
        ((2027, 2, 28), (2028, 2, 28)),
        ((2028, 2, 29), (2029, 2, 28)),
        ((2027, 3, 1), (2028, 3, 1)),
    ],
)
def test_an_entry_expires_on_the_same_day_of_the_next_year(
    now: tuple[int, int, int], then: tuple[int, int, int]
) -> None:
    noon = datetime(*now, 12, 30, tzinfo=UTC)
    assert in_one_year(noon) == datetime(*then, 12, 30, tzinfo=UTC)


class FullStore:
    """A TokenCacheStore on a full disk."""

    def __getattr__(self, _: str) -> Any:
        async def refuse(*_: object) -> None:
            raise StorageFull("the disk is full")

        return refuse


async def test_an_answer_that_cannot_be_stored_holds_until_the_restart() -> None:
    clock = Clock(lambda: 0.0, datetime(2026, 11, 22, 10, tzinfo=UTC), ClockTrust.NTP)
    cache = BackendTokens("cache", cast("TokenCacheStore", FullStore()), clock)
    for status in ("Accepted", "Blocked"):
        await cache.learn("04AB", IdTagInfo(status), CacheExpiry.END_2038)
        known = cache.look_up("04ab")
        assert known is not None
        assert known.status == status
