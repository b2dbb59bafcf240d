"""Sessions through the journal's public methods: what is billed, what is refused, and what is
stored before it is reported.

The meter of these tests counts what its power carries; the store commits, fails, or keeps one
waiting as a test says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from borne.application.charging.metering_service import MeteringService
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.ports.hardware import EvseHardware, MeterSilent
from borne.application.ports.storage import SessionJournal, StorageFailed, StorageFull
from borne.domain.station import measurands
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.reading import MeterReading
from borne.domain.station.sampling import SamplingSettings
from borne.domain.station.session import (
    Sample,
    SessionEnd,
    SessionFlag,
    SessionRecord,
    SessionStart,
    StopReason,
)
from borne.domain.station.transaction_messages import (
    MessageKind,
    StartMessage,
    StopMessage,
    TransactionMessage,
)
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import EPOCH, Clock, ClockTrust, Moment
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import PerPhase
from tests.support.fake_stores import MemoryMeters
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import CARD, FakeBoard

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FREE = Authorization(Identity(IdentityKind.FREE, ""), reported=False)
LOCAL = Stop(StopReason.LOCAL, "A1")
REGISTER = measurands.REGISTER
POWER_W = 11_040.0
HOUR_S = 3600.0
POLL_S = 5.0


class Meter:
    """A billing meter that counts what its power carries; `silent` while it does not answer."""

    model, serial_number, billing, polls_itself = "test", "M1", True, False

    def __init__(self, register_wh: float = 5000.0) -> None:
        self.silent = False
        self._power_w = 0.0
        self._base_wh = register_wh
        self._base_s = asyncio.get_running_loop().time()
        self._news: Signal[MeterReading | MeterSilent] = Signal()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        return self._news.subscribe(listener)

    @property
    def register_wh(self) -> int:
        elapsed_s = asyncio.get_running_loop().time() - self._base_s
        return int(self._base_wh + self._power_w * elapsed_s / HOUR_S)

    def flow(self, power_w: float) -> None:
        """Set the power of the meter."""
        self._set(self.register_wh, power_w)

    def jump(self, by_wh: int) -> None:
        """Set the register."""
        self._set(self.register_wh + by_wh, self._power_w)

    def _set(self, register_wh: int, power_w: float) -> None:
        self._base_wh, self._power_w = register_wh, power_w
        self._base_s = asyncio.get_running_loop().time()

    async def read(self) -> MeterReading:
        if self.silent:
            raise MeterSilent("silent")
        now_s = asyncio.get_running_loop().time()
        amps = PerPhase.same(self._power_w / 690)
        return MeterReading(self.register_wh, amps, PerPhase.same(230.0), self._power_w, now_s)


class Store:
    """A SessionJournal in memory: `error` is raised while it is set, `gate` lets commits pass."""

    def __init__(self) -> None:
        self.records: dict[str, SessionRecord] = {}
        self.ends: list[SessionEnd] = []
        self.samples: list[Sample] = []
        self.messages: list[TransactionMessage] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def _commit(self, message: TransactionMessage | None) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if message is not None:
            self.messages.append(message)

    async def open(self, start: SessionStart, message: TransactionMessage | None) -> None:
        await self._commit(message)
        self.records[start.session_id] = SessionRecord(start, None, None, start.meter_start_wh)

    async def close(
        self, session_id: str, end: SessionEnd, message: TransactionMessage | None
    ) -> None:
        await self._commit(message)
        self.ends.append(end)
        self.records[session_id] = replace(self.records[session_id], end=end)

    async def sample(
        self, session_id: str, sample: Sample, message: TransactionMessage | None
    ) -> None:
        await self._commit(message)
        self.samples.append(sample)
        old = self.records[session_id]
        last_wh = max(old.last_wh, sample.register_wh)
        self.records[session_id] = replace(old, last_wh=last_wh, last_at=sample.at)

    async def queue(self, message: TransactionMessage) -> None:
        await self._commit(message)

    async def get(self, session_id: str) -> SessionRecord | None:
        return self.records.get(session_id)

    async def curve(self, session_id: str) -> list[Sample]:
        return list(self.samples)


class Bench:
    """The journal of connectors 1 (with a meter) and 2 (without), on its doubles."""

    def __init__(self, *, trust: ClockTrust = ClockTrust.NTP, **sampling: Any) -> None:
        loop = asyncio.get_running_loop()
        self.meter = Meter()
        self.store = Store()
        self.sampling = SamplingSettings(**sampling)
        wall = EPOCH if trust is ClockTrust.NONE else NOON
        self.clock = Clock(loop.time, wall, trust, boot_id="boot")
        self.supervisor = Supervisor("test")
        evses = {
            1: EvseHardware(1, FakeBoard(), self.meter),
            2: EvseHardware(2, FakeBoard(), None),
        }
        self.metering = MeteringService(evses, self.clock, MemoryMeters(), self.supervisor, POLL_S)
        ids = (f"s{number}" for number in range(1, 99))
        self.journal = TransactionJournal(
            cast(SessionJournal, self.store),
            self.metering,
            self.clock,
            lambda: self.sampling,
            self.supervisor,
            lambda _: 16.0,
            lambda: next(ids),
        )
        self.changed_connectors: list[int] = []
        self.failures: list[bool] = []
        self.journal.changed.subscribe(self.changed_connectors.append)
        self.journal.storage_failed.subscribe(self.failures.append)

    async def start(self, running: Sequence[SessionRecord] = ()) -> Bench:
        await self.metering.start(running)
        return self

    async def charging(self, authorization: Authorization = CARD) -> Bench:
        await self.start()
        await self.journal.begin(1, authorization)
        self.meter.flow(POWER_W)
        self.changed_connectors.clear()
        self.store.messages.clear()
        return self

    @property
    def kinds(self) -> list[MessageKind]:
        return [message.kind for message in self.store.messages]


def values_of(message: TransactionMessage) -> list[tuple[str, str, str]]:
    """Context, measurand and value of what a message says of a meter."""
    assert not isinstance(message, StartMessage)
    sampled = [each for value in message.values for each in value.sampled]
    return [(each.context, each.measurand, each.value) for each in sampled]


def energy_wh(bench: Bench) -> int:
    record = bench.journal.record(1)
    assert record is not None
    return record.energy_wh


# Begin --------------------------------------------------------------------------------------------


@virtual_time
async def test_a_session_exists_once_its_start_is_committed() -> None:
    bench = await Bench().start()
    bench.store.gate.clear()
    begin = asyncio.ensure_future(bench.journal.begin(1, CARD))
    await asyncio.sleep(60)
    assert not begin.done()
    assert bench.journal.record(1) is None
    assert bench.changed_connectors == []
    bench.store.gate.set()
    assert await begin == "s1"
    assert bench.changed_connectors == [1]
    assert bench.journal.connector_of("s1") == 1
    start = bench.store.records["s1"].start
    assert (start.meter_start_wh, start.meter_serial, start.flags) == (5000, "M1", frozenset())
    assert start.at.wall == NOON, "when it was asked for"


@pytest.mark.parametrize("error", [StorageFull("full"), StorageFailed("broken")])
@virtual_time
async def test_a_start_that_is_not_committed_leaves_no_session(error: StorageFailed) -> None:
    bench = await Bench().start()
    bench.store.error = error
    with pytest.raises(type(error)):
        await bench.journal.begin(1, CARD)
    assert bench.journal.record(1) is None
    assert bench.changed_connectors == []
    account = bench.metering.account(1)
    assert account is not None
    assert account.session_id == "", "the meter counts for no session"
    bench.store.error = None
    assert await bench.journal.begin(1, CARD) == "s2"
    assert list(bench.store.records) == ["s2"]


@virtual_time
async def test_a_power_cut_while_a_start_is_committed_leaves_no_session() -> None:
    bench = await Bench().start()
    bench.store.gate.clear()
    begin = asyncio.ensure_future(bench.journal.begin(1, CARD))
    await asyncio.sleep(1)
    begin.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begin
    assert bench.journal.record(1) is None
    account = bench.metering.account(1)
    assert account is not None
    assert account.session_id == ""


@pytest.mark.parametrize(
    ("authorization", "backend", "reported"),
    [
        (CARD, True, True),
        (CARD, False, False),
        (FREE, True, False),
        (replace(CARD, reservation_id=7), True, True),
    ],
)
@virtual_time
async def test_which_sessions_are_reported_to_the_backend(
    authorization: Authorization, backend: bool, reported: bool
) -> None:
    bench = await Bench(backend=backend, interval_s=60).start()
    await bench.journal.begin(1, authorization)
    start = bench.store.records["s1"].start
    assert (start.reported, start.reservation_id) == (reported, authorization.reservation_id)
    await asyncio.sleep(90)
    await bench.journal.finish(1, "s1", LOCAL)
    values = [MessageKind.START, MessageKind.METER_VALUES, MessageKind.STOP]
    assert bench.kinds == (values if reported else [])
    assert len(bench.store.samples) == 1, "the curve is kept for people in any case"


@virtual_time
async def test_start_and_stop_messages_hold_what_was_stored() -> None:
    bench = await Bench(interval_s=0).start()
    await bench.journal.begin(1, replace(CARD, reservation_id=7))
    bench.meter.flow(POWER_W)
    await asyncio.sleep(900)
    await bench.journal.finish(1, "s1", LOCAL)
    record, (start, stop) = bench.store.records["s1"], bench.store.messages
    assert start == StartMessage("s1", 1, "A1", 5000, record.start.at, 7)
    (end,) = bench.store.ends
    assert stop == StopMessage("s1", 1, end.meter_stop_wh, end.at, StopReason.LOCAL, "A1")


@virtual_time
async def test_a_meter_that_never_answered_begins_no_session() -> None:
    bench = Bench()
    bench.meter.silent = True
    await bench.start()
    with pytest.raises(MeterSilent):
        await bench.journal.begin(1, CARD)
    assert bench.store.records == {}
    assert bench.journal.record(1) is None


@virtual_time
async def test_a_silent_meter_starts_at_its_last_reading() -> None:
    bench = await Bench().start()
    bench.meter.silent = True
    await bench.journal.begin(1, CARD)
    start = bench.store.records["s1"].start
    assert start.meter_start_wh == 5000
    assert start.flags == {SessionFlag.METER_SILENT_AT_START}


@virtual_time
async def test_without_a_meter_a_session_is_not_billable() -> None:
    bench = await Bench().start()
    await bench.journal.begin(2, CARD)
    record = bench.journal.record(2)
    assert record is not None
    assert record.flags == {SessionFlag.NOT_BILLABLE}
    assert not record.billable
    await asyncio.sleep(HOUR_S)
    await bench.journal.finish(2, "s1", LOCAL)
    assert bench.store.records["s1"].energy_wh == 0, "nothing is invented"


@virtual_time
async def test_a_session_without_a_date_is_flagged() -> None:
    bench = await Bench(trust=ClockTrust.NONE).start()
    await bench.journal.begin(1, CARD)
    await bench.journal.finish(1, "s1", LOCAL)
    record = bench.store.records["s1"]
    assert record.start.flags == {SessionFlag.UNDATED}
    assert record.start.at.wall is None
    assert bench.store.ends[0].flags == {SessionFlag.UNDATED}


# While it runs ------------------------------------------------------------------------------------


@virtual_time
async def test_the_energy_is_what_the_meter_counted_since_the_start() -> None:
    bench = await Bench().charging()
    seen = []
    for _ in range(4):
        await asyncio.sleep(900)
        seen.append(energy_wh(bench))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(11_040, abs=20)
    record = bench.journal.record(1)
    assert record is not None
    assert record.max_power_w == POWER_W


@pytest.mark.parametrize("by_wh", [-4000, 500_000])
@virtual_time
async def test_an_impossible_register_changes_no_energy(by_wh: int) -> None:
    bench = await Bench().charging()
    await asyncio.sleep(900)
    before_wh = energy_wh(bench)
    bench.meter.jump(by_wh)
    await asyncio.sleep(60)
    record = bench.journal.record(1)
    assert record is not None
    assert before_wh <= record.energy_wh <= before_wh + 200
    assert record.flags == {SessionFlag.METER_FAULT}
    await bench.journal.finish(1, "s1", LOCAL)
    ended = bench.store.records["s1"]
    assert before_wh <= ended.energy_wh <= before_wh + 200
    assert not ended.billable


@pytest.mark.parametrize(
    ("interval_s", "reported", "samples", "messages"),
    [(60, True, 10, 10), (300, True, 2, 2), (0, True, 10, 0), (300, False, 10, 0)],
)
@virtual_time
async def test_samples_come_at_their_interval(
    interval_s: float, reported: bool, samples: int, messages: int
) -> None:
    bench = await Bench(interval_s=interval_s).charging(replace(CARD, reported=reported))
    await asyncio.sleep(610)
    assert len(bench.store.samples) == samples
    assert bench.kinds == [MessageKind.METER_VALUES] * messages
    assert all(message.droppable for message in bench.store.messages)
    assert bench.changed_connectors == [1] * samples
    assert {sample.offered_a for sample in bench.store.samples} == {16.0}


@virtual_time
async def test_a_changed_interval_takes_effect_at_once() -> None:
    bench = await Bench(interval_s=600).charging()
    await asyncio.sleep(100)
    bench.sampling = SamplingSettings(interval_s=30)
    bench.journal.reconsider()
    await asyncio.sleep(95)
    assert len(bench.store.samples) == 3


@virtual_time
async def test_a_silent_meter_gives_no_sample() -> None:
    bench = await Bench(interval_s=60).charging()
    bench.meter.silent = True
    await asyncio.sleep(400)
    assert bench.store.samples == []
    assert energy_wh(bench) == 0
    bench.meter.silent = False
    await asyncio.sleep(60)
    assert len(bench.store.samples) == 1
    assert energy_wh(bench) > 1000, "what flowed meanwhile is not forgotten"


@virtual_time
async def test_a_sample_that_cannot_be_stored_is_reported_and_the_session_goes_on() -> None:
    bench = await Bench(interval_s=60).charging()
    bench.store.error = StorageFull("full")
    await asyncio.sleep(130)
    assert bench.failures == [True, True]
    assert bench.store.messages == [], "nothing is sent that is not stored"
    bench.store.error = None
    await asyncio.sleep(60)
    assert bench.kinds == [MessageKind.METER_VALUES]
    assert energy_wh(bench) > 500


@virtual_time
async def test_a_transaction_id_belongs_to_one_session() -> None:
    bench = await Bench().charging()
    bench.journal.learn_transaction("another", 41)
    assert bench.changed_connectors == []
    bench.journal.learn_transaction("s1", 42)
    assert bench.changed_connectors == [1]
    found = bench.journal.by_transaction(42)
    assert found is not None
    assert found.session_id == "s1"
    assert bench.journal.by_transaction(41) is None
    await bench.journal.finish(1, "s1", LOCAL)
    assert bench.journal.by_transaction(42) is None


# End ----------------------------------------------------------------------------------------------


@virtual_time
async def test_an_end_is_signalled_when_it_is_committed() -> None:
    bench = await Bench(interval_s=0).charging()
    await asyncio.sleep(HOUR_S)
    bench.meter.flow(0.0)
    bench.changed_connectors.clear()
    bench.store.gate.clear()
    finish = asyncio.ensure_future(bench.journal.finish(1, "s1", LOCAL))
    await asyncio.sleep(60)
    assert bench.changed_connectors == []
    assert bench.journal.record(1) is not None
    bench.store.gate.set()
    await finish
    assert bench.changed_connectors == [1]
    assert bench.journal.record(1) is None
    assert bench.journal.connector_of("s1") is None
    (end,) = bench.store.ends
    assert (end.reason, end.id_token, end.flags) == (StopReason.LOCAL, "A1", frozenset())
    assert end.meter_stop_wh == bench.meter.register_wh
    assert end.max_power_w == POWER_W
    assert bench.kinds == [MessageKind.STOP]
    assert not bench.store.messages[0].droppable
    account = bench.metering.account(1)
    assert account is not None
    assert account.session_id == "", "the meter counts for no session"


@pytest.mark.parametrize("error", [StorageFull("full"), StorageFailed("broken")])
@virtual_time
async def test_an_end_that_is_not_committed_is_retried_with_all_energy(
    error: StorageFailed,
) -> None:
    bench = await Bench().charging()
    await asyncio.sleep(900)
    bench.store.error = error
    with pytest.raises(type(error)):
        await bench.journal.finish(1, "s1", LOCAL)
    assert bench.store.ends == []
    assert bench.journal.connector_of("s1") == 1
    await asyncio.sleep(900)
    bench.store.error = None
    await bench.journal.finish(1, "s1", LOCAL)
    assert len(bench.store.ends) == 1
    assert bench.store.records["s1"].energy_wh == pytest.approx(5520, abs=20)
    assert bench.kinds.count(MessageKind.STOP) == 1


@virtual_time
async def test_a_silent_meter_stops_at_its_last_reading() -> None:
    bench = await Bench().charging()
    await asyncio.sleep(HOUR_S)
    shown_wh = energy_wh(bench)
    bench.meter.silent = True
    await asyncio.sleep(600)
    await bench.journal.finish(1, "s1", LOCAL)
    assert bench.store.ends[0].flags == {SessionFlag.METER_SILENT_AT_STOP}
    assert bench.store.records["s1"].energy_wh == pytest.approx(shown_wh, abs=5)


@virtual_time
async def test_only_a_journalled_session_can_end() -> None:
    bench = await Bench().charging()
    with pytest.raises(LookupError):
        await bench.journal.finish(1, "another", LOCAL)
    assert bench.journal.connector_of("s1") == 1
    assert bench.store.ends == []


@virtual_time
async def test_after_the_end_nothing_is_sampled() -> None:
    bench = await Bench(interval_s=60).charging()
    await bench.journal.finish(1, "s1", LOCAL)
    bench.store.messages.clear()
    await asyncio.sleep(HOUR_S)
    assert bench.store.samples == []
    assert bench.store.messages == []


@virtual_time
async def test_the_next_session_starts_at_the_present_register() -> None:
    bench = await Bench().charging()
    await asyncio.sleep(HOUR_S)
    bench.meter.flow(0.0)
    await bench.journal.finish(1, "s1", LOCAL)
    await asyncio.sleep(HOUR_S)
    await bench.journal.begin(1, CARD)
    first, second = (bench.store.records[each] for each in ("s1", "s2"))
    assert first.end is not None
    assert second.start.meter_start_wh == first.end.meter_stop_wh


@pytest.mark.parametrize(
    ("sampling", "contexts"),
    [
        ({}, []),
        ({"stop_sampled": (REGISTER,)}, ["Transaction.Begin", "Sample.Periodic"]),
    ],
)
@virtual_time
async def test_transaction_data_of_a_stop(sampling: dict[str, Any], contexts: list[str]) -> None:
    bench = await Bench(interval_s=60, **sampling).charging()
    await asyncio.sleep(70)
    await bench.journal.finish(1, "s1", LOCAL)
    values = values_of(bench.store.messages[-1])
    assert [context for context, _, _ in values] == [
        *contexts,
        *["Transaction.End"] * bool(contexts),
    ]
    assert {name for _, name, _ in values} <= {REGISTER}


@virtual_time
async def test_a_stop_of_a_long_session_stays_small_and_keeps_both_ends() -> None:
    bench = await Bench(interval_s=5, stop_sampled=(REGISTER,)).charging()
    await asyncio.sleep(900)
    await bench.journal.finish(1, "s1", LOCAL)
    values = values_of(bench.store.messages[-1])
    assert len(values) <= 120
    assert (values[0][0], values[-1][0]) == ("Transaction.Begin", "Transaction.End")
    registers = [int(value) for _, _, value in values]
    assert registers == sorted(registers)
    assert (registers[0], registers[-1]) == (5000, bench.store.ends[0].meter_stop_wh)


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(hours=5)])
@virtual_time
async def test_setting_the_clock_does_not_change_the_duration(
    step: timedelta,
) -> None:
    bench = await Bench(trust=ClockTrust.RTC, interval_s=60).charging()
    await asyncio.sleep(600)
    bench.clock.observe(bench.clock.now() + step, ClockTrust.NTP)
    await asyncio.sleep(600)
    await bench.journal.finish(1, "s1", LOCAL)
    dates = [sample.at.wall for sample in bench.store.samples]
    ends = bench.store.records["s1"].start.at.wall, bench.store.ends[0].at.wall
    assert all(date is not None for date in (*dates, *ends))
    assert dates == sorted(dates, key=str)
    assert ends[1] is not None
    assert ends[0] is not None
    assert ends[1] - ends[0] == timedelta(seconds=1200)


# After a power cut --------------------------------------------------------------------------------


def interrupted(last_wh: int = 8000) -> SessionRecord:
    """A session that the boot before this one left open, a quarter of an hour ago."""
    at = Moment("before", 10.0, NOON - timedelta(hours=1))
    last = Moment("before", 2700.0, NOON - timedelta(minutes=15))
    start = SessionStart("s0", 1, CARD.identity, at, 5000, reported=True, meter_serial="M1")
    return SessionRecord(start, None, 42, last_wh, last_at=last)


async def restarted(register_wh: int, *, silent: bool = False) -> tuple[Bench, SessionRecord]:
    record = interrupted()
    bench = Bench()
    bench.meter.jump(register_wh - bench.meter.register_wh)
    bench.meter.silent = silent
    bench.store.records["s0"] = record
    await bench.start([record])
    return bench, record


@virtual_time
async def test_a_resumed_session_continues_its_energy() -> None:
    bench, record = await restarted(8500)
    bench.journal.resume(record)
    found = bench.journal.by_transaction(42)
    assert found is not None
    assert (found.session_id, found.energy_wh) == ("s0", 3500)
    bench.meter.flow(POWER_W)
    await asyncio.sleep(HOUR_S)
    await bench.journal.finish(1, "s0", LOCAL)
    assert bench.store.records["s0"].energy_wh == pytest.approx(3500 + 11_040, abs=20)
    assert bench.kinds.count(MessageKind.STOP) == 1
    assert bench.kinds.count(MessageKind.START) == 0, "it was sent before"


@virtual_time
async def test_the_stop_of_a_resumed_session_includes_samples_before_the_cut() -> None:
    bench, record = await restarted(8000)
    bench.sampling = SamplingSettings(stop_sampled=(REGISTER,))
    assert record.last_at is not None
    bench.store.samples.append(Sample(record.last_at, 8000))
    bench.journal.resume(record)
    await bench.journal.finish(1, "s0", LOCAL)
    values = values_of(bench.store.messages[-1])
    assert [value for _, _, value in values] == ["5000", "8000", "8000"]


@pytest.mark.parametrize(
    ("register_wh", "silent", "energy_wh", "flags"),
    [
        (8000, False, 3000, set()),
        (8500, False, 3500, set()),
        (8500, True, 3000, {SessionFlag.ESTIMATED_STOP}),
        (7000, False, 3000, {SessionFlag.ESTIMATED_STOP, SessionFlag.METER_FAULT}),
        (900_000, False, 3000, {SessionFlag.ESTIMATED_STOP, SessionFlag.METER_FAULT}),
    ],
    ids=["nothing flowed", "it went on", "silent", "another register", "impossible"],
)
@virtual_time
async def test_the_energy_of_a_session_ended_by_a_power_cut(
    register_wh: int, silent: bool, energy_wh: int, flags: set[SessionFlag]
) -> None:
    bench, record = await restarted(register_wh, silent=silent)
    await bench.journal.close_after_power_loss(record)
    (end,) = bench.store.ends
    assert end.reason is StopReason.POWER_LOSS
    assert end.flags == flags
    assert bench.store.records["s0"].energy_wh == energy_wh
    assert end.at.wall is not None
    assert end.at.wall >= NOON - timedelta(minutes=15)
    assert bench.kinds == [MessageKind.STOP]
    assert bench.journal.record(1) is None


@virtual_time
async def test_a_session_whose_end_after_a_power_cut_is_not_committed_stays_open() -> None:
    bench, record = await restarted(8500)
    bench.store.error = StorageFull("full")
    with pytest.raises(StorageFull):
        await bench.journal.close_after_power_loss(record)
    bench.store.error = None
    await bench.journal.close_after_power_loss(record)
    assert len(bench.store.ends) == 1
    assert bench.store.records["s0"].energy_wh == 3500


# Marks of the clock, and what the backend asks for ------------------------------------------------


@pytest.mark.parametrize(
    ("authorization", "messages"), [(None, 1), (CARD, 1), (FREE, 0)], ids=["idle", "card", "free"]
)
@virtual_time
async def test_clock_aligned_values(authorization: Authorization | None, messages: int) -> None:
    bench = await Bench(interval_s=0).start()
    if authorization is not None:
        await bench.journal.begin(1, authorization)
        bench.store.messages.clear()
    mark = Moment("boot", 0.0, NOON)
    await bench.journal.record_aligned(1, mark)
    assert bench.kinds == [MessageKind.METER_VALUES] * messages
    for message in bench.store.messages:
        assert values_of(message) == [(measurands.CLOCK, REGISTER, "5000")]
        assert message.session_id == ("s1" if authorization else None)


@pytest.mark.parametrize("in_session", [True, False])
@virtual_time
async def test_clock_aligned_values_that_cannot_be_stored_are_reported(in_session: bool) -> None:
    bench = await Bench(interval_s=0).start()
    if in_session:
        await bench.journal.begin(1, CARD)
    bench.store.messages.clear()
    bench.store.error = StorageFailed("broken")
    await bench.journal.record_aligned(1, Moment("boot", 0.0, NOON))
    assert bench.failures == [True]
    assert bench.store.messages == []


@virtual_time
async def test_triggered_values_are_not_stored() -> None:
    bench = await Bench(interval_s=0).charging()
    bench.journal.learn_transaction("s1", 42)
    assert await bench.journal.triggered(1) is not None
    assert bench.store.messages == []
    assert bench.store.samples == []


@pytest.mark.parametrize(("silent", "trust"), [(True, ClockTrust.NTP), (False, ClockTrust.NONE)])
@virtual_time
async def test_no_triggered_values_without_meter_or_date(silent: bool, trust: ClockTrust) -> None:
    bench = await Bench(trust=trust).start()
    bench.meter.silent = silent
    assert await bench.journal.triggered(1) is None
