"""File transfer over FTP and FTPS, in a worker thread.

FTPS is explicit (AUTH TLS on the ordinary port), or implicit on port 990. Certificates are checked.
"""

from __future__ import annotations

import asyncio
import ftplib
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from borne.adapters.maintenance.addresses import IMPLICIT_FTPS_PORT, Address
from borne.application.ports.maintenance import TransferFailed, TransferProblem
from borne.foundation.disk import require_space

TIMEOUT_S = 30.0
BLOCK_BYTES = 65536
_DENIED = ("530", "532", "550", "553")


class _Cancelled(Exception):
    """The transfer was cancelled."""


class _ImplicitFtps(ftplib.FTP_TLS):
    """FTPS with TLS from the start of the connection."""

    @property
    def sock(self) -> Any:
        return self._sock

    @sock.setter
    def sock(self, value: Any) -> None:
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value, server_hostname=self.host)
        self._sock = value


async def download(address: Address, target: Path, max_bytes: int, context: ssl.SSLContext) -> None:
    """Download a file; raises TransferFailed."""

    def work(stopped: threading.Event) -> None:
        with _login(address, context) as session, target.open("wb") as file:
            _retrieve(session, address, file, max_bytes, stopped)

    await _in_thread(work)


async def upload(address: Address, source: Path, context: ssl.SSLContext) -> None:
    """Upload a file; raises TransferFailed."""

    def work(stopped: threading.Event) -> None:
        def block(_: object) -> None:
            if stopped.is_set():
                raise _Cancelled

        with _login(address, context) as session, source.open("rb") as file:
            if address.folder not in (".", "/", ""):
                session.cwd(address.folder)
            session.storbinary(f"STOR {address.name}", file, BLOCK_BYTES, block)

    await _in_thread(work)


def _retrieve(
    session: ftplib.FTP,
    address: Address,
    file: BinaryIO,
    max_bytes: int,
    stopped: threading.Event,
) -> None:
    count = 0

    def block(data: bytes) -> None:
        nonlocal count
        count += len(data)
        if stopped.is_set():
            raise _Cancelled
        if count > max_bytes:
            raise TransferFailed(TransferProblem.TOO_LARGE, f"more than {max_bytes} bytes")
        require_space(Path(file.name))
        file.write(data)

    session.retrbinary(f"RETR {address.path}", block, BLOCK_BYTES)


def _login(address: Address, context: ssl.SSLContext) -> ftplib.FTP:
    if address.scheme == "ftp":
        session = ftplib.FTP(timeout=TIMEOUT_S)  # noqa: S321 - the standard asks for it
    elif address.port == IMPLICIT_FTPS_PORT:
        session = _ImplicitFtps(timeout=TIMEOUT_S, context=context)
    else:
        session = ftplib.FTP_TLS(timeout=TIMEOUT_S, context=context)  # noqa: S321 - and is encrypted
    try:
        session.connect(address.host, address.port)
        session.login(address.user or "anonymous", address.password)
        if isinstance(session, ftplib.FTP_TLS):
            session.prot_p()
    except BaseException:
        session.close()
        raise
    return session


async def _in_thread(work: Callable[[threading.Event], None]) -> None:
    stopped = threading.Event()
    try:
        await asyncio.to_thread(work, stopped)
    except asyncio.CancelledError:
        stopped.set()
        raise
    except _Cancelled:
        raise TransferFailed(TransferProblem.FAILED, "cancelled") from None
    except ftplib.error_perm as error:
        denied = str(error).startswith(_DENIED)
        problem = TransferProblem.DENIED if denied else TransferProblem.FAILED
        raise TransferFailed(problem, str(error)) from None
    except (ftplib.Error, OSError, EOFError, ValueError) as error:
        raise TransferFailed(TransferProblem.FAILED, str(error) or type(error).__name__) from None
