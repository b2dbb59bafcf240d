"""Reads stored facts; unreadable ones do not keep a station from starting.

Every fact has an explicit form of its own. What cannot be read (written by another version, or
changed by others) is moved to another key and reported as a notice.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from borne.application.ports.storage import StateStore
from borne.application.state.storage_failure import log_storage_failure
from borne.application.state.stored_notices import remember
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.messages import N_, Message

T = TypeVar("T")
ASIDE = "unreadable:"
"""Prefix of the key under which unreadable data is kept, for service."""
MAX_ASIDE = 100
"""Entries that are kept; the oldest are dropped."""
_PUT_ASIDE = N_(
    "{number} stored entries of {key} could not be read and were put aside; the station "
    "continues without them."
)
_log = logging.getLogger(__name__)


async def stored_entries(
    state: StateStore, key: str, read: Callable[[JsonValue], T]
) -> tuple[list[T], list[JsonValue]]:
    """The entries of a stored list, and those that `read` cannot read; these are moved aside."""
    stored = await state.get(key)
    if stored is None:
        return [], []
    found: list[T] = []
    readable: list[JsonValue] = []
    unreadable: list[JsonValue] = []
    for entry in stored if isinstance(stored, list) else [stored]:
        try:
            found.append(read(entry))
            readable.append(entry)
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            _log.error("%s: a stored entry cannot be read (%s)", key, error)
            unreadable.append(entry)
    if unreadable:
        await _set_aside(state, key, unreadable, readable or None)
    return found, unreadable


async def stored_fact(
    state: StateStore, key: str, read: Callable[[JsonValue], T], otherwise: T
) -> tuple[T, bool]:
    """A stored fact, and whether it could be read; an unreadable one is moved aside."""
    stored = await state.get(key)
    if stored is None:
        return otherwise, True
    try:
        return read(stored), True
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        _log.error("%s: the stored value cannot be read (%s)", key, error)
    await _set_aside(state, key, [stored], None)
    return otherwise, False


async def _set_aside(
    state: StateStore, key: str, entries: Sequence[JsonValue], rest: JsonValue
) -> None:
    """Keep unreadable entries for service, each once, and remember a notice. On a full disk they
    stay where they are, and are only logged."""
    with log_storage_failure(_log, f"{key}: the unreadable value could not be moved away"):
        before = await state.get(ASIDE + key)
        kept = list(before) if isinstance(before, list) else []
        kept += [entry for entry in entries if entry not in kept]
        if kept != before:
            await state.put(ASIDE + key, kept[-MAX_ASIDE:])
        await state.put(key, rest)
    await remember(state, [Message(_PUT_ASIDE, {"number": len(entries), "key": key})])


def whole(value: JsonValue) -> int:
    """A whole number; raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not an integer")
    return value


def number(value: JsonValue) -> float:
    """A finite number; raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return float(value)


def text(value: JsonValue) -> str:
    """A text; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def sequence(value: JsonValue) -> Sequence[JsonValue]:
    """A list; raises TypeError."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def of_form(value: JsonValue, form: int) -> JsonObject:
    """An object of that form; without a number it is of form 1, as version 0.1.0 wrote it. Raises
    TypeError or ValueError."""
    stored = mapping(value)
    if whole(stored.get("form", 1)) != form:
        raise ValueError(f"form {stored['form']} is of another version")
    return stored


def mapping(value: JsonValue) -> JsonObject:
    """An object; raises TypeError."""
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value
