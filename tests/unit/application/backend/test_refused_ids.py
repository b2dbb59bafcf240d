"""Refusals of a session's id, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from borne.application.backend.refused_ids import RefusedIds
from borne.application.settings.running import RunningSettings
from borne.domain.settings.snapshot import Settings
from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.connector_state import Authorization, LiveSession, Phase, Stop
from borne.domain.station.session import StopReason
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from tests.support.fake_stores import MemoryState

KEY = "refused_sessions"


class Metering:
    def __init__(self) -> None:
        self.changed: Signal[int] = Signal()
        self.readings: dict[int, Any] = {}


class Journal:
    def record(self, _: int) -> None:
        return None


class Socket:
    """A connector, free or with a session that runs."""

    def __init__(self, session_id: str | None) -> None:
        authorization = Authorization(Identity(IdentityKind.RFID, "04567DAA"))
        self.status = ConnectorSnapshot(
            session=LiveSession(authorization, Phase.RUNNING, session_id) if session_id else None
        )
        self.changed: Signal[Any] = Signal()
        self.ended: list[Stop] = []

    def end_session(self, stop: Stop) -> None:
        self.ended.append(stop)


def refused_ids(state: MemoryState, sockets: Mapping[int, Any] | None = None) -> RefusedIds:
    journal: Any = Journal()
    metering: Any = Metering()
    running = RunningSettings(Settings())
    return RefusedIds(sockets or {}, journal, metering, running, state, Supervisor("test"))


@pytest.mark.parametrize("before", [["old"], [{"form": 2, "session_id": "old"}]])
async def test_a_refusal_is_read_in_each_form_and_stored_in_the_newest(before: list[Any]) -> None:
    """0.1.0 stored bare ids."""
    state = MemoryState({KEY: before})
    refused = refused_ids(state)
    await refused.start()
    await refused.on_start_answered("new", "Invalid")
    assert state.values == {
        KEY: [{"form": 2, "session_id": "new"}, {"form": 2, "session_id": "old"}]
    }


async def test_an_accepted_session_is_not_stored() -> None:
    state = MemoryState()
    refused = refused_ids(state)
    await refused.start()
    await refused.on_start_answered("s1", "Accepted")
    assert state.values == {}


async def test_an_unreadable_refusal_may_mean_any_session_that_runs() -> None:
    state, running, free = MemoryState({KEY: [{"form": 3}]}), Socket("running"), Socket(None)
    await refused_ids(state, {1: running, 2: free}).start()
    assert running.ended == [Stop(StopReason.DE_AUTHORIZED)]
    assert free.ended == []
    assert state.values[KEY] == [{"form": 2, "session_id": "running"}]
