"""A small central system that remembers every frame, and that misbehaves as it is configured.

It shares no code with the station. Its ledger of transactions outlives its restarts, its
connections do not. What it does with the next message is drawn by `modes`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from simloop import SimLoop
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.conversation_checker import ConversationChecker
from tests.support.simulated_network import wall

PORT = 9000
MACHINE = "central"
URL = f"ws://{MACHINE}:{PORT}/ocpp"
TRANSACTIONAL = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
ANSWER_WITHIN_S = 30.0
INTERVAL_S = 900


class AnswerMode(StrEnum):
    """How the central system treats one message."""

    GOOD = "answered"
    LATE = "answered after the station gave up"
    LOST_ANSWER = "processed, not answered"
    LOST = "neither processed nor answered"
    TWICE = "answered twice"
    REFUSED = "answered with a CALLERROR"
    REFUSED_LATE = "processed, and answered with a CALLERROR"


PROCESSED = frozenset(AnswerMode) - {AnswerMode.LOST, AnswerMode.REFUSED}


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """A CALL of a station, as it came."""

    at: datetime
    station: str
    message_id: str
    action: str
    text: str
    payload: dict[str, Any]
    mode: AnswerMode


@dataclass(slots=True)
class Books:
    """What the central system knows of one station."""

    frames: list[ReceivedFrame] = field(default_factory=list)
    boot: str | None = None
    """Its last answer to BootNotification since the station's power came on."""
    early: list[ReceivedFrame] = field(default_factory=list)
    """Transaction messages before acceptance."""
    conversation: ConversationChecker = field(default_factory=ConversationChecker)
    life: int = 0
    """Counts the power-ups of the station."""
    statuses: dict[int, dict[str, Any]] = field(default_factory=dict)
    running: dict[int, int] = field(default_factory=dict)
    """Transaction id of each connector with a running transaction."""
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)


class CentralModel:
    """Listens on its own machine; stations come and go."""

    def __init__(
        self,
        loop: SimLoop,
        modes: Callable[[str], AnswerMode],
        judge: Callable[[str], dict[str, str]],
        greet: Callable[[str], tuple[str, int]] = lambda _: ("Accepted", INTERVAL_S),
    ) -> None:
        self.books: dict[str, Books] = {}
        self.modes = modes
        self.greet = greet
        self.late_s: Callable[[], float] = lambda: 90.0
        self.calls: dict[str, int] = {}
        """How often each kind of command was answered by a station, by action and status."""
        self._judge = judge
        self._loop = loop
        self._machine = loop.net.host(MACHINE)
        self._numbers = itertools.count(1001)
        self._ids = itertools.count(1)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._links: dict[str, ServerConnection] = {}
        self._server: Server | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, unless it does: with several stations several may restart it."""
        if self._server is None:
            await self._machine.create_task(self._listen())

    async def go_away(self, *, politely: bool) -> None:
        """Stop listening and forget every connection."""
        await self._machine.create_task(self._leave(politely))

    async def stop(self) -> None:
        """Close it."""
        await self.go_away(politely=True)
        for task in self._answers:
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def call(self, station: str, action: str, payload: dict[str, Any]) -> str | None:
        """Send a command; the status of the answer, None when there is none."""
        task: asyncio.Task[str | None] = self._machine.create_task(
            self._call(station, action, payload)
        )
        return await task

    def book(self, station: str) -> Books:
        """The records of a station."""
        return self.books.setdefault(station, Books())

    def power_cycled(self, station: str) -> None:
        """Forget everything that the station has sent."""
        book = self.book(station)
        book.boot = None
        book.life += 1

    # Life -----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await serve(
            self._talk,
            "0.0.0.0",
            PORT,
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            ping_interval=None,
            close_timeout=5,
        )

    async def _leave(self, politely: bool) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        if not politely:
            for connection in tuple(self._links.values()):
                connection.transport.abort()
        server.close()
        await server.wait_closed()
        self._links.clear()

    # Talking --------------------------------------------------------------------------------

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        station = connection.request.path.rsplit("/", 1)[-1]
        self._links[station] = connection
        life = self.book(station).life
        self.book(station).conversation.connected()
        try:
            async for text in connection:
                assert isinstance(text, str)
                self._on_frame(connection, station, text, life)
        except ConnectionClosed:
            pass
        finally:
            if self._links.get(station) is connection:
                del self._links[station]

    def _on_frame(self, connection: ServerConnection, station: str, text: str, life: int) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            future = self._asked.get(frame[1])
            if future is not None and not future.done():
                future.set_result(frame[2] if frame[0] == 3 else {"status": f"error {frame[2]}"})
            return
        _, message_id, action, payload = frame
        mode = self.modes(action)
        received = ReceivedFrame(wall(self._loop), station, message_id, action, text, payload, mode)
        book = self.book(station)
        book.frames.append(received)
        book.conversation.asked(message_id, action, payload)
        if life == book.life and action in TRANSACTIONAL and book.boot != "Accepted":
            book.early.append(received)
        if action == "StatusNotification":
            book.statuses[payload["connectorId"]] = payload
        task = self._machine.create_task(self._answer(connection, received, life))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(
        self, connection: ServerConnection, received: ReceivedFrame, life: int
    ) -> None:
        answer = self._process(received) if received.mode in PROCESSED else {}
        if received.action == "BootNotification" and life == self.book(received.station).life:
            self.book(received.station).boot = answer.get(
                "status", self.book(received.station).boot
            )
        frame: list[Any] = [3, received.message_id, answer]
        conversation = self.book(received.station).conversation
        if received.mode in (AnswerMode.GOOD, AnswerMode.TWICE):
            conversation.answered(received.message_id, answer)
        elif received.action == "StartTransaction" and received.mode in PROCESSED:
            conversation.answered(received.message_id, answer)  # the number is known here
            conversation.disturb()
        match received.mode:
            case AnswerMode.LOST | AnswerMode.LOST_ANSWER:
                return
            case AnswerMode.LATE:
                await asyncio.sleep(self.late_s())
            case AnswerMode.REFUSED | AnswerMode.REFUSED_LATE:
                frame = [4, received.message_id, "InternalError", "no", {}]
        try:
            for _ in range(2 if received.mode is AnswerMode.TWICE else 1):
                await connection.send(json.dumps(frame))
        except ConnectionClosed:
            return

    def _process(self, received: ReceivedFrame) -> dict[str, Any]:
        book, payload = self.book(received.station), received.payload
        now = received.at.isoformat()
        match received.action:
            case "BootNotification":
                status, interval_s = self.greet(received.station)
                return {"status": status, "interval": interval_s, "currentTime": now}
            case "Heartbeat":
                return {"currentTime": now}
            case "Authorize":
                return {"idTagInfo": self._judge(payload["idTag"])}
            case "StartTransaction":
                names = ("connectorId", "idTag", "timestamp", "meterStart")
                key = tuple(payload[name] for name in names)
                if key not in book.known:
                    book.known[key] = next(self._numbers)
                    book.running[payload["connectorId"]] = book.known[key]
                info = self._judge(payload["idTag"])
                return {"transactionId": book.known[key], "idTagInfo": info}
            case "StopTransaction":
                for connector, number in tuple(book.running.items()):
                    if number == payload["transactionId"]:
                        del book.running[connector]
        return {}

    async def _call(self, station: str, action: str, payload: dict[str, Any]) -> str | None:
        connection = self._links.get(station)
        if connection is None:
            return None
        message_id = f"central-{next(self._ids)}"
        future = self._asked[message_id] = self._loop.create_future()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                self.book(station).conversation.commanded(action, payload)
                await connection.send(json.dumps([2, message_id, action, payload]))
                answer = await future
        except (TimeoutError, ConnectionClosed):
            return None
        finally:
            del self._asked[message_id]
        status = str(answer.get("status", ""))
        call = f"{action} {status}"
        self.calls[call] = self.calls.get(call, 0) + 1
        return status
