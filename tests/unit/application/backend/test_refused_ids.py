"""Refusals of a session's id, as they are stored."""

from __future__ import annotations

from typing import Any

import pytest

from borne.application.backend.refused_ids import RefusedIds
from borne.application.settings.running import RunningSettings
from borne.domain.settings.snapshot import Settings
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from tests.support.fake_stores import MemoryState

KEY = "refused_sessions"


class Metering:
    def __init__(self) -> None:
        self.changed: Signal[int] = Signal()


def refused_ids(state: MemoryState) -> RefusedIds:
    nothing: Any = None
    metering: Any = Metering()
    supervisor = Supervisor("test")
    return RefusedIds({}, nothing, metering, RunningSettings(Settings()), state, supervisor)


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
