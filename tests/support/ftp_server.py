"""A small FTP server with one account, and AUTH TLS when it has a certificate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

USER, PASSWORD = "station", "s3cret"


class FtpServer:
    """Files by their paths; `/readonly` takes none."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.commands: list[str] = []
        self.port = 0
        self._context = context
        self.listeners: list[asyncio.Server] = []
        self.writers: list[asyncio.StreamWriter] = []

    @property
    def location(self) -> str:
        """Its address with the account."""
        scheme = "ftps" if self._context else "ftp"
        return f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.listeners.append(server)
        self.port = server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        for server in self.listeners:
            server.close()
        for server in self.listeners:
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            await _Conversation(self, self._context, reader, writer).run()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class _Conversation:
    def __init__(
        self,
        server: FtpServer,
        context: ssl.SSLContext | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server, self._context = server, context
        self._reader, self._writer = reader, writer
        self._folder, self._name, self._known = "/", "", context is None
        self._trusted = False
        self._data: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self._data = asyncio.Queue()

    async def run(self) -> None:
        await self._say("220 ready")
        while line := await self._reader.readline():
            command, _, argument = line.decode().strip().partition(" ")
            self._server.commands.append(command.upper())
            handler = getattr(self, f"_{command.lower()}", None)
            if handler is None:
                await self._say("502 not known")
            elif command.upper() not in ("AUTH", "USER", "PASS") and not self._trusted:
                await self._say("530 who are you")
            else:
                await handler(argument)
            if command.upper() == "QUIT":
                return

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()

    async def _auth(self, _: str) -> None:
        if self._context is None:
            await self._say("534 no TLS")
            return
        await self._say("234 go on")
        await self._writer.start_tls(self._context)
        self._known = True

    async def _user(self, name: str) -> None:
        self._name = name
        await self._say("331 password")

    async def _pass(self, password: str) -> None:
        self._trusted = (self._name, password) == (USER, PASSWORD) and self._known
        await self._say("230 welcome" if self._trusted else "530 wrong")

    async def _quit(self, _: str) -> None:
        await self._say("221 bye")

    async def _type(self, _: str) -> None:
        await self._say("200 fine")

    _pbsz = _prot = _type

    async def _cwd(self, path: str) -> None:
        self._folder = path if path.startswith("/") else f"{self._folder.rstrip('/')}/{path}"
        await self._say("250 there")

    async def _listen(self) -> int:
        async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._server.writers.append(writer)
            await self._data.put((reader, writer))

        listener = await asyncio.start_server(receive, "127.0.0.1", 0, ssl=self._context)
        self._server.listeners.append(listener)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    async def _epsv(self, _: str) -> None:
        await self._say(f"229 entering (|||{await self._listen()}|)")

    async def _pasv(self, _: str) -> None:
        port = await self._listen()
        await self._say(f"227 entering (127,0,0,1,{port // 256},{port % 256})")

    def _path(self, argument: str) -> str:
        return argument if argument.startswith("/") else f"{self._folder.rstrip('/')}/{argument}"

    async def _retr(self, argument: str) -> None:
        content = self._server.files.get(self._path(argument))
        if content is None:
            await self._say("550 no such file")
            return
        await self._say("150 here it comes")
        _, writer = await self._data.get()
        writer.write(content)
        writer.close()
        await self._done()

    async def _stor(self, argument: str) -> None:
        path = self._path(argument)
        if path.startswith("/readonly"):
            await self._say("553 not allowed")
            return
        await self._say("150 send it")
        reader, writer = await self._data.get()
        self._server.files[path] = await reader.read()
        writer.close()
        await self._done()

    async def _done(self) -> None:
        await self._say("226 done")


@asynccontextmanager
async def ftp_server(context: ssl.SSLContext | None = None) -> AsyncIterator[FtpServer]:
    """A server while the block runs."""
    server = FtpServer(context)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
