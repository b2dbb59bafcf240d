"""Conversion between sessions and database rows."""

from __future__ import annotations

from borne.adapters.storage.connection import Row
from borne.adapters.storage.moments import moment
from borne.domain.station.session import (
    SessionEnd,
    SessionFlag,
    SessionRecord,
    SessionStart,
    StopReason,
)
from borne.domain.vehicle import Identity, IdentityKind

COLUMNS = (
    "session_id, connector, identity_kind, id_token, group_id, start_boot, start_s, start_us,"
    " meter_start_wh, reported, reservation_id, start_flags, end_boot, end_s, end_us,"
    " meter_stop_wh, end_reason, end_id_token, end_flags, transaction_id, last_wh, max_power_w,"
    " meter_serial, last_boot, last_s, last_us"
)


_FLAGS = frozenset(flag.value for flag in SessionFlag)
_REASONS = frozenset(reason.value for reason in StopReason)


def flags_text(flags: frozenset[SessionFlag]) -> str:
    """Return the flags as stored in a column."""
    return " ".join(sorted(flags))


def record(row: Row) -> SessionRecord:
    """The inverse of the inserts, for a row of `COLUMNS`."""
    transaction_id, last_wh, max_power_w = row[19:22]
    last_at = None if row[23] is None else moment(*row[23:26])
    return SessionRecord(
        _start(row), _end(row[12:19]), transaction_id, last_wh, max_power_w, last_at
    )


def _start(row: Row) -> SessionStart:
    return SessionStart(
        session_id=row[0],
        connector=row[1],
        identity=Identity(IdentityKind(row[2]), row[3], row[4]),
        at=moment(row[5], row[6], row[7]),
        meter_start_wh=row[8],
        reported=bool(row[9]),
        reservation_id=row[10],
        flags=_flags(row[11]),
        meter_serial=row[22],
    )


def _end(row: Row) -> SessionEnd | None:
    boot, monotonic_s, wall_us, meter_stop_wh, reason, id_token, flags = row
    if boot is None:
        return None
    at = moment(boot, monotonic_s, wall_us)
    known = StopReason(reason) if reason in _REASONS else StopReason.OTHER
    return SessionEnd(at, meter_stop_wh, known, id_token, _flags(flags))


def _flags(text: str) -> frozenset[SessionFlag]:
    """Parse the flags; unknown ones of a newer version stay in the row and are not shown."""
    return frozenset(SessionFlag(word) for word in text.split() if word in _FLAGS)
