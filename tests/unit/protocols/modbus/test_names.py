"""Devices that are named instead of addressed."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from borne.protocols.modbus.endpoint import TcpEndpoint
from borne.protocols.modbus.failures import Unreachable
from borne.protocols.modbus.server import ModbusServer
from borne.protocols.modbus.transports import open_link
from tests.support.timeouts import TEST_TIMEOUT_S


async def test_a_name_server_that_is_silent_leaves_the_common_threads_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()

    def look_up(*_: object, **__: object) -> Any:
        answered.wait(2 * TEST_TIMEOUT_S)
        raise socket.gaierror("late")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    names = [TcpEndpoint(f"meter-{number}.example") for number in range(40)]
    opening = [asyncio.ensure_future(open_link(name)) for name in names]
    await asyncio.sleep(0)
    try:
        work = asyncio.to_thread(lambda: "done")
        assert await asyncio.wait_for(work, TEST_TIMEOUT_S) == "done"
    finally:
        for each in opening:
            each.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        answered.set()


async def test_a_name_with_two_addresses_is_tried_at_both(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ModbusServer(TcpEndpoint("127.0.0.1", 0), lambda *_: None)
    port = await server.start()
    family, kind = socket.AF_INET, socket.SOCK_STREAM
    found = [(family, kind, 6, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    link = await open_link(TcpEndpoint("meter.example", port))
    link.close()
    await server.close()
    with pytest.raises(Unreachable, match="refuses connections"):
        await open_link(TcpEndpoint("meter.example", port))
