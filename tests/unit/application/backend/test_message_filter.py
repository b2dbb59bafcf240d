"""Which messages are shown: calls with their answers."""

from __future__ import annotations

import pytest

from borne.application.backend.message_filter import Asked, MessageFilter
from tests.support.frames import frame

LOG = [
    frame("sent", "call", "a", '{"connectorId":2,"idTag":"X"}', "StartTransaction"),
    frame("received", "call", "a", '{"key":"ConnectorName"}', "GetConfiguration"),
    frame("sent", "result", "a", '{"configurationKey":[]}', "GetConfiguration"),
    frame("received", "result", "a", '{"transactionId":17}', "StartTransaction"),
    frame("sent", "call", "b", '{"connectorId": 1}', "StatusNotification"),
    frame("received", "error", "b", "InternalError", "StatusNotification"),
    frame("sent", "call", "c", '{"transactionId":17,"meterStop":9}', "StopTransaction"),
    frame("sent", "no_answer", "c", "", "StopTransaction"),
    frame("received", "result", "c", "late", None),
    frame("received", "unusable", "", "no JSON", None),
]


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (MessageFilter(), list(range(10))),
        (MessageFilter(action="StartTransaction"), [0, 3]),
        (MessageFilter(action="GetConfiguration"), [1, 2]),
        (MessageFilter(asked_by=Asked.STATION), [0, 3, 4, 5, 6, 7, 8]),
        (MessageFilter(asked_by=Asked.BACKEND), [1, 2, 9]),
        (MessageFilter(errors=True), [4, 5, 6, 7, 8, 9]),
        (MessageFilter(connector=1), [4, 5]),
        (MessageFilter(connector=2), [0, 3, 6, 7, 8]),
        (MessageFilter(connector=7), []),
        (MessageFilter(text="METERSTOP"), [6, 7, 8]),
        (MessageFilter(text="connectorname"), [1, 2]),
        (MessageFilter(errors=True, connector=2), [6, 7, 8]),
    ],
)
def test_messages_are_filtered_with_their_answers(given: MessageFilter, places: list[int]) -> None:
    assert given.choose(LOG) == [LOG[place] for place in places]


def test_a_repeated_call_is_shown_separately() -> None:
    log = [
        frame("sent", "call", "a", "one", "Heartbeat"),
        frame("sent", "no_answer", "a", "", "Heartbeat"),
        frame("sent", "call", "a", "one", "Heartbeat"),
        frame("received", "result", "a", "", "Heartbeat"),
    ]
    assert MessageFilter(errors=True).choose(log) == log[:2]
