"""No frame shows a secret, and frames without secrets stay as they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from borne.adapters.ocpp.rpc.frame_log import Direction, FrameKind, FrameLog
from borne.adapters.ocpp.rpc.redaction import MAX_TEXT_LENGTH, Redactor

SECRET = "5ec2e7"


def change(key: str, value: str = SECRET) -> str:
    return json.dumps([2, "1", "ChangeConfiguration", {"key": key, "value": value}])


@pytest.mark.parametrize(
    "text",
    [
        change("AuthorizationKey"),
        change("authorizationkey"),
        change("AuthorizationKey").replace("K", "\\u004b"),
        change("AuthorizationKey").encode(),
        change("WANRouterPassword"),
        change("SimPin"),
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"5ec2e7"}]}]',
        '[2,"1","GetDiagnostics",{"location":"ftp://user:5ec2e7@example.org/x"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp:\\/\\/user:5ec2e7@example.org\\/x"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"5ec2e7"',
        '[2,"1","DataTransfer",{"vendorId":"x","data":"{\\"password\\":\\"5ec2e7\\"}"}]',
    ],
)
def test_secrets_are_taken_out(text: str | bytes) -> None:
    cleaned = Redactor(["SimPin"]).clean(text)
    assert SECRET not in cleaned
    assert len(cleaned) > 10


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","Authorize",{"idTag":"A"}]',
        '[2, "1", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp://example.org/a@b"}]',
        '[2,"1","GetConfiguration",{"key":["AuthorizationKey"]}]',
        "garbage",
    ],
)
def test_the_rest_stays_as_it_was(text: str) -> None:
    assert Redactor().clean(text) == text


def test_long_frames_are_cut() -> None:
    cleaned = Redactor().clean("x" * 100_000)
    assert cleaned.startswith("x" * MAX_TEXT_LENGTH)
    assert cleaned.endswith("(100000 characters)")
    assert len(cleaned) < MAX_TEXT_LENGTH + 50


def test_the_log_is_a_ring_and_tells() -> None:
    log = FrameLog(lambda: datetime(2026, 11, 22, tzinfo=UTC), capacity=2)
    heard: list[int] = []
    log.added.subscribe(lambda record: heard.append(record.seq))
    for _ in range(3):
        log.add(Direction.SENT, FrameKind.CALL, change("AuthorizationKey"), elapsed_s=0.5)
    assert heard == [1, 2, 3]
    assert [record.seq for record in log.records()] == [2, 3]
    assert SECRET not in log.records()[0].text
    assert log.records()[0].elapsed_ms == 500
