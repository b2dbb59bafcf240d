"""BootNotification (OCPP 1.6 section 4.2; OCTT TC_001, TC_002) and TriggerMessage (5.17)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from borne.adapters.ocpp.charge_point.triggers import MAX_WAITING
from borne.application.ports.backend import BootState, ConnectionStep, StepState
from borne.protocols.ocpp.messages import Action, Message
from borne.protocols.ocpp.messages.core import (
    AuthorizeResponse,
    BootNotificationRequest,
    GetConfigurationRequest,
    GetConfigurationResponse,
    MeterValue,
    MeterValuesRequest,
    RemoteStartTransactionRequest,
    RemoteStopTransactionRequest,
    SampledValue,
)
from borne.protocols.ocpp.messages.remote_trigger import (
    MessageTrigger,
    TriggerMessageRequest,
    TriggerMessageResponse,
)
from borne.protocols.ocpp.messages.types import (
    AuthorizationStatus,
    IdTagInfo,
    TriggerMessageStatus,
)
from borne.protocols.ocpp.rpc.errors import CallRefused, NoAnswer, NotAccepted
from borne.protocols.ocpp.rpc.handlers import Reply
from tests.unit.adapters.ocpp.charge_point.harness import NOW, Bench, boot_answer, meter, on_a_bench

BOOT = Action.BOOT_NOTIFICATION
BOOT_AGAIN = BootNotificationRequest(charge_point_vendor="V", charge_point_model="M2")


async def trigger_boot(bench: Bench) -> None:
    trigger = TriggerMessageRequest(requested_message=MessageTrigger.BOOT_NOTIFICATION)
    await bench.central.current.ask(trigger)


def three_statuses(bench: Bench) -> None:
    for connector in (2, 0, 1):
        bench.status(connector, "Available")


def gaps(times: list[float]) -> list[float]:
    return [round(later - earlier) for earlier, later in pairwise(times)]


@on_a_bench()
async def test_accepted_then_clock_interval_and_every_status(bench: Bench) -> None:
    three_statuses(bench)
    await bench.online()
    assert bench.messages() == [
        "BootNotification",
        "StatusNotification 0 Available",
        "StatusNotification 1 Available",
        "StatusNotification 2 Available",
    ]
    assert bench.listener.times == [NOW]
    assert bench.listener.intervals == [300]
    await asyncio.sleep(1000)
    assert gaps(bench.central.times(Action.HEARTBEAT)) == [300, 300]


@on_a_bench()
async def test_rejected_means_no_message_in_both_directions_until_the_interval(
    bench: Bench,
) -> None:
    three_statuses(bench)
    bench.outbox.put(meter())
    bench.central.then(BOOT, boot_answer("Rejected", 100))
    bench.start()
    await asyncio.sleep(99)
    assert bench.messages() == ["BootNotification"]
    with pytest.raises(NoAnswer):
        await bench.central.current.ask(GetConfigurationRequest())
    with pytest.raises(NotAccepted):
        await bench.client.authorize("A")
    await asyncio.sleep(2)
    assert gaps(bench.central.times(BOOT)) == [100]
    assert bench.messages()[2] == "StatusNotification 0 Available"


@on_a_bench()
async def test_rejected_stays_silent_over_a_reconnect(bench: Bench) -> None:
    bench.central.then(BOOT, boot_answer("Rejected", 100))
    bench.start()
    await asyncio.sleep(1)
    bench.central.current.abort()
    await asyncio.sleep(50)
    assert len(bench.central.links) == 2
    await asyncio.sleep(60)
    assert gaps(bench.central.times(BOOT)) == [100]


@on_a_bench()
async def test_pending_answers_calls_but_sends_nothing(bench: Bench) -> None:
    async def answer(request: Message) -> Message:
        return GetConfigurationResponse()

    three_statuses(bench)
    bench.handlers.register(GetConfigurationRequest, answer)
    bench.central.then(BOOT, boot_answer("Pending", 100))
    bench.start()
    await asyncio.sleep(50)
    link = bench.central.current
    assert await link.ask(GetConfigurationRequest()) == GetConfigurationResponse()
    for request in (
        RemoteStartTransactionRequest(id_tag="A", connector_id=1),
        RemoteStopTransactionRequest(transaction_id=1),
    ):
        assert (await link.ask(request)).to_wire() == {"status": "Rejected"}  # type: ignore[union-attr]  # a Message here
    assert bench.messages() == ["BootNotification"]
    assert bench.client.view().boot is BootState.PENDING
    await asyncio.sleep(52)
    assert gaps(bench.central.times(BOOT)) == [100]
    assert bench.client.online


@on_a_bench()
async def test_pending_sends_what_is_triggered(bench: Bench) -> None:
    three_statuses(bench)
    bench.central.then(BOOT, boot_answer("Pending", 1000))
    bench.start()
    await asyncio.sleep(1)
    link = bench.central.current
    for trigger, connector in (
        (MessageTrigger.STATUS_NOTIFICATION, 2),
        (MessageTrigger.HEARTBEAT, None),
        (MessageTrigger.BOOT_NOTIFICATION, None),
    ):
        await link.ask(TriggerMessageRequest(requested_message=trigger, connector_id=connector))
    await asyncio.sleep(1)
    assert bench.messages()[1:4] == [
        "StatusNotification 2 Available",
        "Heartbeat",
        "BootNotification",
    ]
    assert bench.client.online


@pytest.mark.parametrize("interval", [0, -5])
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_without_an_interval_the_default_is_used(interval: int, status: str) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        bench.central.then(BOOT, *[boot_answer(status, interval)] * 4)
        bench.start()
        await asyncio.sleep(3600)
        found = gaps(bench.central.times(BOOT))
        assert len(found) == 4
        assert min(found) >= 15
        assert found[-1] > found[0]

    test()


@on_a_bench(call_timeout_s=60)
async def test_errors_and_timeouts_are_retried_with_growing_pauses(bench: Bench) -> None:
    bench.central.then(BOOT, CallRefused("InternalError", "", {}), None, None)
    bench.start()
    await asyncio.sleep(40)
    assert bench.client.view().steps[-2].step is ConnectionStep.BOOT
    assert len(bench.central.times(BOOT)) == 2
    await asyncio.sleep(2000)
    assert len(bench.central.times(BOOT)) == 4
    assert min(gaps(bench.central.times(BOOT))) >= 15
    assert len(bench.central.links) == 1
    assert bench.client.online


@on_a_bench()
async def test_a_reconnect_sends_no_boot_notification(bench: Bench) -> None:
    three_statuses(bench)
    await bench.online()
    bench.central.reachable = False
    bench.central.current.abort()
    bench.status(1, "Preparing")
    bench.status(1, "Charging")
    bench.status(2, "Preparing")
    bench.status(2, "Available")
    await asyncio.sleep(10)
    bench.central.reachable = True
    before = len(bench.central.received)
    await asyncio.sleep(20)
    assert len(bench.central.links) == 2
    assert bench.messages(before) == ["StatusNotification 1 Charging"]


@on_a_bench()
async def test_a_reconnect_with_other_content_sends_a_boot_notification(bench: Bench) -> None:
    three_statuses(bench)
    await bench.online()
    bench.content = BootNotificationRequest(charge_point_vendor="V", charge_point_model="M2")
    before = len(bench.central.received)
    bench.central.current.abort()
    await asyncio.sleep(10)
    assert bench.messages(before)[0] == "BootNotification"
    assert len(bench.messages(before)) == 4


@on_a_bench()
async def test_changed_content_is_sent_with_the_next_connection(bench: Bench) -> None:
    await bench.online()
    bench.central.current.abort()
    await asyncio.sleep(10)
    assert len(bench.central.times(BOOT)) == 1
    bench.content = BOOT_AGAIN
    bench.central.current.abort()
    await asyncio.sleep(10)
    assert len(bench.central.times(BOOT)) == 2


@on_a_bench()
async def test_invalid_boot_content_is_shown_and_retried(bench: Bench) -> None:
    good, bench.content = bench.content, None
    bench.start()
    await asyncio.sleep(60)
    boot = bench.client.view().steps[-2]
    assert boot.last_error == "cannot be sent: chargePointModel is too long"
    assert 2 < len(bench.central.dials) < 10
    bench.content = good
    await asyncio.sleep(120)
    assert bench.client.online


@on_a_bench()
async def test_a_boot_is_sent_whenever_it_is_triggered(bench: Bench) -> None:
    """evcc and Home Assistant wait for it (errata 3.35 notwithstanding)."""
    trigger = TriggerMessageRequest(requested_message=MessageTrigger.BOOT_NOTIFICATION)
    accepted = TriggerMessageResponse(status=TriggerMessageStatus.ACCEPTED)
    three_statuses(bench)
    await bench.online()
    for again in (False, True):
        if again:
            bench.central.current.abort()
            await asyncio.sleep(10)
        before = len(bench.central.received)
        assert await bench.central.current.ask(trigger) == accepted
        await asyncio.sleep(1)
        assert bench.messages(before)[0] == "BootNotification"
        assert len(bench.messages(before)) == 4
        assert bench.client.online


@on_a_bench()
async def test_a_backend_that_triggers_and_does_not_answer_is_refused(bench: Bench) -> None:
    """Nothing piles up: what is triggered waits for its turn, and only so much waits."""
    trigger = TriggerMessageRequest(requested_message=MessageTrigger.HEARTBEAT)
    await bench.online()
    bench.central.round_trip_s = 50.0
    link, answers = bench.central.current, []
    for _ in range(MAX_WAITING + 5):
        reply = await link.handler(Action.TRIGGER_MESSAGE, trigger)
        assert isinstance(reply, Reply)
        answers.append(reply.response.status)
        if reply.then is not None:
            asyncio.ensure_future(reply.then())  # noqa: RUF006 - the loop ends with the test
    accepted, rejected = TriggerMessageStatus.ACCEPTED, TriggerMessageStatus.REJECTED
    assert answers == [accepted] * MAX_WAITING + [rejected] * 5
    bench.central.round_trip_s = 0.01
    await asyncio.sleep(60)
    assert await link.ask(trigger) == TriggerMessageResponse(status=accepted)


@on_a_bench()
async def test_a_triggered_boot_may_end_in_rejection(bench: Bench) -> None:
    await bench.online()
    bench.central.current.abort()
    await asyncio.sleep(10)
    bench.central.then(BOOT, boot_answer("Rejected", 100))
    await bench.central.current.ask(
        TriggerMessageRequest(requested_message=MessageTrigger.BOOT_NOTIFICATION)
    )
    await asyncio.sleep(1)
    assert not bench.client.online
    assert bench.client.view().steps[-2].state is StepState.FAILED
    await asyncio.sleep(101)
    assert bench.client.online


def meter_values(connector: int) -> MeterValuesRequest:
    value = MeterValue(timestamp=NOW, sampled_value=(SampledValue(value="1"),))
    return MeterValuesRequest(connector_id=connector, meter_value=(value,))


@pytest.mark.parametrize(
    ("trigger", "connector", "status", "sent"),
    [
        ("MeterValues", 1, "Accepted", ["MeterValues"]),
        ("MeterValues", None, "Accepted", ["MeterValues", "MeterValues"]),
        ("MeterValues", 3, "Rejected", []),
        ("StatusNotification", 0, "Accepted", ["StatusNotification 0 Available"]),
        ("StatusNotification", 3, "Rejected", []),
        ("Heartbeat", None, "Accepted", ["Heartbeat"]),
        ("FirmwareStatusNotification", None, "NotImplemented", []),
    ],
)
def test_triggers_answer_then_send(
    trigger: str, connector: int | None, status: str, sent: list[str]
) -> None:
    """OCTT TC_054, TC_055."""

    @on_a_bench()
    async def test(bench: Bench) -> None:
        async def source(number: int | None) -> list[Message]:
            return [meter_values(each) for each in (1, 2) if number in (None, each)]

        bench.client.triggers.register("MeterValues", source)
        three_statuses(bench)
        await bench.online()
        before = len(bench.central.received)
        answer = await bench.central.current.ask(
            TriggerMessageRequest(requested_message=MessageTrigger(trigger), connector_id=connector)
        )
        assert isinstance(answer, TriggerMessageResponse)
        assert answer.status == status
        await asyncio.sleep(1)
        assert bench.messages(before) == sent

    test()


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_messages_waiting_behind_a_boot_follow_its_answer(status: str) -> None:
    """A message that was due while a repeated BootNotification was on its way."""

    @on_a_bench()
    async def test(bench: Bench) -> None:
        await bench.online()
        bench.central.round_trip_s = 5
        bench.central.then(BOOT, boot_answer(status, 100))
        bench.content = BOOT_AGAIN
        await trigger_boot(bench)
        await asyncio.sleep(1)
        before = len(bench.central.received)
        bench.outbox.put(meter())
        asked = asyncio.create_task(bench.client.authorize("A"))
        await asyncio.sleep(90)
        assert bench.messages(before) == []
        with pytest.raises(NotAccepted):
            await asked
        await asyncio.sleep(60)
        assert bench.messages(before)[0] == "BootNotification"
        assert len(bench.outbox.answers) == 1

    test()


@on_a_bench()
async def test_calls_during_a_repeated_boot_wait(bench: Bench) -> None:
    bench.central.defaults[Action.AUTHORIZE] = AuthorizeResponse(
        id_tag_info=IdTagInfo(status=AuthorizationStatus.ACCEPTED)
    )
    await bench.online()
    bench.central.round_trip_s = 5
    bench.content = BOOT_AGAIN
    await trigger_boot(bench)
    await asyncio.sleep(1)
    assert bench.client.online
    assert (await bench.client.authorize("A")).accepted


@pytest.mark.parametrize("answer", [None, CallRefused("InternalError", "", {})])
def test_a_repeated_boot_without_a_usable_answer_stops_all_messages(
    answer: CallRefused | None,
) -> None:
    """The backend may have taken the acceptance back by the answer that was lost."""

    @on_a_bench(call_timeout_s=60)
    async def test(bench: Bench) -> None:
        await bench.online()
        bench.central.then(BOOT, answer)
        bench.content = BOOT_AGAIN
        await trigger_boot(bench)
        await asyncio.sleep(1)
        before = len(bench.central.received)
        bench.outbox.put(meter())
        await asyncio.sleep(300)
        assert bench.messages(before)[0] == "BootNotification"
        assert len(bench.outbox.answers) == 1

    test()


@on_a_bench()
async def test_a_boot_whose_answer_was_lost_is_repeated(bench: Bench) -> None:
    trigger = TriggerMessageRequest(requested_message=MessageTrigger.BOOT_NOTIFICATION)
    await bench.online()
    bench.central.current.abort()
    await asyncio.sleep(10)
    bench.central.then(BOOT, None)
    await bench.central.current.ask(trigger)
    await asyncio.sleep(1)
    bench.central.current.abort()
    before = len(bench.central.received)
    bench.outbox.put(meter())
    await asyncio.sleep(10)
    assert len(bench.central.links) == 3
    assert bench.messages(before)[0] == "BootNotification"
    assert bench.messages(before)[-1] == "MeterValues"
