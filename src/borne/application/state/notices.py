"""What people must know of the stored data: damaged, foreign, missing, put aside.

A notice is stored until somebody from operator upwards has taken note of it, so that it is not
lost with the start that found it. While there is one, the fault "storage-damaged" is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from borne.application.ports.storage import StateStore, StorageFailed
from borne.application.refusals import require
from borne.domain.principals import Principal, Role
from borne.foundation.events import Signal
from borne.foundation.messages import Message

STATE_KEY = "storage_notices"
MAX_NOTICES = 50
"""The newest are kept."""
_log = logging.getLogger(__name__)


async def remember(state: StateStore, notices: Sequence[Message]) -> None:
    """Store notices until somebody takes note of them; each once. On a full disk they are in the
    log only."""
    try:
        before = await state.get(STATE_KEY)
        kept = list(before) if isinstance(before, list) else []
        kept += [entry for entry in map(_to_stored, notices) if entry not in kept]
        if kept != before:
            await state.put(STATE_KEY, kept[-MAX_NOTICES:])
    except StorageFailed as error:
        _log.error("notices could not be stored: %s", error)


class Notices:
    """The notices that wait for somebody."""

    def __init__(self, state: StateStore) -> None:
        self.changed: Signal[bool] = Signal()
        """Whether there are any, after a change."""
        self._state = state
        self._entries: list[Message] = []

    async def start(self, found: Sequence[Message]) -> None:
        """Add what this start found to what waits."""
        if found:
            await remember(self._state, found)
        await self.reload()
        missing = [each for each in found if each not in self._entries]
        self._entries += missing
        self.changed.emit(bool(self._entries))

    async def reload(self) -> None:
        stored = await self._state.get(STATE_KEY)
        entries = stored if isinstance(stored, list) else []
        self._entries = [found for found in map(_from_stored, entries) if found is not None]

    async def add(self, notice: Message) -> None:
        """Something was found while the station runs."""
        if notice in self._entries:
            return
        _log.error("%s", notice)
        self._entries.append(notice)
        self.changed.emit(True)
        await remember(self._state, [notice])

    @property
    def entries(self) -> Sequence[Message]:
        """Oldest first."""
        return tuple(self._entries)

    async def acknowledge(self, principal: Principal) -> int:
        """Somebody took note; how many there were. Raises Refused and StorageFailed."""
        require(principal, Role.OPERATOR)
        number = len(self._entries)
        await self._state.put(STATE_KEY, None)
        self._entries = []
        self.changed.emit(False)
        return number


def _to_stored(notice: Message) -> dict[str, Any]:
    return {
        "template": notice.template,
        "values": {name: _plain(value) for name, value in notice.values.items()},
    }


def _plain(value: object) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def _from_stored(stored: Any) -> Message | None:
    if not isinstance(stored, dict) or not isinstance(stored.get("template"), str):
        return None
    values = stored.get("values")
    notice = Message(stored["template"], values if isinstance(values, dict) else {})
    try:
        str(notice)
    except (LookupError, ValueError, AttributeError):
        return None
    return notice
