"""Stored facts that cannot be read: moved aside and reported; the station starts all the same."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from borne.adapters.storage.state import SqlState
from borne.application.limits import stored_profiles
from borne.application.state import stored_notices
from borne.application.state.kept_state import (
    ASIDE,
    of_form,
    stored_entries,
    stored_fact,
    text,
    whole,
)
from borne.application.state.notices import Notices
from borne.domain.principals import SYSTEM
from borne.domain.smart_charging.profiles import (
    Installed,
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from borne.foundation.json_value import JsonObject
from borne.foundation.messages import Message
from tests.support.fake_stores import MemoryState
from tests.support.running_station import running_station, store_settings
from tests.unit.adapters.storage.builders import opened

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
FULL = Installed(
    connector=2,
    profile=Profile(
        7,
        3,
        Purpose.TRANSACTION,
        ProfileKind.RECURRING,
        Schedule(RateUnit.WATT, (Period(0, 4000.5, 3), Period(60, 0, None)), 7200, NOON),
        Recurrency.WEEKLY,
        NOON,
        NOON.replace(year=2027),
        42,
    ),
    received_at=NOON,
    session_id="s1",
)
PLAIN = Installed(
    0,
    Profile(
        1, 0, Purpose.STATION, ProfileKind.ABSOLUTE, Schedule(RateUnit.AMPERE, (Period(0, 10.0),))
    ),
    NOON,
)
OF_0_1_0: dict[str, Any] = {
    "@": "Installed",
    "connector": 2,
    "profile": {
        "@": "Profile",
        "profile_id": 7,
        "stack_level": 3,
        "purpose": {"!": "Purpose.TRANSACTION"},
        "kind": {"!": "Kind.RECURRING"},
        "schedule": {
            "@": "Schedule",
            "unit": {"!": "RateUnit.WATT"},
            "periods": [
                {"@": "Period", "start_s": 0, "limit": 4000.5, "phases": 3},
                {"@": "Period", "start_s": 60, "limit": 0, "phases": None},
            ],
            "duration_s": 7200,
            "start": {"@": "datetime", "iso": "2026-11-22T12:00:00.123456+00:00"},
        },
        "recurrency": {"!": "Recurrency.WEEKLY"},
        "valid_from": {"@": "datetime", "iso": "2026-11-22T12:00:00.123456+00:00"},
        "valid_to": {"@": "datetime", "iso": "2027-11-22T12:00:00.123456+00:00"},
        "transaction_id": 42,
    },
    "received_at": {"@": "datetime", "iso": "2026-11-22T12:00:00.123456+00:00"},
    "session_id": "s1",
}
"""Written by version 0.1.0."""
UNREADABLE: list[Any] = [
    {"@": "ProfileOfTomorrow", "connector": 1},
    {"form": 2, "connector": 1},
    {**stored_profiles.to_stored(FULL), "connector": "two"},
    {"form": 1},
    "garbage",
    None,
    7,
    [],
]


@pytest.mark.parametrize("entry", [FULL, PLAIN])
def test_a_profile_is_stored_and_read_unchanged(entry: Installed) -> None:
    stored = json.loads(json.dumps(stored_profiles.to_stored(entry)))
    assert stored_profiles.from_stored(stored) == entry


def test_every_field_of_a_profile_is_stored() -> None:
    """A field that is added needs a place in the stored form."""
    assert len(fields(Installed)) == 4
    assert len(fields(Profile)) == 9
    assert len(fields(Schedule)) == 4
    assert len(fields(Period)) == 3


def test_no_name_of_a_class_is_stored() -> None:
    written = json.dumps(stored_profiles.to_stored(FULL))
    assert not [name for name in ("Installed", "Period", "Purpose.", "@", "!") if name in written]


def test_profiles_of_0_1_0_are_read() -> None:
    assert stored_profiles.from_stored(OF_0_1_0) == FULL


@pytest.mark.parametrize("entry", UNREADABLE)
def test_an_unreadable_profile_is_refused(entry: Any) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        stored_profiles.from_stored(entry)


@pytest.mark.parametrize("entry", UNREADABLE)
def test_an_unreadable_profile_limits_to_six_amperes(entry: Any) -> None:
    found = stored_profiles.stand_in(entry, 10, NOON)
    assert [period.limit for period in found.profile.schedule.periods] == [6.0]
    assert found.connector in (0, 1)


def test_a_replacement_keeps_the_readable_fields() -> None:
    profile = {"id": 7, "stack_level": 3}
    data: JsonObject = {"form": 9, "connector": 2, "session_id": "s1", "profile": profile}
    found = stored_profiles.stand_in(data, 10, NOON)
    assert (found.connector, found.session_id) == (2, "s1")
    assert found.profile.purpose is Purpose.TRANSACTION
    assert (found.profile.profile_id, found.profile.stack_level) == (7, 3)


async def test_readable_entries_stay_and_the_others_are_reported_once() -> None:
    state = MemoryState({"words": ["a", 1, "b"]})
    assert await stored_entries(state, "words", text) == (["a", "b"], [1])
    assert state.values["words"] == ["a", "b"]
    assert state.values[ASIDE + "words"] == [1]
    assert len(state.values[stored_notices.STATE_KEY]) == 1
    assert await stored_entries(state, "words", text) == (["a", "b"], [])


async def test_an_unreadable_fact_counts_as_missing() -> None:
    state = MemoryState({"number": "text"})
    assert await stored_fact(state, "number", whole, 5) == (5, False)
    assert await stored_fact(state, "number", whole, 5) == (5, True)
    assert state.values[ASIDE + "number"] == ["text"]


@pytest.mark.parametrize(
    ("stored", "readable"),
    [
        ({}, True),
        ({"form": 1}, True),
        ({"form": 2}, False),
        ({"form": "1"}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_form_without_a_version_is_the_first(stored: Any, readable: bool) -> None:
    if readable:
        assert of_form(stored, 1) == stored
    else:
        with pytest.raises((ValueError, TypeError)):
            of_form(stored, 1)


NOTICE = {"template": "Look at {what}.", "values": {"what": "this"}}


async def test_notices_that_cannot_be_read_are_put_aside_and_reported() -> None:
    unreadable = [
        "text",
        {"form": 9, **NOTICE},
        {"template": "{missing}", "values": {"what": 1}},
        {"template": "x"},
    ]
    state = MemoryState({stored_notices.STATE_KEY: [NOTICE, *unreadable]})
    waiting = Notices(state)
    await waiting.start([])
    assert [str(notice)[:12] for notice in waiting.entries] == ["Look at this", "4 stored ent"]
    assert state.values[ASIDE + stored_notices.STATE_KEY] == unreadable
    await waiting.acknowledge(SYSTEM)
    await waiting.start([])
    assert waiting.entries == ()


async def test_a_notice_without_the_number_of_its_form_is_the_same_notice() -> None:
    state = MemoryState({stored_notices.STATE_KEY: [NOTICE]})
    await stored_notices.remember(state, [Message("Look at {what}.", {"what": "this"})])
    assert state.values[stored_notices.STATE_KEY] == [{"form": 1, **NOTICE}]


async def test_notices_that_are_no_list_are_put_aside(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.state.put(stored_notices.STATE_KEY, {"form": 9})
    waiting = Notices(storage.state)
    await waiting.start([Message("Found now.")])
    assert [str(notice)[:10] for notice in waiting.entries] == ["Found now.", "1 stored e"]
    assert await storage.state.get(ASIDE + stored_notices.STATE_KEY) == [{"form": 9}]
    await storage.close()


KEYS = (
    "charging_profiles",
    "reservations",
    "refused_sessions",
    "undated_boots",
    "inoperative",
    "inoperative_by_backend",
    "security_events_told",
    "security_log_misfit",
    "security_profile_before",
    "firmware_update",
    "backend_of_last_start",
    "storage_notices",
)
"""All that the application keeps in the table `state`."""
STORED = {
    "a text": "garbage",
    "a number": 1e300,
    "nothing in a list": [None],
    "nonsense in a list": [["boot"], {}, "x", -1, [[]]],
    "an unknown type": [{"@": "ThingOfTomorrow", "connector": 1}],
    "a newer version": {"form": 9, "order": {}, "name": "x", "connector": 1},
    "newer versions": [{"form": 9, "connector": 1, "reservation_id": 1}],
    "no number": [math.nan],
    "an infinite number": math.inf,
    "half a surrogate pair": ["\ud800"],
    "a notice of any width": [{"form": 1, "template": "{a:>99999999999}", "values": {"a": 1}}],
    "what 0.1.0 never wrote": {"order": {"location": 1}, "SecurityProfile": "two", "seq": 1},
}


@pytest.mark.parametrize("value", STORED.values(), ids=STORED)
async def test_a_station_starts_with_any_stored_state(
    tmp_path: Path, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_settings(tmp_path, {})
    await (await opened(tmp_path)).close()
    rows = [(key, json.dumps(value)) for key in KEYS]
    with closing(sqlite3.connect(tmp_path / "station.db")) as database, database:
        database.executemany("INSERT INTO state (key, value) VALUES (?, ?)", rows)
    asked: set[str] = set()
    read = SqlState.get

    async def get(state: SqlState, key: str) -> Any:
        asked.add(key.removeprefix(ASIDE))
        return await read(state, key)

    monkeypatch.setattr(SqlState, "get", get)
    async with running_station(
        tmp_path, ConnectionType="ethernet", WebSocketsBackendURL="ws://127.0.0.1:9/"
    ) as one:
        # Sockets whose availability cannot be read stay out of service.
        assert (await one.until_state("unavailable", 1))["id"] == 1
        notices_view = one.services.notices
        assert notices_view is not None
        assert notices_view.entries
        assert one.host.station is not None
        await one.host.station.events.skip()
    assert asked <= set(KEYS), "what is stored under another key is not tested here"


async def test_availability_of_form_1_holds_and_is_stored_anew(tmp_path: Path) -> None:
    """0.1.0 stored bare numbers of connectors."""
    store_settings(tmp_path, {})
    storage = await opened(tmp_path)
    await storage.state.put("inoperative", [2])
    await storage.close()
    async with running_station(tmp_path) as one:
        assert (await one.until_state("unavailable", 2))["id"] == 2
        await one.services.control.set_availability(1, SYSTEM, operative=False)
        assert one.services.notices is None or not one.services.notices.entries
    async with running_station(tmp_path) as one:
        await one.until_state("unavailable", 1)
        await one.until_state("unavailable", 2)
    storage = await opened(tmp_path)
    stored = await storage.state.get("inoperative")
    assert stored == [{"form": 2, "connector": 1}, {"form": 2, "connector": 2}]
    await storage.close()


async def test_an_unreadable_profile_lifts_no_limit(tmp_path: Path) -> None:
    store_settings(tmp_path, {})
    storage = await opened(tmp_path)
    await storage.state.put("charging_profiles", [{"@": "ProfileOfTomorrow", "connector": 1}])
    await storage.close()
    async with running_station(
        tmp_path,
        FreeCharging="on",
        FreeChargingMode="no_ocpp",
        ConnectionType="ethernet",
        WebSocketsBackendURL="ws://127.0.0.1:9/",
    ) as one:
        await one.plug(1)
        await one.plug(2)
        assert (await one.until_state("charging", 1))["offered_a"] == [6.0] * 3
        assert (await one.until_state("charging", 2))["offered_a"][0] > 6.0
