"""The queue of transaction messages (OCPP 1.6 sections 3.7, 3.7.1; errata 3.18)."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.protocols.ocpp.messages import Action, Message
from borne.protocols.ocpp.messages.core import StartTransactionResponse
from borne.protocols.ocpp.rpc.errors import CallRefused, InvalidAnswer
from tests.unit.adapters.ocpp.charge_point.harness import Bench, on_a_bench

START = Action.START_TRANSACTION
STOP = Action.STOP_TRANSACTION
METER = Action.METER_VALUES
REFUSED = CallRefused("InternalError", "no disk", {})


def start(**more: Any) -> dict[str, Any]:
    return {
        "connector_id": 1,
        "id_tag": "A",
        "meter_start": 100,
        "timestamp": "2026-11-22T11:00:00Z",
    } | more


def stop() -> dict[str, Any]:
    return {"id_tag": "A", "meter_stop": 200, "timestamp": "2026-11-22T11:30:00Z"}


def meter(connector: int = 1) -> dict[str, Any]:
    sample = {"timestamp": "2026-11-22T11:10:00Z", "sampled_value": [{"value": "150"}]}
    return {"connector_id": connector, "meter_value": [sample]}


def session(bench: Bench, name: str = "s1") -> None:
    bench.outbox.put(START, name, start())
    bench.outbox.put(METER, name, meter())
    bench.outbox.put(STOP, name, stop())


@on_a_bench()
async def test_in_order_with_the_transaction_id_of_the_answer(bench: Bench) -> None:
    session(bench)
    bench.outbox.put(METER, "", meter(0))
    await bench.online()
    await asyncio.sleep(5)
    told = bench.central.told[1:]
    assert [(t.action, t.message_id) for t in told] == [
        (START, "msg-1"),
        (METER, "msg-2"),
        (STOP, "msg-3"),
        (METER, "msg-4"),
    ]
    assert [t.wire.get("transactionId") for t in told] == [None, 42, 42, None]
    assert [seq for seq, _ in bench.outbox.answers] == [1, 2, 3, 4]
    assert isinstance(bench.outbox.answers[0][1], StartTransactionResponse)
    assert told[0].wire["timestamp"] == "2026-11-22T11:00:00Z"


@on_a_bench()
async def test_after_the_statuses_but_for_those_that_say_that_it_is_over(bench: Bench) -> None:
    session(bench)
    for connector, status in enumerate(("Available", "Finishing", "Reserved")):
        bench.status(connector, status)
    await bench.online()
    assert bench.told() == [
        "BootNotification",
        "StatusNotification 0 Available",
        "StatusNotification 2 Reserved",
        "StartTransaction",
        "MeterValues",
        "StopTransaction",
        "StatusNotification 1 Finishing",
    ]


@pytest.mark.parametrize("over", ["Available", "Preparing", "Finishing", "Reserved", "Unavailable"])
def test_the_end_of_a_transaction_is_told_before_the_status_that_follows(over: str) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        bench.status(1, "Charging")
        await bench.online()
        before = len(bench.central.told)
        session(bench)
        bench.status(1, over)
        bench.status(1, "Charging")
        bench.status(2, "Preparing")
        await asyncio.sleep(1)
        told = bench.told(before)
        assert "StatusNotification 2 Preparing" in told[:2]
        told.remove("StatusNotification 2 Preparing")
        assert told == [
            "StartTransaction",
            "MeterValues",
            "StopTransaction",
            f"StatusNotification 1 {over}",
            "StatusNotification 1 Charging",
        ]

    test()


@on_a_bench(transaction_message_attempts=9, transaction_message_retry_interval_s=3600)
async def test_a_stop_that_was_tried_in_vain_holds_no_status_back(bench: Bench) -> None:
    await bench.online()
    bench.central.then(STOP, REFUSED)
    session(bench)
    bench.status(1, "Finishing")
    await asyncio.sleep(1)
    assert bench.told()[-2:] == ["StopTransaction", "StatusNotification 1 Finishing"]


@on_a_bench(transaction_message_attempts=9, transaction_message_retry_interval_s=3600)
async def test_a_stop_that_cannot_come_soon_holds_a_status_back_for_a_moment(bench: Bench) -> None:
    await bench.online()
    bench.central.then(START, REFUSED)
    session(bench)
    bench.status(1, "Finishing")
    await asyncio.sleep(14)
    assert bench.told()[-1] == "StartTransaction"
    await asyncio.sleep(2)
    assert bench.told()[-1] == "StatusNotification 1 Finishing"


@on_a_bench()
async def test_a_fault_waits_for_no_stop(bench: Bench) -> None:
    await bench.online()
    session(bench)
    bench.status(1, "Faulted")
    await asyncio.sleep(1)
    assert "StatusNotification 1 Faulted" in bench.told()[1:3]


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
    bench.outbox.put(METER, "", meter())
    bench.outbox.put(METER, "", meter())
    await bench.online()
    await asyncio.sleep(300)
    times = bench.central.times(METER)
    assert [round(time - times[0]) for time in times] == [0, 60, 180, 180]
    assert [t.message_id for t in bench.central.told if t.action is METER] == [
        "msg-1", "msg-1", "msg-1", "msg-2",
    ]  # fmt: skip
    assert bench.heard.lost == ["msg-1"]
    assert bench.outbox.discarded == [1]


@on_a_bench(transaction_message_attempts=2, transaction_message_retry_interval_s=10)
async def test_silence_on_a_living_link_is_a_failed_attempt(bench: Bench) -> None:
    bench.central.then(METER, None, None)
    bench.outbox.put(METER, "", meter())
    await bench.online()
    await asyncio.sleep(200)
    assert bench.heard.lost == ["msg-1"]
    assert len(bench.central.links) == 1


@on_a_bench(transaction_message_attempts=1)
async def test_a_black_hole_costs_no_attempt(bench: Bench) -> None:
    await bench.online()
    bench.central.alive = False
    session(bench)
    await asyncio.sleep(7200)
    assert bench.heard.lost == []
    assert bench.outbox.attempts == {}
    bench.central.alive = True
    await asyncio.sleep(300)
    assert len(bench.outbox.answers) == 3


@on_a_bench(transaction_message_attempts=1)
async def test_a_lost_connection_costs_no_attempt_and_the_repeat_is_the_same(bench: Bench) -> None:
    bench.central.then(START, None, None)
    session(bench)
    await bench.online()
    for _ in range(2):
        await asyncio.sleep(10)
        bench.central.current.abort()
    await asyncio.sleep(20)
    starts = [t for t in bench.central.told if t.action is START]
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
    assert [t.wire.get("transactionId") for t in bench.central.told[1:]] == [None, -1, -1]
    assert bench.heard.lost == ["msg-1"]


@pytest.mark.parametrize("attempts", [0, -1])
def test_every_message_is_tried_once(attempts: int) -> None:
    @on_a_bench(transaction_message_attempts=attempts)
    async def test(bench: Bench) -> None:
        session(bench)
        await bench.online()
        await asyncio.sleep(5)
        assert len(bench.outbox.answers) == 3

    test()


@pytest.mark.parametrize("payload", [{}, {"connector_id": 1, "nonsense": True}, meter(-1)])
def test_stored_nonsense_does_not_block_the_queue(payload: dict[str, Any]) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        bench.outbox.put(METER, "s", payload)
        session(bench)
        await bench.online()
        await asyncio.sleep(5)
        assert bench.heard.lost == ["msg-1"]
        assert len(bench.outbox.answers) == 3

    test()


@on_a_bench()
async def test_undated_moments_are_dated_when_sent(bench: Bench) -> None:
    moment = bench.clock.moment()
    undated = f"moment:{bench.clock.boot_id}:{moment.monotonic_s - 60:.3f}"
    bench.outbox.put(START, "s", start(timestamp=undated))
    sample = {"timestamp": undated, "sampled_value": [{"value": "150"}]}
    bench.outbox.put(METER, "s", {"connector_id": 1, "meter_value": [sample]})
    bench.outbox.put(START, "t", start(timestamp="moment:anotherboot:5.000"))
    await bench.online()
    await asyncio.sleep(5)
    first, second, third = (t.wire for t in bench.central.told[1:])
    assert first["timestamp"] == "2026-11-22T11:59:00Z"
    assert second["meterValue"][0]["timestamp"] == "2026-11-22T11:59:00Z"
    assert third["timestamp"].startswith("2026-11-22T12:00:0")


@on_a_bench(transaction_message_retry_interval_s=3600)
async def test_people_need_not_wait_for_the_next_attempt(bench: Bench) -> None:
    bench.central.then(METER, REFUSED)
    bench.outbox.put(METER, "", meter())
    await bench.online()
    await asyncio.sleep(100)
    bench.client.retry_now()
    await asyncio.sleep(1)
    assert len(bench.outbox.answers) == 1


@on_a_bench()
async def test_others_may_speak_while_the_queue_waits(bench: Bench) -> None:
    bench.central.then(METER, REFUSED)
    bench.outbox.put(METER, "", meter())
    await bench.online()
    bench.status(1, "Preparing")
    await asyncio.sleep(1)
    assert bench.told()[-1] == "StatusNotification 1 Preparing"


@on_a_bench()
async def test_attempts_may_change_while_running(bench: Bench) -> None:
    bench.central.then(METER, *[REFUSED] * 5)
    bench.outbox.put(METER, "", meter())
    config: BackendConfig = bench.config
    await bench.online()
    from dataclasses import replace

    bench.client.configure(replace(config, transaction_message_attempts=2))
    await asyncio.sleep(61)
    assert bench.heard.lost == ["msg-1"]


def test_answers_are_committed_even_when_the_connection_ends_with_them() -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        committed = asyncio.Event()
        original = bench.outbox.answered

        async def slowly(seq: int, answer: Message) -> None:
            bench.central.current.abort()
            await asyncio.sleep(5)
            await original(seq, answer)
            committed.set()

        bench.outbox.answered = slowly  # type: ignore[method-assign]  # a slow disk
        bench.outbox.put(METER, "", meter())
        await bench.online()
        await committed.wait()
        assert len(bench.central.times(METER)) == 1

    test()


@on_a_bench(drain_pause_s=0.5)
async def test_a_long_queue_goes_at_a_measured_pace_and_new_values_wait_their_turn(
    bench: Bench,
) -> None:
    """After a long absence: the statuses first, then the queue, with room for others between."""
    for _ in range(40):
        bench.outbox.put(METER, "s", meter())
    bench.status(1, "Charging")
    bench.start()
    await asyncio.sleep(5.25)
    bench.outbox.put(METER, "s", meter(2))
    before = len(bench.central.told)
    await bench.client.heartbeat_now()
    assert bench.told(before) == ["Heartbeat"]
    await asyncio.sleep(40)
    told = [one for one in bench.central.told if one.action is METER]
    assert [one.message_id for one in told] == [f"msg-{number}" for number in range(1, 42)]
    assert told[-1].wire["connectorId"] == 2
    times = bench.central.times(METER)
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5
    assert bench.told()[:2] == ["BootNotification", "StatusNotification 1 Charging"]
