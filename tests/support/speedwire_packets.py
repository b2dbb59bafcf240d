"""Packets of SMA Speedwire meters, built byte by byte from their description."""

from __future__ import annotations

import struct
from collections.abc import Mapping

METER = 0x6069
INVERTER = 0x6065
END = bytes(4)


def packet(
    serial_number: int,
    values: Mapping[tuple[int, int], int],
    *,
    protocol: int = METER,
    susy_id: int = 270,
) -> bytes:
    """A packet with values by (channel, kind)."""
    entries = b"".join(
        struct.pack(">BBBB", 0, channel, kind, 0) + value.to_bytes(kind)
        for (channel, kind), value in values.items()
    )
    entries += bytes.fromhex("90000000") + bytes([2, 12, 6, 82])
    payload = struct.pack(">HHII", protocol, susy_id, serial_number, 4711) + entries
    head = b"SMA\0" + struct.pack(">HHIHH", 4, 0x02A0, 1, len(payload), 0x0010)
    return head + payload + END


def house(serial_number: int = 1901234567, *, protocol: int = METER) -> bytes:
    """L1 exports 2300 W, L2 imports 460 W, L3 nothing, at 230 V and 50 Hz."""
    watts = {20: (0, 23000), 40: (4600, 0), 60: (0, 0)}
    amps = {20: 10000, 40: 2000, 60: 0}
    values = {
        (1, 4): 0,
        (1, 8): 7_199_999,
        (2, 4): 18400,
        (2, 8): 3600 * 2**40,
        (14, 4): 50010,
    }
    for base, (imported, exported) in watts.items():
        values |= {
            (base + 1, 4): imported,
            (base + 2, 4): exported,
            (base + 11, 4): amps[base],
            (base + 12, 4): 230_100,
        }
    return packet(serial_number, values, protocol=protocol)
