"""The billing meters: every reading passes through this service.

An answer of a driver is first checked (`domain.station.reading`): what is not usable, and every
failure of the driver, counts as silence. Then its register is entered in the account of the meter
(`domain.station.metering`), and the published reading carries the line of that account as its
register. So status, meter values, curves, limits of energy and the bill all use the same number.
Whatever raises a doubt is logged with its reason.

Silence is signalled twice: `blind` after a few seconds, because the current can no longer be
guarded, and `silent` when it is a fault. A meter that polls by itself is silent after three missed
polls in a row, or without a reading for ten seconds, and is not silent from the second good poll
on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from borne.application.ports.hardware import EvseHardware, MeterPort, MeterSilent
from borne.application.ports.storage import MeterStore
from borne.domain.station.metering import Account, Verdict, opened
from borne.domain.station.reading import MeterReading, usable
from borne.domain.station.session import SessionRecord
from borne.foundation.clock import Clock, Moment
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers

READ_TIMEOUT_S = 3.0
POLLED_READ_TIMEOUT_S = 6.0
"""Of a meter that polls by itself: the rest of one poll, and the next one."""
BLIND_S = 5.0
"""After this long without a reading the vehicle may draw anything that the standard allows."""
SILENCE_S = 10.0
MAX_MISSES = 3
"""Missed polls in a row that are silence, for a meter that polls by itself."""
GOOD_POLLS = 2
LATE_S = 10.0
"""If a polled meter was not read for this long, what flowed in between is not known."""
DOUBT_S = 60.0
MAX_READS = 3
"""Maximum number of pending reads of one meter, because a driver may hang."""
MAX_POWER_PER_AMPERE_W = 3 * 253.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Channel:
    """One meter and its state."""

    meter: MeterPort
    max_w: float
    account: Account | None = None
    timers: Timers = field(default_factory=Timers)
    """Run while there is no reading."""
    failing: bool = False
    blind: bool = False
    silent: bool = False
    misses: int = 0
    good: int = 0
    """Polls in a row without and with a reading, of a meter that polls by itself."""
    good_at_s: float = float("-inf")
    """Of the last good poll, which also answers a read."""
    doubted_s: float = float("-inf")
    """When a doubt without a session was logged and stored."""
    reads: list[asyncio.Task[MeterReading]] = field(default_factory=list)


class MeteringService:
    """The meters of all connectors."""

    _watched: frozenset[int] = frozenset()

    def __init__(
        self,
        evses: Mapping[int, EvseHardware],
        clock: Clock,
        store: MeterStore,
        supervisor: Supervisor,
        live_poll_s: float | None = None,
    ) -> None:
        self.readings: dict[int, MeterReading] = {}
        """The last usable reading of each meter, with the line of its account as the register."""
        self.changed: Signal[int] = Signal()
        self.blind: Signal[tuple[int, bool]] = Signal()
        """True if no reading is available to supervise the current."""
        self.silent: Signal[tuple[int, bool]] = Signal()
        """True if this lasts long enough to be a fault."""
        self.implausible: Signal[tuple[int, Verdict]] = Signal()
        self._channels = {
            connector: _Channel(
                evse.meter, evse.board.capabilities.max_current_a * MAX_POWER_PER_AMPERE_W
            )
            for connector, evse in evses.items()
            if evse.meter is not None
        }
        self._clock = clock
        self._store = store
        self._supervisor = supervisor
        self._live_poll_s = live_poll_s

    async def start(self, running: Sequence[SessionRecord] = ()) -> None:
        """Load the accounts, also of sessions that a power cut interrupted, and subscribe to every
        meter."""
        stored = await self._store.load()
        for connector, channel in self._channels.items():
            channel.account = stored.get(connector)
            found = (record for record in running if record.start.connector == connector)
            record = next(found, None)
            if record is not None:
                channel.account = _resumed_account(record, channel.account)
            elif channel.account is not None:
                channel.account = channel.account.closed()
        for connector, channel in self._channels.items():
            channel.meter.subscribe(partial(self._on_news, connector))
            try:
                await channel.meter.start()
            except Exception as error:
                self._process_answer(connector, error)
        # At once: silent meters must not add up.
        await asyncio.gather(*map(self.read, self._channels))
        if self._live_poll_s is not None:
            pause_s = self._live_poll_s
            self._supervisor.keep("meter polling", lambda: self._poll(pause_s))

    async def stop(self) -> None:
        self.abort()
        for channel in self._channels.values():
            try:
                await channel.meter.stop()
            except Exception:
                _log.exception("a meter could not be stopped")

    def abort(self) -> None:
        for channel in self._channels.values():
            channel.timers.stop()
            for read in channel.reads:
                read.cancel()

    def watch(self, connector: int, *, active: bool) -> None:
        """Whether to read this meter regularly, as for a running session."""
        self._watched = self._watched | {connector} if active else self._watched - {connector}

    def has_meter(self, connector: int) -> bool:
        """Whether a billing meter belongs to this connector."""
        channel = self._channels.get(connector)
        return channel is not None and channel.meter.billing

    def main_meter(self) -> tuple[str, str]:
        """Model and serial number of the first billing meter; empty where unknown."""
        for channel in self._channels.values():
            if channel.meter.billing:
                return str(channel.meter.model), str(channel.meter.serial_number)
        return "", ""

    # Sessions -------------------------------------------------------------------------------

    def begin(self, connector: int, session_id: str) -> Account | None:
        """Begin a session at the last register; None if the meter never answered."""
        channel = self._channels.get(connector)
        if channel is None or channel.account is None:
            return None
        moment = self._clock.moment()
        channel.account = channel.account.begin(session_id, moment)
        self._store.keep(connector, channel.account, urgent=True)
        reading = self.readings.get(connector)
        if reading is not None:
            self.readings[connector] = replace(reading, register_wh=channel.account.line_wh)
        return channel.account

    def end(self, connector: int) -> None:
        """End a session, or one that did not begin: the register of the meter is published again,
        at once and not only with the next reading."""
        channel = self._channels.get(connector)
        if channel is None or channel.account is None:
            return
        register_wh = channel.account.register_wh
        channel.account = replace(channel.account.closed(), line_wh=register_wh)
        self._store.keep(connector, channel.account)
        reading = self.readings.get(connector)
        if reading is not None and reading.register_wh != register_wh:
            self.readings[connector] = replace(reading, register_wh=register_wh)
            self.changed.emit(connector)

    def account(self, connector: int) -> Account | None:
        """The account of the meter of a connector."""
        channel = self._channels.get(connector)
        return channel.account if channel else None

    # Readings -------------------------------------------------------------------------------

    async def read(self, connector: int) -> MeterReading | None:
        """A fresh reading; None if the meter gives none."""
        channel = self._channels.get(connector)
        if channel is None:
            return None
        if len(channel.reads) >= MAX_READS:
            self._process_answer(connector, MeterSilent("it still owes earlier answers"))
            return None
        timeout_s = POLLED_READ_TIMEOUT_S if channel.meter.polls_itself else READ_TIMEOUT_S
        read = asyncio.ensure_future(_ask(channel.meter))
        channel.reads.append(read)
        read.add_done_callback(partial(_forget, channel))
        try:
            done, _ = await asyncio.wait({read}, timeout=timeout_s)
        except asyncio.CancelledError:
            read.cancel()
            raise
        if not done or read.cancelled():
            read.cancel()
            self._process_answer(connector, MeterSilent(f"no answer in {timeout_s:.0f} s"))
            return None
        error = read.exception()
        return self._process_answer(connector, read.result() if error is None else error)

    def _on_news(self, connector: int, answer: object) -> None:
        channel = self._channels[connector]
        reading = self._process_answer(connector, answer)
        if reading is None and channel.meter.polls_itself:
            channel.misses += 1
            if channel.misses >= MAX_MISSES:
                self._set_silent(connector, channel)

    def _process_answer(self, connector: int, answer: object) -> MeterReading | None:
        """Check an answer of the meter and publish the reading; None if it is not usable."""
        channel = self._channels[connector]
        try:
            if isinstance(answer, BaseException):
                raise answer
            reading = usable(answer, self._clock.monotonic())
            if not reading.serial_number:
                reading = replace(reading, serial_number=str(channel.meter.serial_number))
        except (Exception, asyncio.CancelledError) as error:
            self._on_failure(connector, channel, error)
            return None
        before = channel.account
        if before is not None and _is_older(reading, before, self._clock.boot_id):
            return self.readings.get(connector)
        self._enter(connector, channel, reading)
        self._end_silence(connector, channel, reading.at_s)
        self.changed.emit(connector)
        return self.readings[connector]

    def _enter(self, connector: int, channel: _Channel, reading: MeterReading) -> None:
        """Enter the reading in the account, and publish it with the line of the account."""
        boot_id = self._clock.boot_id
        undated = Moment(boot_id, reading.at_s, None)
        at = Moment(boot_id, reading.at_s, self._clock.date(undated))
        before, verdict = channel.account, Verdict.GOOD
        if before is None:
            account = opened(reading, at)
        else:
            polled_s = at.monotonic_s - before.at.monotonic_s
            polled = self._live_poll_s is not None or channel.meter.polls_itself
            late = polled and polled_s > LATE_S
            watched = not (channel.failing or late)
            account, verdict = before.update(reading, at, channel.max_w, watched=watched)
        channel.account = account
        self.readings[connector] = replace(reading, register_wh=account.line_wh)
        doubted = (
            before is not None
            and verdict is not Verdict.GOOD
            and _is_new_doubt(channel, before, account)
        )
        if doubted and before is not None:
            _log.error(
                "socket %d: the register of meter %s is not believed: %s, from %d to %d Wh",
                connector,
                reading.serial_number or "without a serial number",
                verdict,
                before.register_wh,
                reading.register_wh,
            )
        if before is None or _worth_keeping(before, account):
            self._store.keep(connector, account, urgent=doubted)
        if verdict is not Verdict.GOOD:
            self.implausible.emit((connector, verdict))

    def present_reading(self, connector: int) -> MeterReading | None:
        """The last reading, if it still says what flows now; None while the meter is blind."""
        channel = self._channels.get(connector)
        return None if channel is None or channel.blind else self.readings.get(connector)

    @property
    def blind_connectors(self) -> tuple[int, ...]:
        """Connectors whose current is not known at the moment."""
        return tuple(number for number, channel in self._channels.items() if channel.blind)

    # Silence --------------------------------------------------------------------------------

    def _on_failure(self, connector: int, channel: _Channel, error: BaseException) -> None:
        channel.good = 0
        if channel.failing:
            return
        channel.failing = True
        _log.warning(
            "socket %d: no reading of the meter: %s", connector, str(error) or type(error).__name__
        )
        self._plan_silence(connector, channel)
        if connector not in self.readings:
            # At a start there is no earlier reading to wait on: the meter counts as blind at once.
            self._set_blind(connector, channel)

    def _plan_silence(self, connector: int, channel: _Channel) -> None:
        """Unless planned since the last reading."""
        if "silent" not in channel.timers and not channel.silent:
            set_silent = partial(self._set_silent, connector, channel)
            channel.timers.plan("silent", SILENCE_S, set_silent)
        if "blind" not in channel.timers and not channel.blind:
            set_blind = partial(self._set_blind, connector, channel)
            channel.timers.plan("blind", BLIND_S, set_blind)

    def _end_silence(self, connector: int, channel: _Channel, at_s: float) -> None:
        channel.failing = False
        channel.misses = 0
        if at_s > channel.good_at_s:
            channel.good += 1
            channel.good_at_s = at_s
        channel.timers.cancel("silent")
        channel.timers.cancel("blind")
        if channel.blind:
            channel.blind = False
            self.blind.emit((connector, False))
        polls = channel.meter.polls_itself
        if channel.silent and (not polls or channel.good >= GOOD_POLLS):
            channel.silent = False
            self.silent.emit((connector, False))
        if polls:
            # It may also stop to report at all.
            self._plan_silence(connector, channel)

    def _set_blind(self, connector: int, channel: _Channel) -> None:
        channel.timers.cancel("blind")
        if not channel.blind:
            channel.blind = True
            self.blind.emit((connector, True))

    def _set_silent(self, connector: int, channel: _Channel) -> None:
        channel.timers.cancel("silent")
        if not channel.silent:
            channel.silent = True
            self.silent.emit((connector, True))

    async def _poll(self, pause_s: float) -> None:
        while True:
            await asyncio.sleep(pause_s)
            channels = [(number, self._channels.get(number)) for number in self._watched]
            await asyncio.gather(
                *(self.read(n) for n, found in channels if found and not found.meter.polls_itself)
            )


def _resumed_account(record: SessionRecord, stored: Account | None) -> Account:
    """The account of a session that a power cut interrupted: the stored one if it is of this
    session, else what the journal knows."""
    start = record.start
    if stored is not None and stored.session_id == record.session_id:
        if stored.line_wh >= record.last_wh:
            return stored
        missing_wh = record.last_wh - stored.line_wh
        return replace(
            stored,
            line_wh=record.last_wh,
            register_wh=stored.register_wh + missing_wh,
            at=record.last_at or stored.at,
        )
    return Account(
        serial_number=start.meter_serial,
        register_wh=record.last_wh,
        line_wh=record.last_wh,
        at=record.last_at or start.at,
        session_id=record.session_id,
    )


def _is_older(reading: MeterReading, account: Account, boot_id: str) -> bool:
    """Whether a later reading came before this one."""
    return account.at.boot_id == boot_id and reading.at_s < account.at.monotonic_s


def _worth_keeping(before: Account, after: Account) -> bool:
    """Whether more has changed than the time: an idle meter must not wear the flash memory."""
    return replace(after, at=before.at, power_w=before.power_w) != before


def _is_new_doubt(channel: _Channel, before: Account, after: Account) -> bool:
    """Within a session each kind of doubt counts once, else one a minute: the register of a broken
    meter may jump each second."""
    if after.session_id:
        return after.doubts != before.doubts
    if after.at.monotonic_s - channel.doubted_s < DOUBT_S:
        return False
    channel.doubted_s = after.at.monotonic_s
    return True


async def _ask(meter: MeterPort) -> MeterReading:
    return await meter.read()


def _forget(channel: _Channel, read: asyncio.Task[MeterReading]) -> None:
    channel.reads.remove(read)
    if not read.cancelled():
        read.exception()  # looked at, so that asyncio does not complain
