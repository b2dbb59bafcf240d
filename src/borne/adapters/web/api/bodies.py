"""Models of the request bodies, strict about types and names."""

from __future__ import annotations

import json
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from borne.application.commands import Length, Range

IdToken = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Connector = Annotated[int, Field(ge=1, le=64)]


def bounded(kind: Any) -> Any:
    """The type of an argument of a command, with its limits in the terms of pydantic."""
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        return Annotated[(bounded(parts[0]), *map(_bound, parts[1:]))]
    if parts and get_origin(kind) in {Union, UnionType}:
        return Union[tuple(map(bounded, parts))]  # noqa: UP007 -- made of a tuple
    return kind


def _bound(bound: object) -> object:
    match bound:
        case Length(shortest, longest):
            return StringConstraints(min_length=shortest or None, max_length=longest)
        case Range(lowest, highest):
            return Field(ge=lowest, le=highest, allow_inf_nan=False)
        case _:
            return bound


class Body(BaseModel):
    """Unknown members are refused: a misspelt one would have no effect."""

    model_config = ConfigDict(extra="forbid", strict=True)


class WhitelistRemove(Body):
    """Remove an entry."""

    token: IdToken
    connector: Connector | None = None


class PowerAction(Body):
    """The mains switch."""

    action: Literal["cut", "restore"]


def _clean(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what is not valid JSON data: lone surrogates, NaN, infinity."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError("texts must be valid Unicode, numbers finite") from None
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_clean)]
