"""Storage that stops the world at one commit point: before or after the k-th commit of a session.

The points are enumerated by a dry run, so that a new commit cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from borne.application.ports.storage import Storage

JOURNAL = ("open", "close", "sample")
OUTBOX = ("answered", "failed", "discard")
OTHERS = {"tokens": ("put",), "state": ("put",)}

AtPoint = Callable[[str], Awaitable[None]]


class _Watched:
    """Forwards everything and tells before and after each commit."""

    def __init__(self, inner: Any, room: str, names: tuple[str, ...], at: AtPoint) -> None:
        self._inner = inner
        self._room = room
        self._names = names
        self._at = at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        async def watched(*arguments: Any, **options: Any) -> Any:
            await self._at(f"{self._room}.{name} before")
            result = await found(*arguments, **options)
            await self._at(f"{self._room}.{name} after")
            return result

        return watched


def watch(storage: Storage, at: AtPoint) -> Storage:
    """`storage` with every commit of money watched."""
    changes: dict[str, Any] = {
        "journal": _Watched(storage.journal, "journal", JOURNAL, at),
        "outbox": _Watched(storage.outbox, "outbox", OUTBOX, at),
    }
    for room, names in OTHERS.items():
        changes[room] = _Watched(getattr(storage, room), room, names, at)
    return replace(storage, **changes)
