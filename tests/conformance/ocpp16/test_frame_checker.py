"""The checker finds wrong frames: otherwise its silence would prove nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.support.frame_checker import CheckedConnection, FrameChecker

HEARTBEAT = [2, "1", "Heartbeat", {}]
BOOT: dict[str, Any] = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


class Wire:
    def __init__(self, frames: list[str | bytes]) -> None:
        self._frames = frames

    async def recv(self) -> str | bytes:
        return self._frames.pop(0)

    async def send(self, text: str) -> None:
        pass


async def findings(*frames: Any, asked: str = "") -> str:
    """Of frames of a station, each given as JSON data or as it is."""
    raw = [f if isinstance(f, str | bytes) else json.dumps(f) for f in frames]
    checker = FrameChecker()
    wire = CheckedConnection(Wire(list(raw)), checker)
    if asked:
        await wire.send(json.dumps([2, "a", asked, {}]))
    for _ in raw:
        await wire.recv()
    return "\n".join(checker.findings)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("{", "not JSON"),
        (b"[]", "binary"),
        ('[2,"1","Heartbeat",{"a":NaN}]', "NaN"),
        ('[2,"1","Heartbeat",{"a":1,"a":1}]', "a key twice"),
        ([2, "1", "Heartbeat"], "no frame"),
        ([2, 1, "Heartbeat", {}], "no frame"),
        ([2, "", "Heartbeat", {}], "empty"),
        ([2, "x" * 37, "Heartbeat", {}], "too long"),
        ([2, "1", "../Heartbeat", {}], "no message of OCPP"),
        ([2, "1", "Heartbeat", {"more": 1}], "breaks its schema"),
        ([2, "1", "BootNotification", BOOT | {"chargePointVendor": None}], "breaks its schema"),
        ([2, "1", "BootNotification", BOOT | {"iccid": "x" * 21}], "breaks its schema"),
        (
            [2, "1", "StatusNotification", STATUS | {"timestamp": "2026-01-01T00:00:00+01:00"}],
            "not UTC",
        ),
        ([3, "b", {}], "an answer to nothing"),
        ([4, "a", "FormatViolation", "", {}], "no error code of OCPP-J 1.6"),
        ([4, "a", "GenericError", "x" * 256, {}], "description"),
        ([4, "a", "GenericError", "x"], "no frame"),
    ],
)
async def test_a_wrong_frame_is_found(frame: Any, why: str) -> None:
    assert why in await findings(frame, asked="Reset")


async def test_a_wrong_answer_is_found() -> None:
    assert "breaks its schema" in await findings([3, "a", {"status": "Maybe"}], asked="Reset")
    assert await findings([3, "a", {"status": "Accepted"}], asked="Reset") == ""


async def test_overlapping_calls_are_found() -> None:
    assert "another waits" in await findings(HEARTBEAT, [2, "2", "Heartbeat", {}])


async def test_a_message_id_may_repeat_for_the_same_message_only() -> None:
    checker = FrameChecker()
    boot = [2, "1", "BootNotification", BOOT]
    wire = CheckedConnection(Wire([json.dumps(f) for f in (HEARTBEAT, HEARTBEAT, boot)]), checker)
    for _ in range(3):
        assert not checker.findings
        await wire.recv()
        await wire.send('[4,"1","InternalError","",{}]')
    with pytest.raises(AssertionError, match="another message"):
        checker.check()


def test_valid_frames_are_accepted() -> None:
    assert asyncio.run(findings([2, "1", "StatusNotification", STATUS])) == ""
