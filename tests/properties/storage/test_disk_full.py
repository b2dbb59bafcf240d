"""The disk becomes full at any write: the call that meets it stores nothing, everything before
stays, and when there is space again the same call succeeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from borne.application.ports.storage import StorageFull
from tests.properties.storage.recording import Recorder, Written
from tests.properties.storage.workload import CHARGE, LISTS, Content, Step, content
from tests.unit.adapters.storage.builders import opened


async def undisturbed(path: Path, steps: list[Step]) -> tuple[int, list[Content]]:
    """How many writes the steps take, and the content after each of them."""
    recorder = Recorder()
    storage = await opened(path, connect=recorder.connect)
    recorder.operations.clear()
    contents = [await content(storage)]
    for step in steps:
        await step(storage)
        contents.append(await content(storage))
    await storage.close()
    return sum(isinstance(o, Written) for o in recorder.operations), contents


async def disturbed(
    path: Path, steps: list[Step], writes_left: int, expected: list[Content]
) -> bool:
    """The disk is full after so many writes; whether a step met that."""
    recorder = Recorder()
    storage = await opened(path, connect=recorder.connect, reserve_bytes=0)
    recorder.writes_left = writes_left
    met = False
    for number, step in enumerate(steps):
        try:
            await step(storage)
        except StorageFull:
            met = True
            assert (await content(storage)).durable == expected[number].durable
            recorder.writes_left = None
            await step(storage)
        assert (await content(storage)).durable == expected[number + 1].durable
    recorder.writes_left = None
    await storage.close()
    again = await opened(path)
    assert (await content(again)).durable == expected[-1].durable
    await again.close()
    return met


@pytest.mark.parametrize("steps", [CHARGE, LISTS], ids=["charge", "lists"])
async def test_the_disk_becomes_full_at_any_write(memory: Path, steps: list[Step]) -> None:
    writes, expected = await undisturbed(memory / "reference", steps)
    met = [
        await disturbed(memory / str(writes_left), steps, writes_left, expected)
        for writes_left in range(0, writes, 3)
    ]
    assert sum(met) > len(met) / 2
