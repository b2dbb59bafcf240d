"""No frame shows a secret, and frames without secrets stay as they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from borne.adapters.ocpp.backend import SECRET_KEYS
from borne.domain.frames import Direction, FrameFacts, FrameKind
from borne.domain.settings import CATALOGUE
from borne.protocols.ocpp.rpc.frame_log import MAX_CHARACTERS, FrameLog
from borne.protocols.ocpp.rpc.redaction import MAX_TEXT_LENGTH, Redactor

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
        '[2,"1","ChangeConfiguration",{"Key":"AuthorizationKey","Value":"5ec2e7"}]',
        '[2,"1","changeconfiguration",{"KEY":"AUTHORIZATIONKEY","VALUE":"5ec2e7"}]',
        '[2,"1","ChangeConfiguration",{"key":"Authorization Key","value":"5ec2e7"}]',
        '[2,"1","ChangeConfiguration",{"key":"authorization_key","val":"5ec2e7"}]',
        '[2,"1","ChangeConfiguration",{" key ":["AuthorizationKey"],"value":["5ec2e7"]}]',
        '[2,"1","ChangeConfiguration",{"AuthorizationKey":"5ec2e7"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":{"a":"5ec2e7"}}]',
        '[3,"1",{"ConfigurationKey":[{"Key":"AuthorizationKey","Value":"5ec2e7"}]}]',
        '[2,"1","ChangeConfiguration",{"\\u006bey":"AuthorizationKey","value":"5ec2e7"',
        '[2,"1","ChangeConfiguration",{"key":"Authorization\\u004bey","value":"5ec2e7"',
        '[2,"1","ChangeConfiguration",{"key":"A\\u0075thorizationKey","value":"5ec2e7",NaN}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"5ec2e7\n"}]',
        change("AuthorizationKey").encode("utf-16-le"),
        '[2,"1","GetLog",{"log":{"remoteLocation":"https://h/logs?sig=5ec2e7"}}]',
        '[2,"1","GetDiagnostics",{"location":"https:\\/\\/h\\/logs?sig=5ec2e7"}]',
        '[2,"1","GetDiagnostics",{"Location":"HTTPS://h/logs?a=1&token=5ec2e7#x"}]',
        '[2,"1","GetDiagnostics",{"location":"https://h/logs?sig=5ec2e7"',
        '[2,"1","GetDiagnostics",{"location":"ftp://user:pass@5ec2e7@example.org/x"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp:\\u002f\\u002fuser:5ec2e7\\u0040h/x"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp:\\u002f\\u002fuser:5ec2e7\\u0040h/x"',
        '[2,"1","UpdateFirmware",{"location":"user:5ec2e7@example.org/x"}]',
        '[3,"1",{"configurationKey":[{"key":"WebSocketsProxy","value":"http://u:5ec2e7@h:1"}]}]',
        '[2,"1","DataTransfer",{"vendorId":"x","data":"password=5ec2e7"}]',
        '[2,"1","DataTransfer",{"vendorId":"x","data":"{\\"url\\":\\"http://u:5ec2e7@h/\\"}"}]',
        '[4,"1","InternalError","https://u:5ec2e7@h/x failed",{}]',
        '[4,"1","InternalError","",{"Password":"5ec2e7"}]',
        "5ec2e7 is the AuthorizationKey",
        "GET https://h/x?5ec2e7",
    ],
)
def test_secrets_are_removed(text: str | bytes) -> None:
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
        '[3,"1",{"unknownKey":["Password","Token?"]}]',
        '[2,"1","GetDiagnostics",{"location":"https://example.org:8080/a/b"}]',
        '[2,"1","DataTransfer",{"vendorId":"me@example.org","data":"what? #1"}]',
        "garbage",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert Redactor().clean(text) == text


def test_every_secret_setting_is_known() -> None:
    for entry in CATALOGUE:
        if entry.type.is_secret:
            assert SECRET not in Redactor(SECRET_KEYS).clean(change(entry.key.swapcase()))


def test_long_frames_are_cut() -> None:
    cleaned = Redactor().clean("x" * 100_000)
    assert cleaned.startswith("x" * MAX_TEXT_LENGTH)
    assert cleaned.endswith("(100000 characters)")
    assert len(cleaned) < MAX_TEXT_LENGTH + 50


def test_the_log_keeps_the_newest_and_signals_additions() -> None:
    log = FrameLog(lambda: datetime(2026, 11, 22, tzinfo=UTC), capacity=2)
    numbers: list[int] = []
    log.added.subscribe(lambda record: numbers.append(record.seq))
    for _ in range(3):
        facts = FrameFacts(Direction.SENT, FrameKind.CALL, elapsed_ms=500)
        log.add(change("AuthorizationKey"), facts)
    assert numbers == [1, 2, 3]
    assert [record.seq for record in log.records()] == [2, 3]
    assert SECRET not in log.records()[0].text
    assert log.records()[0].elapsed_ms == 500


def test_the_total_size_of_frames_is_limited() -> None:
    log = FrameLog(lambda: datetime(2026, 11, 22, tzinfo=UTC))
    for _ in range(1000):
        facts = FrameFacts(
            Direction.RECEIVED, FrameKind.CALL, action="a" * 5_000, outcome="o" * 5_000
        )
        log.add("x" * 3 * MAX_TEXT_LENGTH, facts)
    kept = log.records()
    assert 100 < len(kept) <= 500
    assert sum(len(each.text) for each in kept) <= MAX_CHARACTERS
    assert all(len(each.action or "") + len(each.outcome) < 500 for each in kept)


def test_the_result_of_a_frame_contains_no_secret() -> None:
    log = FrameLog(lambda: datetime(2026, 11, 22, tzinfo=UTC))
    outcome = f"ftp://u:{SECRET}@h"
    log.add("", FrameFacts(Direction.RECEIVED, FrameKind.ERROR, outcome=outcome))
    assert SECRET not in log.records()[0].outcome
