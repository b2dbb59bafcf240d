"""A station that hangs up right after an answer has given it: the central system reads it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import ResetType
from websockets.exceptions import ConnectionClosed

from tests.support.central_system import Ledger, RecordingChargePoint
from tests.support.frame_checker import CheckedConnection, FrameChecker

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


class HungUp:
    """A connection that still holds a call of the station and its answer."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, frame: str) -> None:
        kind, message_id, *_ = json.loads(frame)
        if kind != 2:
            raise ConnectionClosed(None, None)
        self._frames.put_nowait(json.dumps([2, "own", "StatusNotification", STATUS]))
        self._frames.put_nowait(json.dumps([3, message_id, {"status": "Accepted"}]))

    async def recv(self) -> Any:
        return await self._frames.get()


async def test_an_answer_is_read_after_a_call_on_a_closed_connection() -> None:
    charge_point = RecordingChargePoint(
        "CP-1", CheckedConnection(HungUp(), FrameChecker()), Ledger()
    )
    reading = asyncio.create_task(charge_point.start())
    try:
        answer = await asyncio.wait_for(charge_point.call(call.Reset(type=ResetType.hard)), 5.0)
        assert answer.status == "Accepted"
    finally:
        reading.cancel()


async def test_a_call_that_cannot_be_sent_fails() -> None:
    class Dead(HungUp):
        async def send(self, frame: str) -> None:
            raise ConnectionClosed(None, None)

    with pytest.raises(ConnectionClosed):
        await CheckedConnection(Dead(), FrameChecker()).send('[2,"x","Reset",{}]')
