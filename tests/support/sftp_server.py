"""An SFTP server with one account, which sees one folder; `readonly` in it takes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

USER, PASSWORD = "station", "s3cret"


@dataclass
class SftpServer:
    """Where it is, and who tried to log in."""

    folder: Path
    port: int = 0
    logins: list[str] = field(default_factory=list)

    @property
    def location(self) -> str:
        """Its address with the account."""
        return f"sftp://{USER}:{PASSWORD}@127.0.0.1:{self.port}"


class _Accounts(asyncssh.SSHServer):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.logins.append(username)
        return (username, password) == (USER, PASSWORD)


class _Files(asyncssh.SFTPServer):
    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if b"readonly" in path and pflags & asyncssh.FXF_WRITE:
            raise asyncssh.SFTPPermissionDenied("this folder takes nothing")
        return super().open(path, pflags, attrs)


@asynccontextmanager
async def sftp_server(
    folder: Path, key: asyncssh.SSHKey | None = None, port: int = 0
) -> AsyncIterator[SftpServer]:
    """A server with this key, or a new one."""
    server = SftpServer(folder)
    listener = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[key or asyncssh.generate_private_key("ssh-ed25519")],
        server_factory=lambda: _Accounts(server),
        sftp_factory=lambda channel: _Files(channel, chroot=str(folder).encode()),
        config=[],
    )
    server.port = listener.get_port()
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
