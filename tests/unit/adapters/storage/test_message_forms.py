"""Transaction messages on the disk: an explicit form, the same text for ever, in both directions
of time. `data-0.1.0` holds rows that version 0.1.0 wrote."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from borne.adapters.storage import message_forms, message_moments, schema
from borne.adapters.storage.connection import connect_sqlite
from borne.application.ports.storage import Storage
from borne.domain.station.measurands import MeterValue, SampledValue
from borne.domain.station.session import StopReason
from borne.domain.station.transaction_messages import (
    MeterValuesMessage,
    StartMessage,
    StopMessage,
    TransactionMessage,
)
from borne.foundation.clock import Moment
from borne.foundation.messages import Message
from tests.unit.adapters.storage.builders import (
    NOON,
    TOKEN,
    as_stored,
    at,
    end,
    opened,
    start,
    start_message,
)

OF_0_1_0 = Path(__file__).parents[3] / "fixtures" / "data-0.1.0"
UNDATED = Moment("boot-7", 12.5, None)
VALUES = (
    MeterValue(at(1), (SampledValue("16.0", "A", "Current.Import", "Sample.Clock", "L1"),)),
    MeterValue(UNDATED, ()),
)
MESSAGES: list[TransactionMessage] = [
    StartMessage("s", 1, 'A"é', 100, at(0), 7),
    StartMessage("s", 2, "", 0, UNDATED),
    StopMessage("s", 1, 200, at(9), StopReason.EV_DISCONNECTED, "A", VALUES),
    StopMessage("s", 1, 200, UNDATED, StopReason.OTHER),
    MeterValuesMessage("s", 1, VALUES),
    MeterValuesMessage(None, 0, VALUES[:1]),
]
STOP = '{"meter_stop":200,"timestamp":"2026-11-22T12:00:00Z","reason":"%s"}'


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


def decoded(message: TransactionMessage, stored: str, form: int = 1) -> TransactionMessage:
    return message_forms.decode(form, message.kind, message.session_id, message.connector, stored)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_read_as_it_was_stored(message: TransactionMessage) -> None:
    stored = message_forms.encode(message)
    assert decoded(message, stored) == as_stored(message)
    assert message_forms.encode(decoded(message, stored)) == stored


def test_every_field_is_stored() -> None:
    """A field that is added needs one in the stored form."""
    kinds = (StartMessage, StopMessage, MeterValuesMessage, MeterValue, SampledValue)
    assert [len(fields(kind)) for kind in kinds] == [6, 7, 3, 2, 6]


def test_messages_of_0_1_0_are_written_with_the_same_text(tmp_path: Path) -> None:
    shutil.copytree(OF_0_1_0, tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "station.db")) as connection:
        query = "SELECT kind, session_id, connector, payload FROM message"
        rows = connection.execute(query).fetchall()
    assert len(rows) == 3
    for kind, session_id, connector, payload in rows:
        message = message_forms.decode(message_forms.OF_OLDER, kind, session_id, connector, payload)
        assert message_forms.encode(message) == payload


@pytest.mark.parametrize(
    "stored",
    [
        "", "7", "null", "[]", "{", "[" * 100_000, "{}",
        '{"meter_stop":"200","timestamp":"2026-11-22T12:00:00Z","reason":"Local"}',
        '{"meter_stop":200,"timestamp":"noon","reason":"Local"}',
        '{"meter_stop":200,"timestamp":"moment:x","reason":"Local"}',
        '{"meter_stop":200,"timestamp":"2026-11-22T12:00:00Z","transaction_data":[7]}',
        '{"meter_stop":200,"timestamp":"2026-11-22T12:00:00Z","transaction_data":{}}',
    ],
)  # fmt: skip
def test_invalid_messages_are_refused(stored: str) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, RecursionError)):
        decoded(MESSAGES[2], stored)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="another version"):
        decoded(MESSAGES[0], message_forms.encode(MESSAGES[0]), form=2)


def test_an_unknown_stop_reason_is_read_as_other() -> None:
    found = decoded(MESSAGES[3], STOP % "Earthquake")
    assert isinstance(found, StopMessage)
    assert found.reason is StopReason.OTHER


async def test_an_unreadable_message_is_put_aside_and_the_queue_goes_on(
    tmp_path: Path,
) -> None:
    storage = await opened(tmp_path)
    notices: list[Message] = []
    storage.damage.subscribe(notices.append)
    for name in ("s1", "s2"):
        await storage.journal.open(start(name), start_message(name))
    await storage.close()
    change(tmp_path, "UPDATE message SET payload = ? WHERE seq = 1", f"garbage of {TOKEN}")
    storage = await opened(tmp_path)
    storage.damage.subscribe(notices.append)
    queued = await storage.outbox.next()
    assert queued is not None
    assert queued.message == as_stored(start_message("s2"))
    assert [str(notice).partition(" could")[0] for notice in notices] == [
        "Message 1 for the backend"
    ]
    assert await storage.outbox.lost() == []
    await storage.journal.close("s1", end(), None)
    assert await storage.journal.anonymise(sessions=["s1"]) == 1
    await storage.close()
    assert look(tmp_path, "SELECT seq, payload FROM lost_message") == [(1, "garbage of ")]


class TestAnOlderProgram:
    """It knows neither forms nor columns of moments, and works on the same database."""

    async def test_messages_left_without_a_date_are_dated(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path)
        await storage.journal.open(start(), None)
        await storage.close()
        content = message_forms.encode(start_message(when=at(10, dated=False)))
        change(
            tmp_path,
            "INSERT INTO message (message_id, kind, session_id, connector, payload, droppable,"
            " enqueued_at) VALUES ('id', 'StartTransaction', 's1', 1, ?, 0, '')",
            content,
        )
        storage = await opened(tmp_path)
        assert await storage.journal.undated() == {"boot-1": 10.0}
        assert await storage.journal.date("boot-1", NOON, 0.0) == 1
        assert await storage.journal.undated() == {}
        await storage.close()
        expected = message_forms.encode(start_message(when=at(10)))
        assert look(tmp_path, "SELECT payload FROM message") == [(expected,)]

    async def test_an_older_program_uses_the_database(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path)
        await storage.journal.open(start(), start_message(when=at(10, dated=False)))
        await storage.close()
        path = tmp_path / "station.db"
        steps = [step for step in schema.packaged("station") if step.version <= 2]
        with closing(connect_sqlite(path)) as connection:
            assert "newer version" in str(schema.migrate(connection, path, steps))
            ((payload,),) = connection.execute("SELECT payload FROM message").fetchall()
            assert json.loads(payload)["timestamp"] == "moment:boot-1:10.000"
            # It dates, delivers, and gives up as it always did.
            dated = payload.replace("moment:boot-1:10.000", "2026-11-22T12:00:10Z")
            connection.execute("INSERT INTO dating VALUES ('boot-1', 1795348800000000, 0.0)")
            connection.execute("UPDATE message SET payload = ?", (dated,))
        storage = await opened(tmp_path)
        (queued,) = await storage.outbox.content()
        assert queued.message == as_stored(start_message(when=at(10)))
        await storage.journal.date("boot-1", NOON.replace(year=2030), 0.0)
        assert (await storage.outbox.content()) == [queued]
        assert await storage.journal.undated() == {}
        await storage.close()


async def test_moments_that_were_copied_without_their_columns_are_found_again(
    storage: Storage, tmp_path: Path
) -> None:
    await storage.journal.open(start(), start_message(when=at(10, dated=False)))
    await storage.close()
    with closing(connect_sqlite(tmp_path / "station.db")) as connection:
        connection.execute("DELETE FROM message_undated")
        message_moments.look_again(connection, "message")
    again = await opened(tmp_path)
    assert await again.journal.undated() == {"boot-1": 10.0}
    await again.close()


def change(folder: Path, sql: str, *values: Any) -> None:
    with closing(sqlite3.connect(folder / "station.db")) as connection, connection:
        connection.execute(sql, values)


def look(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "station.db")) as connection:
        return connection.execute(sql).fetchall()
