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

_FLOATS = {"inf": math.inf, "-inf": -math.inf}


class Codec:
    """Encodes and decodes the value types of the given modules."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self._types: dict[str, type] = {}
        for module in modules:
            for name, found in vars(module).items():
                if isinstance(found, type) and _is_value(found):
                    self._types[name] = found

    def encode(self, value: Any) -> Any:
        """Convert a value to JSON data; raises TypeError for an unknown type."""
        match value:
            case None | bool() | str() if not isinstance(value, enum.Enum):
                return value
            case enum.Enum():
                return {"!": f"{type(value).__name__}.{value.name}"}
            case float() if not math.isfinite(value):
                return {"~": str(value)}
            case int() | float():
                return value
            case datetime():
                return {"@": "datetime", "iso": value.isoformat()}
            case tuple() | list():
                encoded = [self.encode(item) for item in value]
                return {"@": type(value).__name__, "of": encoded} if _is_named(value) else encoded
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
                kind, _, member = name.partition(".")
                return self._type(kind)[member]  # type: ignore[index]  # an enum by construction
            case {"~": str(text)}:
                return _FLOATS.get(text, math.nan)
            case {"@": "datetime", "iso": str(text)}:
                return datetime.fromisoformat(text)
            case {"@": str(name), "of": list(items)}:
                return self._type(name)(*(self.decode(item) for item in items))
            case {"@": str(name), **fields}:
                values = {str(key): self.decode(item) for key, item in fields.items()}
                return self._type(name)(**values)
            case {"#": list(items)}:
                return frozenset(self.decode(item) for item in items)
            case {"%": list(pairs)}:
                return {self.decode(key): self.decode(item) for key, item in pairs}
            case list():
                return tuple(self.decode(item) for item in data)
            case _:
                return data

    def _encode_object(self, value: Any) -> Any:
        name = type(value).__name__
        known = self._types.get(name) is type(value)
        if not known or not dataclasses.is_dataclass(value):
            raise TypeError(f"{name} cannot be written")
        fields = {f.name: self.encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"@": name, **fields}

    def _type(self, name: str) -> type:
        found = self._types.get(name)
        if found is None:
            raise ValueError(f"{name} is not a known type")
        return found


def _is_value(found: type) -> bool:
    named = issubclass(found, tuple) and hasattr(found, "_fields")
    return named or dataclasses.is_dataclass(found) or issubclass(found, enum.Enum)


def _is_named(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")
