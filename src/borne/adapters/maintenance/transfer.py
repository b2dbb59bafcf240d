"""File transfer for a backend: HTTP(S), FTP(S), SFTP (OCPP 1.6 sections 5.9, 5.19)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from borne import __version__
from borne.adapters.maintenance import addresses, ftp
from borne.adapters.maintenance.addresses import Address
from borne.application.ports.maintenance import TransferFailed, TransferProblem
from borne.foundation.disk import require_space

TIMEOUT_S = 30.0
"""Longest time without data."""
BLOCK_BYTES = 256 * 1024
_DENIED = frozenset({401, 403})
_OTHER_METHOD = frozenset({405, 501})
HEADERS = {"User-Agent": f"borne/{__version__}"}


def tls_context(roots_pem: str = "") -> ssl.SSLContext:
    """A TLS context with the system's roots, or only the given ones; blocks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if roots_pem:
        context.load_verify_locations(cadata=roots_pem)
    else:
        context.load_default_certs()
    return context


class Transfer:
    """Transfers files, as `FileTransfer`; `known_servers` is the file of SFTP server keys."""

    def __init__(
        self, known_servers: Path, context: Callable[[], ssl.SSLContext] = tls_context
    ) -> None:
        self._known_servers = known_servers
        self._make_context = context

    def check(self, location: str) -> None:
        """Raises TransferFailed for an address that cannot be used."""
        addresses.parse(location)

    async def download(self, location: str, target: Path, max_bytes: int) -> None:
        """Download a file; raises TransferFailed and then leaves no file."""
        address = addresses.parse(location)
        try:
            match address.scheme:
                case "sftp":
                    from borne.adapters.maintenance import sftp

                    known = sftp.KnownServers(self._known_servers)
                    await sftp.download(address, target, max_bytes, known)
                case "ftp" | "ftps":
                    await ftp.download(address, target, max_bytes, await self._context())
                case _:
                    await _get(address, target, max_bytes, await self._context())
        except BaseException:
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise

    async def upload(self, location: str, name: str, source: Path) -> None:
        """Upload a file into the folder `location`; raises TransferFailed."""
        addresses.parse(location)
        address = addresses.parse(addresses.in_folder(location, name))
        match address.scheme:
            case "sftp":
                from borne.adapters.maintenance import sftp

                await sftp.upload(address, source, sftp.KnownServers(self._known_servers))
            case "ftp" | "ftps":
                await ftp.upload(address, source, await self._context())
            case _:
                await _put(address, source, await self._context())

    async def _context(self) -> ssl.SSLContext:
        return await asyncio.to_thread(self._make_context)


async def _get(address: Address, target: Path, max_bytes: int, context: ssl.SSLContext) -> None:
    import httpx

    count = 0
    try:
        async with (
            httpx.AsyncClient(
                verify=context, timeout=TIMEOUT_S, follow_redirects=True, headers=HEADERS
            ) as client,
            client.stream("GET", address.url) as answer,
        ):
            _check_status(answer.status_code)
            require_space(target)
            with await asyncio.to_thread(target.open, "wb") as file:
                async for block in answer.aiter_bytes(BLOCK_BYTES):
                    count += len(block)
                    if count > max_bytes:
                        raise TransferFailed(
                            TransferProblem.TOO_LARGE, f"more than {max_bytes} bytes"
                        )
                    require_space(target)
                    await asyncio.to_thread(file.write, block)
    except httpx.InvalidURL:
        raise TransferFailed(TransferProblem.BAD_ADDRESS, "not an address") from None
    except (httpx.HTTPError, OSError) as error:
        raise TransferFailed(TransferProblem.FAILED, str(error) or type(error).__name__) from None


async def _put(address: Address, source: Path, context: ssl.SSLContext) -> None:
    import httpx

    size = (await asyncio.to_thread(source.stat)).st_size
    headers = {**HEADERS, "Content-Type": "application/octet-stream", "Content-Length": str(size)}
    try:
        async with httpx.AsyncClient(verify=context, timeout=TIMEOUT_S) as client:

            async def send(method: str) -> int:
                answer = await client.request(
                    method, address.url, content=_blocks(source), headers=headers
                )
                return answer.status_code

            status = await send("PUT")
            if status in _OTHER_METHOD:
                status = await send("POST")
            _check_status(status)
    except httpx.InvalidURL:
        raise TransferFailed(TransferProblem.BAD_ADDRESS, "not an address") from None
    except (httpx.HTTPError, OSError) as error:
        raise TransferFailed(TransferProblem.FAILED, str(error) or type(error).__name__) from None


async def _blocks(source: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(source.open, "rb") as file:
        while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
            yield block


def _check_status(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in _DENIED:
        problem = TransferProblem.DENIED
    elif status in _OTHER_METHOD:
        problem = TransferProblem.UNSUPPORTED
    else:
        problem = TransferProblem.FAILED
    raise TransferFailed(problem, f"HTTP {status}")
