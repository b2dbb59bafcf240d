"""Sessions as CSV, streamed: it holds for a thousand sessions as for a million."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from borne.domain.station.session import SessionRecord

COLUMNS = (
    "id",
    "connector",
    "started_at",
    "ended_at",
    "energy_wh",
    "meter_start_wh",
    "meter_stop_wh",
    "max_power_w",
    "identity_kind",
    "identity",
    "stop_reason",
    "transaction_id",
    "flags",
)
CHUNK_BYTES = 8192
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _row(record: SessionRecord) -> list[str]:
    start, end = record.start, record.end
    values = (
        record.session_id,
        start.connector,
        start.at.to_text(),
        end.at.to_text() if end else None,
        record.energy_wh,
        start.meter_start_wh,
        end.meter_stop_wh if end else None,
        round(record.max_power_w),
        start.identity.kind.value,
        start.identity.masked,
        end.reason.value if end else None,
        record.transaction_id,
        " ".join(sorted(flag.value for flag in record.flags)),
    )
    return [safe(value) for value in values]


async def sessions_csv(records: AsyncIterator[SessionRecord], separator: str) -> AsyncIterator[str]:
    """Header and rows, in pieces of some kilobytes."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    async for record in records:
        writer.writerow(_row(record))
        if buffer.tell() > CHUNK_BYTES:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
