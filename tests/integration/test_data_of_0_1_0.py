"""A data folder of version 0.1.0, killed while it charged: every later version starts on it and
delivers what it holds, once.

`tests/fixtures/data-0.1.0`: whitelist with Anna and Ben (socket 2 only), one ended session, a
running one on socket 2 (transaction 2), three messages in the queue, InstallationCurrentLimit 20.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from borne.domain.principals import Role
from tests.support.central_system import CentralSystem, central_system
from tests.support.running_station import RunningStation, running_station

DATA = Path(__file__).parents[1] / "fixtures" / "data-0.1.0"
RUNNING = "b9fd76c3-21b2-4862-a027-877f02c08fcc"
TRANSACTION = 2
START_WH, LAST_WH = 3_810_903, 3_810_990


def copied(folder: Path) -> Path:
    shutil.copytree(DATA, folder)
    return folder


def queued(folder: Path) -> list[tuple[str, Any]]:
    """Ids and contents of the messages that wait."""
    with closing(sqlite3.connect(folder / "station.db")) as connection:
        rows = connection.execute("SELECT message_id, payload FROM message ORDER BY seq").fetchall()
    return [(message_id, json.loads(payload)) for message_id, payload in rows]


class OtherMeters(random.Random):
    """The random seed of a world whose new meters show less than the ones before: nothing is known
    of the time without power."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return start if stop is not None else super().randrange(start)


def message_ids(one: RunningStation, action: str) -> list[Any]:
    """Ids of the requests of that kind that were sent, each time."""
    backend = one.services.backend
    assert backend is not None
    log = backend.message_log()
    return [each.message_id for each in log if (each.action, each.kind) == (action, "call")]


async def taken_up(one: RunningStation, central: CentralSystem) -> None:
    await one.until_online()
    await central.ledger.wait_for("StopTransaction", transaction_id=TRANSACTION)
    await one.until_state("available", 2)


async def test_a_folder_of_0_1_0_starts_and_delivers_its_messages_once(tmp_path: Path) -> None:
    folder, waiting = copied(tmp_path / "data"), queued(copied(tmp_path / "look"))
    assert len(waiting) == 3
    options = {"rng": OtherMeters(1)}
    async with central_system() as central:
        central.ledger.conversation("x").knows(TRANSACTION, 2, START_WH)
        async with running_station(
            folder, WebSocketsBackendURL=central.url, live=True, options=options
        ) as one:
            await taken_up(one, central)
            services = one.services
            entries, _ = services.whitelist.page()
            assert [(entry.name, entry.token, entry.connector) for entry in entries] == [
                ("Ben", "04112233445566", 2),
                ("Anna", "0a0e9b83", None),
            ]
            assert services.settings.settings["InstallationCurrentLimit"] == 20
            assert services.accounts.tokens()[0].role is Role.MANUFACTURER
            sessions, number = await services.sessions.page()
            assert number == 2
            ended = next(each for each in sessions if each.session_id == RUNNING)
            assert ended.energy_wh == LAST_WH - START_WH
            assert message_ids(one, "MeterValues")[:3] == [message_id for message_id, _ in waiting]
        values = central.ledger.of("MeterValues", transaction_id=TRANSACTION)
        assert [value["meter_value"] for value in values[:3]] == [
            content["meter_value"] for _, content in waiting
        ]
        (stop,) = central.ledger.of("StopTransaction")
        assert (stop["transaction_id"], stop["meter_stop"]) == (TRANSACTION, LAST_WH)
        assert central.ledger.of("StartTransaction") == []
        before = len(central.ledger.of("MeterValues"))

        async with running_station(folder, live=True, options=options) as one:
            await one.until_online()
            await central.ledger.wait_for("StatusNotification", connector_id=2, status="Available")
            assert one.services.status.snapshot().backend.queue == 0
        assert len(central.ledger.of("StopTransaction")) == 1
        assert len(central.ledger.of("MeterValues")) == before
