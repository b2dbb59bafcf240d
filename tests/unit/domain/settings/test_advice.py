"""Hints at what is allowed and still likely wrong."""

from __future__ import annotations

from typing import Any

import pytest

from borne.domain.principals import SYSTEM
from borne.domain.settings import CATALOGUE, Settings
from borne.domain.settings.advice import advice
from borne.domain.settings.changes import plan

BACKEND = {"ConnectionType": "ethernet", "WebSocketsBackendURL": "wss://x.example"}


def hints(changes: dict[str, Any]) -> list[str]:
    result = plan(Settings(), changes, SYSTEM, active=frozenset(CATALOGUE.settings))
    assert not result.errors
    return [hint.key for hint in advice(result.after)]


def test_a_new_station_needs_none() -> None:
    assert hints({}) == []
    assert hints(BACKEND) == []
    assert hints({"DLMRole": "master"}) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"ConnectionType": "gsm"}, "WebSocketsBackendURL"),
        ({"ConnectionType": "gsm", "OCPPMode": "soap_1_6"}, "SOAPBackendURL"),
        ({**BACKEND, "WebSocketsBackendURL": "ws://x.example"}, "WebSocketsBackendURL"),
        ({**BACKEND, "SSLStrictnessClient": "skip_host"}, "SSLStrictnessClient"),
        ({"FreeCharging": True, "FLLEnable": True}, "FLLEnable"),
        ({"EnforceMasterRFID": True}, "EnforceMasterRFID"),
        ({"DLMRole": "slave_fixed", "DLMSiteKey": "key"}, "DLMMasterAddress"),
        ({"DLMRole": "slave_auto"}, "DLMSiteKey"),
        ({"DLMRole": "master", "WANRouter": True}, "WANRouter"),
        ({"DLMRole": "master", "OperatorCurrentLimit_2": 6}, "DLMMinimumCurrentLimit"),
        (
            {
                "DLMRole": "master",
                "DLMExternalMeterSupport": True,
                "DLMMainDistributionLimit": "63",
            },
            "SecondMeterIP",
        ),
        ({"MeterConfig_2": "tq_em300"}, "MeterIP_2"),
        ({"HLC15118Mode": "force"}, "HLC15118Mode"),
    ],
)
def test_hint(changes: dict[str, Any], key: str) -> None:
    assert hints(changes) == [key]
