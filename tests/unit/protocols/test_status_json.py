"""The JSON of the status says all of it, and a program that reads it back has the same."""

from __future__ import annotations

import json

from borne.protocols.status_json import status_json
from tests.support.fake_station import charging_connector, free_connector, limit
from tests.support.status_reader import status_of

FAULT = {"id": "residual-current", "since": "2026-11-22T09:00:00.500Z"}
CARD = {
    "at": "2026-11-22T09:59:00Z",
    "connectors": [1, 2],
    "accepted": False,
    "reason": "unknown_card",
    "why": "",
    "masked": "...5F3580",
}
WHOLE = {
    "revision": 812,
    "time": "2026-11-22T10:00:00Z",
    "clock_trust": "backend",
    "power": "on",
    "connectors": [
        charging_connector(1, 3, 13.0, "...5F3580"),
        free_connector(2) | {"asks_for_card": False, "faults": [FAULT], "state": "faulted"},
    ],
    "backend": {"link": "waiting", "boot": "pending", "queue": 3},
    "load_management": {"role": "master"},
    "limits": [limit("supply_line", 32, effective=True, until="2026-11-22T11:00:00Z")],
    "faults": [FAULT | {"id": "storage-full"}],
    "last_card": CARD,
    "notices": ["The settings were damaged."],
    "site_meter": {
        "state": "doubted",
        "model": "Siemens 7KM2200",
        "serial_number": "2",
        "accepted_serial_number": "1",
        "age_s": 0.5,
        "current_a": [1.5, 16.0, -2.0],
        "fallback_a": [63.0, 63.0, 63.0],
        "power_w": 3565.0,
        "reason": "It does not follow.",
    },
}


def test_without_a_second_meter_there_is_none() -> None:
    assert status_json(status_of(WHOLE | {"site_meter": None}))["site_meter"] is None


def test_a_status_is_read_back_unchanged() -> None:
    status = status_of(WHOLE)
    written = json.loads(json.dumps(status_json(status), allow_nan=False))
    assert status_of(written) == status


def test_every_field_is_in_the_json() -> None:
    written = json.loads(json.dumps(status_json(status_of(WHOLE))))
    written["connectors"][0].pop("asks_for_card")
    assert written == WHOLE
