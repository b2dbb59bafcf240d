"""Sessions as CSV, streamed, so that memory does not grow with their number."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence

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
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe(value: object) -> str:
    """A cell value that spreadsheets do not interpret as a formula."""
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


async def sessions_csv(
    batches: AsyncIterator[Sequence[SessionRecord]], separator: str
) -> AsyncIterator[str]:
    """Header and rows, in chunks of some ten kilobytes, each formatted in a worker thread."""
    yield _text([COLUMNS], separator)
    async for records in batches:
        yield await asyncio.to_thread(_rows, records, separator)


def _rows(records: Sequence[SessionRecord], separator: str) -> str:
    return _text(map(_row, records), separator)


def _text(rows: Iterable[Sequence[str]], separator: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue()
