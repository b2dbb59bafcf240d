"""The Modbus port at which a meter is found."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from borne.domain.meters.address import MeterAddress
from borne.foundation.messages import N_, Explained, Message
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint

NO_HOST = N_("The address of the meter is not set.")
NO_DEVICE = N_("The serial port of the meter is not set.")
BAD_DEVICE = N_("{device} is no serial port: enter /dev/NAME, rtu://HOST:PORT or tcp://HOST:PORT.")
DEFAULT_PORT = 502
_FRAMINGS = {"rtu": Framing.RTU, "tcp": Framing.TCP}
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")


class BadAddress(Explained):
    """The address does not say where the meter is."""


def endpoint_of(address: MeterAddress, *, on_line: bool, stop_bits: int = 1) -> Endpoint:
    """The port of a meter; `on_line` for a type with a serial port, which needs a host or a device.
    Raises BadAddress."""
    if address.host:
        return TcpEndpoint(address.host, address.port)
    if not address.device:
        raise BadAddress(NO_DEVICE if on_line else NO_HOST)
    if address.device.startswith("/"):
        return SerialEndpoint(address.device, address.baud, address.parity, stop_bits)
    return _gateway(address.device)


def _gateway(device: str) -> TcpEndpoint:
    bad = BadAddress(Message(BAD_DEVICE, {"device": device}))
    try:
        parts = urlsplit(device)
        port = parts.port
    except ValueError:
        raise bad from None
    host = parts.hostname or ""
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in _FRAMINGS or not _HOST.fullmatch(host) or not plain or port == 0:
        raise bad
    return TcpEndpoint(host, port or DEFAULT_PORT, _FRAMINGS[parts.scheme])
