"""Sessions from start to end. Nothing follows from a session before it is committed.

A session begins with a committed start (only then energy may flow) and ends with a committed end
(after the contactor opened). Messages for the backend are queued in the same commit.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from borne.application.charging.metering_service import MeteringService
from borne.application.ports.hardware import MeterSilent
from borne.application.ports.storage import SessionJournal, StorageFailed
from borne.domain.station import measurands
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.reading import MeterReading
from borne.domain.station.sampling import (
    SamplingSettings,
    start_message,
    stop_message,
    values_message,
)
from borne.domain.station.session import (
    Sample,
    SessionEnd,
    SessionFlag,
    SessionRecord,
    SessionStart,
    StopReason,
)
from borne.domain.station.transaction_messages import MeterValuesMessage
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from borne.foundation.waiting import Flag

CURVE_INTERVAL_S = 60.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Live:
    """A running session."""

    start: SessionStart
    stepped_by: timedelta
    """How far the clock had been set when this boot resumed the session: later changes of the clock
    do not move its times."""
    not_before: datetime | None = None
    """No date of the session may be earlier: the latest date that was stored before this boot."""
    shift: timedelta | None = None
    """How far its dates are ahead of the clock for that reason; None until the date is known."""
    max_power_w: float = 0.0
    resumed: bool = False
    """Its older samples are only in the stored curve."""
    samples: list[Sample] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    reconsider: Flag = field(default_factory=Flag)
    """Set when the settings of sampling may have changed."""


class TransactionJournal:
    """Begins, samples and ends the sessions of all connectors."""

    def __init__(
        self,
        journal: SessionJournal,
        metering: MeteringService,
        clock: Clock,
        sampling: Callable[[], SamplingSettings],
        supervisor: Supervisor,
        offered_a: Callable[[int], float],
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.changed: Signal[int] = Signal()
        self.storage_failed: Signal[bool] = Signal()
        """True when something of a running session could not be stored."""
        self._journal = journal
        self._metering = metering
        self._clock = clock
        self._sampling = sampling
        self._supervisor = supervisor
        self._offered_a = offered_a
        self._new_id = new_id
        self._live: dict[int, _Live] = {}
        self._records: dict[int, SessionRecord] = {}
        metering.changed.subscribe(self._on_reading)

    def reconsider(self) -> None:
        """Call when settings changed: another interval may hold."""
        for live in self._live.values():
            live.reconsider.set()

    def record(self, connector: int) -> SessionRecord | None:
        """The running session of a connector, with its energy so far."""
        record, live = self._records.get(connector), self._live.get(connector)
        if record is None or live is None:
            return record
        return replace(
            record,
            last_wh=self._line_wh(record),
            max_power_w=max(record.max_power_w, live.max_power_w),
            doubts=self._doubts(record),
        )

    def connector_of(self, session_id: str) -> int | None:
        """The connector where a session runs; None if it has ended."""
        records = self._records.items()
        return next((c for c, record in records if record.session_id == session_id), None)

    def by_transaction(self, transaction_id: int) -> SessionRecord | None:
        """The running session with this transaction id."""
        running = (self.record(connector) for connector in self._records)
        return next((r for r in running if r and r.transaction_id == transaction_id), None)

    async def begin(self, connector: int, authorization: Authorization) -> str:
        """Commit a start and return the id of the session. Raises StorageFull, and MeterSilent if a
        billing meter never answered."""
        flags = set[SessionFlag]()
        if not self._metering.has_meter(connector):
            flags.add(SessionFlag.NOT_BILLABLE)
        reading = await self._metering.read(connector)
        if reading is None and self._metering.has_meter(connector):
            flags.add(SessionFlag.METER_SILENT_AT_START)
        session_id = self._new_id()
        account = self._metering.begin(connector, session_id)
        if account is None and SessionFlag.METER_SILENT_AT_START in flags:
            raise MeterSilent(f"the meter of connector {connector} never answered")
        moment = self._clock.moment()
        if moment.wall is None:
            flags.add(SessionFlag.UNDATED)
        start = SessionStart(
            session_id=session_id,
            connector=connector,
            identity=authorization.identity,
            at=moment,
            meter_start_wh=account.line_wh if account else 0,
            reported=authorization.reported and self._sampling().backend,
            reservation_id=authorization.reservation_id,
            flags=frozenset(flags),
            meter_serial=account.serial_number if account else "",
        )
        try:
            await self._journal.open(start, start_message(start))
        except BaseException:
            self._metering.end(connector)
            raise
        self._follow(SessionRecord(start, None, None, start.meter_start_wh))
        return start.session_id

    def resume(self, record: SessionRecord) -> None:
        """Continue a session that was open at a power cut."""
        self._follow(record, resumed=True)

    async def finish(self, connector: int, session_id: str, stop: Stop) -> None:
        """Commit an end. Raises StorageFull."""
        record = await self._journal.get(session_id)
        if record is None:
            raise LookupError(f"session {session_id} is not in the journal")
        live = self._live.get(connector)
        if live is not None and live.task is not None:
            live.task.cancel()
        flags = set[SessionFlag]()
        reading = await self._metering.read(connector)
        if reading is None and self._metering.has_meter(connector):
            flags.add(SessionFlag.METER_SILENT_AT_STOP)
        await self._commit_end(record, live, stop, flags)
        self._live.pop(connector, None)
        self._records.pop(connector, None)
        self._metering.end(connector)
        self._metering.watch(connector, active=False)
        self.changed.emit(connector)

    async def close_after_power_loss(self, record: SessionRecord) -> None:
        """End a session that is not to be resumed, at the register if the meter kept counting and
        is believed, else at the last stored value."""
        connector = record.start.connector
        reading = await self._metering.read(connector)
        account = self._metering.account(connector)
        counted = account is not None and account.session_id == record.session_id
        flags = set[SessionFlag]()
        if reading is None or not counted or (account and account.doubts):
            flags.add(SessionFlag.ESTIMATED_STOP)
        await self._commit_end(record, None, Stop(StopReason.POWER_LOSS), flags)
        if counted:
            self._metering.end(connector)

    def learn_transaction(self, session_id: str, transaction_id: int) -> None:
        """Note the transaction id that the backend assigned to a session."""
        for connector, record in self._records.items():
            if record.session_id == session_id:
                self._records[connector] = replace(record, transaction_id=transaction_id)
                self.changed.emit(connector)

    def _follow(self, record: SessionRecord, *, resumed: bool = False) -> None:
        connector = record.start.connector
        live = self._live_session(record, resumed=resumed)
        self._live[connector], self._records[connector] = live, record
        self._metering.watch(connector, active=True)
        live.task = self._supervisor.start("sampling", self._sample_regularly(connector, live))
        self.changed.emit(connector)

    def _live_session(self, record: SessionRecord, *, resumed: bool = True) -> _Live:
        not_before = _latest(record) if resumed else None
        return _Live(record.start, self._clock.stepped_by, not_before, resumed=resumed)

    def _line_wh(self, record: SessionRecord) -> int:
        """The line of the account of a session, as last believed, whether the meter answers now or
        not."""
        account = self._metering.account(record.start.connector)
        counted = account is not None and account.session_id == record.session_id
        believed_wh = account.line_wh if account is not None and counted else 0
        return max(believed_wh, record.last_wh, record.start.meter_start_wh)

    def _doubts(self, record: SessionRecord) -> frozenset[SessionFlag]:
        account = self._metering.account(record.start.connector)
        if account is None or account.session_id != record.session_id or not account.doubts:
            return frozenset()
        return frozenset({SessionFlag.METER_FAULT})

    def _moment(self, live: _Live, moment: Moment | None = None) -> Moment:
        """A moment within a session; its dates grow with time, however the clock is set."""
        moment = moment or self._clock.moment()
        if moment.wall is None:
            return moment
        wall = moment.wall - (self._clock.stepped_by - live.stepped_by)
        if live.shift is None:
            live.shift = max(timedelta(), (live.not_before or wall) - wall)
        return replace(moment, wall=wall + live.shift)

    async def _commit_end(
        self, record: SessionRecord, live: _Live | None, stop: Stop, flags: set[SessionFlag]
    ) -> None:
        """`live` is None if the session did not run in this boot."""
        live = live or self._live_session(record)
        moment = self._moment(live)
        if moment.wall is None or live.shift:
            flags.add(SessionFlag.UNDATED)
        end = SessionEnd(
            moment,
            self._line_wh(record),
            stop.reason,
            stop.id_token,
            frozenset(flags | self._doubts(record)),
            live.max_power_w,
        )
        samples = None if live.resumed else live.samples
        sampling = self._sampling()
        if samples is None and sampling.at_ends:
            samples = await self._journal.curve(record.session_id)
        message = stop_message(record.start, end, samples or [], sampling)
        await self._journal.close(record.session_id, end, message)

    async def _sample_regularly(self, connector: int, live: _Live) -> None:
        loop = asyncio.get_running_loop()
        last_s = loop.time()
        while True:
            live.reconsider.clear()
            reported_s = self._sampling().interval_s if live.start.reported else 0.0
            due_s = last_s + (reported_s or CURVE_INTERVAL_S)
            if due_s < loop.time():
                last_s = loop.time()
            elif not await live.reconsider.wait(due_s - loop.time()):
                last_s = due_s
                await self.record_sample(connector, live, report=reported_s > 0)

    def _on_reading(self, connector: int) -> None:
        live, reading = self._live.get(connector), self._metering.readings.get(connector)
        if live is not None and reading is not None:
            live.max_power_w = max(live.max_power_w, reading.power_w)

    async def record_sample(self, connector: int, live: _Live, *, report: bool) -> None:
        """Store a point of the curve, and queue it for the backend if `report`."""
        reading = await self._metering.read(connector)
        if reading is None:
            return
        sample = self._sample(connector, reading)
        if report and self._sampling().stop_sampled:
            live.samples.append(sample)
        message = None
        if report:
            session_id = live.start.session_id
            message = values_message(connector, session_id, sample, self._sampling().sampled)
        try:
            await self._journal.sample(live.start.session_id, sample, message)
        except StorageFailed:
            _log.warning("connector %d: a sample could not be stored and is dropped", connector)
            self.storage_failed.emit(True)
        self.changed.emit(connector)

    async def record_aligned(self, connector: int, at: Moment) -> None:
        """Queue the values of a clock-aligned mark and keep them for the stop message; also outside
        sessions (OCPP 1.6 section 3.16)."""
        live, sampling = self._live.get(connector), self._sampling()
        if live is not None and not live.start.reported:
            return
        reading = await self._metering.read(connector)
        if reading is None:
            return
        at = self._moment(live, at) if live is not None else at
        sample = replace(self._sample(connector, reading), at=at, context=measurands.CLOCK)
        session_id = live.start.session_id if live is not None else None
        message = values_message(connector, session_id, sample, sampling.aligned)
        try:
            if live is None:
                if message is not None:
                    await self._journal.queue(message)
                return
            if sampling.stop_aligned:
                live.samples.append(sample)
            await self._journal.sample(live.start.session_id, sample, message)
        except StorageFailed:
            _log.warning("connector %d: aligned values could not be stored", connector)
            self.storage_failed.emit(True)

    async def triggered(self, connector: int) -> tuple[MeterValuesMessage, int | None] | None:
        """The values for a TriggerMessage, and the id of the running transaction; None if the meter
        is silent, or if the date is unknown, as the message needs one."""
        reading = await self._metering.read(connector)
        if reading is None or self._clock.trust is ClockTrust.NONE:
            return None
        sample = replace(self._sample(connector, reading), context=measurands.TRIGGER)
        message = values_message(connector, None, sample, self._sampling().sampled)
        record = self._records.get(connector)
        return (message, record.transaction_id if record else None) if message else None

    def _sample(self, connector: int, reading: MeterReading) -> Sample:
        live = self._live.get(connector)
        return Sample(
            at=self._moment(live) if live is not None else self._clock.moment(),
            register_wh=reading.register_wh,
            current_a=reading.current_a,
            voltage_v=reading.voltage_v,
            power_w=reading.power_w,
            offered_a=self._offered_a(connector),
        )


def _latest(record: SessionRecord) -> datetime | None:
    """The latest date that is stored of a session."""
    moments = (record.start.at, record.last_at)
    return max((at.wall for at in moments if at is not None and at.wall), default=None)
