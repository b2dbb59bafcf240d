"""What people, scripts and acceptance rely on: routes, answers and the shape of the status, on a
real station. A change that breaks one of these breaks somebody outside.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from borne.adapters.web import create_app
from borne.domain.principals import Role
from borne.foundation.listener import HttpServer, bind
from tests.support.running_station import CARD, RunningStation, running_station

FAST = {"phases": 3, "max_a": 16, "reaction_s": 0.1}
NUMBER = (int, float)

# A type, a tuple of types, a set of allowed words, a list of one (any length), or a mapping.
LIMIT = {
    "source": str,
    "scope": {"connector", "station", "group"},
    "amps": [NUMBER],
    "reason": str,
    "since": str,
    "until": (str, type(None)),
    "effective": bool,
}
SESSION = {
    "id": str,
    "started_at": str,
    "energy_wh": int,
    "transaction_id": (int, type(None)),
    "identity": {"kind": {"RFID", "MAC", "EMAID", "REMOTE", "FREE", "LOCAL"}, "masked": str},
}
STATES = {
    "available",
    "reserved",
    "preparing",
    "authorized",
    "charging",
    "suspended_ev",
    "suspended_evse",
    "finishing",
    "unavailable",
    "faulted",
}
CONNECTOR = {
    "id": int,
    "state": STATES,
    "pilot": {"A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F"},
    "offered_a": [NUMBER],
    "measured_a": [NUMBER],
    "power_w": int,
    "register_wh": int,
    "cable_a": (int, type(None)),
    "locked": bool,
    "led": str,
    "display": [[str]],
    "limits": [LIMIT],
    "faults": [{"id": str, "since": str}],
}
STATUS = {
    "revision": int,
    "time": str,
    "clock_trust": {"none", "rtc", "backend", "ntp"},
    "power": {"on"},
    "connectors": [CONNECTOR],
    "backend": {"link": str, "boot": str, "queue": int},
    "load_management": {"role": str},
    "limits": [LIMIT],
    "faults": [{"id": str, "since": str}],
}


def check(value: Any, shape: Any, where: str = "status") -> None:
    """Every key of the shape is there with its type; more keys are allowed."""
    match shape:
        case dict():
            assert isinstance(value, dict), where
            for key, inner in shape.items():
                assert key in value, f"{where} has no {key}"
                check(value[key], inner, f"{where}.{key}")
        case list():
            assert isinstance(value, list), where
            for index, item in enumerate(value):
                check(item, shape[0], f"{where}[{index}]")
        case set():
            assert value in shape, f"{where}: {value}"
        case _:
            assert isinstance(value, shape), f"{where}: {value!r}"


@asynccontextmanager
async def api(
    tmp_path: Path, **settings: Any
) -> AsyncIterator[tuple[RunningStation, httpx.AsyncClient]]:
    """A station and an operator's client of its API."""
    async with running_station(tmp_path, **settings) as station:
        _, token = await station.services.accounts.create_token(Role.OPERATOR, "test")
        transport = httpx.ASGITransport(app=create_app(station.host), client=("127.0.0.1", 4711))
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1:8080",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield station, client


async def test_the_shape_of_the_status(tmp_path: Path) -> None:
    async with api(tmp_path, FreeCharging="on") as (station, client):
        free = (await client.get("/api/v1/status")).json()
        check(free, STATUS)
        assert [c["id"] for c in free["connectors"]] == [1, 2]
        assert all(c["session"] is None for c in free["connectors"])
        await client.post("/api/v1/simulator/connectors/1/plug", json=FAST)
        await station.until(lambda c: c["measured_a"][0] > 0)
        busy = (await client.get("/api/v1/status")).json()
        check(busy, STATUS)
        first = busy["connectors"][0]
        check(first["session"], SESSION, "session")
        assert (first["state"], first["pilot"], first["cable_a"]) == ("charging", "C2", 32)
        assert first["offered_a"] == [32.0, 32.0, 32.0]
        assert first["measured_a"] == [16.0, 16.0, 16.0]
        assert {row["source"] for row in first["limits"]} >= {"cable", "installation", "operator"}
        assert busy["revision"] > free["revision"]


async def test_waiting_for_a_change(tmp_path: Path) -> None:
    async with api(tmp_path) as (_, client):
        before = (await client.get("/api/v1/status")).json()["revision"]
        answer = await client.post("/api/v1/simulator/connectors/2/plug", json={})
        answered = answer.json()["revision"]
        query = f"/api/v1/status?after={before}&wait=10s"
        after = (await client.get(query)).json()
        assert before < after["revision"]
        assert answered <= after["revision"] or answered > before


async def test_events_are_a_snapshot_and_then_changes(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        _, token = await station.services.accounts.create_token(Role.OPERATOR, "test")
        server = HttpServer(create_app(station.host), bind("127.0.0.1", 0, "a test"))
        await server.start()
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=server.url, headers=headers) as client,
            client.stream("GET", "/api/v1/events") as answer,
        ):
            answered = _events(answer)
            first = await anext(answered)
            check(first, STATUS)
            await station.plug(1, FAST)
            later = await anext(answered)
            assert later["revision"] > first["revision"]
        await server.stop()


async def _events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/simulator/connectors/1/plug", {"vehicle": "city"}),
        ("POST", "/api/v1/simulator/connectors/1/plug", FAST),
        ("POST", "/api/v1/simulator/cards", {"uid": CARD, "connector": 1, "hold_s": 2}),
        ("POST", "/api/v1/simulator/cards", {"id_token": "literal", "connector": 2}),
        ("PUT", "/api/v1/simulator/faults/spd", {"active": True}),
        ("PUT", "/api/v1/simulator/faults/residual-current", {"active": True, "connector": 1}),
        ("PUT", "/api/v1/simulator/links/backend", {"up": False, "mode": "blackhole"}),
        ("PUT", "/api/v1/simulator/links/meter", {"up": True}),
        ("PUT", "/api/v1/simulator/inputs/1", {"active": True}),
        ("PUT", "/api/v1/simulator/temperature", {"board_c": 40}),
    ],
)
async def test_the_simulator_answers_with_a_revision(
    method: str, path: str, body: dict[str, Any], tmp_path: Path
) -> None:
    async with api(tmp_path) as (_, client):
        answer = await client.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json()["revision"], int)


async def test_impossible_commands_are_refused(tmp_path: Path) -> None:
    async with api(tmp_path, FreeCharging="on") as (station, client):
        plug = "/api/v1/simulator/connectors/1/plug"
        unplug = "/api/v1/simulator/connectors/1/unplug"
        assert (await client.post(plug, json=FAST)).status_code == 200
        assert (await client.post(plug, json={})).status_code == 409
        await station.until_state("charging")
        assert (await client.post(unplug, json={"force": False})).status_code == 409
        assert (await client.post(unplug, json={"force": True})).status_code == 200
        assert (
            await client.post("/api/v1/simulator/connectors/7/plug", json={})
        ).status_code == 404
        vehicles = (await client.get("/api/v1/simulator/vehicles")).json()
        assert {"vehicles", "schema"} <= vehicles.keys()


async def test_settings_are_changed_all_or_none(tmp_path: Path) -> None:
    async with api(tmp_path) as (_, client):
        wrong = {"OperatorCurrentLimit": 10, "MeterValueSampleInterval": -1, "NoSuchThing": 1}
        refused = await client.patch("/api/v1/settings", json=wrong)
        assert refused.status_code == 422
        assert "NoSuchThing" in refused.text
        assert "MeterValueSampleInterval" in refused.text
        right = {"OperatorCurrentLimit": 10, "OperatorCurrentLimit_2": 16}
        accepted = await client.patch("/api/v1/settings", json=right)
        assert accepted.status_code == 200
        assert accepted.json()["applied"] == list(right)
        assert accepted.json()["restart_required"] == []


async def test_connectors_are_commanded(tmp_path: Path) -> None:
    async with api(tmp_path) as (station, client):
        await client.post("/api/v1/simulator/connectors/1/plug", json=FAST)
        await station.until_state("preparing")
        assert (await client.post("/api/v1/connectors/1/start", json={})).is_success
        await station.until_state("charging")
        assert (await client.post("/api/v1/connectors/1/stop", json={})).is_success
        await station.until_state("finishing")
        assert (await client.post("/api/v1/connectors/1/unlock", json={})).is_success
        away = {"operative": False}
        assert (await client.post("/api/v1/connectors/2/availability", json=away)).is_success
        await station.until_state("unavailable", 2)
        page = (await client.get("/api/v1/sessions")).json()
        assert page["total"] == 1
        export = await client.get("/api/v1/sessions.csv")
        assert export.headers["content-type"].startswith("text/csv")
        assert len(export.text.splitlines()) == 2


async def test_power_cut_and_back(tmp_path: Path) -> None:
    async with api(tmp_path) as (_, client):
        power = "/api/v1/simulator/power"
        assert (await client.post(power, json={"action": "cut"})).is_success
        dark = await client.get("/api/v1/status")
        assert (dark.status_code, dark.json()["error"]) == (503, "no_power")
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.post(power, json={"action": "restore"})).is_success
        assert (await client.get("/api/v1/status")).json()["power"] == "on"


async def test_without_a_token_the_api_answers_401(tmp_path: Path) -> None:
    async with api(tmp_path) as (_, client):
        client.headers.pop("Authorization")
        assert (await client.get("/api/v1/status")).status_code == 401
        for path in ("/healthz", "/readyz"):
            assert (await client.get(path)).status_code == 200


METRIC = re.compile(r'(borne_[a-z_]+)(?:\{(?:connector|meter)="([0-9a-z]+)"\})? ([0-9.e+-]+|inf)')


async def test_metrics_show_the_station(tmp_path: Path) -> None:
    async with api(tmp_path, FreeCharging="on") as (station, client):
        await client.post("/api/v1/simulator/connectors/1/plug", json=FAST)
        await station.until(lambda c: c["measured_a"][0] > 0)
        text = (await client.get("/metrics")).text
        found = [METRIC.fullmatch(each) for each in text.splitlines() if not each.startswith("#")]
        values = {(each[1], each[2]): float(each[3]) for each in found if each}
        assert len(values) == len(found), "each line is a sample, none is repeated"
        assert values["borne_contactor_cycles_total", "1"] == 1
        assert values["borne_contactor_cycles_total", "2"] == 0
        assert values["borne_offered_amperes", "1"] == 32
        assert values["borne_register_wh", "1"] >= 0
        assert values["borne_faults", "0"] == 0
        assert values["borne_backend_connected", None] == 0
        assert values["borne_queue_length", None] == values["borne_queue_age_seconds", None] == 0
        assert values["borne_limit_changes_total", None] > 0
        assert values["borne_loop_lag_worst_seconds", None] >= 0
        kinds = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
        assert {name for name, _ in kinds} == {name for name, _ in values}
        assert {name for name, kind in kinds if kind == "counter"} >= {"borne_register_wh"}


async def test_metrics_show_the_age_of_the_queue(tmp_path: Path) -> None:
    unreachable = {"ConnectionType": "ethernet", "WebSocketsBackendURL": "ws://127.0.0.1:9/ocpp"}
    free = {"FreeCharging": "on", "FreeChargingMode": "full_fixed_without_auth"}
    settings = {**unreachable, **free, "ChargePointID": "CP-1"}
    async with api(tmp_path, **settings) as (station, client):
        await client.post("/api/v1/simulator/connectors/1/plug", json=FAST)
        await station.until(lambda c: c["measured_a"][0] > 0)
        text = (await client.get("/metrics")).text
        found = {
            each[1]: float(each[3]) for each in map(METRIC.fullmatch, text.splitlines()) if each
        }
        assert found["borne_backend_connected"] == 0
        assert found["borne_queue_length"] >= 1
        assert found["borne_queue_age_seconds"] > 0
