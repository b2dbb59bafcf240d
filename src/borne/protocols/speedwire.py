"""Packets of SMA Speedwire meters: Energy Meter (EMETER-10, EMETER-20) and Sunny Home Manager 2.0.

The meter sends one packet a second to a multicast group. A packet names the device and lists
values by their OBIS number; what they are is in the profile `sma_speedwire`. Other devices use the
same group with other protocol ids. Source: SMA, "EMETER protocol".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import Profile
from borne.protocols.meter_profiles.registers import Words

GROUP = "239.12.255.254"
PORT = 9522
METER_PROTOCOL = 0x6069
MAX_PACKET_BYTES = 1500
"""An unfragmented Ethernet frame; packets of meters have about 600 bytes."""

_HEADER = struct.Struct(">4s8xHHHHII")
"""Magic at 0, length of the payload at 12, its tag at 14, protocol id at 16, SUSy id at 18, serial
number at 20, ticker in ms at 24; entries from 28."""
_MAGIC = b"SMA\x00"
_PAYLOAD_TAG = 0x0010
_PAYLOAD_AT = 16
_VERSION_ENTRY = 0x90
_VALUE_SIZES = {4: 4, 8: 8}
"""Kind of a value to its bytes: 4 is an actual value, 8 a counter."""


class NotAPacket(ValueError):
    """The bytes are not a valid packet of a meter; the message says why."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; `values` as `Profile.measurement` expects them."""

    serial_number: int
    values: Words


def parse(data: bytes) -> Packet:
    """The packet of a meter; raises NotAPacket, also for the packets of other devices."""
    if not _HEADER.size <= len(data) <= MAX_PACKET_BYTES:
        raise NotAPacket(f"{len(data)} bytes")
    magic, length, tag, protocol, _, serial_number, _ = _HEADER.unpack_from(data)
    if magic != _MAGIC or tag != _PAYLOAD_TAG:
        raise NotAPacket("not of Speedwire")
    if protocol != METER_PROTOCOL:
        raise NotAPacket(f"protocol {protocol:04X}")
    end = _PAYLOAD_AT + length
    if not _HEADER.size <= end <= len(data):
        raise NotAPacket(f"a length of {length} in {len(data)} bytes")
    return Packet(serial_number, dict(_entries(data[_HEADER.size : end])))


def _entries(payload: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """The values, without those with all bits set, which mean "no value"."""
    at = 0
    while at + 4 <= len(payload):
        obis = int.from_bytes(payload[at : at + 4])
        if not obis:
            return
        first, kind = payload[at], payload[at + 2]
        size = 4 if first == _VERSION_ENTRY else _VALUE_SIZES.get(kind, 0)
        at += 4
        if not size or at + size > len(payload):
            raise NotAPacket(f"an entry of kind {kind} at {at - 4}")
        value = int.from_bytes(payload[at : at + size])
        if not first and value != (1 << 8 * size) - 1:
            yield (0, obis), value
        at += size


def measurement(packet: Packet, profile: Profile, at_s: float) -> Measurement:
    """What the packet says; a value that it lacks is None."""
    read = profile.measurement(packet.values, at_s)
    return replace(read, serial_number=str(packet.serial_number))
