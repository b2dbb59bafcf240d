"""Hypothesis strategies made from the message models themselves."""

from __future__ import annotations

import types
import typing
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints

from borne.protocols.ocpp.messages.base import Message
from borne.protocols.ocpp.messages.core import SampledValue

TEXT = st.characters(codec="utf-8")
DATES = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds beside a zone
    datetime(2200, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@cache
def messages(model: type[Message]) -> st.SearchStrategy[Message]:
    """Any valid message of that model."""
    fields = {name: _field(info) for name, info in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(model.model_validate)


def _field(info: FieldInfo) -> st.SearchStrategy[Any]:
    values = _values(info.annotation, list(info.metadata))
    # None in a field that is needed stands in answers that were read, never in what is sent.
    return values.filter(lambda value: value is not None) if info.is_required() else values


def _values(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _values(arguments[0], [*arguments[1:], *metadata])
    if origin in {typing.Union, types.UnionType}:
        return st.one_of(*(_values(argument, metadata) for argument in arguments))
    if origin is tuple:
        smallest = next((m.min_length for m in metadata if isinstance(m, MinLen)), 0)
        if arguments[0] is SampledValue:
            smallest = 1  # a rule of MeterValues, not of the field
        return st.lists(_values(arguments[0], []), min_size=smallest, max_size=smallest + 2).map(
            tuple
        )
    return _scalars(annotation, _flat(metadata))


def _scalars(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if annotation is type(None):
        return st.none()
    if issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    if issubclass(annotation, BaseModel):
        return st.deferred(lambda: messages(annotation))
    if annotation is datetime:
        return DATES
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        lowest = max(int(str(m.ge)) for m in metadata if isinstance(m, Ge))
        highest = min(int(str(m.le)) for m in metadata if isinstance(m, Le))
        return st.integers(lowest, highest)
    if annotation is float:
        return st.integers(-(10**6), 10**6).map(lambda tenths: tenths / 10)
    assert annotation is str, annotation
    return st.text(TEXT, max_size=max_length(metadata) or 100)


def max_length(metadata: list[Any]) -> int | None:
    """The limit on a text, if it has one."""
    for item in _flat(metadata):
        if isinstance(item, StringConstraints | MaxLen) and item.max_length is not None:
            return item.max_length
    return None


def _flat(metadata: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in metadata:
        flat += _flat(list(item.metadata)) if isinstance(item, FieldInfo) else [item]
    return flat
