"""A conversation of two peers (OCPP-J 1.6 section 4.1): crossing calls, timeouts, bad frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from borne.domain.frames import Direction, FrameKind
from borne.foundation.supervisor import Supervisor
from borne.protocols.ocpp.messages import Action, Message
from borne.protocols.ocpp.messages.core import (
    AuthorizeRequest,
    AuthorizeResponse,
    ChangeConfigurationRequest,
    ChangeConfigurationResponse,
    ConfigurationStatus,
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatus,
    HeartbeatRequest,
    HeartbeatResponse,
    ResetRequest,
    ResetResponse,
    ResetType,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.connection import (
    MAX_CONCURRENT_CALLS,
    MAX_UNANSWERED,
    RpcConnection,
    TransportClosed,
)
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
from borne.protocols.ocpp.rpc.handlers import Handlers, Reply
from tests.support.virtual_time import virtual_time

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Wire:
    """A transport in memory: what the connection sends, and what it is made to receive."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[list[Any]] = asyncio.Queue()
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.closed = False
        self.writable = asyncio.Event()
        self.writable.set()
        self.read = 0

    async def send(self, text: str) -> None:
        await self.writable.wait()
        if self.closed:
            raise TransportClosed
        self.sent.put_nowait(json.loads(text))

    async def recv(self) -> str | bytes:
        text = await self._inbox.get()
        if text is None:
            raise TransportClosed
        self.read += 1
        return text

    def give(self, *frame: Any) -> None:
        self._inbox.put_nowait(json.dumps(frame))

    def give_raw(self, text: str | bytes) -> None:
        self._inbox.put_nowait(text)

    def close(self) -> None:
        self.closed = True
        self._inbox.put_nowait(None)


class Peer:
    """A connection on a wire, with its handlers."""

    def __init__(self) -> None:
        ids = count(1)
        self.wire = Wire()
        self.handlers = Handlers()
        self.log = FrameLog(lambda: NOW)
        self.tasks = Supervisor("test")
        self.connection = RpcConnection(
            self.wire,
            self.handlers,
            log=self.log,
            tasks=self.tasks,
            call_timeout_s=60,
            new_id=lambda: f"own-{next(ids)}",
        )
        self.running = asyncio.create_task(self.connection.run())

    async def sent(self) -> list[Any]:
        return await self.wire.sent.get()

    async def settle(self) -> None:
        await asyncio.sleep(1)


def conversation(test: Callable[[Peer], Awaitable[None]]) -> Callable[[], None]:
    @virtual_time
    async def run() -> None:
        peer = Peer()
        await test(peer)
        peer.wire.close()
        await peer.running
        await peer.tasks.stop()

    run.__name__ = test.__name__
    return run


def heartbeat(peer: Peer, **options: Any) -> asyncio.Task[HeartbeatResponse]:
    return asyncio.create_task(
        peer.connection.call(HeartbeatRequest(), HeartbeatResponse, **options)
    )


TIME = {"currentTime": "2026-11-22T00:00:00Z"}


@conversation
async def test_a_call_gets_its_answer(peer: Peer) -> None:
    call = heartbeat(peer)
    assert await peer.sent() == [2, "own-1", "Heartbeat", {}]
    peer.wire.give(3, "own-1", TIME)
    assert (await call).current_time == NOW


@conversation
async def test_one_call_is_outstanding_at_a_time(peer: Peer) -> None:
    first = heartbeat(peer)
    await peer.sent()
    with pytest.raises(RuntimeError, match="in flight"):
        await peer.connection.call(HeartbeatRequest(), HeartbeatResponse)
    peer.wire.give(3, "own-1", TIME)
    await first


@conversation
async def test_crossing_calls_are_both_answered(peer: Peer) -> None:
    async def clear(request: Message) -> ResetResponse:
        return ResetResponse(status=AcceptedOrRejected.ACCEPTED)

    peer.handlers.register(ResetRequest, clear)
    call = heartbeat(peer)
    await peer.sent()
    peer.wire.give(2, "theirs", "Reset", {"type": "Soft"})
    assert await peer.sent() == [3, "theirs", {"status": "Accepted"}]
    peer.wire.give(3, "own-1", TIME)
    await call


@conversation
async def test_a_handler_may_call_back_before_it_answers(peer: Peer) -> None:
    async def ask_first(request: DataTransferRequest) -> DataTransferResponse:
        answer = await peer.connection.call(AuthorizeRequest(id_tag="A"), AuthorizeResponse)
        return DataTransferResponse(
            status=DataTransferStatus.ACCEPTED, data=answer.id_tag_info.status
        )

    peer.handlers.register(DataTransferRequest, ask_first)
    peer.wire.give(2, "theirs", "DataTransfer", {"vendorId": "x"})
    assert await peer.sent() == [2, "own-1", "Authorize", {"idTag": "A"}]
    peer.wire.give(3, "own-1", {"idTagInfo": {"status": "Blocked"}})
    assert await peer.sent() == [3, "theirs", {"status": "Accepted", "data": "Blocked"}]


@conversation
async def test_an_action_after_an_answer_runs_after_it(peer: Peer) -> None:
    async def reset(request: ResetRequest) -> Reply[ResetResponse]:
        async def then() -> None:
            await peer.connection.call(HeartbeatRequest(), HeartbeatResponse)

        assert request.type is ResetType.HARD
        return Reply(ResetResponse(status=AcceptedOrRejected.ACCEPTED), then)

    peer.handlers.register(ResetRequest, reset)
    peer.wire.give(2, "theirs", "Reset", {"type": "Hard"})
    assert (await peer.sent())[0] == 3
    assert (await peer.sent())[2] == "Heartbeat"
    peer.wire.give(3, "own-1", TIME)


@conversation
async def test_an_action_after_an_answer_survives_the_end_of_the_connection(peer: Peer) -> None:
    done = asyncio.Event()

    async def reset(request: ResetRequest) -> Reply[ResetResponse]:
        async def then() -> None:
            peer.wire.close()
            await asyncio.sleep(5)
            done.set()

        return Reply(ResetResponse(status=AcceptedOrRejected.ACCEPTED), then)

    peer.handlers.register(ResetRequest, reset)
    peer.wire.give(2, "theirs", "Reset", {"type": "Hard"})
    await done.wait()
    assert peer.running.done()


@conversation
async def test_no_answer_is_a_timeout_and_a_late_one_is_dropped(peer: Peer) -> None:
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(CallTimeout):
        await heartbeat(peer)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(60)
    await peer.sent()
    second = heartbeat(peer)
    assert (await peer.sent())[1] == "own-2"
    peer.wire.give(3, "own-1", {"currentTime": "1999-01-01T00:00:00Z"})
    peer.wire.give(3, "own-2", TIME)
    assert (await second).current_time == NOW
    assert [record.outcome for record in peer.log.records()] == [
        "", "no answer within 60 s", "", "late", "",
    ]  # fmt: skip


@conversation
async def test_a_cancelled_call_frees_the_line(peer: Peer) -> None:
    first = heartbeat(peer)
    await peer.sent()
    first.cancel()
    await asyncio.wait([first])
    second = heartbeat(peer)
    assert (await peer.sent())[1] == "own-2"
    peer.wire.give(3, "own-1", TIME)
    peer.wire.give(3, "own-2", TIME)
    await second


@conversation
async def test_a_given_message_id_is_used(peer: Peer) -> None:
    for _ in range(2):
        call = heartbeat(peer, message_id="kept")
        assert await peer.sent() == [2, "kept", "Heartbeat", {}]
        peer.wire.give(3, "kept", TIME)
        await call


@conversation
async def test_a_call_error_is_raised(peer: Peer) -> None:
    call = heartbeat(peer)
    await peer.sent()
    peer.wire.give(4, "own-1", "InternalError", "no disk", {"free": 0})
    with pytest.raises(CallRefused, match="InternalError: no disk") as refused:
        await call
    assert refused.value.details == {"free": 0}


@pytest.mark.parametrize("payload", [{}, None, [], {"idTagInfo": 5}])
def test_an_invalid_answer_has_its_own_error(payload: Any) -> None:
    @conversation
    async def test(peer: Peer) -> None:
        asked = peer.connection.call(AuthorizeRequest(id_tag="A"), AuthorizeResponse)
        call = asyncio.ensure_future(asked)
        await peer.sent()
        peer.wire.give(3, "own-1", payload)
        with pytest.raises(InvalidAnswer, match="Authorize"):
            await call

    test()


@conversation
async def test_unknown_members_of_an_answer_are_ignored(peer: Peer) -> None:
    call = heartbeat(peer)
    await peer.sent()
    peer.wire.give(3, "own-1", {**TIME, "mood": "fine"})
    await call


@conversation
async def test_a_call_ends_with_the_connection(peer: Peer) -> None:
    first = heartbeat(peer)
    await peer.sent()
    peer.wire.close()
    with pytest.raises(ConnectionLost):
        await first
    with pytest.raises(ConnectionLost):
        await heartbeat(peer)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('[2,"x","NoSuchAction",{}]', "NotImplemented"),
        ('[2,"x","UnlockConnector",{"connectorId":1}]', "NotSupported"),
        ('[2,"x","Reset",{"type":"Warm"}]', "PropertyConstraintViolation"),
        ('[2,"x","Reset",{}]', "OccurenceConstraintViolation"),
        ('[2,"x","Reset"]', "ProtocolError"),
        ('[2,"x","Reset",', "FormationViolation"),
        ('[2,"x","ClearCache",{}]', "InternalError"),
        ('[2,"x","GetDiagnostics",{"location":"ftp://x"}]', "SecurityError"),
        ('[2,"x","GetConfiguration",{}]', "InternalError"),
    ],
)
def test_every_invalid_call_is_answered_and_the_session_goes_on(frame: str, code: str) -> None:
    from borne.protocols.ocpp.messages.core import ClearCacheRequest, GetConfigurationRequest
    from borne.protocols.ocpp.messages.firmware import GetDiagnosticsRequest

    @conversation
    async def test(peer: Peer) -> None:
        async def fail(request: Message) -> Message:
            raise ZeroDivisionError

        async def refuse(request: Message) -> Message:
            raise RpcError(ErrorCode.SECURITY_ERROR, "never")

        async def mistake(request: Message) -> Message:
            return ResetResponse(status=AcceptedOrRejected.ACCEPTED)

        peer.handlers.register(ClearCacheRequest, fail)
        peer.handlers.register(GetDiagnosticsRequest, refuse)
        peer.handlers.register(GetConfigurationRequest, mistake)
        peer.wire.give_raw(frame)
        answer = await peer.sent()
        assert answer[:3] == [4, "x", code]
        assert len(answer) == 5
        call = heartbeat(peer)
        await peer.sent()
        peer.wire.give(3, "own-1", TIME)
        await call

    test()


@pytest.mark.parametrize("noise", ["", "noise", "[]", '[9,"x",1]', b"\xff\xfe", '[3,"own-7",{}]'])
def test_invalid_frames_are_logged_and_ignored(noise: str | bytes) -> None:
    @conversation
    async def test(peer: Peer) -> None:
        peer.wire.give_raw(noise)
        call = heartbeat(peer)
        assert (await peer.sent())[2] == "Heartbeat"
        peer.wire.give(3, "own-1", TIME)
        await call
        assert len(peer.log.records()) == 3

    test()


@conversation
async def test_a_handler_may_give_no_answer(peer: Peer) -> None:
    async def silent(request: Message) -> Message:
        raise NoAnswer

    peer.handlers.register(ResetRequest, silent)
    peer.wire.give(2, "theirs", "Reset", {"type": "Soft"})
    await peer.settle()
    assert peer.wire.sent.empty()


@conversation
async def test_a_flood_of_calls_is_bounded(peer: Peer) -> None:
    gate = asyncio.Event()

    async def wait(request: Message) -> ResetResponse:
        await gate.wait()
        return ResetResponse(status=AcceptedOrRejected.ACCEPTED)

    peer.handlers.register(ResetRequest, wait)
    for number in range(MAX_CONCURRENT_CALLS + 3):
        peer.wire.give(2, str(number), "Reset", {"type": "Soft"})
    refused = [await peer.sent() for _ in range(3)]
    assert {answer[2] for answer in refused} == {"GenericError"}
    gate.set()
    accepted = [await peer.sent() for _ in range(MAX_CONCURRENT_CALLS)]
    assert {answer[0] for answer in accepted} == {3}


@conversation
async def test_a_peer_that_only_writes_is_not_read_for_ever(peer: Peer) -> None:
    peer.wire.writable.clear()
    for number in range(1000):
        peer.wire.give(2, str(number), "NoSuchAction", {})
    await peer.settle()
    assert peer.wire.read == MAX_UNANSWERED
    peer.wire.writable.set()
    assert [(await peer.sent())[1] for _ in range(1000)] == [str(n) for n in range(1000)]


@conversation
async def test_the_log_shows_both_directions_without_secrets(peer: Peer) -> None:
    async def change(request: ChangeConfigurationRequest) -> ChangeConfigurationResponse:
        await asyncio.sleep(0.25)
        return ChangeConfigurationResponse(status=ConfigurationStatus.ACCEPTED)

    peer.handlers.register(ChangeConfigurationRequest, change)
    peer.wire.give(2, "x", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "5ec2e7"})
    await peer.sent()
    received, sent = peer.log.records()
    assert received.direction is Direction.RECEIVED
    assert (received.kind, received.action) == (FrameKind.CALL, Action.CHANGE_CONFIGURATION)
    assert sent.direction is Direction.SENT
    assert (sent.kind, sent.outcome) == (FrameKind.RESULT, "Accepted")
    assert sent.elapsed_ms == pytest.approx(250)
    assert "5ec2e7" not in received.text


def test_an_action_has_one_handler() -> None:
    async def handler(request: Message) -> Message:
        return request

    handlers = Handlers()
    handlers.register(ResetRequest, handler)
    assert handlers.actions() == {Action.RESET}
    with pytest.raises(ValueError, match="Reset has a handler already"):
        handlers.register(ResetRequest, handler)
