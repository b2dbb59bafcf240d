"""What must be true when everything has calmed down (docs: delivery rule, energy, statuses)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from borne.application.ports.storage import LostMessage
from borne.domain.station.session import SessionFlag, SessionRecord
from borne.domain.station.status import BACKEND_STATUS, connector_status
from borne.domain.station.transaction_messages import MessageKind
from borne.foundation.clock import Moment, format_utc
from tests.simulation.central_model import PROCESSED, TRANSACTIONAL, Books, ReceivedFrame
from tests.simulation.truth import Metered, Truth
from tests.support.simulated_network import BEGIN, SimulatedStation

MONEY = ("StartTransaction", "StopTransaction")
UNKNOWN = -1
"""OCPP 1.6 errata 3.18."""
TRIGGERED = '"context":"Trigger"'
"""Values that the backend asked for are sent at once, past the queue, also while it is Pending
(OCPP 1.6 section 4.2)."""
PAGE = 500
PRECISE_S = 3.0
ROUGH_S = 35.0
"""The first answer with the date may have been under way for the call timeout; then the
date is asked for again."""
SELDOM = 0.1
LATE_S = 5 * 3600.0
"""Who never learnt the date before the next power cut is dated when power came back."""

SILENT = {
    SessionFlag.METER_SILENT_AT_START,
    SessionFlag.METER_SILENT_AT_STOP,
    SessionFlag.ESTIMATED_STOP,
}


def key_of(payload: dict[str, Any]) -> tuple[Any, ...]:
    """What makes a StartTransaction distinct."""
    return tuple(payload[name] for name in ("connectorId", "idTag", "timestamp", "meterStart"))


async def journal_of(truth: Truth) -> list[SessionRecord]:
    """All sessions of the station's own journal, oldest first."""
    assert truth.storage is not None
    records: list[SessionRecord] = []
    while True:
        page, total = await truth.storage.journal.page(offset=len(records), limit=PAGE)
        records += page
        if len(records) >= total or not page:
            return records[::-1]


def wrong_with_frames(book: Books, truth: Truth) -> Iterator[str]:
    """Repeats are byte-identical; the queue's order holds; nothing was sent before acceptance."""
    for received in book.early:
        if TRIGGERED in received.text:
            continue
        yield f"{received.at} {received.action} before acceptance: {received.text}"
    first: dict[str, ReceivedFrame] = {}
    last = 0
    for received in book.frames:
        if received.action not in TRANSACTIONAL or TRIGGERED in received.text:
            continue
        before = first.setdefault(received.message_id, received)
        if before.text != received.text:
            yield f"a repeat differs: {before.text} then {received.text}"
        place = truth.order.get(received.message_id)
        if place is None:
            yield f"never queued: {received.text}"
        elif place < last:
            yield f"out of order: {received.text}"
        else:
            last = place


def wrong_with_money(
    book: Books, journal: Sequence[SessionRecord], lost: Sequence[LostMessage] = ()
) -> Iterator[str]:
    """Exactly one Start and one Stop for each session of the journal; of what was given up the
    backend may know, and what follows a Start that was given up says so."""
    processed = [received for received in book.frames if received.mode in PROCESSED]
    starts = {key_of(h.payload) for h in processed if h.action == "StartTransaction"}
    stops = {_stop_of(h.payload) for h in processed if h.action == "StopTransaction"}
    given_up = {(one.message.message.session_id, one.message.message.kind) for one in lost}
    for record in journal:
        if not record.start.reported:
            continue
        start, end = record.start, record.end
        if start.at.wall is None or end is None or end.at.wall is None:
            yield f"not ended or not dated: {record}"
            continue
        tag, wall = start.identity.id_token, format_utc(start.at.wall)
        key = (start.connector, tag, wall, start.meter_start_wh)
        start_lost = (record.session_id, MessageKind.START) in given_up
        if key not in starts and not start_lost:
            yield f"no StartTransaction for {record}"
        number = UNKNOWN if start_lost else book.known.get(key)
        stop = (number, format_utc(end.at.wall), end.meter_stop_wh)
        if stop not in stops and (record.session_id, MessageKind.STOP) not in given_up:
            yield f"no StopTransaction for {record}"
        starts.discard(key)
        stops.discard(stop)
    yield from (f"a StartTransaction without session: {key}" for key in starts)
    yield from (f"a StopTransaction without session: {stop}" for stop in stops)


def _stop_of(payload: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(payload[name] for name in ("transactionId", "timestamp", "meterStop"))


def wrong_with_numbers(book: Books, lost: Sequence[LostMessage] = ()) -> Iterator[str]:
    """No message without a transaction id, except after a Start that was given up."""
    allowed = {UNKNOWN} if lost else set()
    for received in book.frames:
        number = received.payload.get("transactionId", 1)
        if number in {0, UNKNOWN, None} - allowed:
            yield f"no transaction id: {received.text}"


def wrong_with_times(book: Books, until: datetime) -> Iterator[str]:
    """Dates are true, and go forward within a transaction."""
    last: dict[int, datetime] = {}
    repeated: set[str] = set()
    for received in book.frames:
        payload = received.payload
        stamps = _stamps(payload)
        for stamp in stamps:
            if not BEGIN <= datetime.fromisoformat(stamp) <= until:
                yield f"{received.at} a wrong date: {received.text}"
        if received.action not in TRANSACTIONAL or received.mode not in PROCESSED:
            continue
        if TRIGGERED in received.text:
            continue
        if stamps != sorted(stamps, key=datetime.fromisoformat):
            yield f"not in order: {received.text}"
        number = payload.get("transactionId", 0)
        if received.action == "StartTransaction":
            number = book.known[key_of(payload)]
        reported = datetime.fromisoformat(stamps[-1])
        first = received.action == "StartTransaction" or received.message_id in repeated
        if number and reported < last.get(number, reported) and not first:
            yield f"{received.at} backwards: {received.text}"
        last[number] = max(reported, last.get(number, reported))
        repeated.add(received.message_id)


def wrong_with_dates(journal: Sequence[SessionRecord], truth: Truth) -> Iterator[str]:
    """Sessions begin and end when they did; without a date it is worked out later."""
    errors_s: list[float] = []
    for record in journal:
        for reported, true, flags in _moments(record, truth.metered[record.session_id]):
            if reported.wall is None:
                yield f"not dated: {record}"
                continue
            error_s = (reported.wall - true).total_seconds()
            undated = SessionFlag.UNDATED in flags
            if not -ROUGH_S <= error_s <= (LATE_S if undated else ROUGH_S):
                yield f"dated {reported.wall}, it was {true}: {record}"
            if not undated:
                errors_s.append(abs(error_s))
    rough = sum(error_s > PRECISE_S for error_s in errors_s)
    if rough > len(errors_s) * SELDOM:
        yield f"{rough} of {len(errors_s)} dates are more than {PRECISE_S} s wrong"


def _moments(
    record: SessionRecord, metered: Metered
) -> Iterator[tuple[Moment, datetime, frozenset[SessionFlag]]]:
    yield record.start.at, metered.began, record.start.flags
    if record.end is not None and metered.ended is not None:
        yield record.end.at, metered.ended, record.end.flags


def _stamps(payload: dict[str, Any]) -> list[str]:
    values = [*payload.get("meterValue", ()), *payload.get("transactionData", ())]
    own = [payload["timestamp"]] if "timestamp" in payload else []
    return [value["timestamp"] for value in values] + own


def wrong_with_energy(
    journal: Sequence[SessionRecord], truth: Truth, simulated: SimulatedStation
) -> Iterator[str]:
    """What is billed is what flowed."""
    billed: Counter[int] = Counter()
    for record in journal:
        if record.end is None:
            continue
        session_wh = record.end.meter_stop_wh - record.start.meter_start_wh
        billed[record.start.connector] += session_wh
        flowed_wh = truth.billed_wh(record.session_id)
        if record.flags & SILENT:
            # The last reading stands for a silent meter: never more than was counted in all.
            if session_wh < 0:
                yield f"{session_wh} Wh billed: {record}"
        elif abs(session_wh - flowed_wh) > 1:
            yield f"{session_wh} Wh billed, {flowed_wh:.1f} Wh flowed: {record}"
    for connector, socket in simulated.world.sockets.items():
        grown_wh = socket.register.energy_ws(simulated.loop.time()) / 3600
        if billed[connector] > grown_wh + 1:
            yield f"connector {connector}: {billed[connector]} Wh billed of {grown_wh} Wh"


def wrong_with_statuses(book: Books, simulated: SimulatedStation) -> Iterator[str]:
    """The backend knows every connector as it is."""
    station = simulated.station
    assert station is not None
    truth = {
        number: BACKEND_STATUS[connector_status(r.state)]
        for number, r in station.connectors.items()
    }
    for connector, status in {0: "Available", **truth}.items():
        reported = book.statuses.get(connector, {}).get("status")
        fine = {status, "Preparing", "Charging"} if status == "SuspendedEV" else {status}
        if reported not in fine:
            yield f"connector {connector} is {status}, reported was {reported}"
