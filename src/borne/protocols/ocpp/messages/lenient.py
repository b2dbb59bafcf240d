"""Parses answers of a central system tolerantly.

An answer confirms something that has happened at the other side: a transaction got a number, a
message was accepted. Rejecting it because of another member would lose that. Therefore members are
converted if possible (another letter case, a number as text), dropped if they are optional, and
every deviation is noted. Requests are parsed strictly, because the error answer shows the sender
what is wrong. Decision 0145.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from borne.protocols.ocpp.messages.base import Message
from borne.protocols.ocpp.messages.types import AuthorizationStatus

LONGEST_NUMBER: Final = 25
"""Longest number given as text; an id has at most 19 digits."""
_NOT_UNDERSTOOD: Final[Mapping[type[Enum], Enum]] = {
    AuthorizationStatus: AuthorizationStatus.INVALID,
}
"""An unknown status of a card does not count as accepted."""


def repaired(model: type[Message], payload: Any) -> tuple[dict[str, Any], list[str]]:
    """The payload as `model` can parse it, and a note for each repair. A required member that
    cannot be repaired is kept, so that parsing fails."""
    notes: list[str] = []
    if not isinstance(payload, dict):
        return {}, ["the payload is not an object"]
    return _members(model, payload, "", notes), notes


def _members(
    model: type[Message], payload: dict[Any, Any], path: str, notes: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        alias = info.alias or name
        key = _key(alias, payload)
        where = f"{path}{alias}"
        if key is None:
            if info.is_required() and _dispensable(info):
                notes.append(f"{where} is missing")
                found[alias] = None
            continue
        if key != alias:
            notes.append(f"{where} is written {key[:50]!a}")
        value = _value(info, payload[key], where, notes)
        if value is None and not _dispensable(info):
            value = payload[key]
        found[alias] = value
    return found


def _key(alias: str, payload: dict[Any, Any]) -> str | None:
    if alias in payload:
        return alias
    folded = alias.casefold()
    return next((k for k in payload if isinstance(k, str) and k.strip().casefold() == folded), None)


def _value(info: FieldInfo, raw: Any, where: str, notes: list[str]) -> Any:
    """The meaning of a value; None if it has none."""
    if raw is None:
        if info.is_required():
            notes.append(f"{where} is null")
        return None
    kind = _kind(info.annotation)
    if isinstance(kind, type) and issubclass(kind, Message):
        inner = _members(kind, raw, f"{where}.", notes) if isinstance(raw, dict) else None
        return inner if _fits(info, inner) else _left_out(where, notes)
    if _fits(info, raw):
        return raw
    for other in _readings(kind, raw):
        if _fits(info, other):
            notes.append(f"{where} is read as {other}")
            return other
    return _left_out(where, notes)


def _left_out(where: str, notes: list[str]) -> None:
    notes.append(f"{where} cannot be used")


def _readings(kind: Any, raw: Any) -> typing.Iterator[Any]:
    """Possible meanings of a value."""
    if kind is int:
        yield from _whole(raw)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        folded = str(raw).strip().casefold()
        yield from (member for member in kind if str(member.value).casefold() == folded)
        if kind in _NOT_UNDERSTOOD:
            yield _NOT_UNDERSTOOD[kind]
    elif isinstance(raw, str) and kind is not datetime:
        yield raw.strip()


def _whole(raw: Any) -> typing.Iterator[int]:
    """41, 41.0, "41", " 41.0 "."""
    if isinstance(raw, str) and raw.isascii() and len(raw) <= LONGEST_NUMBER:
        text = raw.strip()
        whole, point, rest = text.partition(".")
        if whole.removeprefix("-").removeprefix("+").isdigit() and (
            not point or not rest.strip("0")
        ):
            yield int(whole)
    elif isinstance(raw, float) and raw.is_integer():
        yield int(raw)


def _dispensable(info: FieldInfo) -> bool:
    return type(None) in typing.get_args(info.annotation)


def _kind(annotation: Any) -> Any:
    """The type without `Annotated` and `| None`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        return _kind(next(argument for argument in arguments if argument is not type(None)))
    return annotation


def _fits(info: FieldInfo, value: Any) -> bool:
    try:
        _reader(_Field(info)).validate_python(value, by_alias=True, by_name=False)
    except ValidationError:
        return False
    return value is not None


class _Field:
    """A field compared by identity, as a key of the cache."""

    def __init__(self, info: FieldInfo) -> None:
        self.info = info

    def __hash__(self) -> int:
        return id(self.info)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Field) and other.info is self.info


@cache
def _reader(field: _Field) -> TypeAdapter[Any]:
    info = field.info
    kind: Any = info.annotation
    for part in info.metadata:
        kind = typing.Annotated[kind, part]
    return TypeAdapter(kind)
