"""The queue of transaction messages: OCPP 1.6 errata 3.14 and 3.18."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from borne.adapters.storage import StorageClosed
from borne.application.ports.storage import QueuedMessage, Storage
from borne.domain.station.transaction_messages import MessageKind, MeterValuesMessage
from borne.foundation.clock import Moment
from tests.unit.adapters.storage.builders import (
    as_stored,
    at,
    end,
    opened,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


async def head(storage: Storage) -> QueuedMessage:
    queued = await storage.outbox.next()
    assert queued is not None
    return queued


async def charge(storage: Storage, session_id: str = "s1", values: int = 1) -> None:
    """A whole session in the queue."""
    await storage.journal.open(start(session_id), start_message(session_id))
    for number in range(values):
        await storage.journal.sample(
            session_id, sample(number, 1000), values_message(session_id, value=str(number))
        )
    await storage.journal.close(session_id, end(), stop_message(session_id))


def number_in(queued: QueuedMessage) -> int:
    """What `charge` put into the message of a sample."""
    assert isinstance(queued.message, MeterValuesMessage)
    return int(queued.message.values[0].sampled[0].value)


async def test_an_empty_queue_has_no_message(storage: Storage) -> None:
    assert await storage.outbox.next() is None
    assert await storage.outbox.length() == 0
    assert await storage.outbox.content() == []


async def test_messages_keep_the_order_in_which_they_came(storage: Storage) -> None:
    await charge(storage, "s1")
    await charge(storage, "s2")
    kinds = [(q.message.session_id, q.message.kind) for q in await storage.outbox.content()]
    one = [MessageKind.START, MessageKind.METER_VALUES, MessageKind.STOP]
    assert kinds == [("s1", kind) for kind in one] + [("s2", kind) for kind in one]
    assert len(await storage.outbox.content(limit=2)) == 2
    assert await storage.outbox.length() == 6


async def test_a_message_says_when_and_for_whom_it_was_queued(storage: Storage) -> None:
    message = start_message(token="é", when=at(0.25))
    await storage.journal.open(start(), message)
    queued = await head(storage)
    assert queued.enqueued_at == Moment.from_text("2026-11-22T12:00:00Z")
    assert queued.message == as_stored(message)
    assert (queued.seq, queued.attempts, queued.transaction_id) == (1, 0, None)


async def test_ids_are_uuids_and_never_used_twice(tmp_path: Path) -> None:
    seen: set[str] = set()
    for _ in range(3):
        # The same seed at every start must not bring the same ids again.
        storage = await opened(tmp_path)
        for _ in range(3):
            session_id = f"s{len(seen)}"
            await storage.journal.open(start(session_id), start_message(session_id))
            queued = await head(storage)
            assert str(uuid.UUID(queued.message_id)) == queued.message_id
            assert queued.message_id not in seen
            seen.add(queued.message_id)
            await storage.outbox.answered(queued.seq, transaction_id=1)
        await storage.close()


async def test_a_repeat_is_byte_identical(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await charge(storage)
    await storage.outbox.answered(1, transaction_id=77)
    first = await head(storage)
    await storage.outbox.failed(first.seq)
    await storage.close()
    storage = await opened(tmp_path)
    repeat = await head(storage)
    await storage.close()
    assert repeat.attempts == 1
    assert (repeat.seq, repeat.message_id, repeat.transaction_id) == (2, first.message_id, 77)
    assert repeat.message == first.message


async def test_the_answer_to_a_start_gives_its_session_the_transaction_id(storage: Storage) -> None:
    await charge(storage, "s1")
    await charge(storage, "s2")
    assert (await head(storage)).transaction_id is None
    await storage.outbox.answered(1, transaction_id=42, id_status="Accepted")
    assert [q.transaction_id for q in await storage.outbox.content()] == [42, 42, None, None, None]
    record = await storage.journal.get("s1")
    assert record is not None
    assert record.transaction_id == 42


async def test_the_last_of_two_answers_counts(storage: Storage) -> None:
    await charge(storage)
    await storage.outbox.answered(1, transaction_id=42)
    await storage.outbox.answered(1, transaction_id=43)
    assert [q.transaction_id for q in await storage.outbox.content()] == [43, 43]


async def test_answers_to_other_messages_set_no_transaction_id(storage: Storage) -> None:
    await charge(storage, values=0)
    await storage.outbox.answered(1, transaction_id=42)
    await storage.outbox.answered(2, transaction_id=99)
    record = await storage.journal.get("s1")
    assert record is not None
    assert record.transaction_id == 42
    assert await storage.outbox.length() == 0


async def test_attempts_are_counted_and_survive_a_restart(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await charge(storage)
    assert [await storage.outbox.failed(1) for _ in range(3)] == [1, 2, 3]
    assert await storage.outbox.failed(999) == 0
    await storage.close()
    storage = await opened(tmp_path)
    assert (await head(storage)).attempts == 3
    await storage.close()


async def test_a_start_given_up_gives_its_session_the_id_minus_one(storage: Storage) -> None:
    await charge(storage)
    first = await head(storage)
    await storage.outbox.discard(first.seq, "FormationViolation")
    assert [q.transaction_id for q in await storage.outbox.content()] == [-1, -1]
    (lost,) = await storage.outbox.lost()
    assert (lost.message, lost.reason, lost.lost_at) == (
        first,
        "FormationViolation",
        Moment.from_text("2026-11-22T12:00:00Z"),
    )


async def test_another_message_given_up_keeps_the_transaction_id(storage: Storage) -> None:
    await charge(storage)
    await storage.outbox.answered(1, transaction_id=5)
    await storage.outbox.discard(2, "refused")
    await storage.outbox.discard(2, "again")
    await storage.outbox.discard(999, "never was")
    assert (await head(storage)).transaction_id == 5
    assert [lost.message.transaction_id for lost in await storage.outbox.lost()] == [5]


async def test_a_session_running_when_its_start_is_given_up_ends_with_minus_one(
    storage: Storage,
) -> None:
    await storage.journal.open(start(), start_message())
    await storage.outbox.discard(1, "refused")
    await storage.journal.close("s1", end(), stop_message())
    assert (await head(storage)).transaction_id == -1


async def test_values_of_no_session_have_no_transaction(storage: Storage) -> None:
    await storage.journal.sample("none", sample(1, 5), values_message(None))
    assert (await head(storage)).transaction_id is None


class TestFullQueue:
    async def test_intermediate_values_thin_out_and_still_cover_the_whole_time(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = await opened(tmp_path, queue_limit=12)
        with caplog.at_level(logging.WARNING):
            await charge(storage, values=200)
        content = await storage.outbox.content()
        assert len(content) <= 12
        assert content[0].message.kind is MessageKind.START
        assert content[-1].message.kind is MessageKind.STOP
        numbers = [number_in(queued) for queued in content[1:-1]]
        assert numbers == sorted(numbers)
        gaps = [after - before for before, after in pairwise([0, *numbers, 199])]
        assert len(numbers) >= 8
        assert max(gaps) <= 40
        assert "intermediate meter values were dropped" in caplog.text
        await storage.close()

    async def test_starts_and_stops_are_never_dropped(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path, queue_limit=4)
        for number in range(5):
            await charge(storage, f"s{number}", values=3)
        kinds = [q.message.kind for q in await storage.outbox.content() if not q.message.droppable]
        assert kinds == [MessageKind.START, MessageKind.STOP] * 5
        await storage.close()

    async def test_the_oldest_message_is_never_dropped(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path, queue_limit=3)
        for number in range(9):
            await storage.journal.sample("x", sample(1, 1), values_message("x", value=str(number)))
        assert number_in(await head(storage)) == 0
        await storage.close()


class TestWaitForWork:
    async def test_it_returns_when_something_is_queued(self, storage: Storage) -> None:
        assert await storage.outbox.next() is None
        waiting = asyncio.create_task(storage.outbox.wait_for_work())
        await storage.outbox.length()
        assert not waiting.done()
        await storage.journal.open(start(), start_message())
        await waiting
        assert (await head(storage)).seq == 1

    async def test_it_returns_at_once_while_there_is_something(self, storage: Storage) -> None:
        await storage.journal.open(start(), start_message())
        await storage.outbox.wait_for_work()
        await head(storage)
        await storage.outbox.wait_for_work()

    async def test_it_returns_at_once_after_a_restart(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path)
        await storage.journal.open(start(), start_message())
        await storage.close()
        storage = await opened(tmp_path)
        await storage.outbox.wait_for_work()
        await storage.close()

    async def test_a_message_between_next_and_wait_is_not_missed(self, storage: Storage) -> None:
        looking = asyncio.create_task(storage.outbox.next())
        await asyncio.gather(storage.journal.open(start(), start_message()), looking)
        assert looking.result() is None or looking.result() == await head(storage)
        await storage.outbox.wait_for_work()

    async def test_several_may_wait(self, storage: Storage) -> None:
        assert await storage.outbox.next() is None
        waiting = [asyncio.create_task(storage.outbox.wait_for_work()) for _ in range(3)]
        await storage.journal.open(start(), start_message())
        await asyncio.gather(*waiting)

    @pytest.mark.parametrize("polite", [True, False])
    async def test_it_ends_with_the_storage(self, tmp_path: Path, *, polite: bool) -> None:
        storage = await opened(tmp_path)
        assert await storage.outbox.next() is None
        waiting = asyncio.create_task(storage.outbox.wait_for_work())
        await storage.outbox.length()
        if polite:
            await storage.close()
        else:
            storage.abort()
        with pytest.raises(StorageClosed):
            await waiting
