"""A StartTransaction that is answered oddly still has its number: nothing is sent twice, and the
stop is billable (decision 0145)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ocpp.bare_backend import BareBackend, bare_backend
from tests.support.running_station import running_station
from tests.support.timeouts import TEST_TIMEOUT_S

ACCEPTED = {"status": "Accepted"}
GOES_ON = [
    {"transactionId": 41, "idTagInfo": {**ACCEPTED, "expiryDate": ""}},
    {"transactionId": 41},
    {"transactionId": "41", "idTagInfo": ACCEPTED},
    {"transactionId": 41.0, "idTagInfo": {**ACCEPTED, "parentIdTag": "p" * 40}, "more": [1]},
]
ENDS = [
    {"transactionId": 41, "idTagInfo": {"status": "Fine"}},
    {"transactionId": 41, "idTagInfo": {"status": ""}},
]


async def wait_for_call(backend: BareBackend, action: str, seen: list[str]) -> dict[str, Any]:
    async with asyncio.timeout(TEST_TIMEOUT_S):
        while True:
            received, payload = await backend.received.get()
            seen.append(received)
            if received == action:
                return payload


def dialling(url: str) -> dict[str, Any]:
    return {"ConnectionType": "ethernet", "WebSocketsBackendURL": url, "ChargePointID": "CP-1"}


@pytest.mark.parametrize("answer", GOES_ON, ids=str)
async def test_a_session_with_a_usable_transaction_id_goes_on_and_ends_with_it(
    tmp_path: Path, answer: dict[str, Any]
) -> None:
    async with (
        bare_backend() as backend,
        running_station(tmp_path, **dialling(backend.url)) as station,
    ):
        await backend.wait_for_boot()
        backend.replies = {"StartTransaction": [3, answer]}
        await station.plug()
        await station.card()
        seen: list[str] = []
        await wait_for_call(backend, "StartTransaction", seen)
        await station.until(lambda c: (c["session"] or {}).get("transaction_id") == 41)
        await station.until(lambda c: c["power_w"] > 0)
        answered = await backend.call("RemoteStopTransaction", {"transactionId": 41})
        assert answered[2] == ACCEPTED
        stop = await wait_for_call(backend, "StopTransaction", seen)
        assert stop["transactionId"] == 41
        assert seen.count("StartTransaction") == 1


@pytest.mark.parametrize("answer", ENDS, ids=str)
async def test_an_unknown_status_does_not_accept(tmp_path: Path, answer: dict[str, Any]) -> None:
    async with (
        bare_backend() as backend,
        running_station(tmp_path, **dialling(backend.url)) as station,
    ):
        await backend.wait_for_boot()
        backend.replies = {"StartTransaction": [3, answer]}
        await station.plug()
        await station.card()
        seen: list[str] = []
        stop = await wait_for_call(backend, "StopTransaction", seen)
        assert (stop["transactionId"], stop["reason"]) == (41, "DeAuthorized")
        assert seen.count("StartTransaction") == 1


async def test_remote_starts_that_the_backend_does_not_answer_do_not_pile_up(
    tmp_path: Path,
) -> None:
    """Each would ask the backend: one at a time for a connector (decision 0149)."""
    async with (
        bare_backend() as backend,
        running_station(tmp_path, AuthorizeRemoteTxRequests="true", **dialling(backend.url)),
    ):
        await backend.wait_for_boot()
        backend.mute = {"Authorize"}
        answers = [
            (await backend.call("RemoteStartTransaction", {"connectorId": 1, "idTag": tag}))[2]
            for tag in ("ANNA", "ANNA", "anna", "ZOE", *(f"TAG{n}" for n in range(50)))
        ]
        statuses = [answer["status"] for answer in answers]
        assert statuses == ["Accepted"] * 3 + ["Rejected"] * 51
