"""A folder whose power can be cut: what was not synced may be lost, torn or kept.

The model: a file's content is durable after its fsync; until then any prefix of it, with or
without rubbish behind, may be found. A change of names (create, rename, remove) is durable after
the fsync of the folder; until then any subset of the changes may have happened, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


class PowerCut(BaseException):
    """The process has been killed."""


@dataclass
class Inode:
    content: bytes = b""
    synced: bytes | None = None


@dataclass
class FailingFiles:
    """`Files` in memory. `steps_left` counts operations until the power goes (None: never)."""

    names: dict[str, Inode] = field(default_factory=dict)
    durable: dict[str, Inode] = field(default_factory=dict)
    pending: list[Callable[[dict[str, Inode]], None]] = field(default_factory=list)
    steps_left: int | None = None
    steps: int = 0
    broken: dict[str, OSError] = field(default_factory=dict)
    """Operations that fail, by name of the operation."""

    def _step(self, operation: str) -> None:
        if self.steps_left is not None:
            if self.steps_left == 0:
                raise PowerCut
            self.steps_left -= 1
        self.steps += 1
        if operation in self.broken:
            raise self.broken[operation]

    def _rename(self, change: Callable[[dict[str, Inode]], None]) -> None:
        change(self.names)
        self.pending.append(change)

    def listdir(self) -> list[str]:
        return list(self.names)

    def read(self, name: str) -> bytes:
        if name not in self.names:
            raise FileNotFoundError(2, "No such file or directory", name)
        return self.names[name].content

    def write(self, name: str, content: bytes) -> None:
        inode = Inode(content)
        self._rename(lambda names: names.__setitem__(name, inode))
        self._step("write")

    def fsync(self, name: str) -> None:
        self._step("fsync")
        self.names[name].synced = self.names[name].content

    def replace(self, old: str, new: str) -> None:
        self._step("replace")
        inode = self.names[old]

        def change(names: dict[str, Inode]) -> None:
            names.pop(old, None)
            names[new] = inode

        self._rename(change)

    def remove(self, name: str) -> None:
        self._step("remove")

        def change(names: dict[str, Inode]) -> None:
            names.pop(name, None)

        self._rename(change)

    def fsync_dir(self) -> None:
        self._step("fsync_dir")
        self.durable = dict(self.names)
        self.pending.clear()

    def after_power_cut(
        self, happened: Callable[[int], bool], torn: Callable[[bytes], bytes]
    ) -> FailingFiles:
        """The folder when power is back. `happened(n)` says whether the n-th unsynced change of
        names reached the disk, `torn` what is left of unsynced content."""
        names = dict(self.durable)
        for number, change in enumerate(self.pending):
            if happened(number):
                change(names)
        found = {
            name: Inode(inode.content if inode.synced is not None else torn(inode.content))
            for name, inode in names.items()
        }
        for inode in found.values():
            inode.synced = inode.content
        return FailingFiles(found, dict(found))
