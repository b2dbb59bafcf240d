"""Encodes frozen values (dataclasses, enums, tuples, sets) as JSON data and decodes them.

Used for the journal of decisions. Only types of the given modules are built, so a file cannot name
any other class. Equal values have equal encodings.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import ModuleType
from typing import Any

from borne.foundation.json_value import JsonValue

_FLOATS = {"inf": math.inf, "-inf": -math.inf}


@dataclasses.dataclass(frozen=True, slots=True)
class StoredNames:
    """How types, and their fields or members, are called in stored data, where that differs."""

    types: Mapping[str, str] = dataclasses.field(default_factory=dict)
    members: Mapping[str, Mapping[str, str | None]] = dataclasses.field(default_factory=dict)
    """By the present name of the type; None: a field that the data do not have. It is left out,
    and has its default when they are decoded."""


class Codec:
    """Encodes and decodes the value types of the given modules."""

    def __init__(self, modules: Iterable[ModuleType], names: StoredNames | None = None) -> None:
        names = names or StoredNames()
        self._types: dict[str, type] = {}
        """By their stored name."""
        self._stored_types: dict[type, str] = {}
        for module in modules:
            for name, found in vars(module).items():
                if isinstance(found, type) and _is_value(found):
                    stored = names.types.get(name, name)
                    self._types[stored], self._stored_types[found] = found, stored
        self._stored_members = {
            kind: _stored_members(kind, names.members.get(kind.__name__, {}))
            for kind in self._stored_types
        }
        self._members = {
            kind: {stored: name for name, stored in members.items()}
            for kind, members in self._stored_members.items()
        }

    def encode(self, value: object) -> JsonValue:
        """Convert a value to JSON data; raises TypeError for an unknown type."""
        match value:
            case None | bool() | str() if not isinstance(value, enum.Enum):
                return value
            case enum.Enum():
                return {"!": f"{self._stored_type(type(value))}.{self._stored_member(value)}"}
            case float() if not math.isfinite(value):
                return {"~": str(value)}
            case int() | float():
                return value
            case datetime():
                return {"@": "datetime", "iso": value.isoformat()}
            case tuple() | list():
                encoded = [self.encode(item) for item in value]
                if _is_named(value):
                    return {"@": self._stored_type(type(value)), "of": encoded}
                return encoded
            case frozenset():
                return {"#": sorted((self.encode(item) for item in value), key=str)}
            case Mapping():
                return {"%": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
            case _:
                return self._encode_object(value)

    def decode(self, data: Any) -> Any:
        """Inverse of `encode`; lists become tuples. Raises ValueError."""
        match data:
            case {"!": str(name)}:
                kind_name, _, stored = name.partition(".")
                kind = self._type(kind_name)
                member = self._members[kind].get(stored, stored)
                return kind[member]  # type: ignore[index]  # an enum by construction
            case {"~": str(text)}:
                return _FLOATS.get(text, math.nan)
            case {"@": "datetime", "iso": str(text)}:
                return datetime.fromisoformat(text)
            case {"@": str(name), "of": list(items)}:
                return self._type(name)(*(self.decode(item) for item in items))
            case {"@": str(name), **fields}:
                kind = self._type(name)
                names = self._members[kind]
                values = {
                    names.get(str(key), str(key)): self.decode(item) for key, item in fields.items()
                }
                return kind(**values)
            case {"#": list(items)}:
                return frozenset(self.decode(item) for item in items)
            case {"%": list(pairs)}:
                return {self.decode(key): self.decode(item) for key, item in pairs}
            case list():
                return tuple(self.decode(item) for item in data)
            case _:
                return data

    def _encode_object(self, value: object) -> JsonValue:
        kind = type(value)
        if kind not in self._stored_types or not dataclasses.is_dataclass(value):
            raise TypeError(f"{kind.__name__} cannot be written")
        members = self._stored_members[kind]
        fields = {stored: self.encode(getattr(value, name)) for name, stored in members.items()}
        return {"@": self._stored_types[kind], **fields}

    def _stored_type(self, kind: type) -> str:
        return self._stored_types.get(kind, kind.__name__)

    def _stored_member(self, value: enum.Enum) -> str:
        return self._stored_members.get(type(value), {}).get(value.name, value.name)

    def _type(self, name: str) -> type:
        found = self._types.get(name)
        if found is None:
            raise ValueError(f"{name} is not a known type")
        return found


def _stored_members(kind: type, differing: Mapping[str, str | None]) -> dict[str, str]:
    """The fields or members of a type that are stored, in their order, and how they are called."""
    if dataclasses.is_dataclass(kind):
        present = [field.name for field in dataclasses.fields(kind)]
    else:
        present = list(getattr(kind, "__members__", ()))
    stored = ((name, differing.get(name, name)) for name in present)
    return {name: other for name, other in stored if other is not None}


def _is_value(found: type) -> bool:
    named = issubclass(found, tuple) and hasattr(found, "_fields")
    return named or dataclasses.is_dataclass(found) or issubclass(found, enum.Enum)


def _is_named(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")
