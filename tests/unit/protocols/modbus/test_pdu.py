"""Requests and answers against the examples of the Modbus Application Protocol 1.1b3, section 6."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.protocols.modbus.failures import ExceptionAnswer, ExceptionCode, WrongAnswer
from borne.protocols.modbus.pdu import (
    MAX_COUNT,
    Read,
    RefusedRequest,
    Request,
    Write,
    answer_bytes,
    decode_answer,
    decode_request,
    encode_answer,
    encode_exception,
    encode_request,
)

FEW = settings(max_examples=40, deadline=None)

EXAMPLES = [
    # section, request, its bytes, values of the answer, its bytes
    (
        "6.1",
        Read(1, 0x13, 19),
        "01 0013 0013",
        (1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1),
        "01 03 CD6B05",
    ),
    (
        "6.2",
        Read(2, 0xC4, 22),
        "02 00C4 0016",
        (0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1),
        "02 03 ACDB35",
    ),
    ("6.3", Read(3, 0x6B, 3), "03 006B 0003", (0x022B, 0, 0x64), "03 06 022B 0000 0064"),
    ("6.4", Read(4, 8, 1), "04 0008 0001", (10,), "04 02 000A"),
    ("6.5", Write(5, 0xAC, (1,)), "05 00AC FF00", (), "05 00AC FF00"),
    ("6.6", Write(6, 1, (3,)), "06 0001 0003", (), "06 0001 0003"),
    (
        "6.11",
        Write(15, 0x13, (1, 0, 1, 1, 0, 0, 1, 1, 1, 0)),
        "0F 0013 000A 02 CD01",
        (),
        "0F 0013 000A",
    ),
    ("6.12", Write(16, 1, (10, 0x102)), "10 0001 0002 04 000A 0102", (), "10 0001 0002"),
]


@pytest.mark.parametrize(
    ("request_", "sent", "values", "answered"),
    [example[1:] for example in EXAMPLES],
    ids=[example[0] for example in EXAMPLES],
)
def test_the_examples_of_the_specification(
    request_: Request, sent: str, values: tuple[int, ...], answered: str
) -> None:
    assert encode_request(request_) == bytes.fromhex(sent)
    assert decode_request(bytes.fromhex(sent)) == request_
    assert encode_answer(request_, values) == bytes.fromhex(answered)
    assert decode_answer(1, request_, bytes.fromhex(answered)) == values


@st.composite
def requests(draw: st.DrawFn) -> Request:
    function = draw(st.sampled_from(sorted(MAX_COUNT)))
    count = draw(st.integers(1, MAX_COUNT[function]))
    address = draw(st.integers(0, 0x10000 - count))
    if function < 5:
        return Read(function, address, count)
    highest = 1 if function in (5, 15) else 0xFFFF
    return Write(function, address, tuple(draw(_values(count, highest))))


def _values(count: int, highest: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, highest), min_size=count, max_size=count)


@FEW
@given(requests(), st.data())
def test_every_request_and_its_answer_come_back(request: Request, data: st.DataObject) -> None:
    assert decode_request(encode_request(request)) == request
    values: tuple[int, ...] = ()
    if isinstance(request, Read):
        values = tuple(data.draw(_values(request.count, 1 if request.function < 3 else 0xFFFF)))
    answer = encode_answer(request, values)
    assert len(answer) == answer_bytes(request)
    assert decode_answer(1, request, answer) == values


@FEW
@given(st.binary(max_size=260))
def test_any_bytes_are_a_request_or_refused(pdu: bytes) -> None:
    with contextlib.suppress(RefusedRequest):
        again = encode_request(decode_request(pdu))
        # Bits behind the last coil mean nothing.
        assert again == pdu or again[:6] == pdu[:6] == b"\x0f" + pdu[1:6]


@FEW
@given(requests(), st.binary(max_size=260))
def test_any_bytes_are_an_answer_or_a_failure(request: Request, pdu: bytes) -> None:
    with contextlib.suppress(ExceptionAnswer, WrongAnswer):
        values = decode_answer(9, request, pdu)
        assert encode_answer(request, values)[:2] == pdu[:2]


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("", ExceptionCode.ILLEGAL_FUNCTION),
        ("07", ExceptionCode.ILLEGAL_FUNCTION),
        ("2B 0E 01 00", ExceptionCode.ILLEGAL_FUNCTION),
        ("03 0000 0000", ExceptionCode.ILLEGAL_VALUE),
        ("03 0000 007E", ExceptionCode.ILLEGAL_VALUE),
        ("03 0000 00", ExceptionCode.ILLEGAL_VALUE),
        ("03 0000 0001 00", ExceptionCode.ILLEGAL_VALUE),
        ("03 FFFF 0002", ExceptionCode.ILLEGAL_ADDRESS),
        ("01 FFFF 0002", ExceptionCode.ILLEGAL_ADDRESS),
        ("05 0000 0001", ExceptionCode.ILLEGAL_VALUE),
        ("0F 0000 0009 01 FF", ExceptionCode.ILLEGAL_VALUE),
        ("10 0000 0002 04 0000 00", ExceptionCode.ILLEGAL_VALUE),
        ("10 0000 0001 03 0000 00", ExceptionCode.ILLEGAL_VALUE),
        ("10 FFFF 0002 04 0000 0000", ExceptionCode.ILLEGAL_ADDRESS),
    ],
)
def test_a_request_that_cannot_be_is_refused(pdu: str, code: ExceptionCode) -> None:
    with pytest.raises(RefusedRequest) as refused:
        decode_request(bytes.fromhex(pdu))
    assert refused.value.code == code


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 77])
def test_an_exception_is_a_sentence(code: int) -> None:
    with pytest.raises(ExceptionAnswer, match=rf"Unit 5 .*\(exception {code}\)\.$") as answer:
        decode_answer(5, Read(3, 0, 1), encode_exception(3, code))
    assert answer.value.code == code


@pytest.mark.parametrize(
    "pdu",
    [
        "",
        "83",
        "84 02",
        "04 02 0001",
        "03 02 00",
        "03 02 0001 00",
        "03 04 0001",
        "03 04 0001 0002",
        "06 0000 0001",
    ],
)
def test_what_is_no_answer_gives_no_value(pdu: str) -> None:
    with pytest.raises(WrongAnswer, match="Unit 1"):
        decode_answer(1, Read(3, 0, 1), bytes.fromhex(pdu))


@pytest.mark.parametrize("pdu", ["06 0001 0004", "06 0002 0003"])
def test_another_write_is_no_confirmation(pdu: str) -> None:
    with pytest.raises(WrongAnswer, match="another write"):
        decode_answer(1, Write(6, 1, (3,)), bytes.fromhex(pdu))


@pytest.mark.parametrize(
    ("function", "address", "count"),
    [(3, 0, 0), (3, 0, 126), (1, 0, 2001), (3, -1, 1), (3, 65535, 2), (5, 0, 1), (43, 0, 1)],
)
def test_a_read_that_cannot_be_is_not_made(function: int, address: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"function|address"):
        Read(function, address, count)


@pytest.mark.parametrize(
    ("function", "values"),
    [(6, ()), (6, (1, 2)), (6, (65536,)), (16, (-1,)), (5, (2,)), (16, (0,) * 124), (3, (1,))],
)
def test_a_write_that_cannot_be_is_not_made(function: int, values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"function|value"):
        Write(function, 0, values)


def test_a_device_answers_with_the_number_of_values_requested() -> None:
    with pytest.raises(ValueError, match="2 values answer a request for 3"):
        encode_answer(Read(3, 0, 3), [1, 2])
