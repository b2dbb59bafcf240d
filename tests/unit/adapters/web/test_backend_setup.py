"""Setting up the backend: presets, a test of the connection, the log as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.backend_setup import NOTES, preset_offers
from borne.application.backend.presets import presets
from borne.application.backend.queue_view import GivenUpMessage, QueueView, WaitingMessage
from borne.application.ports.backend import StepResult
from borne.application.ports.storage import QueuedMessage
from borne.domain.principals import Role
from borne.domain.settings.snapshot import Settings
from borne.domain.station.session import StopReason
from borne.domain.station.transaction_messages import MessageKind, StopMessage
from borne.foundation.clock import Moment
from borne.protocols.frame_json import frame_json
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import HTMX, stage, text_of

WORKS = "wss://ocpp.example.com/ocpp"


@pytest.fixture
async def person(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


# Presets ------------------------------------------------------------------------------------------


async def test_a_preset_shows_what_it_fills_in(person: Client) -> None:
    text = text_of((await person.get("/backend/presets")).text)
    for words in (
        "E-Flux",
        "OCPP Mode OCPP-J 1.6",
        "wss://ocpp.e-flux.nl/1.6/powerstation",
        "Access Point Name (APN) mobile network m2m.services",
        "RFID Tag letter case Upper Case",
        "The connection is not encrypted.",
    ):
        assert words in text


def test_the_notes_of_presets_are_known_to_translators() -> None:
    assert {note for preset in presets() for note in preset.notes} == set(NOTES)
    assert all(note not in NOTES for offer in preset_offers(Words("de")) for note in offer.notes)


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.key)
@pytest.mark.parametrize("way", ["mobile", "ethernet"])
async def test_a_preset_is_staged_not_saved(
    preset: Any, way: str, person: Client, host: FakeHost
) -> None:
    answer = await person.post(f"/backend/presets/{preset.key}", data={"way": way})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/backend")
    draft = (await person.get("/settings/draft.json")).json()
    wanted = {
        key: value
        for key, value in preset.changes(mobile=way == "mobile").items()
        if key != "APNPassword"
    }
    before = host.all.settings.settings
    assert {key: value for key, value in wanted.items() if before[key] != value} == draft
    assert "APNPassword" not in draft


async def test_the_page_without_a_backend(person: Client, host: FakeHost) -> None:
    await stage(person, menu="backend", ConnectionType="ethernet")
    await person.post("/settings/save", data={"_menu": ""}, headers=HTMX)
    await person.post("/backend/presets/none")
    assert (await person.get("/settings/draft.json")).json() == {"ConnectionType": "no_backend"}
    assert (await person.post("/backend/presets/nobody")).status_code == 404


# Trial --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "messages"),
    [
        (WORKS, ("The connection works.", "203.0.113.7:443", "Tried with your unsaved changes.")),
        (
            "wss://nobody.example.com/ocpp",
            ("The connection does not work.", "no such host", "Check the host in the URL"),
        ),
    ],
)
async def test_the_connection_test_uses_what_was_typed(
    url: str, messages: tuple[str, ...], person: Client
) -> None:
    await stage(person, menu="backend", ConnectionType="ethernet", WebSocketsBackendURL=url)
    answer = await person.post("/backend/test", headers=HTMX)
    for words in messages:
        assert words in text_of(answer.text)
    assert "Registration" not in answer.text


async def test_the_connection_test_uses_the_typed_secret(person: Client, host: FakeHost) -> None:
    seen: list[object] = []

    async def attempt(settings: Settings) -> Sequence[StepResult]:
        seen.append(settings["AuthorizationKey"])
        return []

    host.replace(try_connection=attempt)
    await stage(person, menu="backend", ConnectionType="ethernet", WebSocketsBackendURL=WORKS)
    await stage(person, menu="backend", AuthorizationKey="0123456789abcdef")
    answer = await person.post("/backend/test", headers=HTMX)
    assert seen == [b"0123456789abcdef"]
    assert "0123456789abcdef" not in answer.text


async def test_a_connection_test_that_takes_too_long_is_ended(
    person: Client, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def attempt(_: Settings) -> Sequence[StepResult]:
        raise TimeoutError

    host.replace(try_connection=attempt)
    await stage(person, menu="backend", ConnectionType="ethernet", WebSocketsBackendURL=WORKS)
    answer = await person.post("/backend/test", headers=HTMX)
    assert "The backend did not answer in time." in answer.text


async def test_the_connection_test_needs_a_backend(person: Client, host: FakeHost) -> None:
    answer = await person.post("/backend/test", headers=HTMX)
    assert (answer.status_code, answer.json()["error"]) == (422, "no_address")
    host.replace(try_connection=None)
    assert (await person.post("/backend/test", headers=HTMX)).status_code == 404


# Log ----------------------------------------------------------------------------------------------


async def test_the_log_is_a_file_of_json_lines(person: Client, host: FakeHost) -> None:
    answer = await person.get("/backend/messages.jsonl")
    assert "ocpp-messages.jsonl" in answer.headers["content-disposition"]
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert host.all.backend is not None
    assert lines == [frame_json(message) for message in host.all.backend.message_log()]
    host.replace(backend=None)
    assert (await person.get("/backend/messages.jsonl")).text == ""


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 80),
        ("action=StatusNotification&direction=&connector=&text=", 14),
        ("errors=1", 2),
        ("direction=received", 0),
        ("connector=1", 14),
        ("connector=2&errors=", 0),
        ("text=M0007", 2),
        ("limit=3", 80),
    ],
)
async def test_the_file_holds_the_filtered_messages(
    query: str, number: int, person: Client
) -> None:
    answer = await person.get(f"/backend/messages.jsonl?{query}")
    assert len(answer.text.splitlines()) == number


async def test_the_page_links_to_the_shown_messages_as_a_file(person: Client) -> None:
    page = (await person.get("/backend?connector=1&errors=1&direction=sent&text=Charging")).text
    assert "/backend/messages.jsonl?direction=sent&amp;errors=True&amp;connector=1" in page
    assert 'value="Charging"' in page
    answer = await person.get("/backend?direction=sideways")
    assert answer.status_code == 422


# Queue --------------------------------------------------------------------------------------------

WHEN = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
UNDATED = Moment("boot", 1.0, None)
STOP = StopMessage("session-0005", 2, 1200, UNDATED, StopReason.LOCAL)
QUEUED = QueuedMessage(7, "m7", STOP, 1234, 2, UNDATED)
VIEW = QueueView(
    13,
    {MessageKind.STOP: 1, MessageKind.METER_VALUES: 12},
    WHEN,
    (WaitingMessage(QUEUED, WHEN),),
    (GivenUpMessage(QUEUED, None, "InternalError", None),),
)


async def test_the_page_shows_what_waits_and_what_was_given_up(
    person: Client, host: FakeHost
) -> None:
    async def queue(limit: int = 100) -> QueueView:
        return VIEW

    host.replace(queue=queue)
    text = text_of((await person.get("/backend")).text)
    for words in (
        "Waiting for the backend",
        "1 StopTransaction",
        "12 MeterValues",
        "StopTransaction 2 1234 2",
        "1 message was given up",
        "date not known yet",
        "InternalError",
    ):
        assert words in text
