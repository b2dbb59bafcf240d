"""Notices in the stored state, until they are acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from borne.application.ports.storage import StateStore
from borne.application.state.storage_failure import log_storage_failure
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.messages import Message

STATE_KEY = "storage_notices"
FORM = 1
MAX_NOTICES = 50
"""The newest are kept."""
_log = logging.getLogger(__name__)


async def remember(state: StateStore, notices: Sequence[Message]) -> None:
    """Store notices until they are acknowledged, each once. On a full disk they are only logged."""
    with log_storage_failure(_log, "notices could not be stored"):
        before = await state.get(STATE_KEY)
        entries = before if isinstance(before, list) else [] if before is None else [before]
        kept = [_with_form(entry) for entry in entries]
        kept += [entry for entry in map(_to_stored, notices) if entry not in kept]
        if kept != before:
            await state.put(STATE_KEY, kept[-MAX_NOTICES:])


def _with_form(entry: JsonValue) -> JsonValue:
    """Add the number of the form; entries of version 0.1.0 differ in nothing else."""
    return {"form": FORM, **entry} if isinstance(entry, dict) else entry


def _to_stored(notice: Message) -> JsonObject:
    return {
        "form": FORM,
        "template": notice.template,
        "values": {name: _plain(value) for name, value in notice.values.items()},
    }


def _plain(value: object) -> JsonValue:
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)
