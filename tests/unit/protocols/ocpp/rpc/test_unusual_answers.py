"""The usable part of an answer survives whatever stands around it (decision 0145)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.protocols.ocpp.messages import Action, response_model
from borne.protocols.ocpp.messages.core import (
    AuthorizeResponse,
    BootNotificationResponse,
    HeartbeatResponse,
    RegistrationStatus,
    StartTransactionResponse,
    StopTransactionResponse,
)
from borne.protocols.ocpp.messages.registry import Initiator, spec_of
from borne.protocols.ocpp.messages.types import AuthorizationStatus
from borne.protocols.ocpp.rpc import frames
from borne.protocols.ocpp.rpc.errors import InvalidAnswer
from borne.protocols.ocpp.rpc.validation import read_response

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ACCEPTED = {"status": "Accepted"}
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=60)
    | st.sampled_from(["", "x" * 3000, "\x00", "\ud800", "0001-01-01T00:00:00+14:00", "9" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    ["currentTime", "interval", "idTagInfo", "data", "expiryDate", "parentIdTag", "x"]
)
AROUND = st.dictionaries(MEMBERS | st.text(max_size=12), JUNK, max_size=4)
FAST = settings(max_examples=150, derandomize=True, deadline=None)


def read(action: Action, payload: Any) -> Any:
    """Through the frame, as it comes."""
    frame = frames.parse(json.dumps([3, "1", payload]))
    assert isinstance(frame, frames.Result), frame
    return read_response(action, frame.payload)


START: dict[str, dict[str, Any]] = {
    "an empty date": {"transactionId": 41, "idTagInfo": {**ACCEPTED, "expiryDate": ""}},
    "a number as text": {"transactionId": "41", "idTagInfo": ACCEPTED},
    "a number as text with spaces": {"transactionId": " 41 ", "idTagInfo": ACCEPTED},
    "a float": {"transactionId": 41.0, "idTagInfo": ACCEPTED},
    "a float as text": {"transactionId": "41.0", "idTagInfo": ACCEPTED},
    "a long parent": {"transactionId": 41, "idTagInfo": {**ACCEPTED, "parentIdTag": "p" * 40}},
    "a parent that is a number": {"transactionId": 41, "idTagInfo": {**ACCEPTED, "parentIdTag": 5}},
    "more members": {"transactionId": 41, "idTagInfo": {**ACCEPTED, "x": {}}, "y": [1]},
    "null members": {"transactionId": 41, "idTagInfo": {**ACCEPTED, "expiryDate": None}, "z": None},
    "other letter case": {"TransactionID": 41, "idtaginfo": {"Status": "accepted"}},
}


@pytest.mark.parametrize("payload", START.values(), ids=START.keys())
def test_unusual_spellings_of_accepted_are_accepted(payload: dict[str, Any]) -> None:
    answer = read(Action.START_TRANSACTION, payload)
    assert answer.transaction_id == 41
    assert answer.id_tag_info.status is AuthorizationStatus.ACCEPTED
    assert answer.id_tag_info.expiry_date is None
    assert answer.id_tag_info.parent_id_tag is None


@pytest.mark.parametrize(
    "info", [None, "Accepted", [], {}, {"status": None}, 7, {"expiryDate": "x"}]
)
def test_a_start_answer_without_id_tag_info_has_its_transaction_id(info: Any) -> None:
    answer = read(Action.START_TRANSACTION, {"transactionId": 41, "idTagInfo": info})
    assert answer == StartTransactionResponse(transaction_id=41, id_tag_info=None)
    assert read(Action.START_TRANSACTION, {"transactionId": 41}) == answer


@pytest.mark.parametrize("status", ["Fine", "", "Accepted!", 1, True, ["Accepted"], "OK"])
@pytest.mark.parametrize("action", [Action.START_TRANSACTION, Action.STOP_TRANSACTION])
def test_an_unknown_status_of_a_card_is_no_acceptance(action: Action, status: Any) -> None:
    answer = read(action, {"transactionId": 41, "idTagInfo": {"status": status}})
    assert answer.id_tag_info.status is AuthorizationStatus.INVALID


@pytest.mark.parametrize("number", [None, "", "x", "4 1", 41.5, True, [], {}, "9" * 5000, 2**63])
def test_a_start_answer_without_a_transaction_id_is_unusable(number: Any) -> None:
    with pytest.raises(InvalidAnswer):
        read(Action.START_TRANSACTION, {"transactionId": number, "idTagInfo": ACCEPTED})


@given(around=AROUND, info=AROUND)
@FAST
def test_a_transaction_id_is_read_beside_any_other_members(
    around: dict[str, Any], info: dict[str, Any]
) -> None:
    payload = {**around, "transactionId": 41, "idTagInfo": {**info, **ACCEPTED}}
    answer = read(Action.START_TRANSACTION, payload)
    assert isinstance(answer, StartTransactionResponse)
    assert answer.transaction_id == 41
    assert answer.id_tag_info is not None
    assert answer.id_tag_info.status is AuthorizationStatus.ACCEPTED
    without = read(Action.START_TRANSACTION, {**around, "transactionId": 41})
    assert without.transaction_id == 41


@given(around=AROUND, status=st.sampled_from(list(RegistrationStatus)))
@FAST
def test_a_boot_status_is_read_beside_any_other_members(
    around: dict[str, Any], status: RegistrationStatus
) -> None:
    answer = read(Action.BOOT_NOTIFICATION, {**around, "status": status})
    assert isinstance(answer, BootNotificationResponse)
    assert answer.status is status


@given(around=AROUND)
@FAST
def test_a_heartbeat_time_is_read_beside_any_other_members(around: dict[str, Any]) -> None:
    answer = read(Action.HEARTBEAT, {**around, "currentTime": "2026-11-22T12:00:00Z"})
    assert answer == HeartbeatResponse(current_time=NOON)


@given(around=AROUND, status=st.sampled_from(list(AuthorizationStatus)))
@FAST
def test_a_card_status_is_read_beside_any_other_members(
    around: dict[str, Any], status: AuthorizationStatus
) -> None:
    for action in (Action.AUTHORIZE, Action.STOP_TRANSACTION):
        answer = read(action, {**around, "idTagInfo": {**around, "status": status}})
        assert isinstance(answer, AuthorizeResponse | StopTransactionResponse)
        assert answer.id_tag_info is not None
        assert answer.id_tag_info.status is status


@given(around=AROUND)
@FAST
def test_a_plain_status_is_read_beside_any_other_members(around: dict[str, Any]) -> None:
    for action in (Action.DATA_TRANSFER, Action.SIGN_CERTIFICATE):
        answer: Any = read(action, {**around, "status": "Rejected"})
        assert answer.status == "Rejected"


TAKEN = [
    action
    for action in Action
    if spec_of(action).initiator is not Initiator.CENTRAL_SYSTEM
    and not any(info.is_required() for info in response_model(action).model_fields.values())
]


@pytest.mark.parametrize("action", TAKEN)
@given(payload=JUNK)
@settings(FAST, max_examples=30)
def test_answers_without_content_acknowledge_whatever_they_hold(
    action: Action, payload: Any
) -> None:
    assert read(action, payload) is not None


TIMES = [
    "2026-11-22T12:00:00Z",
    "2026-11-22 12:00:00Z",
    "2026-11-22 12:00:00",
    "2026-11-22T12:00:00",
    "2026-11-22t12:00:00z",
    "2026-11-22T12:00:00.0000000Z",
    "2026-11-22T12:00:00.000000000Z",
    "2026-11-22T12:00:00,000Z",
    "2026-11-22T13:00:00+0100",
    "2026-11-22T13:00:00+01",
    "2026-11-22 13:00:00 +01:00",
    "2026-11-22 12:00:00 UTC",
    "2026-11-22T11:59:60Z",
    " 2026-11-22T12:00:00Z ",
    "20261122T120000Z",
    "2026-11-22T12:00Z",
]


@pytest.mark.parametrize("text", TIMES)
def test_times_are_read_in_every_form_that_means_one_moment(text: str) -> None:
    boot = read(
        Action.BOOT_NOTIFICATION, {"status": "Accepted", "currentTime": text, "interval": 9}
    )
    assert boot.current_time == NOON
    assert read(Action.HEARTBEAT, {"currentTime": text}).current_time == NOON


FRAMES = {
    "endless number beside it": f'[3,"1",{{"transactionId":41,"cost":{"9" * 5000}}}]',
    "NaN beside it": '[3,"1",{"transactionId":41,"cost":NaN}]',
    "half a surrogate pair": '[3,"1",{"transactionId":41,"v":"\\ud800"}]',
    "a bare line break": '[3,"1",{"transactionId":41,"v":"a\nb"}]',
    "bytes that are no UTF-8": b'[3,"1",{"transactionId":41,"v":"\xff"}]',
    "a byte order mark": '\ufeff[3,"1",{"transactionId":41}]',
    "deep nesting beside it": '[3,"1",{"transactionId":41,"v":' + "[" * 40 + "]" * 40 + "}]",
    "more elements": '[3,"1",{"transactionId":41},null,5]',
}


@pytest.mark.parametrize("text", FRAMES.values(), ids=FRAMES.keys())
def test_an_answer_in_a_nearly_valid_frame_is_used(text: str | bytes) -> None:
    frame = frames.parse(text)
    assert isinstance(frame, frames.Result)
    assert frame.message_id == "1"
    answer: Any = read_response(Action.START_TRANSACTION, frame.payload)
    assert answer.transaction_id == 41


def test_invalid_members_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    read(Action.START_TRANSACTION, {"transactionId": "41", "idTagInfo": {"status": "Fine"}})
    assert "transactionId is read as 41" in caplog.text
    assert "idTagInfo.status is read as Invalid" in caplog.text
