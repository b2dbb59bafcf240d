"""The checker finds impossible messages: otherwise its silence would prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.conversation_checker import ConversationChecker, checkers

START = {"connectorId": 1, "idTag": "A", "meterStart": 100, "timestamp": "2026-11-22T10:00:00Z"}
STOP = {"transactionId": 7, "meterStop": 300, "timestamp": "2026-11-22T11:00:00Z"}


def values(wh: int, at: str = "10:30:00", number: int | None = 7, **more: Any) -> dict[str, Any]:
    sampled = {"value": str(wh), **more}
    meter_value = [{"timestamp": f"2026-11-22T{at}Z", "sampledValue": [sampled]}]
    payload: dict[str, Any] = {"connectorId": 1, "meterValue": meter_value}
    return payload if number is None else {**payload, "transactionId": number}


def status(word: str, connector: int = 1) -> dict[str, Any]:
    return {"connectorId": connector, "status": word, "errorCode": "NoError"}


def send(checker: ConversationChecker, *frames: tuple[str, dict[str, Any]]) -> ConversationChecker:
    for action, payload in frames:
        message_id = f"m{len(checker._ids)}"
        checker.asked(message_id, action, payload)
        checker.answered(message_id, {"transactionId": 7} if action == "StartTransaction" else {})
    return checker


def conversation_of(*frames: tuple[str, dict[str, Any]]) -> ConversationChecker:
    """Of a station that is in a transaction."""
    checker = ConversationChecker("CP")
    checker.connected()
    begin = [("StatusNotification", status(word)) for word in ("Available", "Preparing")]
    return send(checker, *begin, ("StartTransaction", START), *frames)


CHARGING = ("StatusNotification", status("Charging"))
FINISHED = ("StatusNotification", status("Finishing"))
ENDED = ("StopTransaction", STOP)

WRONG = {
    "status: a way that the table does not know": [
        CHARGING,
        ("StatusNotification", status("Preparing")),
    ],
    "status: connector 0 is never charging": [("StatusNotification", status("Charging", 0))],
    "order: over before its end": [CHARGING, FINISHED],
    "time: values before the start": [("MeterValues", values(100, "09:59:59"))],
    "time: values that run backwards": [
        ("MeterValues", values(110, "10:40:00")),
        ("MeterValues", values(120, "10:39:00")),
    ],
    "time: an end before the last values": [("MeterValues", values(110, "11:00:01")), ENDED],
    "energy: a register that falls": [
        ("MeterValues", values(200)),
        ("MeterValues", values(199, "10:31:00")),
    ],
    "energy: an end below the last values": [("MeterValues", values(301)), ENDED],
    "energy: in kWh as well": [("MeterValues", values(1, unit="kWh")), ENDED],
    "transaction: a number that was never assigned": [("MeterValues", values(110, number=8))],
    "transaction: an end of nothing": [("StopTransaction", {**STOP, "transactionId": 8})],
    "transaction: an end that comes twice": [
        ENDED,
        ("StopTransaction", {**STOP, "meterStop": 301}),
    ],
    "transaction: two at once": [("StartTransaction", {**START, "meterStart": 200})],
}


@pytest.mark.parametrize("name", WRONG)
def test_impossible_messages_are_found(name: str) -> None:
    checker = conversation_of(*WRONG[name])
    rule = name.partition(":")[0]
    assert [found.partition(":")[0] for found in checker.findings] == [rule]
    with pytest.raises(AssertionError, match="CP"):
        checker.check()
    checker.exempt(rule, "this is what the test is about")
    checker.check()


def test_a_message_id_stands_for_one_content() -> None:
    checker = conversation_of()
    for wh in (110, 110, 120):
        checker.asked("same", "MeterValues", values(wh))
        checker.answered("same", {})
    assert [found.partition(":")[0] for found in checker.findings] == ["id"]
    checker.exempt("id", "this is what the test is about")


RIGHT = {
    "a whole session": [
        CHARGING,
        ("MeterValues", values(150)),
        ("MeterValues", values(200, "10:31:00")),
        ENDED,
        FINISHED,
        ("StatusNotification", status("Available")),
    ],
    "values that were asked for come out of turn": [
        ("MeterValues", values(200, "10:31:00")),
        ("MeterValues", values(150, context="Trigger")),
        ENDED,
    ],
    "a fault before the end": [
        CHARGING,
        ("StatusNotification", status("Faulted")),
        ENDED,
        FINISHED,
    ],
    "values outside transactions": [("MeterValues", values(1, number=None))],
    "the number of a lost start": [("StopTransaction", {**STOP, "transactionId": -1})],
}


@pytest.mark.parametrize("name", RIGHT)
def test_possible_messages_are_accepted(name: str) -> None:
    conversation_of(*RIGHT[name]).check()


def test_after_a_reconnect_any_present_status_is_accepted() -> None:
    checker = conversation_of(CHARGING)
    checker.connected()
    send(checker, ("StatusNotification", status("Available")), ENDED)
    checker.check()


def test_a_triggered_status_may_come_before_the_stop() -> None:
    checker = conversation_of(CHARGING)
    checker.commanded("TriggerMessage", {"requestedMessage": "StatusNotification"})
    send(checker, FINISHED, ENDED)
    checker.check()


def test_every_test_with_a_backend_is_checked() -> None:
    """`tests/conftest.py` checks what a test began."""
    checker = ConversationChecker("here")
    assert checkers == [checker]
