"""StatusNotification (OCPP 1.6 section 4.9) and Heartbeat (section 4.6)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from borne.application.ports.backend import ConnectionStep, StatusReport, StepState
from borne.domain.station.status import BackendStatus
from borne.foundation.clock import ClockTrust
from borne.protocols.ocpp.messages import Action
from borne.protocols.ocpp.messages.remote_trigger import MessageTrigger, TriggerMessageRequest
from borne.protocols.ocpp.rpc.errors import CallRefused
from tests.unit.adapters.ocpp.charge_point.harness import (
    NOW,
    Bench,
    boot_answer,
    meter,
    on_a_bench,
    start,
    stop,
)

STATUS = Action.STATUS_NOTIFICATION
HEARTBEAT = Action.HEARTBEAT
REFUSED = CallRefused("InternalError", "", {})


@on_a_bench()
async def test_every_change_is_sent_while_online(bench: Bench) -> None:
    await bench.online()
    for status in ("Preparing", "Charging", "Charging", "SuspendedEV", "Charging"):
        bench.status(1, status)
    await asyncio.sleep(1)
    assert bench.messages()[1:] == [
        f"StatusNotification 1 {status}"
        for status in ("Preparing", "Charging", "SuspendedEV", "Charging")
    ]


@on_a_bench()
async def test_a_status_has_the_time_at_which_it_began(bench: Bench) -> None:
    bench.status(1, "Preparing", "EV side disconnected" + "x" * 50)
    await asyncio.sleep(30)
    await bench.online()
    wire = bench.central.received[1].wire
    assert wire["timestamp"] == "2026-11-22T12:00:00Z"
    assert wire["errorCode"] == "NoError"
    assert wire["info"] == "EV side disconnected" + "x" * 30
    assert "vendorErrorCode" not in wire


@on_a_bench(clock_is_known=False)
async def test_a_status_from_before_the_date_was_known_is_dated_later(bench: Bench) -> None:
    bench.status(1, "Available")
    await asyncio.sleep(30)
    bench.listener.on_time = (  # type: ignore[method-assign]  # what the application does
        lambda at, round_trip_s: bench.clock.observe(at, ClockTrust.BACKEND)
    )
    await bench.online()
    wire = bench.central.received[1].wire
    assert wire["timestamp"].startswith("2026-11-22T11:59:")


@on_a_bench()
async def test_a_refused_status_is_not_repeated(bench: Bench) -> None:
    bench.central.then(STATUS, REFUSED)
    bench.status(1, "Available")
    await bench.online()
    await asyncio.sleep(200)
    assert len(bench.central.times(STATUS)) == 1


@on_a_bench(call_timeout_s=10)
async def test_an_unanswered_status_is_repeated_while_it_is_current(bench: Bench) -> None:
    bench.central.then(STATUS, None, None, None)
    bench.status(1, "Available")
    await bench.online()
    await asyncio.sleep(12)
    bench.status(1, "Preparing")
    await asyncio.sleep(60)
    assert (
        bench.messages()[1:]
        == ["StatusNotification 1 Available"] * 2 + ["StatusNotification 1 Preparing"] * 2
    )


@on_a_bench(call_timeout_s=10)
async def test_a_status_without_answer_does_not_hold_up_the_queue_for_ever(bench: Bench) -> None:
    bench.central.then(STATUS, *[None] * 5)
    bench.status(1, "Available")
    bench.outbox.put(meter(None, connector=0))
    await bench.online()
    await asyncio.sleep(40)
    assert len(bench.central.times(STATUS)) == 3
    assert len(bench.outbox.answers) == 1


@on_a_bench()
async def test_of_many_changes_the_current_status_is_sent(bench: Bench) -> None:
    await bench.online()
    for number in range(500):
        bench.status(1, ("Charging", "SuspendedEV")[number % 2])
        bench.status(2, ("SuspendedEV", "Charging")[number % 2])
    await asyncio.sleep(60)
    assert len(bench.central.received) < 200
    assert {"StatusNotification 1 SuspendedEV", "StatusNotification 2 Charging"} == set(
        bench.messages()[-2:]
    )


@on_a_bench(force_heartbeat=False)
async def test_heartbeats_are_sent_only_without_other_messages(bench: Bench) -> None:
    await bench.online()
    for number in range(9):
        await asyncio.sleep(100)
        bench.status(1, ("Charging", "SuspendedEV")[number % 2])
    assert bench.central.times(HEARTBEAT) == []
    await asyncio.sleep(310)
    assert len(bench.central.times(HEARTBEAT)) == 1


@on_a_bench(force_heartbeat=False)
async def test_the_time_is_requested_once_a_day(bench: Bench) -> None:
    await bench.online()
    for number in range(1500):
        await asyncio.sleep(100)
        bench.status(1, ("Charging", "SuspendedEV")[number % 2])
    assert len(bench.central.times(HEARTBEAT)) == 1


@on_a_bench(force_heartbeat=True)
async def test_forced_heartbeats_are_sent_always(bench: Bench) -> None:
    await bench.online()
    for number in range(9):
        await asyncio.sleep(100)
        bench.status(1, ("Charging", "SuspendedEV")[number % 2])
    assert len(bench.central.times(HEARTBEAT)) == 3


@on_a_bench()
async def test_the_interval_may_change_while_waiting(bench: Bench) -> None:
    bench.central.then(Action.BOOT_NOTIFICATION, boot_answer(interval=86400))
    await bench.online()
    view = bench.client.view()
    assert view.next_heartbeat_s == pytest.approx(86400, abs=2)
    bench.client.configure(replace(bench.config, heartbeat_interval_s=50))
    await asyncio.sleep(170)
    assert len(bench.central.times(HEARTBEAT)) == 3


@pytest.mark.parametrize("interval", [0, -1])
def test_without_an_interval_the_default_is_kept(interval: int) -> None:
    @on_a_bench(heartbeat_interval_s=interval)
    async def test(bench: Bench) -> None:
        bench.central.then(Action.BOOT_NOTIFICATION, boot_answer(interval=interval))
        await bench.online()
        await asyncio.sleep(3600)
        assert bench.central.times(HEARTBEAT) == []
        assert bench.listener.intervals == []

    test()


@on_a_bench()
async def test_a_failed_heartbeat_is_shown_and_retried_later(bench: Bench) -> None:
    bench.central.then(HEARTBEAT, REFUSED)
    await bench.online()
    await asyncio.sleep(301)
    step = bench.client.view().steps[-1]
    assert (step.step, step.state) == (ConnectionStep.HEARTBEAT, StepState.FAILED)
    await asyncio.sleep(301)
    step = bench.client.view().steps[-1]
    assert step.state is StepState.OK
    assert step.last_error == "InternalError"
    assert bench.listener.times == [NOW, NOW]


@on_a_bench(force_heartbeat=False)
async def test_a_slow_answer_with_the_date_is_requested_again_soon(bench: Bench) -> None:
    bench.central.round_trip_s = 40.0
    bench.start()
    await asyncio.sleep(50)
    bench.central.round_trip_s = 0.1
    await asyncio.sleep(200)
    assert len(bench.central.times(HEARTBEAT)) == 1
    assert len(bench.listener.times) == 2


@on_a_bench(force_heartbeat=False)
async def test_on_a_slow_line_the_date_is_not_requested_for_ever(bench: Bench) -> None:
    bench.central.round_trip_s = 10.0
    bench.start()
    await asyncio.sleep(130)
    await asyncio.sleep(1200)
    assert len(bench.central.times(HEARTBEAT)) <= 6


@on_a_bench(clock_is_known=False)
async def test_a_triggered_status_before_the_date_is_known_has_no_date(bench: Bench) -> None:
    bench.status(1, "Available")
    bench.central.then(Action.BOOT_NOTIFICATION, boot_answer("Pending"))
    bench.start()
    await asyncio.sleep(1)
    trigger = TriggerMessageRequest(
        requested_message=MessageTrigger.STATUS_NOTIFICATION, connector_id=1
    )
    await bench.central.current.ask(trigger)
    await asyncio.sleep(1)
    assert "timestamp" not in bench.central.received[-1].wire


@on_a_bench()
async def test_a_triggered_status_is_the_present_one_with_the_present_time(bench: Bench) -> None:
    """The application may hold a status back (MinimumStatusDuration): not when somebody asks."""

    def settle(connector: int | None) -> None:
        asked.append(connector)
        bench.status(1, "Charging")

    asked: list[int | None] = []
    bench.status(1, "Preparing")
    await bench.online()
    bench.client.ask_statuses(settle)
    await asyncio.sleep(100)
    before = len(bench.central.received)
    await bench.central.current.ask(
        TriggerMessageRequest(requested_message=MessageTrigger.STATUS_NOTIFICATION, connector_id=1)
    )
    await asyncio.sleep(1)
    assert asked == [1]
    (sent,) = [sent.wire for sent in bench.central.received[before:]]
    assert (sent["status"], sent["timestamp"]) == ("Charging", "2026-11-22T12:01:41Z")


@on_a_bench()
async def test_a_triggered_status_comes_after_those_that_led_to_it(bench: Bench) -> None:
    await bench.online()
    for status in ("Available", "Preparing", "Charging"):
        bench.status(1, status)
    trigger = TriggerMessageRequest(requested_message=MessageTrigger.STATUS_NOTIFICATION)
    await bench.central.current.ask(trigger)
    await asyncio.sleep(1)
    statuses = [word.split()[-1] for word in bench.messages()[1:]]
    assert statuses[:3] == ["Available", "Preparing", "Charging"]
    assert set(statuses[3:]) <= {"Charging"}


@on_a_bench()
async def test_a_triggered_status_does_not_wait_for_a_stop(bench: Bench) -> None:
    """What is true now was asked for; the order of a session's end is worth less."""
    await bench.online()
    bench.outbox.put(start(), stop())
    bench.outbox.next = never  # type: ignore[method-assign]  # the queue is stuck
    bench.status(1, "Finishing")
    await asyncio.sleep(1)
    assert bench.messages()[1:] == []
    trigger = TriggerMessageRequest(requested_message=MessageTrigger.STATUS_NOTIFICATION)
    await bench.central.current.ask(trigger)
    await asyncio.sleep(1)
    assert bench.messages()[1:] == ["StatusNotification 1 Finishing"]


async def never() -> None:
    await asyncio.Event().wait()


@on_a_bench()
async def test_an_event_text_is_sent_once_and_not_after_a_reconnect(bench: Bench) -> None:
    def news(info: str) -> None:
        report = StatusReport(
            1, BackendStatus.AVAILABLE, bench.clock.moment(), info=info, info_is_news=True
        )
        bench.client.report_status(report)

    bench.status(1, "Available")
    await bench.online()
    news("Plug lock in order")
    await asyncio.sleep(1)
    infos = [sent.wire.get("info") for sent in bench.central.received[1:]]
    assert infos == [None, "Plug lock in order"]
    before = len(bench.central.received)
    bench.central.current.abort()
    await asyncio.sleep(0)
    news("RCD reconnected")
    await asyncio.sleep(60)
    assert bench.client.online
    assert bench.messages(before) == []
