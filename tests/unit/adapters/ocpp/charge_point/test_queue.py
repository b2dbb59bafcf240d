"""The queue of transaction messages (OCPP 1.6 sections 3.7, 3.7.1; errata 3.18)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.application.ports.backend import IdTagInfo
from borne.domain.station.transaction_messages import MeterValuesMessage, TransactionMessage
from borne.foundation.clock import Moment
from borne.protocols.ocpp.messages import Action
from borne.protocols.ocpp.messages.core import (
    HeartbeatRequest,
    HeartbeatResponse,
    StopTransactionResponse,
)
from borne.protocols.ocpp.messages.types import AuthorizationStatus
from borne.protocols.ocpp.messages.types import IdTagInfo as WireIdTagInfo
from borne.protocols.ocpp.rpc.errors import CallRefused, InvalidAnswer
from tests.unit.adapters.ocpp.charge_point.harness import (
    BEFORE,
    Bench,
    meter,
    on_a_bench,
    start,
    stop,
)

START = Action.START_TRANSACTION
STOP = Action.STOP_TRANSACTION
METER = Action.METER_VALUES
BLOCKED = WireIdTagInfo(status=AuthorizationStatus.BLOCKED)
REFUSED = CallRefused("InternalError", "no disk", {})


def session(bench: Bench, name: str = "s1") -> None:
    bench.outbox.put(start(name), meter(name), stop(name))


@on_a_bench()
async def test_messages_are_sent_in_order_with_the_transaction_id(bench: Bench) -> None:
    session(bench)
    bench.outbox.put(meter(None, connector=0))
    await bench.online()
    await asyncio.sleep(5)
    sent = bench.central.received[1:]
    assert [(t.action, t.message_id) for t in sent] == [
        (START, "msg-1"),
        (METER, "msg-2"),
        (STOP, "msg-3"),
        (METER, "msg-4"),
    ]
    assert [t.wire.get("transactionId") for t in sent] == [None, 42, 42, None]
    assert bench.outbox.answers == [(1, 42), (2, None), (3, None), (4, None)]
    assert sent[0].wire["timestamp"] == "2026-11-22T11:00:00Z"


@on_a_bench()
async def test_the_queue_comes_after_statuses_except_those_that_end_a_transaction(
    bench: Bench,
) -> None:
    session(bench)
    for connector, status in enumerate(("Available", "Finishing", "Reserved")):
        bench.status(connector, status)
    await bench.online()
    assert bench.messages() == [
        "BootNotification",
        "StatusNotification 0 Available",
        "StatusNotification 2 Reserved",
        "StartTransaction",
        "MeterValues",
        "StopTransaction",
        "StatusNotification 1 Finishing",
    ]


@pytest.mark.parametrize("over", ["Available", "Preparing", "Finishing", "Reserved", "Unavailable"])
def test_a_stop_is_sent_before_the_status_that_follows(over: str) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        bench.status(1, "Charging")
        await bench.online()
        before = len(bench.central.received)
        session(bench)
        bench.status(1, over)
        bench.status(1, "Charging")
        bench.status(2, "Preparing")
        await asyncio.sleep(1)
        sent = bench.messages(before)
        assert "StatusNotification 2 Preparing" in sent[:2]
        sent.remove("StatusNotification 2 Preparing")
        assert sent == [
            "StartTransaction",
            "MeterValues",
            "StopTransaction",
            f"StatusNotification 1 {over}",
            "StatusNotification 1 Charging",
        ]

    test()


@on_a_bench(transaction_message_attempts=9, transaction_message_retry_interval_s=3600)
async def test_a_stop_that_failed_holds_no_status_back(bench: Bench) -> None:
    await bench.online()
    bench.central.then(STOP, REFUSED)
    session(bench)
    bench.status(1, "Finishing")
    await asyncio.sleep(1)
    assert bench.messages()[-2:] == ["StopTransaction", "StatusNotification 1 Finishing"]


@on_a_bench(transaction_message_attempts=9, transaction_message_retry_interval_s=3600)
async def test_a_stop_behind_a_long_queue_holds_a_status_back_for_15_s(bench: Bench) -> None:
    await bench.online()
    bench.central.then(START, REFUSED)
    session(bench)
    bench.status(1, "Finishing")
    await asyncio.sleep(14)
    assert bench.messages()[-1] == "StartTransaction"
    await asyncio.sleep(2)
    assert bench.messages()[-1] == "StatusNotification 1 Finishing"


@on_a_bench()
async def test_a_fault_status_does_not_wait_for_a_stop(bench: Bench) -> None:
    await bench.online()
    session(bench)
    bench.status(1, "Faulted")
    await asyncio.sleep(1)
    assert "StatusNotification 1 Faulted" in bench.messages()[1:3]


@on_a_bench()
async def test_new_work_is_sent_at_once(bench: Bench) -> None:
    await bench.online()
    await asyncio.sleep(100)
    session(bench)
    await asyncio.sleep(1)
    assert len(bench.outbox.answers) == 3


@on_a_bench(transaction_message_attempts=3, transaction_message_retry_interval_s=60)
async def test_attempt_n_waits_n_intervals_and_the_last_gives_up(bench: Bench) -> None:
    bench.central.then(METER, REFUSED, InvalidAnswer("nonsense"), REFUSED)
    bench.outbox.put(meter(None))
    bench.outbox.put(meter(None))
    await bench.online()
    await asyncio.sleep(300)
    times = bench.central.times(METER)
    assert [round(time - times[0]) for time in times] == [0, 60, 180, 180]
    assert [t.message_id for t in bench.central.received if t.action is METER] == [
        "msg-1", "msg-1", "msg-1", "msg-2",
    ]  # fmt: skip
    assert bench.listener.lost == ["msg-1"]
    assert bench.outbox.discarded == [1]


@on_a_bench(transaction_message_attempts=2, transaction_message_retry_interval_s=10)
async def test_no_answer_while_connected_is_a_failed_attempt(bench: Bench) -> None:
    bench.central.then(METER, None, None)
    bench.outbox.put(meter(None))
    await bench.online()
    await asyncio.sleep(200)
    assert bench.listener.lost == ["msg-1"]
    assert len(bench.central.links) == 1


@on_a_bench(transaction_message_attempts=1)
async def test_a_dead_link_counts_no_attempt(bench: Bench) -> None:
    await bench.online()
    bench.central.alive = False
    session(bench)
    await asyncio.sleep(7200)
    assert bench.listener.lost == []
    assert bench.outbox.attempts == {}
    bench.central.alive = True
    await asyncio.sleep(300)
    assert len(bench.outbox.answers) == 3


@on_a_bench(transaction_message_attempts=1)
async def test_a_lost_connection_counts_no_attempt_and_the_repeat_is_identical(
    bench: Bench,
) -> None:
    bench.central.then(START, None, None)
    session(bench)
    await bench.online()
    for _ in range(2):
        await asyncio.sleep(10)
        bench.central.current.abort()
    await asyncio.sleep(20)
    starts = [t for t in bench.central.received if t.action is START]
    assert [t.message_id for t in starts] == ["msg-1"] * 3
    assert len({t.request.to_wire_json() for t in starts}) == 1
    assert bench.outbox.attempts == {}
    assert len(bench.outbox.answers) == 3


@on_a_bench(transaction_message_attempts=1)
async def test_an_undeliverable_start_makes_the_rest_minus_one(bench: Bench) -> None:
    bench.central.then(START, REFUSED)
    session(bench)
    await bench.online()
    await asyncio.sleep(5)
    assert [t.wire.get("transactionId") for t in bench.central.received[1:]] == [None, -1, -1]
    assert bench.listener.lost == ["msg-1"]


@pytest.mark.parametrize("attempts", [0, -1])
def test_every_message_is_tried_once(attempts: int) -> None:
    @on_a_bench(transaction_message_attempts=attempts)
    async def test(bench: Bench) -> None:
        session(bench)
        await bench.online()
        await asyncio.sleep(5)
        assert len(bench.outbox.answers) == 3

    test()


@pytest.mark.parametrize(
    "message",
    [MeterValuesMessage("s", 1, ()), meter("s", connector=-1), start("s", token="x" * 21)],
    ids=["no values", "no connector", "too long a token"],
)
def test_a_message_that_ocpp_cannot_express_does_not_block_the_queue(
    message: TransactionMessage,
) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        bench.outbox.put(message)
        session(bench)
        await bench.online()
        await asyncio.sleep(5)
        assert bench.listener.lost == ["msg-1"]
        assert len(bench.outbox.answers) == 3

    test()


@on_a_bench()
async def test_undated_moments_are_dated_when_sent(bench: Bench) -> None:
    now = bench.clock.moment()
    undated = Moment(now.boot_id, now.monotonic_s - 60, None)
    bench.outbox.put(start("s", undated), meter("s", undated))
    bench.outbox.put(start("t", Moment("another boot", 5.0, None)))
    await bench.online()
    await asyncio.sleep(5)
    first, second, third = (t.wire for t in bench.central.received[1:])
    assert first["timestamp"] == "2026-11-22T11:59:00Z"
    assert second["meterValue"][0]["timestamp"] == "2026-11-22T11:59:00Z"
    assert third["timestamp"].startswith("2026-11-22T12:00:0")


@on_a_bench()
async def test_dates_are_committed_before_a_message_without_them_is_sent(bench: Bench) -> None:
    """A repeat must have the same date, whatever the clock learns between the two."""
    bench.outbox.put(start("s", Moment("boot", 5.0, None)))

    async def commit() -> None:
        bench.outbox.queue[0] = replace(bench.outbox.queue[0], message=start("s", BEFORE))

    bench.listener.date_moments = commit  # type: ignore[method-assign]  # what the application does
    await bench.online()
    assert bench.central.received[1].wire["timestamp"] == "2026-11-22T11:00:00Z"


@on_a_bench()
async def test_the_consequences_of_an_answer_come_before_its_commit(bench: Bench) -> None:
    committed: list[int] = []
    bench.outbox.committed.subscribe(lambda seq: committed.append(len(bench.listener.starts)))
    bench.central.then(STOP, StopTransactionResponse(id_tag_info=BLOCKED))
    session(bench)
    await bench.online()
    await asyncio.sleep(5)
    assert committed == [1, 1, 1]
    assert bench.listener.starts == [("s1", 42, IdTagInfo("Accepted"))]
    assert bench.listener.stops == [("s1", IdTagInfo("Blocked"))]


@on_a_bench(transaction_message_retry_interval_s=3600)
async def test_retry_now_repeats_the_failed_message_at_once(bench: Bench) -> None:
    bench.central.then(METER, REFUSED)
    bench.outbox.put(meter(None))
    await bench.online()
    await asyncio.sleep(100)
    bench.client.retry_now()
    await asyncio.sleep(1)
    assert len(bench.outbox.answers) == 1


@on_a_bench()
async def test_other_messages_are_sent_while_the_queue_waits(bench: Bench) -> None:
    bench.central.then(METER, REFUSED)
    bench.outbox.put(meter(None))
    await bench.online()
    bench.status(1, "Preparing")
    await asyncio.sleep(1)
    assert bench.messages()[-1] == "StatusNotification 1 Preparing"


@on_a_bench()
async def test_attempts_may_change_while_running(bench: Bench) -> None:
    bench.central.then(METER, *[REFUSED] * 5)
    bench.outbox.put(meter(None))
    config: BackendConfig = bench.config
    await bench.online()
    bench.client.configure(replace(config, transaction_message_attempts=2))
    await asyncio.sleep(61)
    assert bench.listener.lost == ["msg-1"]


def test_answers_are_committed_even_when_the_connection_ends_with_them() -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        committed = asyncio.Event()
        original = bench.outbox.answered

        async def slowly(seq: int, **answer: Any) -> None:
            bench.central.current.abort()
            await asyncio.sleep(5)
            await original(seq, **answer)
            committed.set()

        bench.outbox.answered = slowly  # type: ignore[method-assign]  # a slow disk
        bench.outbox.put(meter(None))
        await bench.online()
        await committed.wait()
        assert len(bench.central.times(METER)) == 1

    test()


@on_a_bench(drain_pause_s=0.5)
async def test_a_long_queue_is_sent_with_pauses_in_order(
    bench: Bench,
) -> None:
    """After a long absence: the statuses first, then the queue, with pauses for other messages."""
    for _ in range(40):
        bench.outbox.put(meter("s"))
    bench.status(1, "Charging")
    bench.start()
    await asyncio.sleep(5.25)
    bench.outbox.put(meter("s", connector=2))
    before = len(bench.central.received)
    await bench.client.call(HeartbeatRequest(), HeartbeatResponse)
    assert bench.messages(before) == ["Heartbeat"]
    await asyncio.sleep(40)
    sent = [one for one in bench.central.received if one.action is METER]
    assert [one.message_id for one in sent] == [f"msg-{number}" for number in range(1, 42)]
    assert sent[-1].wire["connectorId"] == 2
    times = bench.central.times(METER)
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5
    assert bench.messages()[:2] == ["BootNotification", "StatusNotification 1 Charging"]
