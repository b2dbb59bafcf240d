"""What a backend may put into its answer to the first BootNotification, wrong as it may be: a
station that was accepted works, and one that was not is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.ocpp.bare_backend import bare_backend
from tests.support.running_station import running_station

GOOD = {"status": "Accepted", "interval": 300, "currentTime": "2026-11-22T12:00:00Z"}


def backend_settings(url: str) -> dict[str, Any]:
    return {"ConnectionType": "ethernet", "WebSocketsBackendURL": url, "ChargePointID": "CP-1"}


@pytest.mark.parametrize(
    "odd",
    [
        {"currentTime": "9999-12-31T23:59:59.999Z"},
        {"currentTime": "0001-01-01T00:00:00+00:00"},
        {"currentTime": "1970-01-01T00:00:00"},
        {"currentTime": "2026-11-22T13:00:00.123456789+01:00"},
        {"interval": 0},
        {"interval": -1},
        {"interval": 10**15},
        {"interval": 2**63 - 1},
        {"interval": "300"},
        {"interval": None},
        {"status": "accepted"},
        {"currentTime": "2026-11-22 12:00:00"},
        {"currentTime": "yesterday"},
        {"currentTime": None, "interval": {}},
        {"more": {"of": ["this"]}},
    ],
    ids=str,
)
async def test_an_unusual_answer_that_accepts_is_used(tmp_path: Path, odd: dict[str, Any]) -> None:
    async with bare_backend() as backend:
        backend.replies = {"BootNotification": [3, {**GOOD, **odd}]}
        async with running_station(tmp_path, **backend_settings(backend.url)) as station:
            await station.until_online()
            await backend.wait_for_boot()
            await backend.wait_for_heartbeat()
            assert station.connector()["state"] == "available"
            assert backend.connections == 1


@pytest.mark.parametrize(
    "reply",
    [
        [3, {**GOOD, "status": "Fine"}],
        [3, {"interval": 300}],
        [3, None],
        [3, float("nan")],
        [3],
        [4, "NotImplemented", "", {}],
        [4],
    ],
    ids=str,
)
async def test_an_unusable_answer_does_not_accept(tmp_path: Path, reply: list[Any]) -> None:
    """It is tried again later, at the station's own pace; meanwhile it can be asked for."""
    async with bare_backend() as backend:
        backend.replies = {"BootNotification": reply}
        async with running_station(tmp_path, **backend_settings(backend.url)) as station:
            await station.until_backend(lambda view: view.last_error.startswith("boot: "))
            await backend.wait_for_heartbeat()
            assert not station.services.backend.online  # type: ignore[union-attr]  # it has one
            backend.replies = {}
            await backend.wait_for_call("BootNotification")
            await station.until_online()
            assert backend.connections == 1
