"""The client against an independent central system over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
from http import HTTPStatus

import pytest
from ocpp.exceptions import NotSupportedError
from ocpp.v16 import call
from ocpp.v16.enums import ResetType as PeerResetType

from borne.adapters.ocpp.charge_point.config import ConnectionConfig
from borne.adapters.ocpp.charge_point.connection import BackendConnection, ConnectionState
from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed, ConnectionSteps
from borne.application.ports.backend import ConnectionStep, StepState
from borne.protocols.ocpp.messages.core import (
    ChangeConfigurationRequest,
    ChangeConfigurationResponse,
    ConfigurationStatus,
    ResetRequest,
    ResetResponse,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.connection import TransportClosed
from tests.integration.ocpp.central import Central, central_system
from tests.integration.ocpp.station import Station, station
from tests.unit.adapters.ocpp.charge_point.harness import meter, start, stop


def url(central: Central, path: str = "/ocpp") -> str:
    return f"ws://127.0.0.1:{central.port}{path}"


def with_statuses(made: Station) -> None:
    for connector in (0, 1, 2):
        made.status(connector, "Available")


async def test_from_rejection_to_charging() -> None:
    def prepare(made: Station) -> None:
        with_statuses(made)
        made.outbox.put(start("s"), meter("s"), stop("s"))

    async with central_system() as central:
        central.boots.extend([("Rejected", 1), ("Pending", 1)])
        async with station(url(central), prepare=prepare) as made:
            received = [await central.next() for _ in range(9)]
            await made.until(lambda: len(made.outbox.answers) == 3)
    assert [action for action, _ in received] == [
        *["BootNotification"] * 3,
        *["StatusNotification"] * 2,
        "StartTransaction",
        "MeterValues",
        "StopTransaction",
        "StatusNotification",
    ]
    # Connector 1 is not free before its transaction has ended.
    statuses = [received[number][1].get("connector_id") for number in (3, 4, 8)]
    assert statuses == [0, 2, 1]
    assert received[7][1]["transaction_id"] == 7


async def test_crossing_calls_are_both_answered() -> None:
    """The central system resets the station while it still owes an answer to Authorize."""
    order: list[str] = []

    async def reset(request: ResetRequest) -> ResetResponse:
        order.append("Reset")
        return ResetResponse(status=AcceptedOrRejected.ACCEPTED)

    async with (
        central_system() as central,
        station(
            url(central), prepare=lambda made: made.handlers.register(ResetRequest, reset)
        ) as made,
    ):
        await made.online()
        peer = await central.peers.get()

        async def while_asked() -> None:
            # The package reads again only after its handler: write the CALL by hand.
            await peer._connection.send('[2,"r","Reset",{"type":"Soft"}]')
            assert json.loads(await peer._connection.recv()) == [3, "r", {"status": "Accepted"}]

        central.before_authorize = while_asked  # type: ignore[method-assign]  # meant for it
        answer = await made.client.authorize("A")
        order.append("Authorize")
    assert answer.status == "Blocked"
    assert order == ["Reset", "Authorize"]


async def test_calls_of_the_central_system_are_answered() -> None:
    async def change(request: ChangeConfigurationRequest) -> ChangeConfigurationResponse:
        return ChangeConfigurationResponse(status=ConfigurationStatus.REBOOT_REQUIRED)

    def prepare(made: Station) -> None:
        made.handlers.register(ChangeConfigurationRequest, change)

    async with central_system() as central, station(url(central), prepare=prepare) as made:
        await made.online()
        peer = await central.peers.get()
        answer = await peer.call(call.ChangeConfiguration(key="A", value="1"))
        assert answer.status == "RebootRequired"
        with pytest.raises(NotSupportedError):
            await peer.call(call.Reset(type=PeerResetType.hard), suppress=False)
        answer = await peer.call(call.TriggerMessage(requested_message="Heartbeat"))
        assert answer.status == "Accepted"
        assert [(await central.next())[0] for _ in range(2)] == ["BootNotification", "Heartbeat"]


async def test_identity_and_password_travel_as_the_standard_says() -> None:
    async with central_system() as central:
        async with station(
            url(central, "/o/"), identity="A/1 ü", password=bytes(range(250, 256))
        ) as made:
            await made.online()
        request = central.requests[0]
        assert request.path == "/o/A%2F1%20%C3%BC"
        header = request.headers["Authorization"].removeprefix("Basic ")
        assert base64.b64decode(header) == "A/1 ü:".encode() + bytes(range(250, 256))
        assert request.headers["Sec-WebSocket-Protocol"] == "ocpp1.6"
        assert "Sec-WebSocket-Extensions" not in request.headers


async def test_compression_is_used_only_when_configured_and_agreed() -> None:
    async with central_system() as central:
        async with station(url(central), compression=True) as made:
            await made.online()
        assert "permessage-deflate" in central.requests[0].headers["Sec-WebSocket-Extensions"]


async def test_a_reconnect_sends_no_boot_notification() -> None:
    async with central_system() as central:
        async with station(url(central), prepare=with_statuses) as made:
            await made.online()
            for _ in range(4):
                await central.next()
            peer = await central.peers.get()
            peer._connection.transport.abort()
            await made.until(lambda: not made.client.online)
            made.status(1, "Preparing")
            made.client.retry_now()
            await made.online()
            action, fields = await central.next()
            assert (action, fields["status"]) == ("StatusNotification", "Preparing")
        assert made.client.view().connections == 2


async def test_a_stop_closes_the_connection_and_a_power_cut_does_not() -> None:
    async with central_system() as central:
        async with station(url(central)) as made:
            await made.online()
            made.client.abort()
            assert await central.closed.get() == 1006
        async with station(url(central)) as made:
            await made.online()
        assert await central.closed.get() == 1000


@pytest.mark.parametrize("sub_protocols", [(), ("ocpp2.0.1",)])
async def test_without_the_sub_protocol_the_websocket_step_fails(
    sub_protocols: tuple[str, ...],
) -> None:
    async with central_system(sub_protocols=sub_protocols) as central:
        async with station(url(central)) as made:
            await made.until(lambda: made.step(ConnectionStep.WEBSOCKET).state is StepState.FAILED)
            assert made.step(ConnectionStep.TCP).state is StepState.OK
            assert made.step(ConnectionStep.TLS).state is StepState.SKIPPED
        assert central.received.empty()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (HTTPStatus.UNAUTHORIZED, "HTTP 401 Unauthorized"),
        (HTTPStatus.NOT_FOUND, "HTTP 404 Not Found"),
        (HTTPStatus.FOUND, "HTTP 302 redirect refused"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "HTTP 503 Service Unavailable"),
    ],
)
async def test_what_http_refuses_is_shown(status: HTTPStatus, words: str) -> None:
    def refuse(central: Central) -> None:
        central.refuse = status
        central.location = "/elsewhere"

    async with central_system(accept=refuse) as central:
        async with station(url(central)) as made:
            await made.until(lambda: made.step(ConnectionStep.WEBSOCKET).state is StepState.FAILED)
            result = made.step(ConnectionStep.WEBSOCKET)
        assert (result.detail, result.http_status) == (words, status)
        assert {request.path for request in central.requests} == {"/ocpp/station"}


async def test_invalid_frames_are_ignored_and_oversized_ones_close_the_connection() -> None:
    async with central_system() as central, station(url(central), max_frame_bytes=10_000) as made:
        await made.online()
        peer = await central.peers.get()
        socket = peer._connection
        await socket.send("noise")
        await socket.send(b"\x00\xff")
        await socket.send(b"\xff\xff", text=True)
        await socket.send('[2,"x","Nothing",{}]')
        await made.until(lambda: len(made.client.log.records()) == 7)
        assert made.client.log.records()[-1].outcome == "NotImplemented"
        await socket.send(json.dumps([2, "y", "DataTransfer", {"data": "x" * 10_000}]))
        assert await central.closed.get() == 1009
        await made.until(lambda: made.client.view().connections == 2)


async def test_a_silent_line_is_found_by_the_ping(unused_tcp_port: int) -> None:
    """A relay that stops forwarding: no reset, no answer, only the missing pong."""
    async with central_system() as central:
        stalled = asyncio.Event()
        pipes: set[asyncio.Task[None]] = set()

        async def forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(4096):
                    if not stalled.is_set():
                        sink.write(data)
            finally:
                sink.close()

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", central.port)
            pipes.add(asyncio.create_task(forward(reader, back_writer)))
            pipes.add(asyncio.create_task(forward(back_reader, writer)))

        server = await asyncio.start_server(relay, "127.0.0.1", unused_tcp_port)
        async with station(
            f"ws://127.0.0.1:{unused_tcp_port}/o",
            pong_timeout_s=0.2,
            settings={"ping_interval_s": 0.1},
        ) as made:
            await made.online()
            stalled.set()
            await made.until(lambda: not made.client.online)
            stalled.clear()
            made.client.retry_now()
            await made.online()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*pipes, return_exceptions=True)


def steps() -> ConnectionSteps:
    from datetime import UTC, datetime

    return ConnectionSteps(lambda: datetime.now(UTC))


async def test_the_connection_steps_can_be_tested_alone() -> None:
    """The page's connection test: nothing is sent, nothing is kept."""
    async with central_system() as central:
        climbed = steps()
        connection = BackendConnection(ConnectionConfig(url(central), "station"))
        await connection.open(climbed)
        assert [result.state for result in climbed.results()] == [
            StepState.SKIPPED, StepState.OK, StepState.OK, StepState.SKIPPED, StepState.OK,
            StepState.UNKNOWN, StepState.UNKNOWN,
        ]  # fmt: skip
        assert climbed.results()[1].detail == "127.0.0.1"
        await connection.close()
        assert connection.state is ConnectionState.CLOSED
        with pytest.raises(RuntimeError, match="only be used once"):
            await connection.open(climbed)
        with pytest.raises(TransportClosed):
            await connection.send("x")


async def test_no_server_listens(unused_tcp_port: int) -> None:
    connection = BackendConnection(ConnectionConfig(f"ws://127.0.0.1:{unused_tcp_port}", "station"))
    with pytest.raises(ConnectFailed) as failed:
        await connection.open(steps())
    assert failed.value.step is ConnectionStep.TCP


async def test_the_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    async def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(ConnectFailed, match="dns: Name or service not known"):
        await BackendConnection(ConnectionConfig("ws://backend.example", "station")).open(steps())


async def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    async with central_system() as central:

        async def two(*args: object, **kwargs: object) -> list[object]:
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", central.port)),
            ]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
        climbed = steps()
        connection = BackendConnection(ConnectionConfig("ws://backend.example", "station"))
        await connection.open(climbed)
        await connection.close()
    assert climbed.results()[1].detail == "::1, 127.0.0.1"
    assert climbed.results()[2].detail.startswith("backend.example at 127.0.0.1")


async def test_a_server_that_says_nothing_times_out(unused_tcp_port: int) -> None:
    gone: asyncio.Queue[None] = asyncio.Queue()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.put_nowait(None)

    server = await asyncio.start_server(silent, "127.0.0.1", unused_tcp_port)
    for scheme, step in (("ws", ConnectionStep.WEBSOCKET), ("wss", ConnectionStep.TLS)):
        config = ConnectionConfig(
            f"{scheme}://127.0.0.1:{unused_tcp_port}", "station", connect_timeout_s=1
        )
        with pytest.raises(ConnectFailed) as failed:
            await BackendConnection(config).open(steps())
        assert failed.value.step is step
        await gone.get()
    server.close()
    await server.wait_closed()
