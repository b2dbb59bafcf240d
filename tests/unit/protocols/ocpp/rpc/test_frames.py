"""Frames of OCPP-J 1.6 section 4.2: whatever arrives is understood as far as possible."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from borne.protocols.ocpp.messages import Action, request_model
from borne.protocols.ocpp.rpc.errors import ErrorCode, RpcError
from borne.protocols.ocpp.rpc.frames import (
    MAX_DEPTH,
    Call,
    Failure,
    Frame,
    Result,
    Unusable,
    call_text,
    error_text,
    parse,
    result_text,
)
from borne.protocols.ocpp.rpc.validation import read_request
from tests.unit.protocols.ocpp.strategies import TEXT, messages

DEEP = "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        (b'[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        (' [ 2 , "1" , "Heartbeat" , {} ] ', Call("1", "Heartbeat", {})),
        ('[2,"1","Heartbeat",{},"more"]', Call("1", "Heartbeat", {})),
        ('[2,7,"Heartbeat",{}]', Call("7", "Heartbeat", {})),
        ('[2,"","Heartbeat",{}]', Call("", "Heartbeat", {})),
        ('[3,"1",{"a":1}]', Result("1", {"a": 1})),
        ('[3,"1"]', Result("1", None)),
        ('[4,"1","GenericError","x",{"y":1}]', Failure("1", "GenericError", "x", {"y": 1})),
        ('[4,"1","Custom"]', Failure("1", "Custom", "", {})),
        ('[4,"1"]', Failure("1", "GenericError", "", {})),
        ('[4,"1",5,6,7]', Failure("1", "GenericError", "", {})),
    ],
)
def test_frames_are_read(text: str | bytes, frame: Frame) -> None:
    assert parse(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        '[4,"1","InternalError","x",{',
        '[4,"1","InternalError","x",{"a":NaN}]',
        '[3,"1",{"a":1}',
        f'[4,"1","InternalError","",{{"a":{DEEP}}}]',
        f'[3,"1",{"[" * 5000}',
    ],
)
def test_an_unusable_answer_fails_the_call(text: str | bytes) -> None:
    """Who asked need not wait for the timeout, in which nothing else could be said."""
    match parse(text):
        case Failure("1", ErrorCode.FORMATION_VIOLATION, words):
            assert words
        case frame:
            pytest.fail(str(frame))


@pytest.mark.parametrize(
    ("text", "answered_as", "code"),
    [
        # Nothing to answer.
        ("", None, ErrorCode.FORMATION_VIOLATION),
        ("hello", None, ErrorCode.FORMATION_VIOLATION),
        ("{}", None, ErrorCode.FORMATION_VIOLATION),
        ("[]", None, ErrorCode.FORMATION_VIOLATION),
        ("[2]", None, ErrorCode.FORMATION_VIOLATION),
        ('[5,"1","Heartbeat",{}]', None, ErrorCode.FORMATION_VIOLATION),
        ('[true,"1","Heartbeat",{}]', None, ErrorCode.FORMATION_VIOLATION),
        ('["2","1","Heartbeat",{}]', None, ErrorCode.FORMATION_VIOLATION),
        ('[2,null,"Heartbeat",{}]', None, ErrorCode.FORMATION_VIOLATION),
        (f'[2,"{"x" * 256}","Heartbeat",{{}}]', None, ErrorCode.FORMATION_VIOLATION),
        # A CALL that can be answered.
        ('[2,"1"]', "1", ErrorCode.PROTOCOL_ERROR),
        ('[2,"1","Heartbeat"]', "1", ErrorCode.PROTOCOL_ERROR),
        ('[2,"1",5,{}]', "1", ErrorCode.FORMATION_VIOLATION),
        ('[2,"1","Heartbeat",[]]', "1", ErrorCode.FORMATION_VIOLATION),
        ('[2,"1","Heartbeat",null]', "1", ErrorCode.FORMATION_VIOLATION),
        ('[2,"1","Heartbeat",{', "1", ErrorCode.FORMATION_VIOLATION),
        ('[2,"1","Heartbeat",{"a":NaN}]', "1", ErrorCode.FORMATION_VIOLATION),
        (r'[2,"\u00e0\"","Heartbeat",{"a":NaN}]', 'à"', ErrorCode.FORMATION_VIOLATION),
        (r'[2,"\ud800","Heartbeat",{"a":NaN}]', None, ErrorCode.FORMATION_VIOLATION),
        ('[2,"1","Heartbeat",{"a":"\\ud800"}]', "1", ErrorCode.FORMATION_VIOLATION),
        (b'[2,"1","Heartbeat",{"a":"\xff"}]', "1", ErrorCode.FORMATION_VIOLATION),
        (f'[2,"1","Heartbeat",{{"a":{DEEP}}}]', "1", ErrorCode.FORMATION_VIOLATION),
        (f'[2,"1","Heartbeat",{"[" * 5000}', "1", ErrorCode.FORMATION_VIOLATION),
    ],
)
def test_an_invalid_call_is_answered_with_an_error(
    text: str | bytes, answered_as: str | None, code: ErrorCode
) -> None:
    frame = parse(text)
    assert isinstance(frame, Unusable)
    assert (frame.message_id, frame.error.code) == (answered_as, code)


PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": []},
}


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Hearthbeat", {}, ErrorCode.NOT_IMPLEMENTED),
        ("heartbeat", {}, ErrorCode.NOT_IMPLEMENTED),
        ("Reset", {}, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
        ("Reset", {"type": "Hard", "when": "now"}, ErrorCode.FORMATION_VIOLATION),
        ("Reset", {"Type": "Hard"}, ErrorCode.FORMATION_VIOLATION),
        ("Reset", {"type": "hard"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("Reset", {"type": 1}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("UnlockConnector", {"connectorId": "1"}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("UnlockConnector", {"connectorId": 1.5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("UnlockConnector", {"connectorId": -1}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("UnlockConnector", {"connectorId": None}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("GetConfiguration", {"key": "A"}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("GetConfiguration", {"key": [5]}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("GetConfiguration", {"key": ["A" * 51]}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": []},
            ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        ),
        (
            "SetChargingProfile",
            {"connectorId": 1, "csChargingProfiles": {**PROFILE, "stackLevel": -1}},
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ),
        (
            "SetChargingProfile",
            {"connectorId": 1, "csChargingProfiles": []},
            ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ),
        (
            "ReserveNow",
            {"connectorId": 1, "idTag": "A", "reservationId": 1, "expiryDate": "tomorrow"},
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ),
        (
            "ReserveNow",
            {"connectorId": 1, "idTag": "A", "reservationId": 1, "expiryDate": 5},
            ErrorCode.TYPE_CONSTRAINT_VIOLATION,
        ),
        # Several faults: bad syntax first, then what is missing.
        ("Reset", {"type": 1, "x": 1}, ErrorCode.FORMATION_VIOLATION),
        ("ChangeConfiguration", {"key": 5}, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
    ],
)
def test_bad_payloads_have_the_codes_of_table_7(
    action: str, payload: dict[str, Any], code: ErrorCode
) -> None:
    with pytest.raises(RpcError) as refused:
        read_request(action, payload)
    assert refused.value.code is code


def test_errors_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(RpcError) as refused:
        read_request("ChangeConfiguration", {"key": "AuthorizationKey", "value": ["5ec2e7"]})
    assert "5ec2e7" not in refused.value.description


@given(data=st.data())
def test_every_request_survives_the_wire(data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(Action))
    request = data.draw(messages(request_model(action)))
    message_id = data.draw(st.text(TEXT, max_size=36))
    frame = parse(call_text(message_id, action, request.to_wire_json()))
    assert isinstance(frame, Call)
    assert frame.message_id == message_id
    found, read = read_request(frame.action, frame.payload)
    assert (found, read.to_wire_json()) == (action, request.to_wire_json())


@given(st.text(max_size=36), st.sampled_from(ErrorCode), st.text(max_size=300))
def test_every_error_survives_the_wire(message_id: str, code: ErrorCode, words: str) -> None:
    text = error_text(message_id, RpcError(code, words, {"field": words}))
    assert json.loads(text)[:3] == [4, message_id, code]
    assert len(json.loads(text)[3]) <= 255
    text.encode()


def test_results_keep_their_id() -> None:
    assert parse(result_text('quote"', "{}")) == Result('quote"', {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=5) | st.dictionaries(st.text(), children, max_size=5)
    ),
    max_leaves=30,
)


@given(
    st.one_of(
        st.text(),
        st.binary(),
        JSON.map(json.dumps),
        st.tuples(st.integers(1, 5), JSON, JSON, JSON).map(json.dumps),
        st.tuples(st.just(2), st.text(max_size=40), st.sampled_from([*Action, "Other"]), JSON).map(
            json.dumps
        ),
    )
)
@example("[2," + "9" * 5000 + ',"Heartbeat",{}]')
@example('[2,1e999,"Heartbeat",{}]')
@example("[" * 100_000)
def test_the_parser_handles_any_text(text: str | bytes) -> None:
    frame = parse(text)
    if isinstance(frame, Call):
        try:
            read_request(frame.action, frame.payload)
        except RpcError as error:
            error_text(frame.message_id, error).encode()


@given(st.data())
def test_validation_handles_any_payload(data: st.DataObject) -> None:
    """A valid request with one value replaced by anything is accepted or refused with a code."""
    action = data.draw(st.sampled_from(Action))
    payload = data.draw(messages(request_model(action))).to_wire()
    spot = data.draw(st.sampled_from([*payload, "extra"]))
    payload[spot] = data.draw(JSON)
    try:
        read_request(action, payload)
    except RpcError as error:
        error_text("1", error).encode()
