"""A Unix socket in the data folder: one JSON line as request, one as response.

Access to the folder permits all commands; folder and socket are only accessible to their owner. The
path may exceed the limit for socket addresses (108 bytes), so it is reached through a file
descriptor of the folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from borne.foundation.files import put_aside
from borne.foundation.json_value import JsonObject

NAME = "control.sock"
LONGEST_LINE = 256 * 1024
TIMEOUT_S = 30.0

_log = logging.getLogger(__name__)

Run = Callable[[str, JsonObject], Awaitable[JsonObject]]


class NoStation(Exception):
    """No station is running on this data folder."""


class ControlServer:
    """Serves commands while a station runs."""

    def __init__(
        self,
        folder: Path,
        run: Run,
        refusals: tuple[type[Exception], ...],
        failures: tuple[type[Exception], ...] = (),
    ) -> None:
        """Messages of `refusals` (invalid input) and `failures` are passed on to the client."""
        self._folder = folder
        self._run = run
        self._refusals = refusals
        self._failures = failures
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Bind the socket; replaces the stale socket of a killed process and moves away a
        folder."""
        if (self._folder / NAME).is_dir():
            put_aside(self._folder / NAME)
        (self._folder / NAME).unlink(missing_ok=True)
        with _address(self._folder) as address:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.setblocking(False)
            mask = os.umask(0o177)
            try:
                sock.bind(address)
            finally:
                os.umask(mask)
        self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=LONGEST_LINE)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            (self._folder / NAME).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), TIMEOUT_S)
            writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ValueError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> JsonObject:
        try:
            request = json.loads(line)
            command, arguments = str(request["command"]), dict(request["arguments"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"refused": "This request cannot be read."}
        try:
            result = await self._run(command, arguments)
        except self._refusals as refused:
            return {"refused": str(refused)}
        except self._failures as failed:
            return {"failed": str(failed)}
        except Exception as error:
            _log.exception("%s failed", command)
            return {"failed": f"{type(error).__name__}; the log of the station has details"}
        return {"result": result}


def send_command(folder: Path, command: str, arguments: JsonObject) -> JsonObject:
    """Send a command to the running station; blocks. The response has `result`, `refused` or
    `failed`. Raises NoStation."""
    request = json.dumps({"command": command, "arguments": dict(arguments)}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT_S)
        try:
            with _address(folder) as address:
                sock.connect(address)
            sock.sendall(request)
            with sock.makefile("rb") as answer:
                result: JsonObject = json.loads(answer.readline(LONGEST_LINE * 16))
        except (OSError, ValueError) as error:
            raise NoStation(str(error)) from None
        return result


@contextlib.contextmanager
def _address(folder: Path) -> Iterator[str]:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{number}/{NAME}"
    finally:
        os.close(number)
