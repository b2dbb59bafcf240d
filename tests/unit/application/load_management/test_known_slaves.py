"""The list of slaves survives a restart, and its damage does not keep a station from starting."""

from __future__ import annotations

import asyncio

import pytest

from borne.application.load_management.known_slaves import (
    STATE_KEY,
    KnownSlave,
    KnownSocket,
    load_known_slaves,
    store_known_slaves,
)
from borne.application.state.stored_notices import STATE_KEY as NOTICES
from borne.domain.load_management.topology import Rotation
from borne.foundation.json_value import JsonValue
from borne.foundation.units import PerPhase
from tests.support.fake_stores import MemoryState

SLAVES = (
    KnownSlave(
        station="alpha",
        name="Alpha",
        group="hall",
        limit_a=PerPhase(32.0, 32.0, 16.0),
        sockets=(
            KnownSocket(
                connector=2,
                upper_a=20.0,
                disconnected_a=7.0,
                rotation=Rotation.UNKNOWN,
                phase_count=1,
            ),
        ),
    ),
    KnownSlave(station="beta"),
)


def test_what_is_stored_is_read_again() -> None:
    state = MemoryState()
    asyncio.run(store_known_slaves(state, SLAVES))
    assert asyncio.run(load_known_slaves(state)) == SLAVES


def stored(**changes: JsonValue) -> JsonValue:
    own: dict[str, JsonValue] = {
        "form": 1,
        "station": "gamma",
        "name": "",
        "group": "root",
        "limit_a": None,
        "sockets": [],
    }
    return {**own, **changes}


DAMAGED = {
    "a newer form": stored(form=2),
    "no object": 17,
    "no station": stored(station=None),
    "two phases of a limit": stored(limit_a=[16.0, 16.0]),
    "a limit that is no number": stored(limit_a=["a", "b", "c"]),
    "a negative limit": stored(limit_a=[-1.0, 16.0, 16.0]),
    "a socket without current": stored(sockets=[{"connector": 1}]),
    "five phases": stored(
        sockets=[
            {"connector": 1, "upper_a": 1, "disconnected_a": 1, "rotation": "RST", "phases": 5}
        ]
    ),
}


@pytest.mark.parametrize("case", sorted(DAMAGED))
def test_an_unreadable_slave_is_put_aside_with_a_notice(case: str) -> None:
    async def run() -> None:
        state = MemoryState()
        await store_known_slaves(state, SLAVES[:1])
        good = await state.get(STATE_KEY)
        assert isinstance(good, list)
        await state.put(STATE_KEY, [*good, DAMAGED[case]])
        assert await load_known_slaves(state) == SLAVES[:1]
        assert await state.get(NOTICES)
        assert await state.get(STATE_KEY) == good

    asyncio.run(run())
