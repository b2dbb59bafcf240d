"""Journal and queue against a plain model, through restarts and power cuts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from borne.application.ports.storage import QueuedMessage, Storage, StorageFailed
from borne.domain.station.session import Sample, SessionEnd, SessionRecord, SessionStart
from borne.domain.station.transaction_messages import MessageKind, TransactionMessage
from borne.foundation.clock import Moment
from tests.support.examples import memory_folder
from tests.unit.adapters.storage.builders import (
    as_stored,
    at,
    end,
    meter_value,
    opened,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)

T = TypeVar("T")
QUEUE_LIMIT = 8
NUMBERS = st.integers(min_value=-(2**31), max_value=2**31 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
NOW = Moment.from_text("2026-11-22T12:00:00Z")
SECONDS = st.integers(0, 10**7).map(lambda ms: ms / 1000)


class Inline(Executor):
    """Runs every job at once, in the thread of the loop."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@dataclass
class Session:
    start: SessionStart
    end: SessionEnd | None = None
    transaction_id: int | None = None
    last_wh: int = 0
    max_power_w: float = 0.0
    last_at: Moment | None = None
    curve: list[Sample] = field(default_factory=list)

    def record(self) -> SessionRecord:
        return SessionRecord(
            self.start,
            self.end,
            self.transaction_id,
            self.last_wh,
            self.max_power_w,
            self.last_at,
        )


@dataclass
class Waiting:
    seq: int
    message: TransactionMessage
    attempts: int = 0
    message_id: str | None = None
    """As first seen: it must never change."""


class StorageModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory(dir=memory_folder())
        self.sessions: dict[str, Session] = {}
        self.queue: list[Waiting] = []
        self.starts: dict[int, str] = {}
        self.lost: list[tuple[int, str]] = []
        self.seq = 0
        self.may_be_dropped: set[int] = set()
        self.seen_ids: set[str] = set()
        self.state: dict[str, Any] = {}
        self.storage = self.opened()

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    def opened(self) -> Storage:
        path = Path(self.folder.name)
        return self.run(opened(path, executor=Inline(), queue_limit=QUEUE_LIMIT, reserve_bytes=0))

    def teardown(self) -> None:
        self.storage.abort()
        self.loop.close()
        self.folder.cleanup()

    # The model ------------------------------------------------------------------------------

    def push(self, message: TransactionMessage) -> int | None:
        if len(self.queue) >= QUEUE_LIMIT:
            dropped = self.thin()
            if not dropped and message.droppable:
                return None
        self.seq += 1
        self.queue.append(Waiting(self.seq, message))
        return self.seq

    def thin(self) -> bool:
        """The storage chooses what it drops, within these rules."""
        may_go = [w.seq for w in self.queue[1:] if w.message.droppable]
        self.may_be_dropped = set(may_go)
        return bool(may_go)

    def accept_thinning(self, before: list[int]) -> None:
        """Remove from the model the messages that the storage dropped."""
        kept = {q.seq for q in self.run(self.storage.outbox.content(1000))}
        gone = [seq for seq in before if seq not in kept]
        assert set(gone) <= self.may_be_dropped
        assert bool(gone) == bool(self.may_be_dropped)
        self.queue = [w for w in self.queue if w.seq not in gone]

    def send(self, work: Awaitable[None], queued: TransactionMessage | None) -> int | None:
        self.may_be_dropped = set()
        before = [w.seq for w in self.queue]
        seq = self.push(queued) if queued is not None else None
        self.run(work)
        if queued is not None:
            self.accept_thinning(before)
        return seq

    # What a station does --------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        assert self.run(self.storage.outbox.next()) is None

    @rule(reported=st.booleans(), wh=st.integers(0, 10**9), seconds=SECONDS, token=TEXTS)
    def open(self, reported: bool, wh: int, seconds: float, token: str) -> None:
        session_id = f"s{len(self.sessions)}"
        begin = start(session_id, wh=wh, when=at(seconds), reported=reported)
        message = (
            start_message(session_id, token=token, when=at(seconds), wh=wh) if reported else None
        )
        self.sessions[session_id] = Session(begin, last_wh=wh)
        seq = self.send(self.storage.journal.open(begin, message), message)
        if seq is not None:
            self.starts[seq] = session_id

    @precondition(lambda self: self.sessions)
    @rule(
        data=st.data(),
        wh=st.integers(0, 10**9),
        seconds=SECONDS,
        token=st.none() | TEXTS,
        repeated=st.lists(TEXTS, max_size=3),
    )
    def close(
        self, data: st.DataObject, wh: int, seconds: float, token: str | None, repeated: list[str]
    ) -> None:
        session = self.sessions[data.draw(st.sampled_from(sorted(self.sessions)))]
        finish = end(at(seconds), wh)
        session_id = session.start.session_id
        values = tuple(meter_value(text, at(seconds)) for text in repeated)
        message = (
            stop_message(session_id, token=token, when=at(seconds), wh=wh, values=values)
            if session.start.reported
            else None
        )
        if session.end is None:
            session.end = finish
            session.last_wh = max(session.last_wh, wh)
            self.send(self.storage.journal.close(session_id, finish, message), message)
        else:
            self.run(self.storage.journal.close(session_id, finish, message))

    @precondition(lambda self: self.sessions)
    @rule(
        data=st.data(),
        wh=st.integers(0, 10**9),
        power_w=st.floats(0, 1e5),
        reported=st.booleans(),
        value=TEXTS,
    )
    def sample(
        self, data: st.DataObject, wh: int, power_w: float, reported: bool, value: str
    ) -> None:
        session = self.sessions[data.draw(st.sampled_from(sorted(self.sessions)))]
        point, session_id = sample(1, wh, power_w), session.start.session_id
        values = values_message(session_id, value=value) if reported else None
        if session.end is None:
            session.last_wh = max(session.last_wh, wh)
            session.max_power_w = max(session.max_power_w, power_w)
            session.last_at = point.at
        session.curve.append(point)
        self.send(self.storage.journal.sample(session_id, point, values), values)

    @precondition(lambda self: self.seq)
    @rule(data=st.data(), transaction_id=NUMBERS)
    def answered(self, data: st.DataObject, transaction_id: int) -> None:
        """Mostly the head, now and then one answered before."""
        head = [self.queue[0].seq] if self.queue else []
        seq = data.draw(st.sampled_from([*head * 5, *range(1, self.seq + 1)]))
        self.run(self.storage.outbox.answered(seq, transaction_id=transaction_id))
        if seq in self.starts:
            self.sessions[self.starts[seq]].transaction_id = transaction_id
        self.queue = [w for w in self.queue if w.seq != seq]

    @precondition(lambda self: self.queue)
    @rule()
    def failed(self) -> None:
        head = self.queue[0]
        head.attempts += 1
        assert self.run(self.storage.outbox.failed(head.seq)) == head.attempts

    @precondition(lambda self: self.queue)
    @rule(reason=TEXTS)
    def discard(self, reason: str) -> None:
        head = self.queue.pop(0)
        self.run(self.storage.outbox.discard(head.seq, reason))
        self.lost.append((head.seq, reason))
        if head.seq in self.starts:
            self.sessions[self.starts[head.seq]].transaction_id = -1

    @rule(key=st.sampled_from("abc"), value=JSON)
    def put(self, key: str, value: Any) -> None:
        self.run(self.storage.state.put(key, value))
        self.state[key] = value

    @rule()
    def restart(self) -> None:
        self.run(self.storage.close())
        self.storage = self.opened()

    @rule()
    def cut_power(self) -> None:
        self.storage.abort()
        try:
            self.run(self.storage.outbox.length())
        except StorageFailed:
            self.storage = self.opened()
        else:
            raise AssertionError("a storage without power answered")

    # What must hold -------------------------------------------------------------------------

    @invariant()
    def sessions_are_those_of_the_model(self) -> None:
        records = [session.record() for session in self.sessions.values()]
        assert self.run(self.storage.journal.page(limit=1000)) == (records[::-1], len(records))
        running = [record for record in records if record.end is None]
        assert self.run(self.storage.journal.open_sessions()) == running

    @invariant()
    def the_queue_is_that_of_the_model(self) -> None:
        found = self.run(self.storage.outbox.content(1000))
        assert [self.expected(w) for w in self.queue] == [replace(q, message_id="") for q in found]
        for waiting, queued in zip(self.queue, found, strict=True):
            if waiting.message_id is None:
                assert queued.message_id not in self.seen_ids
                self.seen_ids.add(queued.message_id)
                waiting.message_id = queued.message_id
            assert queued.message_id == waiting.message_id
        head = self.run(self.storage.outbox.next())
        assert head == (found[0] if found else None)
        assert self.run(self.storage.outbox.length()) == len(found)

    def expected(self, waiting: Waiting) -> QueuedMessage:
        session = self.sessions.get(waiting.message.session_id or "")
        number = session.transaction_id if session else None
        if waiting.message.kind is MessageKind.START:
            number = None
        return QueuedMessage(
            waiting.seq, "", as_stored(waiting.message), number, waiting.attempts, NOW
        )

    @invariant()
    def lost_messages_are_kept(self) -> None:
        lost = self.run(self.storage.outbox.lost(1000))
        assert [(entry.message.seq, entry.reason) for entry in lost] == sorted(
            self.lost, reverse=True
        )

    @invariant()
    def curves_and_state_are_kept(self) -> None:
        for session_id, session in self.sessions.items():
            assert self.run(self.storage.journal.curve(session_id)) == session.curve
        for key, value in self.state.items():
            assert self.run(self.storage.state.get(key)) == value


StorageModel.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestStorageModel = StorageModel.TestCase
