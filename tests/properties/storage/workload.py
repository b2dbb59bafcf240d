"""What a station does with its storage, and all that it must find again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias

from borne.application.ports.storage import CachedToken, Storage, StoredToken, WhitelistEntry
from borne.domain.principals import Role
from tests.unit.adapters.storage.builders import (
    NOON,
    at,
    end,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)

Step: TypeAlias = Callable[[Storage], Awaitable[object]]

UNDATED = at(1, dated=False)
CHARGE: list[Step] = [
    lambda s: s.state.put("boots", 1),
    lambda s: s.journal.open(start("a", when=UNDATED), start_message("a", when=UNDATED)),
    lambda s: s.journal.sample("a", sample(10, 1100, 3000.0), None),
    lambda s: s.journal.sample("a", sample(20, 1200, 7000.0), values_message("a")),
    lambda s: s.outbox.failed(1),
    lambda s: s.journal.date("boot-1", NOON, 0.0),
    lambda s: s.journal.sample("a", sample(30, 1300, 6000.0), None),
    lambda s: s.journal.sample("a", sample(40, 1400, 6000.0), None),
    lambda s: s.outbox.answered(1, transaction_id=42, id_status="Accepted"),
    lambda s: s.journal.open(start("b", connector=2), start_message("b")),
    lambda s: s.journal.close("a", end(), stop_message("a")),
    lambda s: s.outbox.answered(2),
    lambda s: s.outbox.answered(4),
    lambda s: s.outbox.discard(3, "refused"),
    lambda s: s.journal.sample("b", sample(50, 1500, 100.0), values_message("b", value="2")),
    lambda s: s.journal.close("b", end(), stop_message("b")),
    lambda s: s.journal.anonymise(sessions=["b"]),
]
LISTS: list[Step] = [
    lambda s: s.whitelist.put([WhitelistEntry(f"{n:08X}", name="x" * 50) for n in range(60)]),
    lambda s: s.tokens.replace("local_list", [CachedToken("1", "Accepted")], 4),
    lambda s: s.accounts.set_password_hash(Role.OPERATOR, "hash"),
    lambda s: s.accounts.add_token(StoredToken("t", "hash", Role.USER, "", "")),
    lambda s: s.accounts.add_link("link", Role.USER, "2027-01-01T00:00:00Z"),
    lambda s: s.security.add("FailedLogin", "1", at(1)),
    lambda s: s.whitelist.remove([("00000003", None)]),
    lambda s: s.accounts.use_link("link", "2026-01-01T00:00:00Z"),
    lambda s: s.security.add("FailedLogin", "2", at(2)),
    lambda s: s.whitelist.remove(None),
    lambda s: s.journal.forget(NOON + timedelta(days=1)),
    lambda s: s.tokens.replace("local_list", [CachedToken("2", "Blocked")], 5),
]

AGAIN: list[Step] = [
    lambda s: s.journal.open(start("c"), start_message("c", token="x" * 9000)),
    lambda s: s.tokens.remove("local_list", None),
    lambda s: s.accounts.remove_token("t"),
    lambda s: s.state.put("boots", None),
    lambda s: s.journal.close("c", end(), stop_message("c")),
]


@dataclass(frozen=True)
class Content:
    """All that must not be lost, and the last sample of each session, which may."""

    durable: tuple[Any, ...]
    last_wh: dict[str, int]


async def content(storage: Storage) -> Content:
    records, _ = await storage.journal.page(limit=1000)
    durable = (
        [replace(record, last_wh=0, max_power_w=0.0, last_at=None) for record in records],
        await storage.outbox.content(1000),
        await storage.outbox.lost(1000),
        await storage.whitelist.load(),
        await storage.tokens.load("local_list"),
        await storage.tokens.version("local_list"),
        await storage.accounts.password_hash(Role.OPERATOR),
        await storage.accounts.tokens(),
        await storage.state.get("boots"),
        await storage.security.page(),
        await storage.security.verify(),
    )
    return Content(durable, {record.session_id: record.last_wh for record in records})
