"""Frames of TCP and of serial lines, in pieces, with noise, echo and frames of others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.protocols.modbus.framing import (
    BrokenStream,
    MbapFrame,
    MbapReader,
    RtuAnswerReader,
    RtuRequestReader,
    crc16,
    is_rtu_frame,
    mbap_frame,
    rtu_frame,
)
from borne.protocols.modbus.pdu import Read, Request, Write, encode_answer, encode_request
from tests.support import modbus_line as device

FEW = settings(max_examples=40, deadline=None)
UNIT = 17
READ = Read(3, 0x6B, 3)
PDU = bytes.fromhex("03 06 022B 0000 0064")
REQUEST = rtu_frame(UNIT, encode_request(READ))
ANSWER = rtu_frame(UNIT, PDU)


def reader(request: Request = READ, *, echoes: bool | None = None) -> RtuAnswerReader:
    return RtuAnswerReader(UNIT, request, echoes=echoes)


@pytest.mark.parametrize(
    ("frame", "crc"),
    [("01 03 0000 000A", "C5CD"), ("02 07", "4112"), ("11 03 006B 0003", "7687")],
)
def test_the_checksum(frame: str, crc: str) -> None:
    data = bytes.fromhex(frame)
    assert rtu_frame(data[0], data[1:]) == data + bytes.fromhex(crc)


@FEW
@given(st.binary(max_size=256))
def test_the_checksum_is_that_of_the_specification(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == device.crc(data)


@FEW
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.data())
def test_tcp_frames_come_out_of_any_pieces(pdus: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(mbap_frame(index, 3, pdu) for index, pdu in enumerate(pdus))
    parts = MbapReader()
    found: list[MbapFrame] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += parts.feed(stream[:size])
        stream = stream[size:]
    assert found == [MbapFrame(index, 3, pdu) for index, pdu in enumerate(pdus)]
    assert not parts.partial


@pytest.mark.parametrize(
    "header", ["0001 0001 0006 01", "0001 0000 0001 01", "0001 0000 00FF 01", "0001 0000 0000 01"]
)
def test_what_is_no_tcp_header_breaks_the_stream(header: str) -> None:
    with pytest.raises(BrokenStream):
        MbapReader().feed(bytes.fromhex(header))


def test_an_answer_in_single_bytes() -> None:
    parts = reader()
    results = [parts.feed(bytes((byte,))) for byte in ANSWER]
    assert results == [None] * (len(ANSWER) - 1) + [PDU]


BEFORE = [
    ("nothing", b"", False),
    ("noise", b"\x00\xff\x11", False),
    ("the head of an answer", ANSWER[:3], False),
    ("a damaged answer", ANSWER[:-1] + b"\x00", False),
    ("an answer of another unit", rtu_frame(18, PDU), False),
    ("an answer to another function", rtu_frame(UNIT, b"\x04" + PDU[1:]), False),
    ("a longer answer", rtu_frame(UNIT, bytes.fromhex("03 08 0001 0002 0003 0004")), False),
    ("an echo", REQUEST, True),
    ("much of everything", bytes(range(256)) * 3, False),
]


@pytest.mark.parametrize(
    ("before", "echo"), [each[1:] for each in BEFORE], ids=[each[0] for each in BEFORE]
)
def test_an_answer_is_found_after(before: bytes, echo: bool) -> None:
    parts = reader()
    assert parts.feed(before) is None
    assert parts.feed(ANSWER) == PDU
    assert parts.echo_seen is echo


def test_an_exception_is_an_answer() -> None:
    assert reader().feed(rtu_frame(UNIT, b"\x83\x02")) == b"\x83\x02"


PROBLEMS = [
    (b"", ""),
    (REQUEST, ""),
    (ANSWER[:-1], "checksum"),
    (ANSWER[:-1] + b"\x00", "checksum"),
    (rtu_frame(18, PDU), "unit 18"),
    (rtu_frame(UNIT, b"\x04" + PDU[1:]), "another function"),
    (rtu_frame(UNIT, bytes.fromhex("03 02 0001")), "length"),
]


@pytest.mark.parametrize(("received", "problem"), PROBLEMS)
def test_what_is_no_answer_has_its_reason(received: bytes, problem: str) -> None:
    parts = reader()
    assert parts.feed(received) is None
    assert problem in parts.problem
    assert bool(parts.problem) is bool(problem)


WRITE = Write(6, 1, (3,))
CONFIRMED = rtu_frame(UNIT, encode_request(WRITE))


def test_a_confirmation_that_may_be_an_echo_is_not_believed() -> None:
    parts = reader(WRITE)
    assert parts.feed(CONFIRMED) is None
    assert "echo" in parts.problem
    assert not parts.damaged


@pytest.mark.parametrize("echoes", [True, None])
def test_the_second_copy_is_the_confirmation(echoes: bool | None) -> None:
    parts = reader(WRITE, echoes=echoes)
    assert parts.feed(CONFIRMED) is None
    assert parts.feed(CONFIRMED) == encode_request(WRITE)
    assert parts.echo_seen


def test_without_echo_the_first_copy_is_the_confirmation() -> None:
    assert reader(WRITE, echoes=False).feed(CONFIRMED) == encode_request(WRITE)


def test_the_echo_of_a_read_of_bits_may_have_the_form_of_its_answer() -> None:
    """Function, then 3: the high byte of the address, or the number of bytes of 17 to 24 bits."""
    bits = Read(1, 0x0305, 20)
    echo = rtu_frame(UNIT, encode_request(bits))
    answer = encode_answer(bits, (1,) * 20)
    assert reader(bits).feed(echo) is None
    known = reader(bits, echoes=True)
    assert known.feed(echo) is None
    assert known.feed(rtu_frame(UNIT, answer)) == answer


def test_an_answer_that_has_begun_is_damaged_until_it_is_complete() -> None:
    parts = reader()
    parts.feed(REQUEST)
    assert not parts.damaged
    parts.feed(ANSWER[:4])
    assert parts.damaged


REQUESTS: list[Request] = [READ, WRITE, Write(16, 1, (1, 2)), Read(2, 0, 9), Write(15, 0, (1,) * 9)]


@FEW
@given(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=3), st.data())
def test_a_device_finds_requests_in_any_pieces(asked: list[Request], data: st.DataObject) -> None:
    pdus = [encode_request(request) for request in asked]
    stream = b"".join(rtu_frame(UNIT, pdu) for pdu in pdus)
    parts = RtuRequestReader()
    found = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += parts.feed(stream[:size])
        stream = stream[size:]
    assert found == [(UNIT, pdu) for pdu in pdus]


def test_a_device_finds_its_request_after_the_traffic_of_others() -> None:
    parts = RtuRequestReader()
    assert parts.feed(rtu_frame(18, PDU) + b"\x00\xff" + REQUEST) == [(UNIT, encode_request(READ))]


def test_an_unknown_function_is_a_request_once_the_line_is_silent() -> None:
    parts = RtuRequestReader()
    unknown = rtu_frame(UNIT, b"\x2b\x0e\x01\x00")
    assert parts.feed(unknown) == []
    assert parts.silence() == [(UNIT, b"\x2b\x0e\x01\x00")]
    assert parts.silence() == []


def test_silence_ends_half_a_request() -> None:
    parts = RtuRequestReader()
    assert parts.feed(REQUEST[:5]) == []
    assert parts.silence() == []
    assert parts.feed(REQUEST) == [(UNIT, encode_request(READ))]


@FEW
@given(st.binary(max_size=1200))
def test_any_bytes_are_survived(data: bytes) -> None:
    for unit, pdu in RtuRequestReader().feed(data):
        assert is_rtu_frame(rtu_frame(unit, pdu))
    answer = reader().feed(data)
    assert answer is None or answer[0] in (3, 0x83)


def test_noise_without_end_takes_no_memory() -> None:
    answers, requests = reader(), RtuRequestReader()
    for _ in range(200):
        answers.feed(b"\x55" * 100)
        requests.feed(b"\x55" * 100)
    assert len(answers._buffer) < 1000
    assert len(requests._buffer) < 1000
    assert answers.feed(ANSWER) == PDU
    assert requests.feed(REQUEST) == [(UNIT, encode_request(READ))]
