"""What the API accepts: one model for each body, strict about types and names."""

from __future__ import annotations

import json
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from borne.application.commands import Length

Text = Annotated[str, StringConstraints(max_length=200)]
IdToken = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Connector = Annotated[int, Field(ge=1, le=64)]
Percent = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amps = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


def bounded(kind: Any) -> Any:
    """The type of an argument of a command, with the bounds that it declares, for pydantic."""
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        limits = [each for each in parts[1:] if isinstance(each, Length)]
        bounds = [StringConstraints(min_length=e.shortest, max_length=e.longest) for e in limits]
        return Annotated[(parts[0], *bounds)] if bounds else kind
    if parts and get_origin(kind) in {Union, UnionType}:
        return Union[tuple(map(bounded, parts))]  # noqa: UP007 -- made of a tuple
    return kind


class Body(BaseModel):
    """Unknown members are refused: a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Restart(Body):
    """Restart the software of the station."""

    when: Literal["now", "idle"] = "now"


class WhitelistAdd(Body):
    """Add an entry, or replace the one with the same token and connector."""

    token: IdToken
    connector: Connector | None = None
    name: Annotated[str, StringConstraints(max_length=60)] = ""
    kind: Literal["RFID", "MAC"] = "RFID"


class WhitelistRemove(Body):
    """Remove an entry."""

    token: IdToken
    connector: Connector | None = None


class Unplug(Body):
    """Pull the plug; `force` also when it is locked."""

    force: bool = False


class Card(Body):
    """Hold a card to a reader. Without `connector`: the reader that the sockets share."""

    uid: Annotated[str, StringConstraints(max_length=64)] | None = None
    connector: Connector | None = None
    hold_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] | None = None
    secure: bool | None = None
    id_token: IdToken | None = None


class Fault(Body):
    """Set or clear a physical cause."""

    active: bool
    connector: Connector | None = None
    error_code: Text | None = None
    value: int | float | Text | dict[str, float] | None = None
    """How bad it is, in the unit of the cause, for example 8 (mA)."""
    extent: dict[str, float] | None = None
    """The same by name, for example `{"dc_ma": 8}`."""


class Link(Body):
    """Cut or mend a connection."""

    up: bool
    mode: Literal["reset", "blackhole", "refuse"] | None = None


class Input(Body):
    """A digital input."""

    active: bool


class Temperature(Body):
    """Temperature of the boards, or of one."""

    board_c: Annotated[float, Field(ge=-60, le=200, allow_inf_nan=False)]
    connector: Connector | None = None


class PowerAction(Body):
    """The mains switch."""

    action: Literal["cut", "restore"]


def _clean(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what is no JSON data after all: lone surrogates, NaN, infinity."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError("texts must be valid Unicode, numbers finite") from None
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_clean)]
