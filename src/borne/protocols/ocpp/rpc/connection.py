"""An OCPP-J conversation over a text transport, with calls in both directions at the same time.

Source: OCPP-J 1.6 sections 4.1 and 4.2. At most one own CALL is in flight. Incoming CALLs are
answered by separate tasks, so a handler may call back. Used by charge point and central system.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from borne.domain.frames import Direction, FrameFacts, FrameKind
from borne.foundation.supervisor import Supervisor
from borne.foundation.waiting import Flag
from borne.protocols.ocpp.messages import Action, Message, action_of, response_model
from borne.protocols.ocpp.rpc import frames
from borne.protocols.ocpp.rpc.errors import (
    CallRefused,
    CallTimeout,
    ConnectionLost,
    ErrorCode,
    InvalidAnswer,
    NoAnswer,
    RpcError,
)
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import CallHandler, Reply
from borne.protocols.ocpp.rpc.validation import read_request, read_response

DEFAULT_CALL_TIMEOUT_S: Final = 60.0
"""Manual section 4, backend connection timeout."""
MAX_CONCURRENT_CALLS: Final = 16
"""A correct peer has one CALL in flight; up to this number are answered, more are refused."""
MAX_UNANSWERED: Final = 64
"""Beyond this number, reading stops until answers are sent, so that TCP slows the peer down."""
MAX_FOLLOW_UPS: Final = 64
"""Unfinished actions after answers (a reset, a triggered message); more are refused."""
REMEMBERED_LATE_IDS: Final = 32
"""Number of timed-out calls for which a late answer is still recognized."""

_SENT, _RECEIVED = Direction.SENT, Direction.RECEIVED
_log = logging.getLogger(__name__)
Res = TypeVar("Res", bound=Message)


class TransportClosed(Exception):
    """The transport is closed, by either side."""


class TextTransport(Protocol):
    """Transports frames. It limits their size: a larger frame closes it."""

    async def send(self, text: str) -> None:
        """Send one frame; raises TransportClosed."""

    async def recv(self) -> str | bytes:
        """The next frame; raises TransportClosed."""


@dataclass(slots=True)
class _Pending:
    message_id: str
    action: Action
    sent_at_s: float
    answer: asyncio.Future[frames.Result | frames.Failure]


class RpcConnection:
    """A peer on one connection. `run` receives until the transport closes; `call` sends a CALL.

    Handlers and follow-up actions run as tasks of `tasks`: they outlive the connection (a reset
    must not end with the socket that it closes) and end with their owner.
    """

    def __init__(
        self,
        transport: TextTransport,
        handler: CallHandler,
        *,
        log: FrameLog | None = None,
        tasks: Supervisor | None = None,
        call_timeout_s: float = DEFAULT_CALL_TIMEOUT_S,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.call_timeout_s = call_timeout_s
        self._transport = transport
        self._handler = handler
        self._log = log
        self._new_id = new_id
        self._pending: _Pending | None = None
        self._late: list[str] = []
        self._tasks = tasks or Supervisor("ocpp calls")
        self._answering = 0
        self._following = 0
        self._answered = Flag()
        self._closed = False
        self.last_received_s: float | None = None
        """Loop time of the last frame received."""

    async def run(self) -> None:
        """Receive and answer until the transport closes; then every waiting call fails."""
        try:
            while True:
                raw = await self._transport.recv()
                self.last_received_s = _loop_time()
                self._receive(raw)
                while self._answering >= MAX_UNANSWERED:
                    self._answered.clear()
                    await self._answered.wait()
        except TransportClosed:
            pass
        finally:
            self._closed = True
            if self._pending and not self._pending.answer.done():
                self._pending.answer.set_exception(ConnectionLost("connection closed"))

    async def call(
        self,
        request: Message,
        response_type: type[Res],
        *,
        message_id: str | None = None,
    ) -> Res:
        """Send a CALL and return its validated answer.

        Calls are serialized; each one checks when it starts whether it may still be sent.
        `message_id` repeats a stored id. Raises CallRefused, InvalidAnswer, CallTimeout,
        ConnectionLost.
        """
        if self._pending is not None:
            raise RuntimeError("a call is in flight")
        action = action_of(type(request))
        frame = await self._exchange(action, request, message_id or self._new_id())
        if isinstance(frame, frames.Failure):
            raise CallRefused(frame.code, frame.description, frame.details)
        response = read_response(action, frame.payload)
        if not isinstance(response, response_type):
            raise InvalidAnswer(f"{response_type.__name__} is no answer to {action}")
        return response

    async def _exchange(
        self, action: Action, request: Message, message_id: str
    ) -> frames.Result | frames.Failure:
        if self._closed:
            raise ConnectionLost("connection closed")
        text = frames.call_text(message_id, action, request.to_wire_json())
        timeout_s = self.call_timeout_s
        pending = _Pending(
            message_id, action, _loop_time(), asyncio.get_running_loop().create_future()
        )
        self._pending = pending
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(text, FrameFacts(_SENT, FrameKind.CALL, action, message_id))
                return await pending.answer
        except TimeoutError:
            outcome, elapsed_ms = f"no answer within {timeout_s:g} s", timeout_s * 1000
            facts = (FrameKind.NO_ANSWER, action, message_id, outcome, elapsed_ms)
            self._record("", FrameFacts(_SENT, *facts))
            raise CallTimeout(f"no answer to {action} within {timeout_s:g} s") from None
        except TransportClosed:
            raise ConnectionLost("connection closed") from None
        finally:
            self._pending = None
            if not pending.answer.done() or pending.answer.cancelled():
                self._late.append(message_id)
                del self._late[:-REMEMBERED_LATE_IDS]
            else:
                pending.answer.exception()  # marks it as seen when sending failed first

    def _receive(self, raw: str | bytes) -> None:
        frame = frames.parse(raw)
        match frame:
            case frames.Result() | frames.Failure():
                self._on_answer(frame, raw)
            case frames.Call():
                facts = FrameFacts(_RECEIVED, FrameKind.CALL, frame.action, frame.message_id)
                self._record(raw, facts)
                self._answer_later(frame)
            case frames.Unusable():
                unusable = (FrameKind.UNUSABLE, frame.action, frame.message_id, str(frame.error))
                self._record(raw, FrameFacts(_RECEIVED, *unusable))
                if frame.message_id is not None:
                    self._answer_later(frame)

    def _on_answer(self, frame: frames.Result | frames.Failure, raw: str | bytes) -> None:
        pending = self._pending
        kind = FrameKind.RESULT if isinstance(frame, frames.Result) else FrameKind.ERROR
        if pending is None or pending.message_id != frame.message_id or pending.answer.done():
            outcome = "late" if frame.message_id in self._late else "answers nothing"
            self._record(raw, FrameFacts(_RECEIVED, kind, None, frame.message_id, outcome))
            return
        elapsed_ms = _elapsed_ms(pending.sent_at_s)
        answer = (kind, pending.action, frame.message_id, _outcome(frame), elapsed_ms)
        self._record(raw, FrameFacts(_RECEIVED, *answer))
        pending.answer.set_result(frame)

    def _answer_later(self, frame: frames.Call | frames.Unusable) -> None:
        self._answering += 1
        if self._tasks.start("answer", self._answer(frame)) is None:
            self._answering -= 1

    async def _answer(self, frame: frames.Call | frames.Unusable) -> None:
        try:
            reply = await self._answer_once(frame)
        finally:
            self._answering -= 1
            self._answered.set()
        if reply is None or reply.then is None:
            return
        self._following += 1
        try:
            await reply.then()
        finally:
            self._following -= 1

    async def _answer_once(self, frame: frames.Call | frames.Unusable) -> Reply[Any] | None:
        began_s = _loop_time()
        reply: Reply[Any] | None = None
        message_id = frame.message_id or ""
        try:
            if self._answering > MAX_CONCURRENT_CALLS or self._following >= MAX_FOLLOW_UPS:
                raise RpcError(ErrorCode.GENERIC_ERROR, "too many calls at once")
            reply = await self._handle(frame)
            text = frames.result_text(message_id, reply.response.to_wire_json())
            kind, outcome = FrameKind.RESULT, str(getattr(reply.response, "status", ""))
        except NoAnswer:
            return None
        except RpcError as error:
            text = frames.error_text(message_id, error)
            kind, outcome = FrameKind.ERROR, str(error.code)
        facts = (kind, frame.action, message_id, outcome, _elapsed_ms(began_s))
        try:
            await self._send(text, FrameFacts(_SENT, *facts))
        except TransportClosed:
            _log.info("connection closed before %s was answered", frame.action)
        return reply

    async def _handle(self, frame: frames.Call | frames.Unusable) -> Reply[Any]:
        if isinstance(frame, frames.Unusable):
            raise frame.error
        action, request = read_request(frame.action, frame.payload)
        try:
            answer = await self._handler(action, request)
        except (RpcError, NoAnswer):
            raise
        except Exception:
            _log.exception("the handler of %s failed", action)
            raise RpcError(ErrorCode.INTERNAL_ERROR, f"{action} failed") from None
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        if not isinstance(reply.response, response_model(action)):
            _log.error("the handler of %s answered with %s", action, type(reply.response).__name__)
            raise RpcError(ErrorCode.INTERNAL_ERROR, f"{action} failed")
        return reply

    async def _send(self, text: str, facts: FrameFacts) -> None:
        self._record(text, facts)
        await self._transport.send(text)

    def _record(self, raw: str | bytes, facts: FrameFacts) -> None:
        if self._log is not None:
            self._log.add(raw, facts)


def _elapsed_ms(since_s: float) -> float:
    return (_loop_time() - since_s) * 1000


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _outcome(frame: frames.Result | frames.Failure) -> str:
    """The essential part of an answer, for users."""
    match frame:
        case frames.Failure(code=code):
            return code
        case frames.Result(payload={"status": str(status)}):
            return status
        case frames.Result(payload={"idTagInfo": {"status": str(status)}}):
            return status
    return ""
