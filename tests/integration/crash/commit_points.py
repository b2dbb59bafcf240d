"""Storage that stops the process at one commit point: before or after the k-th commit of a session.

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
    """Forwards everything and calls back before and after each commit."""

    def __init__(self, inner: Any, part: str, names: tuple[str, ...], at: AtPoint) -> None:
        self._inner = inner
        self._part = part
        self._names = names
        self._at = at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        async def watched(*arguments: Any, **options: Any) -> Any:
            await self._at(f"{self._part}.{name} before")
            result = await found(*arguments, **options)
            await self._at(f"{self._part}.{name} after")
            return result

        return watched


def watch(storage: Storage, at: AtPoint) -> Storage:
    """`storage` with every commit of money watched."""
    changes: dict[str, Any] = {
        "journal": _Watched(storage.journal, "journal", JOURNAL, at),
        "outbox": _Watched(storage.outbox, "outbox", OUTBOX, at),
    }
    for part, names in OTHERS.items():
        changes[part] = _Watched(getattr(storage, part), part, names, at)
    return replace(storage, **changes)
