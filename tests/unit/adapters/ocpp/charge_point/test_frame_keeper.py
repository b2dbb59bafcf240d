"""Frames reach the disk in batches, and come back after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from borne.adapters.ocpp.charge_point.frame_keeper import BATCH, BATCH_S, FrameKeeper
from borne.domain.frames import Direction, FrameFacts, FrameKind, FrameRecord
from borne.foundation.supervisor import Supervisor
from borne.protocols.ocpp.rpc.frame_log import DEFAULT_CAPACITY, FrameLog
from tests.support.virtual_time import run_virtual

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Archive:
    """In memory; remembers each write."""

    def __init__(self) -> None:
        self.writes: list[int] = []
        self.records: list[FrameRecord] = []

    async def append(self, records: Sequence[FrameRecord]) -> None:
        if records:
            self.writes.append(len(records))
        self.records += records

    async def tail(self, limit: int = 5000) -> list[FrameRecord]:
        return self.records[-limit:]

    async def forget(self, before: datetime) -> None: ...


def add(log: FrameLog, number: int = 1) -> None:
    for each in range(number):
        log.add(
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"geheim"}]',
            FrameFacts(Direction.SENT, FrameKind.CALL, "Heartbeat", f"m{each}"),
        )


def test_one_write_a_minute_and_none_without_messages() -> None:
    async def main() -> None:
        log, archive = FrameLog(lambda: NOW), Archive()
        tasks = Supervisor("test")
        FrameKeeper(log, archive, tasks)
        await asyncio.sleep(10 * BATCH_S)
        assert archive.writes == []
        for _ in range(10):
            add(log)
            await asyncio.sleep(BATCH_S / 4)
        await asyncio.sleep(BATCH_S)
        assert len(archive.writes) <= 4
        assert sum(archive.writes) == 10
        add(log, BATCH)
        await asyncio.sleep(1)
        assert archive.writes[-1] == BATCH
        await tasks.stop()

    run_virtual(main())


async def test_the_history_includes_the_latest_messages_without_secrets() -> None:
    log, archive = FrameLog(lambda: NOW), Archive()
    tasks = Supervisor("test")
    keeper = FrameKeeper(log, archive, tasks)
    add(log)
    (record,) = await keeper.history()
    await tasks.stop()
    assert record.at == NOW
    assert "geheim" not in str(record)


async def test_after_a_restart_the_log_begins_with_the_newest_messages() -> None:
    archive = Archive()
    before = FrameLog(lambda: NOW)
    tasks = Supervisor("test")
    keeper = FrameKeeper(before, archive, tasks)
    add(before, DEFAULT_CAPACITY + 5)
    await keeper.flush()
    after = FrameLog(lambda: NOW)
    await FrameKeeper(after, archive, tasks).restore()
    assert after.records() == before.records()
    add(after)
    assert after.records()[-1].seq == DEFAULT_CAPACITY + 6
    await tasks.stop()
