"""Stored form of charging profiles: names of OCPP and of this file, independent of Python names.

Form 1 is `{"form": 1, "connector", "received_at", "session_id", "profile": {...}}`. Version 0.1.0
stored the fields of its classes with their names; that is still readable.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from borne.application.state.kept_state import mapping, sequence, text, whole
from borne.domain.smart_charging.profiles import (
    Installed,
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from borne.foundation.clock import parse_utc
from borne.foundation.json_value import JsonObject, JsonValue

FORM = 1
MIN_A = 6.0
"""Assumed limit of an unreadable profile: the lowest current that charges."""
E = TypeVar("E", bound=StrEnum)


def to_stored(entry: Installed) -> JsonObject:
    """Return JSON data of the newest form."""
    profile, schedule = entry.profile, entry.profile.schedule
    return {
        "form": FORM,
        "connector": entry.connector,
        "received_at": _date_text(entry.received_at),
        "session_id": entry.session_id,
        "profile": {
            "id": profile.profile_id,
            "stack_level": profile.stack_level,
            "purpose": profile.purpose.value,
            "kind": profile.kind.value,
            "recurrency": profile.recurrency.value if profile.recurrency else None,
            "valid_from": _date_text(profile.valid_from),
            "valid_to": _date_text(profile.valid_to),
            "transaction_id": profile.transaction_id,
            "schedule": {
                "unit": schedule.unit.value,
                "duration_s": schedule.duration_s,
                "start": _date_text(schedule.start),
                "periods": [[each.start_s, each.limit, each.phases] for each in schedule.periods],
            },
        },
    }


def from_stored(data: JsonValue) -> Installed:
    """Parse every form that was ever written. Raises ValueError, LookupError or TypeError."""
    stored = mapping(data)
    if stored.get("@") == "Installed":
        stored = _from_0_1_0(stored)
    if whole(stored["form"]) != FORM:
        raise ValueError(f"form {stored['form']} is of another version")
    profile = mapping(stored["profile"])
    return Installed(
        connector=whole(stored["connector"]),
        profile=_profile(profile),
        received_at=parse_utc(text(stored["received_at"])),
        session_id=None if stored["session_id"] is None else text(stored["session_id"]),
    )


def stand_in(data: JsonValue, stack_level: int, now: datetime) -> Installed:
    """Return a substitute for an unreadable entry: the lowest current that charges, until the
    backend or a person replaces or clears it, so that no limit is lifted. Readable connector,
    purpose, level and number are kept."""
    stored = data if isinstance(data, dict) else {}
    inner = stored.get("profile")
    profile: JsonObject = inner if isinstance(inner, dict) else {}
    connector, number, level = 0, 0, stack_level
    with suppress(TypeError):
        connector = max(0, whole(stored.get("connector")))
    with suppress(TypeError):
        number = whole(profile.get("id", profile.get("profile_id")))
    with suppress(TypeError):
        level = max(0, min(stack_level, whole(profile.get("stack_level"))))
    session = stored.get("session_id")
    own = connector > 0 and isinstance(session, str)
    of_all = Purpose.DEFAULT if connector > 0 else Purpose.STATION
    purpose = Purpose.TRANSACTION if own else of_all
    schedule = Schedule(RateUnit.AMPERE, (Period(0, MIN_A),))
    return Installed(
        connector,
        Profile(number, level, purpose, ProfileKind.ABSOLUTE, schedule),
        now,
        session if own else None,
    )


def _profile(stored: JsonObject) -> Profile:
    schedule = mapping(stored["schedule"])
    return Profile(
        profile_id=whole(stored["id"]),
        stack_level=whole(stored["stack_level"]),
        purpose=Purpose(text(stored["purpose"])),
        kind=ProfileKind(text(stored["kind"])),
        schedule=Schedule(
            unit=RateUnit(text(schedule["unit"])),
            periods=_periods(schedule["periods"]),
            duration_s=_maybe_whole(schedule["duration_s"]),
            start=_maybe_date(schedule["start"]),
        ),
        recurrency=_maybe_recurrency(stored["recurrency"]),
        valid_from=_maybe_date(stored["valid_from"]),
        valid_to=_maybe_date(stored["valid_to"]),
        transaction_id=_maybe_whole(stored["transaction_id"]),
    )


def _periods(stored: JsonValue) -> tuple[Period, ...]:
    if not stored:
        raise ValueError("a schedule without periods")
    return tuple(
        Period(whole(start_s), _limit(limit), _maybe_whole(phases))
        for start_s, limit, phases in map(sequence, sequence(stored))
    )


def _limit(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a limit")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{value!r} is not a limit")
    return value


def _maybe_recurrency(value: JsonValue) -> Recurrency | None:
    return None if value is None else Recurrency(text(value))


def _maybe_whole(value: JsonValue) -> int | None:
    return None if value is None else whole(value)


def _maybe_date(value: JsonValue) -> datetime | None:
    return None if value is None else parse_utc(text(value))


def _date_text(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def _from_0_1_0(stored: JsonObject) -> JsonObject:
    """Convert what version 0.1.0 wrote to the newest form."""
    profile = mapping(stored["profile"])
    schedule = mapping(profile["schedule"])
    return {
        "form": FORM,
        "connector": stored["connector"],
        "received_at": _old_date(stored["received_at"]),
        "session_id": stored["session_id"],
        "profile": {
            "id": profile["profile_id"],
            "stack_level": profile["stack_level"],
            "purpose": _old_choice(profile["purpose"], Purpose),
            "kind": _old_choice(profile["kind"], ProfileKind),
            "recurrency": _old_choice(profile["recurrency"], Recurrency),
            "valid_from": _old_date(profile["valid_from"]),
            "valid_to": _old_date(profile["valid_to"]),
            "transaction_id": profile["transaction_id"],
            "schedule": {
                "unit": _old_choice(schedule["unit"], RateUnit),
                "duration_s": schedule["duration_s"],
                "start": _old_date(schedule["start"]),
                "periods": [
                    [each["start_s"], each["limit"], each["phases"]]
                    for each in map(mapping, sequence(schedule["periods"]))
                ],
            },
        },
    }


_OLD_NAMES = {
    "Purpose": {"STATION": "ChargePointMaxProfile", "DEFAULT": "TxDefaultProfile"}
    | {"TRANSACTION": "TxProfile"},
    "Kind": {"ABSOLUTE": "Absolute", "RECURRING": "Recurring", "RELATIVE": "Relative"},
    "Recurrency": {"DAILY": "Daily", "WEEKLY": "Weekly"},
    "RateUnit": {"AMPERE": "A", "WATT": "W"},
}
"""Names of 0.1.0, as literals: renaming code must not change them."""


def _old_choice(stored: JsonValue, kind: type[E]) -> str | None:
    if stored is None:
        return None
    name, _, member = text(mapping(stored)["!"]).partition(".")
    return kind(_OLD_NAMES[name][member]).value


def _old_date(stored: JsonValue) -> str | None:
    if stored is None:
        return None
    when = datetime.fromisoformat(text(mapping(stored)["iso"]))
    return _date_text(when if when.tzinfo else when.replace(tzinfo=UTC))
