"""The second meter, at the supply of the building (manual 7.4.2, 9).

Every answer passes the door (`domain.meters.site_reading`), must be of the known meter
(`domain.meters.identity`), and is then believed as far as `domain.meters.trust` says. Without three
polls in a row, or for ten seconds, the meter is silent: a fault that stops no transaction, and the
fallback applies. It counts again from the second good poll on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from borne.application.commands import Effect, command
from borne.application.meters.known_meter import load_known_meter, store_known_meter
from borne.application.meters.own_current import OwnCurrent
from borne.application.ports.hardware import MeterSilent, SiteMeterPort
from borne.application.ports.storage import StateStore
from borne.application.refusals import Refused
from borne.application.settings.running import RunningSettings
from borne.application.state.storage_failure import log_storage_failure
from borne.domain.meters.identity import KnownMeter, is_other_meter, meter_at
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_reading import SiteReading, site_reading
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.meters.trust import OWN_A, SKEW_S, Trust
from borne.domain.principals import Principal, Role
from borne.domain.settings.choices import MeterLocation
from borne.domain.settings.meter_addresses import site_meter
from borne.domain.station.reading import UnusableReading
from borne.foundation.clock import Clock
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import N_, Message
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

MAX_MISSES = 3
SILENCE_S = 10.0
READ_AGAIN_S = 1.0
"""A meter that reports changes only is asked again before a lower load is believed."""
READ_TIMEOUT_S = 3.0
MAX_REPORTS = 16
"""Other meters that the security log names from a start on: it must not be flooded."""
KEYS = ("DLMMainDistributionLimit", "DLMExternalLoadFallback", "DLMExternalMeterLocation")

_STARTING = N_("The second meter has not answered twice yet.")
_NO_ANSWER = N_("The second meter does not answer: {why}")
_UNUSABLE = N_("The second meter gives no usable answer: {why}")
_NO_READING = N_("no reading for {seconds} s")
_TOO_SLOW = N_("no answer within {seconds} s")
_OTHER = N_(
    "Another meter answers: serial number {seen} instead of {known}. Its readings do not count "
    "until an operator accepts it."
)
_DOUBTED = N_(
    "The second meter did not follow the own sockets on {phases}: does it measure them, and are "
    "its phases in order?"
)
_NOTHING_TO_ACCEPT = N_("No other meter answers in the place of the second meter.")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SiteMeterSources:
    """What the service needs besides the meter."""

    settings: RunningSettings
    own_current: OwnCurrent
    state: StateStore
    clock: Clock
    supervisor: Supervisor
    report: Callable[[str], None] = _log.error
    """Reports, for the security log, that another meter answers."""


class SiteMeterService:
    """Owns the second meter of a station."""

    def __init__(self, meter: SiteMeterPort | None, sources: SiteMeterSources) -> None:
        self.changed: Signal[SiteMeterStatus] = Signal()
        self.silent: Signal[bool] = Signal()
        """True: it does not communicate, or its answers do not count."""
        self._meter = meter
        self._from = sources
        self._address = site_meter(sources.settings())
        self._timers = Timers()
        self._unsubscribe: list[Unsubscribe] = []
        self._known: KnownMeter | None = None
        self._other: KnownMeter | None = None
        self._reported: set[str] = set()
        """Serial numbers of other meters."""
        self._trust = Trust()
        self._measurement: Measurement | None = None
        self._misses = 0
        self._silent = False
        self._reason: Message | None = Message(_STARTING)
        self._failure: Message | None = None
        """Why the last poll failed."""
        self._own_a = PerPhase.same(0.0)
        self._shown: SiteMeterStatus | None = None
        self._input: bool | None = None

    async def start(self) -> None:
        """Load the identity of the meter, and start it; does nothing if none is set."""
        meter = self._meter
        if meter is None or self._address is None:
            return
        self._known = await load_known_meter(self._from.state)
        self._timers.plan("silent", SILENCE_S, self._set_silent)
        self._unsubscribe += [
            meter.subscribe(self._on_answer),
            self._from.settings.on_change(KEYS, self._publish),
        ]
        if not meter.polls_itself:
            self._unsubscribe.append(self._from.own_current.changed.notify(self._on_own_current))
        try:
            await meter.start()
        except Exception as error:
            self._on_answer(error)
        if not meter.polls_itself:
            await self._read()

    async def stop(self) -> None:
        self.abort()
        if self._meter is None or self._address is None:
            return
        try:
            await self._meter.stop()
        except Exception:
            _log.exception("the second meter could not be stopped")

    def abort(self) -> None:
        self._timers.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    @property
    def status(self) -> SiteMeterStatus:
        """The present status."""
        meter, fallback_a = self._meter, self._fallback_a
        if meter is None or self._address is None:
            return SiteMeterStatus(SiteMeterState.ABSENT, fallback_a)
        last, current_a = self._measurement, self._trust.current_a
        state = SiteMeterState.SILENT
        if current_a is not None:
            doubted = any(self._trust.doubted)
            state = SiteMeterState.DOUBTED if doubted else SiteMeterState.OK
        seen = last.serial_number if last is not None else ""
        return SiteMeterStatus(
            state,
            fallback_a,
            str(meter.model),
            self._other.serial_number if self._other else seen or str(meter.serial_number),
            current_a,
            last,
            None if last is None else max(0.0, self._from.clock.monotonic() - last.at_s),
            self._reason,
            self._known.serial_number if self._known and self._other else "",
            self._trust.shown_a,
            self._trust.answered_a,
            changes_only=not meter.polls_itself,
        )

    @command("meters/second/accept", Role.OPERATOR, "Accept the second meter", Effect.ACT)
    async def accept(self, principal: Principal) -> None:
        """Believe the meter that answers now instead of the one that was seen first. Raises Refused
        if no other meter answers, and StorageFailed."""
        other = self._other
        if other is None:
            raise Refused("nothing_to_accept", _NOTHING_TO_ACCEPT)
        await store_known_meter(self._from.state, other)
        _log.warning(
            "second meter %s accepted by %s",
            other.serial_number or "without a serial number",
            principal.name or principal.role.value,
        )
        self._known, self._other = other, None
        self._reported.clear()
        self._publish()

    # Answers --------------------------------------------------------------------------------

    def _on_answer(self, answer: object) -> None:
        if self._address is None or self._meter is None:
            return
        limit_a = self._from.settings().amps_or_none("DLMMainDistributionLimit")
        try:
            if isinstance(answer, BaseException):
                raise answer
            reading = site_reading(
                answer,
                self._from.clock.monotonic(),
                None if limit_a is None else PerPhase(*limit_a),
            )
        except (Exception, asyncio.CancelledError) as error:
            template = _UNUSABLE if isinstance(error, UnusableReading) else _NO_ANSWER
            self._on_miss(Message(template, {"why": _why(error)}))
            return
        serial_number = reading.measurement.serial_number or str(self._meter.serial_number)
        seen = meter_at(self._address, serial_number)
        if is_other_meter(self._known, seen):
            self._on_other_meter(seen)
        else:
            self._other = None
            self._on_reading(reading, seen)

    def _on_reading(self, reading: SiteReading, seen: KnownMeter) -> None:
        self._misses, self._failure = 0, None
        self._measurement = replace(reading.measurement, serial_number=seen.serial_number)
        self._own_a = self._from.own_current()
        self._trust = self._trust.after(reading, self._own_a if self._includes_sockets else None)
        self._timers.cancel("silent")
        if self._meter is not None and self._meter.polls_itself:
            self._timers.plan("silent", SILENCE_S, self._set_silent)
        elif not self._trust.settled:
            self._plan_read(READ_AGAIN_S)
        if self._trust.current_a is None:
            self._publish()
            return
        self._remember(seen)
        self._reason = self._doubt()
        self._end_silence()
        self._publish()

    def _doubt(self) -> Message | None:
        phases = [f"L{number}" for number, doubted in enumerate(self._trust.doubted, 1) if doubted]
        return Message(_DOUBTED, {"phases": ", ".join(phases)}) if phases else None

    def _remember(self, seen: KnownMeter) -> None:
        """The first serial number is kept, also of a meter that did not tell it before."""
        if self._known != seen:
            self._known = seen
            self._from.supervisor.start("second meter", self._store(seen))

    async def _store(self, meter: KnownMeter) -> None:
        with log_storage_failure(_log, "the serial number of the second meter was not stored"):
            await store_known_meter(self._from.state, meter)

    def _on_other_meter(self, seen: KnownMeter) -> None:
        known = self._known.serial_number if self._known is not None else ""
        reason = Message(_OTHER, {"seen": seen.serial_number or "-", "known": known})
        self._other = seen
        if seen.serial_number not in self._reported and len(self._reported) < MAX_REPORTS:
            self._reported.add(seen.serial_number)
            self._from.report(str(reason))
        self._on_miss(reason)

    # Silence --------------------------------------------------------------------------------

    def _on_miss(self, failure: Message) -> None:
        if self._misses == 0 and not self._silent:
            _log.warning("%s", failure)
        self._misses += 1
        self._failure = failure
        if self._trust.current_a is None:
            self._trust = Trust()
            self._reason = failure
        polls = self._meter is not None and self._meter.polls_itself
        if self._silent:
            self._publish()
        elif polls and self._misses >= MAX_MISSES:
            self._set_silent()
        elif "silent" not in self._timers:
            self._timers.plan("silent", SILENCE_S, self._set_silent)

    def _set_silent(self) -> None:
        self._timers.cancel("silent")
        why = Message(_NO_READING, {"seconds": f"{SILENCE_S:.0f}"})
        no_reading = Message(_NO_ANSWER, {"why": why})
        self._reason = self._failure or no_reading
        self._silent = True
        self._trust = Trust()
        assumed_a = ", ".join(f"{amps:g}" for amps in self._fallback_a)
        _log.error("%s; assumed load of L1, L2, L3: %s A", self._reason, assumed_a)
        self.silent.emit(True)
        self._publish()

    def _end_silence(self) -> None:
        if self._silent:
            self._silent = False
            _log.warning("the second meter answers again")
            self.silent.emit(False)

    # Meters that report changes only --------------------------------------------------------

    def _on_own_current(self) -> None:
        """The meter must follow a change of the own sockets; one that does not reports nothing."""
        if not self._includes_sockets or "read" in self._timers:
            return
        change_a = self._from.own_current().minus(self._own_a)
        if max(map(abs, change_a)) >= OWN_A:
            self._plan_read(SKEW_S + READ_AGAIN_S)

    def _plan_read(self, delay_s: float) -> None:
        def read() -> None:
            self._from.supervisor.start("read the second meter", self._read())

        self._timers.plan("read", delay_s, read)

    async def _read(self) -> None:
        if self._meter is None:
            return
        try:
            answer: object = await asyncio.wait_for(self._meter.read(), READ_TIMEOUT_S)
        except TimeoutError:
            answer = MeterSilent(Message(_TOO_SLOW, {"seconds": f"{READ_TIMEOUT_S:.0f}"}))
        except Exception as error:
            answer = error
        self._on_answer(answer)

    # Settings and status --------------------------------------------------------------------

    @property
    def _includes_sockets(self) -> bool:
        location = self._from.settings().choice("DLMExternalMeterLocation", MeterLocation)
        return location is MeterLocation.INCLUDING

    @property
    def _fallback_a(self) -> PerPhase:
        return PerPhase(*self._from.settings().amps("DLMExternalLoadFallback"))

    def _publish(self) -> None:
        """Emit a change that load management or a person would see."""
        status = self.status
        current_a = status.current_a
        rounded_a = None if current_a is None else current_a.rounded()
        digital_input = None if status.measurement is None else status.measurement.digital_input
        visible = replace(
            status,
            age_s=None,
            measurement=None,
            current_a=rounded_a,
            shown_a=None,
            answered_a=None,
        )
        if visible != self._shown or digital_input is not self._input:
            self._input = digital_input
            doubted = status.state is SiteMeterState.DOUBTED
            if doubted and (self._shown is None or self._shown.reason != status.reason):
                _log.warning("%s", status.reason)
            self._shown = visible
            self.changed.emit(status)


def _why(error: BaseException) -> object:
    """The sentence of a driver, translatable if it has one."""
    message = getattr(error, "message", None)
    return message if isinstance(message, Message) else str(error) or type(error).__name__
