"""Notices about the stored data: damaged, foreign, missing or unreadable.

A notice is stored until a user with at least the role operator acknowledges it, so that it survives
restarts. While there is one, the fault "storage-damaged" is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from string import Formatter

from borne.application.ports.storage import StateStore
from borne.application.refusals import require
from borne.application.state.kept_state import mapping, of_form, stored_entries, text
from borne.application.state.stored_notices import FORM, STATE_KEY, remember
from borne.domain.principals import Principal, Role
from borne.foundation.events import Signal
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import Message

_log = logging.getLogger(__name__)


class Notices:
    """The unacknowledged notices."""

    def __init__(self, state: StateStore) -> None:
        self.changed: Signal[bool] = Signal()
        """True if there are any, emitted after a change."""
        self._state = state
        self._entries: list[Message] = []

    async def start(self, found: Sequence[Message]) -> None:
        """Add what this start found to the stored notices."""
        if found:
            await remember(self._state, found)
        await self.reload()
        missing = [each for each in found if each not in self._entries]
        self._entries += missing
        self.changed.emit(bool(self._entries))

    async def reload(self) -> None:
        """Load the stored notices; one that cannot be read is moved aside, which adds a notice."""
        entries, unreadable = await stored_entries(self._state, STATE_KEY, _from_stored)
        if unreadable:
            entries, _ = await stored_entries(self._state, STATE_KEY, _from_stored)
        self._entries = entries

    async def add(self, notice: Message) -> None:
        """Add a notice while the station runs."""
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
        """Remove all notices; how many there were. Raises Refused and StorageFailed."""
        require(principal, Role.OPERATOR)
        number = len(self._entries)
        await self._state.put(STATE_KEY, None)
        self._entries = []
        self.changed.emit(False)
        return number


def _from_stored(entry: JsonValue) -> Message:
    stored = of_form(entry, FORM)
    template = text(stored["template"])
    if any(layout or conversion for _, _, layout, conversion in Formatter().parse(template)):
        raise ValueError("a notice only inserts its values")
    notice = Message(template, mapping(stored["values"]))
    str(notice)
    return notice
