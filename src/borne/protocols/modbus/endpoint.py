"""Where a Modbus bus is: a port in the network, or a serial line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.domain.meters.address import Parity


class Framing(StrEnum):
    """How requests are framed on a TCP connection."""

    TCP = "tcp"
    RTU = "rtu"
    """RTU frames on a TCP connection: a transparent gateway to a serial line."""


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A device or gateway in the network."""

    host: str
    port: int = 502
    framing: Framing = Framing.TCP

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialEndpoint:
    """A serial line (RS-485 adapter); always 8 data bits."""

    device: str
    baud: int = 9600
    parity: Parity = Parity.NONE
    stop_bits: int = 1

    @property
    def character_s(self) -> float:
        """Time of one character on the line."""
        parity_bits = 0 if self.parity is Parity.NONE else 1
        return (1 + 8 + parity_bits + self.stop_bits) / self.baud

    def __str__(self) -> str:
        return self.device


Endpoint = TcpEndpoint | SerialEndpoint
