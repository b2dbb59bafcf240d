"""Packets of SMA Speedwire meters: Energy Meter (EMETER-10, EMETER-20) and Sunny Home Manager 2.0.

The meter sends one packet a second to a multicast group. A packet names the device and lists
entries of an OBIS number and a value. Other devices use the same group with other protocol ids.
Source: SMA, "EMETER protocol"; offsets as in the table of the reader below.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from borne.domain.meters.measurement import Measurement, Phases

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
_VERSION_CHANNEL = 0x90
_VALUE_SIZES = {4: 4, 8: 8}
"""Kind of a value to its bytes: 4 is an actual value, 8 a counter."""
_WS_PER_WH = 3600
_PHASE_CHANNELS = (20, 40, 60)
"""The channels of L1, L2, L3 are these plus 1 import, 2 export, 11 current, 12 voltage."""


class NotAPacket(ValueError):
    """The bytes are not a valid packet of a meter; the message says why."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `values` has the raw numbers of all tariffs together, by (channel, kind)."""

    susy_id: int
    serial_number: int
    values: Mapping[tuple[int, int], int]


def parse(data: bytes) -> Packet:
    """The packet of a meter; raises NotAPacket, also for the packets of other devices."""
    if not _HEADER.size <= len(data) <= MAX_PACKET_BYTES:
        raise NotAPacket(f"{len(data)} bytes")
    magic, length, tag, protocol, susy_id, serial_number, _ = _HEADER.unpack_from(data)
    if magic != _MAGIC or tag != _PAYLOAD_TAG:
        raise NotAPacket("not of Speedwire")
    if protocol != METER_PROTOCOL:
        raise NotAPacket(f"protocol {protocol:04X}")
    end = _PAYLOAD_AT + length
    if not _HEADER.size <= end <= len(data):
        raise NotAPacket(f"a length of {length} in {len(data)} bytes")
    return Packet(susy_id, serial_number, dict(_entries(data[_HEADER.size : end])))


def _entries(payload: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    at = 0
    while at + 4 <= len(payload):
        high, channel, kind, tariff = payload[at : at + 4]
        if not any(payload[at : at + 4]):
            return
        size = 4 if high == _VERSION_CHANNEL else _VALUE_SIZES.get(kind, 0)
        at += 4
        if not size or at + size > len(payload):
            raise NotAPacket(f"an entry of kind {kind} at {at - 4}")
        if not high and not tariff:
            yield (channel, kind), int.from_bytes(payload[at : at + size])
        at += size


def measurement(packet: Packet, at_s: float) -> Measurement:
    """What the packet says. A missing value and one with all bits set are None; the unsigned
    currents have the sign of the power of their phase."""
    powers = tuple(_power_w(packet, base) for base in _PHASE_CHANNELS)
    currents = tuple(
        _signed(_scaled(packet, base + 11, 1000), power_w)
        for base, power_w in zip(_PHASE_CHANNELS, powers, strict=True)
    )
    voltages = tuple(_scaled(packet, base + 12, 1000) for base in _PHASE_CHANNELS)
    return Measurement(
        at_s=at_s,
        voltage_v=_phases(voltages),
        current_a=_phases(currents),
        power_w=_phases(powers),
        power_total_w=_power_w(packet, 0),
        import_wh=_energy_wh(packet, 1),
        export_wh=_energy_wh(packet, 2),
        frequency_hz=_scaled(packet, 14, 1000),
        serial_number=str(packet.serial_number),
    )


def _phases(values: tuple[float | None, ...]) -> Phases:
    l1, l2, l3 = values
    return l1, l2, l3


def _raw(packet: Packet, channel: int, kind: int) -> int | None:
    raw = packet.values.get((channel, kind))
    return None if raw == (1 << 8 * kind) - 1 else raw


def _scaled(packet: Packet, channel: int, divisor: int) -> float | None:
    raw = _raw(packet, channel, 4)
    return None if raw is None else raw / divisor


def _power_w(packet: Packet, base: int) -> float | None:
    imported, exported = (_raw(packet, base + direction, 4) for direction in (1, 2))
    if imported is None or exported is None:
        return None
    return (imported - exported) / 10


def _energy_wh(packet: Packet, channel: int) -> int | None:
    raw = _raw(packet, channel, 8)
    return None if raw is None else raw // _WS_PER_WH


def _signed(amps: float | None, power_w: float | None) -> float | None:
    """Without the power of its phase the direction of a current is unknown: it counts as import,
    which limits charging and never raises it."""
    if amps is None or power_w is None or power_w >= 0:
        return amps
    return -amps
