"""Base model, field types and wire form of all OCPP 1.6 messages.

Sources: OCPP 1.6 edition 2 section 7 (types), errata 3.10 (dates), OCPP-J 1.6 section 4 and its
errata (JSON forms). Wire data is validated strictly (a number is not a string), except that `null`
for an optional field counts as absent, because several central systems send it. Dates are parsed in
every unambiguous form.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from borne.foundation.clock import format_utc

INT64_MAX = 2**63 - 1
DECIMAL_TOLERANCE = 1e-9
"""Tolerance for binary floats when checking "one digit fraction"."""


class Message(BaseModel):
    """Base of all requests, responses and structures. Immutable; unknown fields are rejected.

    Python code creates messages by field name; `from_wire` parses wire data.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
    )

    @classmethod
    def from_wire(cls, payload: Any, *, tolerant: bool = False) -> Self:
        """Parse decoded JSON with camelCase keys; raises pydantic.ValidationError.

        `tolerant` ignores unknown fields, for answers.
        """
        extra: Literal["ignore", "forbid"] = "ignore" if tolerant else "forbid"
        return cls.model_validate(payload, by_alias=True, by_name=False, extra=extra)

    def to_wire(self) -> dict[str, Any]:
        """JSON data with camelCase keys, without absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def to_wire_json(self) -> str:
        """JSON text of `to_wire`, keys in order of the specification."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    def to_plain(self) -> dict[str, Any]:
        """JSON data with snake_case keys: the transport-neutral form that is stored."""
        return self.model_dump(mode="json", exclude_none=True)


class Request(Message):
    """Payload of a CALL. The model of its answer is `registry.response_model`."""


class Response(Message):
    """Payload of a CALLRESULT."""


_DATE: Final = re.compile(
    r"\s*(\d{4}-?\d\d-?\d\d)(?:T|\s+|\s*T\s*)(\d\d(?::?\d\d(?::?\d\d)?)?)(?:[.,](\d+))?"
    r"\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?\s*",
    re.ASCII | re.IGNORECASE,
)
_UTC_NAMES: Final = {"": "", "UTC": "Z", "GMT": "Z"}
LONGEST_DATE: Final = 64


def _text_date(value: Any) -> Any:
    """Wire dates are ISO 8601 texts, not epoch seconds or dates without time. Accepted variants: a
    space instead of the T, any number of fractional digits, offsets without colon, no offset, any
    letter case."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be an ISO 8601 date-time text")
    try:
        return _date(value)
    except ValueError:
        raise PydanticCustomError(
            "datetime_parsing", "Input should be an ISO 8601 date-time"
        ) from None


def _date(text: str) -> datetime:
    match = _DATE.fullmatch(text) if len(text) <= LONGEST_DATE else None
    if match is None:
        raise ValueError("not a date-time")
    day, time, fraction, offset = match.groups(default="")
    offset = offset.upper()
    offset = _UTC_NAMES.get(offset, offset)
    if fraction:
        fraction = f".{fraction[:6]}"
    try:
        return datetime.fromisoformat(f"{day}T{time}{fraction}{offset}")
    except ValueError:
        return _leap_second(day, time, offset)


def _leap_second(day: str, time: str, offset: str) -> datetime:
    """23:59:60 is the second after 23:59:59."""
    if not time.endswith("60") or len(time) < len("235960"):
        raise ValueError("not a date-time")
    return datetime.fromisoformat(f"{day}T{time[:-2]}59{offset}") + timedelta(seconds=1)


def _to_utc(value: datetime) -> datetime:
    """A date without offset counts as UTC (errata 3.10 permits only UTC)."""
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_parsing", "Input is beyond the calendar") from None


def _one_decimal(value: float) -> float:
    rounded = round(value, 1)
    if abs(rounded - value) > DECIMAL_TOLERANCE * max(1.0, abs(value)):
        raise PydanticCustomError("multiple_of", "Input should be a multiple of 0.1")
    return rounded


DateTime = Annotated[
    datetime,
    BeforeValidator(_text_date),
    AfterValidator(_to_utc),
    PlainSerializer(format_utc, return_type=str, when_used="json"),
]
"""UTC internally; sent as `...Z` with at most milliseconds."""

Integer = Annotated[StrictInt, Field(ge=-INT64_MAX - 1, le=INT64_MAX)]
"""An integer that fits into a database column."""

NonNegative = Annotated[StrictInt, Field(ge=0, le=INT64_MAX)]
ConnectorId = NonNegative
"""0 is the charge point as a whole (section 3.2)."""

Boolean = StrictBool

Decimal1 = Annotated[StrictFloat, Field(allow_inf_nan=False), AfterValidator(_one_decimal)]
"""A number with at most one digit of fraction (OCPP 1.6 section 7.13)."""

Text = Annotated[str, StringConstraints(strict=True)]
CiString20 = Annotated[str, StringConstraints(strict=True, max_length=20)]
CiString25 = Annotated[str, StringConstraints(strict=True, max_length=25)]
CiString50 = Annotated[str, StringConstraints(strict=True, max_length=50)]
CiString255 = Annotated[str, StringConstraints(strict=True, max_length=255)]
CiString500 = Annotated[str, StringConstraints(strict=True, max_length=500)]
IdToken = CiString20
"""Compared without case (OCPP 1.6 section 7.28)."""
