"""A backend that speaks in bare frames over a real WebSocket: it sends what the test wants,
right or wrong, and answers a station as little as the standard allows."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.conversation_checker import ConversationChecker
from tests.support.timeouts import TEST_TIMEOUT_S

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


class BareBackend:
    """One station at a time. `received` has its requests in order."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.close_codes: list[int | None] = []
        self.received: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.connected: asyncio.Queue[None] = asyncio.Queue()
        self.replies: dict[str, Any] = {}
        """What comes after kind and id in the answer to an action, instead of a good one: a list
        that begins with the kind."""
        self.mute: set[str] = set()
        """What is not answered."""
        self.conversation = ConversationChecker("bare")
        self._socket: ServerConnection | None = None
        self._answers: dict[Any, asyncio.Future[list[Any]]] = {}
        self._numbers = itertools.count(1)

    async def send(self, frame: str | bytes, *, text: bool | None = None) -> None:
        """Write one frame as it is; `text` marks bytes as text."""
        assert self._socket is not None
        await self._socket.send(frame, text=text)

    async def answer(self, message_id: str, frame: str | bytes) -> list[Any]:
        """Send a frame and wait for the answer with that id."""
        waiting = self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self.send(frame)
        try:
            return await asyncio.wait_for(waiting, TEST_TIMEOUT_S)
        finally:
            del self._answers[message_id]

    async def call(self, action: str, payload: Any) -> list[Any]:
        """A CALL with a good frame; its CALLRESULT or CALLERROR."""
        if isinstance(payload, dict):
            self.conversation.commanded(action, payload)
        message_id = f"b{next(self._numbers)}"
        return await self.answer(message_id, json.dumps([2, message_id, action, payload]))

    async def wait_for_heartbeat(self) -> None:
        """Ask the station for a Heartbeat and wait for it."""
        while not self.received.empty():
            self.received.get_nowait()
        await self.wait_for_call("Heartbeat")

    async def wait_for_call(self, action: str) -> None:
        """Ask for a message and wait for it; it is answered as `replies` says."""
        answer = await self.call("TriggerMessage", {"requestedMessage": action})
        assert answer[2] == {"status": "Accepted"}, answer
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while (await self.received.get())[0] != action:
                pass

    async def wait_for_boot(self) -> None:
        """Wait until a station has connected and sent its statuses."""
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while (await self.received.get())[0] != "StatusNotification":
                pass

    async def serve(self, socket: ServerConnection) -> None:
        """Answer one station."""
        self._socket = socket
        self.connections += 1
        self.conversation.connected()
        self.connected.put_nowait(None)
        try:
            async for raw in socket:
                match json.loads(raw):
                    case [2, message_id, action, payload]:
                        self.received.put_nowait((action, payload))
                        self.conversation.asked(message_id, action, payload)
                        if action in self.mute:
                            continue
                        kind, *rest = self.replies.get(action, [3, self._result(action)])
                        good = kind == 3 and rest and isinstance(rest[0], dict)
                        self.conversation.answered(message_id, rest[0] if good else None)
                        await socket.send(json.dumps([kind, message_id, *rest]))
                    case [3 | 4, message_id, *_] as frame if message_id in self._answers:
                        self._answers[message_id].set_result(frame)
        except ConnectionClosed:
            pass
        finally:
            self.close_codes.append(socket.close_code)

    def _result(self, action: str) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        match action:
            case "BootNotification":
                return {"currentTime": now, "interval": 86400, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": now}
            case "Authorize":
                return ACCEPTED
            case "StartTransaction":
                return {"transactionId": next(self._numbers), **ACCEPTED}
            case "SignCertificate" | "DataTransfer":
                return {"status": "Accepted"}
        return {}


@asynccontextmanager
async def bare_backend() -> AsyncIterator[BareBackend]:
    """A backend on a free port."""
    backend = BareBackend()
    async with serve(
        backend.serve,
        "127.0.0.1",
        0,
        subprotocols=[Subprotocol("ocpp1.6")],
        max_size=None,
        ping_interval=None,
        close_timeout=1,
    ) as server:
        backend.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        yield backend
