"""Connections that carry Modbus frames: TCP, and a serial line by pyserial.

A `Link` is one connection; when it is lost, another one is opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Final, Protocol

from borne.domain.meters.address import Parity
from borne.protocols.modbus.endpoint import Endpoint, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import Unreachable

if TYPE_CHECKING:
    import serial

CONNECT_TIMEOUT_S: Final = 5.0
MAX_LOOK_UPS: Final = 2
"""Names that are looked up at once."""
MAX_UNREAD_BYTES: Final = 16 * 1024
"""A frame has up to 260 bytes; who floods us, or does not read, is disconnected."""
_TTY = re.compile(r"/dev/(tty[A-Za-z]\w*|pts/\d+|rfcomm\d+)")
"""Serial ports. Opening any other device file may act on it: a watchdog begins to run."""


class LinkLost(Exception):
    """The connection was closed by the other side, or the adapter was pulled out."""


class Link(Protocol):
    """One connection to a device or line."""

    def send(self, data: bytes) -> None:
        """Send at once. Raises LinkLost."""

    async def receive(self, until_s: float) -> bytes:
        """What has come; waits for it until `until_s` of the loop's time, then empty.

        Raises LinkLost.
        """

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""

    def close(self) -> None:
        """Close at once."""


class Inbox:
    """Bytes received, and the one who waits for them."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._bytes = bytearray()
        self._waiting: asyncio.Future[None] | None = None
        self.lost = False

    def put(self, data: bytes) -> None:
        self._bytes += data
        if len(self._bytes) > MAX_UNREAD_BYTES:
            self._bytes.clear()
            self.lost = True
        self._wake()

    def lose(self) -> None:
        self.lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def receive(self, until_s: float) -> bytes:
        """See Link."""
        while not self._bytes and not self.lost and until_s > self._loop.time():
            self._waiting = self._loop.create_future()
            timer = self._loop.call_at(until_s, self._wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        data = bytes(self._bytes)
        self._bytes.clear()
        if not data and self.lost:
            raise LinkLost
        return data


class TcpLink(asyncio.Protocol):
    """A TCP connection."""

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._inbox.put(data)
        if self._inbox.lost:
            self.close()

    def eof_received(self) -> bool:
        self._inbox.lose()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._inbox.lose()

    def send(self, data: bytes) -> None:
        if self.lost or self._transport is None:
            raise LinkLost
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self.close()
            raise LinkLost
        self._transport.write(data)

    async def receive(self, until_s: float) -> bytes:
        return await self._inbox.receive(until_s)

    @property
    def lost(self) -> bool:
        return self._inbox.lost

    def close(self) -> None:
        self._inbox.lose()
        if self._transport is not None:
            self._transport.abort()


class SerialLink:
    """An opened serial port, or one end of a pseudo-terminal."""

    def __init__(self, fd: int, close: Callable[[], None]) -> None:
        self._fd = fd
        self._close_port = close
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._unsent = b""
        self._closed = False
        self._loop.add_reader(self._fd, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        # An empty read of a ready port: the adapter is gone.
        if data:
            self._inbox.put(data)
        if not data or self._inbox.lost:
            self.close()

    def send(self, data: bytes) -> None:
        if len(self._unsent) > MAX_UNREAD_BYTES:
            self.close()
        if self.lost:
            raise LinkLost
        self._unsent += data
        self._write()
        if self.lost:
            raise LinkLost

    def _write(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._fd, self._write)
        else:
            self._loop.remove_writer(self._fd)

    async def receive(self, until_s: float) -> bytes:
        return await self._inbox.receive(until_s)

    @property
    def lost(self) -> bool:
        return self._inbox.lost

    def close(self) -> None:
        self._inbox.lose()
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._close_port()


async def open_link(endpoint: Endpoint) -> Link:
    """Open a connection. Raises Unreachable."""
    if isinstance(endpoint, TcpEndpoint):
        return await _open_tcp(endpoint)
    return await open_serial(endpoint)


async def _open_tcp(endpoint: TcpEndpoint) -> Link:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await _connect(await _addresses(endpoint.host), endpoint.port)
    except TimeoutError:
        raise Unreachable(f"Nothing answers at {endpoint}.") from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"No connection to {endpoint}: {_network_reason(error)}.") from None


async def _connect(addresses: Sequence[str], port: int) -> TcpLink:
    """Connect to the first address that accepts. Raises OSError."""
    loop = asyncio.get_running_loop()
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return (await loop.create_connection(TcpLink, address, port))[1]
    return (await loop.create_connection(TcpLink, addresses[-1], port))[1]


async def _addresses(host: str) -> Sequence[str]:
    """The addresses of a name, one at least. It is looked up in threads of our own: without an
    answer of the name server they are taken for half a minute, and the common ones have other
    work. Raises OSError, UnicodeError."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_name_threads(), look_up)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def _name_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_LOOK_UPS, "modbus names")


def _network_reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "there is no device of this name"
    match error.errno:
        case errno.ECONNREFUSED:
            return "the device refuses connections at this port"
        case errno.EHOSTUNREACH | errno.ETIMEDOUT | errno.EHOSTDOWN:
            return "no device answers at this address"
        case errno.ENETUNREACH | errno.ENETDOWN:
            return "the network is down or has no way there"
        case errno.ECONNRESET:
            return "the device closed it"
        case _:
            return os.strerror(error.errno) if error.errno else "it failed"


async def open_serial(endpoint: SerialEndpoint) -> SerialLink:
    """Open a serial port for this process alone. Raises Unreachable."""
    loop = asyncio.get_running_loop()
    port = await loop.run_in_executor(None, _open_port, endpoint)
    return SerialLink(port.fileno(), port.close)


def _open_port(endpoint: SerialEndpoint) -> serial.Serial:
    import serial

    device = endpoint.device
    if not _TTY.fullmatch(os.path.realpath(device)):
        raise Unreachable(_absent(device))
    parities = {
        Parity.NONE: serial.PARITY_NONE,
        Parity.EVEN: serial.PARITY_EVEN,
        Parity.ODD: serial.PARITY_ODD,
    }
    try:
        port = serial.Serial(
            device,
            endpoint.baud,
            parity=parities[endpoint.parity],
            stopbits=endpoint.stop_bits,
            timeout=0,
            exclusive=True,
        )
    except (OSError, ValueError) as error:
        raise Unreachable(_serial_reason(device, endpoint.baud, error)) from None
    os.set_blocking(port.fileno(), False)
    return port


def _absent(device: str) -> str:
    if os.path.exists(device):  # noqa: PTH110  # beside realpath, which has no method of Path
        return f"{device} is no serial port."
    return f"There is no serial port {device}: is the adapter plugged in?"


def _serial_reason(device: str, baud: int, error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return f"{device} cannot run at {baud} baud with these settings."
    match error.errno:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return f"There is no serial port {device}: is the adapter plugged in?"
        case errno.EACCES | errno.EPERM:
            return f"No permission for {device}: add the user to the group dialout."
        case errno.EBUSY | errno.EAGAIN:
            return f"{device} is in use by another program."
        case _:
            return f"{device} cannot be opened as a serial port."


def open_pty() -> tuple[SerialLink, str]:
    """A new pseudo-terminal: its near end, and the device file of the far one."""
    import pty
    import tty

    near, far = pty.openpty()
    tty.setraw(far)
    os.set_blocking(near, False)

    def close() -> None:
        os.close(near)
        os.close(far)  # held open until now: without an open far end, reads of the near end fail

    return SerialLink(near, close), os.ttyname(far)
