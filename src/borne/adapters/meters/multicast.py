"""A socket that receives the packets of an IPv4 multicast group."""

from __future__ import annotations

import contextlib
import socket
import struct

_INTERFACE_MEMBERSHIP = struct.Struct("=4s4si")
"""`ip_mreqn` of Linux: group, address of the interface, index of the interface."""


def open_socket(group: str, port: int) -> socket.socket:
    """A socket for the group alone: bound to its address, it receives nothing that is sent to the
    station itself, and nothing of other groups. Raises OSError."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.setblocking(False)
        receiver.bind((group, port))
    except OSError:
        receiver.close()
        raise
    return receiver


def join(receiver: socket.socket, group: str, towards: str = "") -> int:
    """Join the group (IGMP) on the interface that leads to `towards`, or on every interface. May be
    repeated, as interfaces come and go. Returns the number of interfaces joined now."""
    own = _own_address(towards) if towards else ""
    if own:
        members = [socket.inet_aton(group) + socket.inet_aton(own)]
    else:
        members = [
            _INTERFACE_MEMBERSHIP.pack(socket.inet_aton(group), bytes(4), index)
            for index, _ in socket.if_nameindex()
        ]
    joined = 0
    for membership in members:
        # Already a member, or an interface that cannot do multicast.
        with contextlib.suppress(OSError):
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            joined += 1
    return joined


def _own_address(towards: str) -> str:
    """The address of the interface that leads to another address; no packet is sent."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
    ):
        probe.connect((towards, 9))
        own: str = probe.getsockname()[0]
        return own
    return ""
