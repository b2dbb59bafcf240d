"""File transfer over SFTP. A server's key is stored after the first successful login and required
from then on, because there is no other authority for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import asyncssh

from borne.adapters.maintenance.addresses import Address
from borne.application.ports.maintenance import TransferFailed, TransferProblem
from borne.foundation.disk import require_space
from borne.foundation.files import write_private

TIMEOUT_S = 30.0
BLOCK_BYTES = 256 * 1024
MAX_SERVERS = 100
SSH_PORT = 22

asyncssh.set_log_level("WARNING")


class KnownServers:
    """Known server keys, in a file of the data folder in OpenSSH's format."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[str]:
        """The stored lines; blocks."""
        return self._path.read_text().splitlines() if self._path.is_file() else []

    def add(self, address: Address, key: asyncssh.SSHKey) -> None:
        """Store a key; the oldest ones are dropped above MAX_SERVERS. Blocks."""
        line = f"{_name(address)} {key.export_public_key('openssh').decode().strip()}"
        text = "".join(f"{each}\n" for each in [*self.lines(), line][-MAX_SERVERS:])
        write_private(self._path, text.encode())


async def download(address: Address, target: Path, max_bytes: int, known: KnownServers) -> None:
    """Download a file; raises TransferFailed."""
    count = 0
    async with _opened(address, "rb", known) as remote:
        require_space(target)
        with await asyncio.to_thread(target.open, "wb") as file:
            while block := cast(
                "bytes", await asyncio.wait_for(remote.read(BLOCK_BYTES), TIMEOUT_S)
            ):
                count += len(block)
                if count > max_bytes:
                    raise TransferFailed(TransferProblem.TOO_LARGE, f"more than {max_bytes} bytes")
                require_space(target)
                await asyncio.to_thread(file.write, block)


async def upload(address: Address, source: Path, known: KnownServers) -> None:
    """Upload a file; raises TransferFailed."""
    async with _opened(address, "wb", known) as remote:
        with await asyncio.to_thread(source.open, "rb") as file:
            while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
                await asyncio.wait_for(remote.write(block), TIMEOUT_S)


@asynccontextmanager
async def _opened(
    address: Address, mode: str, known: KnownServers
) -> AsyncIterator[asyncssh.SFTPClientFile]:
    try:
        async with (
            _connected(address, known) as connection,
            connection.start_sftp_client() as session,
            session.open(address.path, mode, encoding=None) as remote,
        ):
            yield remote
    except (asyncssh.PermissionDenied, asyncssh.SFTPPermissionDenied) as error:
        raise TransferFailed(TransferProblem.DENIED, error.reason) from None
    except asyncssh.HostKeyNotVerifiable:
        text = f"{address.host} has a different key than before"
        raise TransferFailed(TransferProblem.FAILED, text) from None
    except (asyncssh.Error, OSError) as error:
        text = str(error) or type(error).__name__
        raise TransferFailed(TransferProblem.FAILED, text) from None


@asynccontextmanager
async def _connected(
    address: Address, known: KnownServers
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    lines = await asyncio.to_thread(known.lines)
    held = [line for line in lines if line.split(" ", 1)[0] == _name(address)]
    # Do not use keys, agent or configuration of the account under which the program runs.
    async with asyncssh.connect(
        address.host,
        address.port,
        username=address.user or "anonymous",
        password=address.password,
        known_hosts="\n".join(held).encode() if held else None,
        client_keys=None,
        agent_path=None,
        config=None,
        connect_timeout=TIMEOUT_S,
        login_timeout=TIMEOUT_S,
        keepalive_interval=TIMEOUT_S,
    ) as connection:
        key = connection.get_server_host_key()
        if not held and key is not None:
            await asyncio.to_thread(known.add, address, key)
        yield connection


def _name(address: Address) -> str:
    """The host name in OpenSSH's format."""
    if address.port == SSH_PORT:
        return address.host
    return f"[{address.host}]:{address.port}"
