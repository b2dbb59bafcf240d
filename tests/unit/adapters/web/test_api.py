"""The API as programs see it."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import TypeAdapter

from borne.adapters.web.api.answers import Error, Sessions, SessionWithCurve
from borne.application.backend.queue_view import QueueView, no_queue
from borne.application.ports.storage import StorageFailed, StorageFull
from borne.domain.principals import Role
from borne.domain.station.session import StopReason
from borne.protocols.status_json import Status
from tests.support.fake_station import FakeBackend, FakeControl, FakeHost, FakeRestarter
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_backend_setup import VIEW

API = "/api/v1"
Query = dict[str, int | str]
T = TypeVar("T")


# Health -------------------------------------------------------------------------------------------


async def test_healthz_answers_with_and_without_power(anyone: Client, host: FakeHost) -> None:
    assert (await anyone.get("/healthz")).json() == {"status": "ok"}
    host.powered = False
    assert (await anyone.get("/healthz")).status_code == 200


async def test_readyz_gives_its_reasons(anyone: Client, host: FakeHost) -> None:
    assert (await anyone.get("/readyz")).json() == {"ready": True, "reasons": []}
    host.ready = False
    answer = await anyone.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["boards not armed"])
    host.powered = False
    assert (await anyone.get("/readyz")).json()["error"] == "no_power"


async def test_metrics_are_plain_text(operator: Client) -> None:
    answer = await operator.get("/metrics")
    assert answer.text == "borne_up 1\n"
    assert answer.headers["content-type"].startswith("text/plain")


def read_as(shape: type[T], answer: httpx.Response) -> T:
    """The answer, if it has the shape that is promised."""
    return TypeAdapter(shape).validate_json(answer.content)


# Status -------------------------------------------------------------------------------------------


async def test_the_status_has_the_documented_fields(operator: Client, host: FakeHost) -> None:
    host.show_two_cars()
    status = read_as(Status, await operator.get(f"{API}/status"))
    assert status["connectors"][0]["session"] is not None
    assert status["connectors"][0]["limits"][-1]["effective"]
    assert status["power"] == "on"


async def test_a_wait_ends_with_the_change(operator: Client, host: FakeHost) -> None:
    revision = host.status.revision
    query: Query = {"after": revision, "wait": "30s"}
    waiting = asyncio.ensure_future(operator.get(f"{API}/status", params=query))
    await host.status.somebody_waits.wait()
    host.status.edit(1, state="unavailable")
    async with asyncio.timeout(5):
        answer = (await waiting).json()
    assert answer["revision"] == revision + 1
    assert answer["connectors"][0]["state"] == "unavailable"


async def test_a_wait_for_the_past_answers_at_once(operator: Client, host: FakeHost) -> None:
    query: Query = {"after": host.status.revision - 1, "wait": "30s"}
    async with asyncio.timeout(5):
        answer = await operator.get(f"{API}/status", params=query)
    assert answer.json()["revision"] == host.status.revision


@pytest.mark.parametrize("wait", ["10ms", "0.01s", "0", "0s"])
async def test_a_wait_times_out_with_the_state(wait: str, operator: Client, host: FakeHost) -> None:
    query: Query = {"after": host.status.revision, "wait": wait}
    answer = await operator.get(f"{API}/status", params=query)
    assert answer.json()["revision"] == host.status.revision


@pytest.mark.parametrize("wait", ["soon", "-5s", "10h", "1e9s", ""])
async def test_an_invalid_wait_is_refused(wait: str, operator: Client) -> None:
    answer = await operator.get(f"{API}/status", params={"after": 1, "wait": wait})
    assert answer.status_code == 422
    assert "duration" in answer.json()["message"]


# Connectors ---------------------------------------------------------------------------------------


async def test_commands_reach_the_station(operator: Client, host: FakeHost) -> None:
    control = host.all.control
    assert isinstance(control, FakeControl)
    url = f"{API}/connectors/1"
    assert (await operator.post(f"{url}/start", json={"id_token": "ABC"})).status_code == 200
    host.show_two_cars()
    assert (await operator.post(f"{url}/stop")).json()["revision"] == host.status.revision
    assert (await operator.post(f"{url}/unlock")).status_code == 200
    answer = await operator.post(f"{url}/availability", json={"operative": False})
    assert answer.json()["status"] == "accepted"
    assert control.calls == [
        ("authorize", 1, "ABC"),
        ("end_session", 1, StopReason.LOCAL),
        ("end_session", 1, StopReason.UNLOCK_COMMAND),
        ("unlock", 1),
        ("set_available", 1, False),
    ]


async def test_what_the_state_does_not_allow_is_a_conflict(operator: Client) -> None:
    answer = await operator.post(f"{API}/connectors/1/stop")
    error = read_as(Error, answer)
    assert (answer.status_code, error["error"]) == (409, "no_session")
    assert error["message"] == "Nothing is charging at socket 1."


@pytest.mark.parametrize(("connector", "status"), [("3", 404), ("0", 422), ("x", 422), ("65", 422)])
async def test_an_unknown_connector_answers_404(
    connector: str, status: int, operator: Client
) -> None:
    assert (await operator.post(f"{API}/connectors/{connector}/start")).status_code == status


@pytest.mark.parametrize(
    ("body", "when"), [(None, "now"), ({"when": "now"}, "now"), ({"when": "idle"}, "idle")]
)
async def test_restart_now_or_when_idle(
    body: Any, when: str, operator: Client, host: FakeHost
) -> None:
    answer = await operator.post(f"{API}/system/restart", json=body)
    assert (answer.status_code, answer.json()["when"]) == (202, when)
    assert isinstance(host.all.restarter, FakeRestarter)
    assert host.all.restarter.asked == [when]


# Settings -----------------------------------------------------------------------------------------


async def test_settings_are_one_flat_object(operator: Client) -> None:
    answer = await operator.get(f"{API}/settings")
    settings = answer.json()
    assert settings["OperatorCurrentLimit"] == 32
    assert settings["OperatorCurrentLimit_2"] == 32
    assert settings["APNPassword"] is None
    assert answer.headers["etag"] == '"0"'


async def test_a_change_answers_with_what_it_did(operator: Client) -> None:
    body = {"OperatorCurrentLimit": 16, "StationName": "Left"}
    answer = await operator.patch(f"{API}/settings", json=body)
    assert answer.json() == {
        "applied": ["OperatorCurrentLimit", "StationName"],
        "restart_required": [],
        "revision": 1,
    }
    assert (await operator.get(f"{API}/settings")).json()["OperatorCurrentLimit"] == 16


async def test_a_wrong_value_applies_nothing(operator: Client) -> None:
    body = {"OperatorCurrentLimit": 16, "StationName": 5 * ["x"], "Nonsense": 1}
    answer = await operator.patch(f"{API}/settings", json=body)
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"StationName", "Nonsense"}
    assert (await operator.get(f"{API}/settings")).json()["OperatorCurrentLimit"] == 32


@pytest.mark.parametrize(
    ("revision", "status"), [('"0"', 200), ("0", 200), ("*", 200), ('"7"', 409), ("x", 400)]
)
async def test_a_change_may_demand_a_revision(revision: str, status: int, operator: Client) -> None:
    headers = {"if-match": revision}
    body = {"StationName": "Left"}
    answer = await operator.patch(f"{API}/settings", json=body, headers=headers)
    assert answer.status_code == status


async def test_details_are_what_a_form_needs(operator: Client) -> None:
    answer = (await operator.get(f"{API}/settings", params={"details": True})).json()
    rows = {row["key"]: row for row in answer["settings"]}
    limit = rows["OperatorCurrentLimit"]
    assert (limit["type"], limit["unit"], limit["low"], limit["high"]) == ("int", "A", 6, [32])
    assert rows["APNPassword"]["set"] is False
    assert answer["revision"] == 0


# Sessions -----------------------------------------------------------------------------------------


async def test_sessions_newest_first(operator: Client) -> None:
    answer = await operator.get(f"{API}/sessions", params={"limit": 10, "offset": 5})
    page = read_as(Sessions, answer)
    assert (page["total"], len(page["sessions"])) == (60, 10)
    assert page["sessions"][0]["id"] == "session-0005"
    assert page["sessions"][0]["billable"] is False
    assert "04567DAA" not in answer.text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"connector": 1}, 30),
        ({"since": "2026-11-22T00:00:00Z"}, 2),
        ({"until": "2026-11-10T00:00:00Z"}, 0),
        ({"since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z", "connector": 2}, 3),
    ],
)
async def test_sessions_filtered(query: dict[str, Any], number: int, operator: Client) -> None:
    assert (await operator.get(f"{API}/sessions", params=query)).json()["total"] == number


async def test_one_session_with_its_curve(operator: Client) -> None:
    answer = read_as(SessionWithCurve, await operator.get(f"{API}/sessions/session-0003"))
    assert answer["identity"]["kind"] == "FREE"
    assert len(answer["curve"]) == 30
    missing = await operator.get(f"{API}/sessions/none")
    assert (missing.status_code, missing.json()["error"]) == (404, "unknown_session")


@pytest.mark.parametrize("separator", [",", ";"])
async def test_sessions_as_csv(separator: str, operator: Client) -> None:
    answer = await operator.get(f"{API}/sessions.csv", params={"separator": separator})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter=separator))
    assert len(rows) == 60
    assert rows[1]["energy_wh"] == "5570"
    assert rows[1]["started_at"] == "2026-11-22T04:53:00Z"


# Whitelist ----------------------------------------------------------------------------------------


async def test_whitelist_entries_are_added_listed_and_removed(operator: Client) -> None:
    url = f"{API}/whitelist"
    added = await operator.post(url, json={"token": "0a:0e:9b:83", "connector": 2, "name": "Bo"})
    assert (added.status_code, added.json()["token"]) == (201, "0A0E9B83")
    found = (await operator.get(url, params={"search": "9b83"})).json()
    assert [entry["name"] for entry in found["entries"]] == ["Bo"]
    for again, status in ((False, 200), (True, 404)):
        gone = await operator.delete(f"{url}/0A0E9B83", params={"connector": 2})
        assert gone.status_code == status, again


@pytest.mark.parametrize("how", ["query", "body"])
async def test_an_entry_is_removed_by_query_or_body(how: str, operator: Client) -> None:
    entry = {"token": "04567DAA5F3580"}
    if how == "query":
        answer = await operator.delete(f"{API}/whitelist", params=entry)
    else:
        answer = await operator.request("DELETE", f"{API}/whitelist", json=entry)
    assert answer.json() == {"removed": 1}


async def test_an_invalid_card_number_is_refused(operator: Client) -> None:
    answer = await operator.post(f"{API}/whitelist", json={"token": "xyz"})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_token")
    assert (await operator.delete(f"{API}/whitelist")).status_code == 422


# Backend ------------------------------------------------------------------------------------------


async def test_the_backend_link(operator: Client, host: FakeHost) -> None:
    assert (await operator.get(f"{API}/backend")).json()["link"] == "connected"
    assert isinstance(host.all.backend, FakeBackend)
    host.all.backend.lost = True
    answer = (await operator.get(f"{API}/backend")).json()
    assert (answer["link"], answer["queue"]) == ("waiting", 3)
    (failing,) = [step for step in answer["ladder"] if step["state"] == "failed"]
    assert (answer["failing_step"], failing["step"]) == ("websocket", "websocket")
    assert "password" in failing["remedy"]
    messages = (await operator.get(f"{API}/backend/messages", params={"limit": 4})).json()
    assert len(messages["messages"]) == 4


async def test_no_backend(operator: Client, host: FakeHost) -> None:
    host.replace(backend=None)
    assert (await operator.get(f"{API}/backend")).json()["link"] == "off"
    assert (await operator.get(f"{API}/backend/messages")).json() == {"messages": []}


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({"limit": 5000}, 80),
        ({"action": "StatusNotification", "limit": 500}, 14),
        ({"errors": "true"}, 2),
        ({"direction": "received"}, 0),
        ({"connector": 1}, 14),
        ({"text": "m0007"}, 2),
    ],
)
async def test_messages_are_filtered(params: dict[str, Any], number: int, operator: Client) -> None:
    answer = await operator.get(f"{API}/backend/messages", params=params)
    assert len(answer.json()["messages"]) == number


@pytest.mark.parametrize("params", [{"limit": 5001}, {"direction": "up"}, {"text": "x" * 101}])
async def test_invalid_message_filters_are_refused(
    params: dict[str, Any], operator: Client
) -> None:
    assert (await operator.get(f"{API}/backend/messages", params=params)).status_code == 422


async def test_the_queue_for_the_backend(operator: Client, host: FakeHost) -> None:
    nothing = {"waiting": 0, "kinds": {}, "oldest_at": None, "messages": [], "lost": []}
    host.replace(queue=no_queue)
    assert (await operator.get(f"{API}/backend/queue")).json() == nothing

    async def queue(limit: int = 100) -> QueueView:
        return VIEW

    host.replace(queue=queue)
    message = {
        "seq": 7,
        "message_id": "m7",
        "action": "StopTransaction",
        "connector": 2,
        "session_id": "session-0005",
        "transaction_id": 1234,
        "attempts": 2,
        "queued_at": "2026-11-22T08:15:00Z",
        "may_be_thinned": False,
    }
    lost = {**message, "queued_at": None, "reason": "InternalError", "lost_at": None}
    assert (await operator.get(f"{API}/backend/queue")).json() == {
        "waiting": 13,
        "kinds": {"StopTransaction": 1, "MeterValues": 12},
        "oldest_at": "2026-11-22T08:15:00Z",
        "messages": [message],
        "lost": [lost],
    }


# Simulator ----------------------------------------------------------------------------------------


async def test_a_car_is_plugged_and_unplugged(operator: Client, host: FakeHost) -> None:
    url = f"{API}/simulator/connectors/1"
    plugged = await operator.post(f"{url}/plug", json={"vehicle": "city"})
    assert plugged.json()["revision"] == host.status.revision
    again = await operator.post(f"{url}/plug")
    assert (again.status_code, again.json()["error"]) == (409, "conflict")
    assert (await operator.post(f"{url}/vehicle", json={"soc": 0.8})).status_code == 200
    host.status.edit(1, locked=True)
    assert (await operator.post(f"{url}/unplug")).status_code == 409
    assert (await operator.post(f"{url}/unplug", json={"force": True})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "cards", {"uid": "04567DAA5F3580"}, 200),
        ("POST", "cards", {"id_token": "literal", "connector": 2}, 200),
        ("POST", "cards", {"connector": 1}, 422),
        ("PUT", "faults/residual-current", {"active": True, "connector": 1}, 200),
        ("PUT", "faults/unknown", {"active": True}, 404),
        ("PUT", "links/backend", {"up": False, "mode": "blackhole"}, 200),
        ("PUT", "links/backend", {"up": False, "mode": "maybe"}, 422),
        ("PUT", "links/nowhere", {"up": True}, 422),
        ("PUT", "site", {"building_a": [1, 2, 3]}, 200),
        ("PUT", "site", {"moon": 1}, 422),
        ("PUT", "inputs/1", {"active": True}, 200),
        ("PUT", "inputs/9", {"active": True}, 422),
        ("PUT", "temperature", {"board_c": 85}, 200),
        ("PUT", "meters/grid", {"type": "eastron_sdm630"}, 200),
        ("PUT", "meters/grid", {"fault": "silent"}, 422),
        ("PUT", "meters/" + "x" * 41, {"type": "eastron_sdm630"}, 422),
        ("DELETE", "meters/grid", None, 404),
        ("GET", "vehicles", None, 200),
        ("GET", "faults", None, 200),
        ("GET", "", None, 200),
    ],
)
async def test_the_simulator(
    method: str, path: str, body: Any, status: int, operator: Client
) -> None:
    url = f"{API}/simulator/{path}".rstrip("/")
    answer = await operator.request(method, url, json=body)
    assert answer.status_code == status
    if status == 200 and method != "GET":
        assert isinstance(answer.json()["revision"], int)


async def test_the_token_used_before_a_power_cut_restores_power(
    operator: Client, host: FakeHost
) -> None:
    url = f"{API}/simulator/power"
    assert (await operator.post(url, json={"action": "cut"})).json() == {"power": "off"}
    gone = await operator.get(f"{API}/status")
    assert (gone.status_code, gone.json()["error"]) == (503, "no_power")
    back = await operator.post(url, json={"action": "restore"})
    assert back.json() == {"power": "on", "revision": host.status.revision}
    assert (await operator.get(f"{API}/status")).status_code == 200


# Errors -------------------------------------------------------------------------------------------


async def test_a_full_disk_answers_507(
    operator: Client, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(host.all.whitelist, "add", full)
    answer = await operator.post(f"{API}/whitelist", json={"token": "0A0E9B83"})
    assert (answer.status_code, answer.json()["error"]) == (507, "disk_full")


async def test_a_failing_storage_answers_503(
    operator: Client, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise StorageFailed("disk I/O error")

    monkeypatch.setattr(host.all.whitelist, "add", broken)
    monkeypatch.setattr(host.all.sessions, "page", broken)
    answer = await operator.post(f"{API}/whitelist", json={"token": "0A0E9B83"})
    assert (answer.status_code, answer.json()["error"]) == (503, "storage_failed")
    assert "nothing was stored" in answer.json()["message"]
    page = await operator.get("/sessions", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "memory does not answer" in page.text
    assert "disk I/O" not in page.text


async def test_an_unexpected_error_shows_a_number_and_no_trace(
    operator: Client, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(host.status, "snapshot", broken)
    answer = await operator.get(f"{API}/status")
    assert answer.status_code == 500
    assert answer.json()["error_id"] in answer.json()["message"]
    assert "secret inside" not in answer.text


async def test_unknown_paths_and_methods_answer_as_json(operator: Client) -> None:
    missing = await operator.get(f"{API}/nothing")
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    wrong = await operator.delete(f"{API}/status")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")


async def test_clients_of_a_role_are_not_confused(api: Clients) -> None:
    user = await api(Role.USER)
    answer = await user.get(f"{API}/settings")
    assert answer.json() == {
        "error": "forbidden",
        "message": "You are user; this needs operator.",
        "role": "user",
        "needed": "operator",
    }
