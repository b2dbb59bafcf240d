"""The delivery rule at every power cut: whatever instant of the writes and syncs the power fails
at, and whatever the disk makes of what was not synced, afterwards everything is there that was
acknowledged, and at most the one call in flight besides."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from borne.adapters.storage import folder, opening, schema
from borne.adapters.storage.commissioning import Commissioning
from borne.application.ports.storage import Storage
from tests.properties.storage.recording import (
    Created,
    Disk,
    Image,
    Loss,
    Operation,
    Recorder,
    Synced,
    Written,
)
from tests.properties.storage.workload import AGAIN, CHARGE, LISTS, Content, Step, content
from tests.unit.adapters.storage.builders import opened


@dataclass(frozen=True)
class Acknowledged:
    """What a step left, how many operations it had taken when it returned, and whether all was
    synced by then."""

    operations: int
    synced: bool
    content: Content


class Recording:
    """A workload on a watched disk."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.acknowledged: list[Acknowledged] = []

    async def run(self, path: Path, runs: Sequence[Sequence[Step]]) -> None:
        """Do the steps, with a polite restart between the lists of them."""
        with pytest.MonkeyPatch.context() as patch:
            for module in (folder, opening, schema):
                patch.setattr(module, "sync_folder", self.recorder.sync_folder, raising=False)
            for steps in runs:
                storage = await opened(path, connect=self.recorder.connect)
                await self._acknowledge(storage)
                for step in steps:
                    await step(storage)
                    await self._acknowledge(storage)
                await storage.close()

    async def _acknowledge(self, storage: Storage) -> None:
        before = self.acknowledged[-1].operations if self.acknowledged else 0
        log = [o for o in self.recorder.operations[before:] if is_of(o, "station.db-wal")]
        synced = bool(log) and isinstance(log[-1], Synced)
        count = len(self.recorder.operations)
        self.acknowledged.append(Acknowledged(count, synced, await content(storage)))

    async def check_every_cut(self, path: Path) -> int:
        """Cut the power after every operation, with every loss; how many cases differed."""
        disk, seen = Disk(), set()
        for number, operation in enumerate(self.recorder.operations, 1):
            disk.apply(operation)
            done = sum(ack.operations <= number for ack in self.acknowledged)
            for loss in Loss:
                image = disk.after(loss, number)
                case = done, tuple(sorted(image.items()))
                if case not in seen:
                    self._check(done, await left_over(image, path))
                seen.add(case)
        return len(seen)

    def _check(self, done: int, found: Content) -> None:
        """The first `done` calls were acknowledged, the next one is in flight."""
        before = self.acknowledged[max(0, done - 1)].content
        after = self.acknowledged[min(done, len(self.acknowledged) - 1)].content
        assert found.durable in (before.durable, after.durable)
        # Samples without a message may be lost, but only until something else is synced.
        least: dict[str, int] = next(
            (ack.content.last_wh for ack in self.acknowledged[:done][::-1] if ack.synced), {}
        )
        for session_id, last_wh in found.last_wh.items():
            most = max(c.last_wh.get(session_id, 0) for c in (before, after))
            assert least.get(session_id, 0) <= last_wh <= most


def is_of(operation: Operation, name: str) -> bool:
    return isinstance(operation, Written | Synced) and operation.name == name


def lay_out(image: Image, path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    # The first file of a folder, and durable before there is a database.
    Commissioning(path).open()
    for name, data in image.items():
        (path / name).write_bytes(data)


async def left_over(image: Image, path: Path) -> Content:
    """What the real storage finds in these files."""
    lay_out(image, path)
    storage = await opened(path, reserve_bytes=0)
    try:
        assert storage.notices == ()
        return await content(storage)
    finally:
        storage.abort()


async def test_a_charge_survives_every_cut(memory: Path) -> None:
    recording = Recording()
    await recording.run(memory / "one", [CHARGE])
    merged = [o for o in recording.recorder.operations if is_of(o, "station.db")]
    assert len(merged) > 20, "the log was merged into the database while it worked"
    assert await recording.check_every_cut(memory / "two") > len(recording.recorder.operations)


@pytest.mark.campaign
async def test_lists_checkpoints_and_restarts_survive_every_cut(memory: Path) -> None:
    recording = Recording()
    await recording.run(memory / "one", [LISTS, CHARGE, AGAIN])
    assert await recording.check_every_cut(memory / "two") > len(recording.recorder.operations)


def test_the_recorded_disk_loses_unsynced_writes() -> None:
    disk = Disk()
    for operation in (
        Created("a"),
        Written("a", 0, b"one "),
        Synced("a", with_folder=True),
        Written("a", 4, b"two "),
        Created("b"),
        Written("b", 0, b"half"),
    ):
        disk.apply(operation)
    assert disk.after(Loss.NOTHING, 0) == {"a": b"one two ", "b": b"half"}
    assert disk.after(Loss.UNSYNCED, 0) == {"a": b"one "}
    assert disk.after(Loss.NAMES, 0) == {"a": b"one two "}
    assert disk.after(Loss.TORN, 0) == {"a": b"one two ", "b": b"ha"}
    shuffled = {tuple(disk.after(Loss.SHUFFLED, seed).values()) for seed in range(20)}
    assert shuffled == {(a, b) for a in (b"one ", b"one two ") for b in (b"", b"half")}
