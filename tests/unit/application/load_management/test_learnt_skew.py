"""How late the meter of the building is, kept over a restart (decision 0216)."""

from __future__ import annotations

import asyncio

import pytest

from borne.application.load_management.learnt_skew import (
    STATE_KEY,
    LearntSkew,
    load_learnt_skew,
    store_learnt_skew,
)
from borne.application.state.stored_notices import STATE_KEY as NOTICES
from borne.foundation.json_value import JsonValue
from tests.support.fake_stores import MemoryState

LEARNT = LearntSkew("Acme 630 LQN 4711", 12, 14)


def test_it_is_kept() -> None:
    state = MemoryState()
    assert asyncio.run(load_learnt_skew(state)) is None
    asyncio.run(store_learnt_skew(state, LEARNT))
    assert asyncio.run(load_learnt_skew(state)) == LEARNT


DAMAGED: dict[str, JsonValue] = {
    "another form": {"form": 2, "meter": "", "first_s": 0, "last_s": 1},
    "impossible": {"form": 1, "meter": "", "first_s": 0, "last_s": 31},
    "no number": {"form": 1, "meter": "", "first_s": "0", "last_s": 1},
    "no object": [12, 14],
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_cannot_be_read_is_put_aside(case: str) -> None:
    async def run() -> None:
        state = MemoryState()
        await state.put(STATE_KEY, DAMAGED[case])
        assert await load_learnt_skew(state) is None
        assert await state.get(STATE_KEY) is None
        assert await state.get(NOTICES)

    asyncio.run(run())
