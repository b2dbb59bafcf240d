"""Packets of SMA Speedwire meters: what is read from them, and that foreign bytes do no harm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.meters.measurement import Measurement
from borne.protocols import speedwire
from borne.protocols.meter_profiles import load_profile
from tests.support.speedwire_packets import INVERTER, house, packet

PROFILE = load_profile("sma_speedwire")
U32 = st.integers(0, 2**32 - 2)
U64 = st.integers(0, 2**64 - 2)


def test_a_packet_has_signed_power_and_current_per_phase() -> None:
    assert speedwire.measurement(speedwire.parse(house()), PROFILE, 7.0) == Measurement(
        at_s=7.0,
        voltage_v=(230.1, 230.1, 230.1),
        current_a=(-10.0, 2.0, 0.0),
        power_w=(-2300.0, 460.0, 0.0),
        power_total_w=-1840.0,
        import_wh=1999,
        export_wh=2**40,
        frequency_hz=50.01,
        serial_number="1901234567",
    )


def test_what_a_packet_leaves_out_is_unknown() -> None:
    empty = speedwire.measurement(speedwire.parse(packet(1, {})), PROFILE, 7.0)
    assert empty == Measurement(at_s=7.0, serial_number="1")


def test_all_bits_set_is_unknown() -> None:
    values = {(1, 8): 2**64 - 1, (14, 4): 2**32 - 1, (21, 4): 2**32 - 1, (22, 4): 0, (31, 4): 1000}
    read = speedwire.measurement(speedwire.parse(packet(1, values)), PROFILE, 7.0)
    assert (read.import_wh, read.frequency_hz, read.power_w[0]) == (None, None, None)
    assert read.current_a[0] == 1.0, "a current of unknown direction counts as import"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(house(protocol=INVERTER), id="an inverter"),
        pytest.param(b"SMB" + house()[3:], id="another magic"),
        pytest.param(house()[:14] + b"\0\x20" + house()[16:], id="another tag"),
        pytest.param(house()[:-8], id="cut off"),
        pytest.param(house()[:12] + b"\0\x04" + house()[14:], id="a length below its header"),
        pytest.param(house()[:12] + b"\0\x10" + house()[14:], id="a length that cuts an entry"),
        pytest.param(house().replace(b"\0\x01\x08\0", b"\0\x01\x05\0"), id="an unknown kind"),
        pytest.param(house() + bytes(1500), id="too long"),
    ],
)
def test_other_packets_are_not_of_a_meter(data: bytes) -> None:
    with pytest.raises(speedwire.NotAPacket):
        speedwire.parse(data)


@settings(max_examples=40, deadline=None)
@given(imported=U32, exported=U32, counter=U64)
def test_values_are_read_without_loss(imported: int, exported: int, counter: int) -> None:
    values = {(21, 4): imported, (22, 4): exported, (1, 8): counter}
    read = speedwire.measurement(speedwire.parse(packet(9, values)), PROFILE, 0.0)
    assert read.power_w[0] == (imported - exported) / 10
    assert read.import_wh == counter // 3600


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(house()) - 1), byte=st.integers(0, 255), end=st.integers(0, 400))
def test_any_damage_gives_a_packet_or_its_refusal(at: int, byte: int, end: int) -> None:
    damaged = bytearray(house())
    damaged[at] = byte
    try:
        found = speedwire.parse(bytes(damaged[:end]))
    except speedwire.NotAPacket:
        return
    assert speedwire.measurement(found, PROFILE, 0.0).serial_number == str(found.serial_number)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=120))
def test_any_payload_gives_a_packet_or_its_refusal(payload: bytes) -> None:
    head = house()[:12] + (len(payload) + 12).to_bytes(2) + house()[14:28]
    try:
        found = speedwire.parse(head + payload)
    except speedwire.NotAPacket:
        return
    assert len(found.values) <= len(payload) // 8
