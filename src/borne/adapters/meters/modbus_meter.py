"""The driver of meters that are read by Modbus (manual 7.5): one task polls the meter each second.

A measurement is never put together from two polls, except for energy and frequency, which change
slowly: between the polls that read them, a measurement has their last values.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from borne.adapters.meters.failures import STOPPED, TOO_SLOW, NoMeasurement, explain
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from borne.domain.settings.catalogue.meter_profiles import PROFILES, USER_DEFINED
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import N_, Message, verbatim
from borne.protocols.meter_profiles import Profile, Refresh
from borne.protocols.meter_profiles.resolving import Unresolved, resolve
from borne.protocols.meter_profiles.sunspec import Read
from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Endpoint
from borne.protocols.modbus.failures import ExceptionAnswer, ModbusFailure
from borne.protocols.modbus.job_queue import Priority, RetryPolicy

PERIOD_S = 1.0
POLL_TIMEOUT_S = 3.0
SCAN_TIMEOUT_S = 10.0
"""The requests of a test wait until those of the meters in use are answered."""
RESOLVE_TIMEOUT_S = 10.0
"""To find the registers of a SunSpec meter takes some twenty requests."""
ENERGY_EVERY = 10
"""Polls of a site's meter from one that reads energy and frequency to the next."""
ASK_AGAIN = 300
"""Polls after which a meter is asked again for a serial number that it did not give."""
INTERNAL = N_("The driver of the meter has failed; the log says why.")
_log = logging.getLogger(__name__)

Answer = Measurement | MeterSilent


@dataclass(frozen=True, slots=True)
class _Slow:
    """What is not read at every poll."""

    import_wh: int | None
    export_wh: int | None
    frequency_hz: float | None


class ModbusMeter:
    """A meter at a Modbus port. The port is leased until `stop`.

    `energy_every` is 1 for a billing meter: each poll reads the energy.
    """

    polls_itself = True

    def __init__(
        self,
        profile: Profile,
        unit: int,
        endpoint: Endpoint,
        buses: Buses,
        *,
        energy_every: int = ENERGY_EVERY,
        priority: Priority = Priority.READ,
    ) -> None:
        self._profile = profile
        self._resolved: Profile | None = None
        """The profile with what was found out at the meter itself; None after a missed poll, as the
        meter may have been exchanged."""
        self._unit = unit
        self._endpoint = endpoint
        self._buses = buses
        self._energy_every = energy_every
        self._priority = priority
        self._timeout_s = SCAN_TIMEOUT_S if priority is Priority.SCAN else POLL_TIMEOUT_S
        self._retry = RetryPolicy(pause_s=profile.pause_s)
        self._bus: ModbusBus | None = None
        self._task: asyncio.Task[None] | None = None
        self._requested = asyncio.Event()
        self._waiting: list[asyncio.Future[Measurement]] = []
        self._news: Signal[Answer] = Signal()
        self._slow: _Slow | None = None
        self._since_energy = 0
        self._serial_number = ""
        self._gave_serial = False
        self._gives_none = False
        """It was asked for its serial number, and has never given any."""
        self._failing = False
        """By an internal error, since the last measurement."""
        self._without_serial = 0
        """Polls without a serial number."""

    @property
    def model(self) -> str:
        """The label of its type; maker and model of a user-defined meter."""
        known = PROFILES.get(self._profile.slug)
        if known is None or known.slug == USER_DEFINED:
            return f"{self._profile.vendor} {self._profile.model}"
        return known.label

    @property
    def serial_number(self) -> str:
        """As the meter gave it; empty if it gives none, or was not reached yet."""
        return self._serial_number

    @property
    def profile(self) -> Profile:
        """The register map in use."""
        return self._resolved or self._profile

    @property
    def has_energy(self) -> bool:
        """Whether it has a register of imported energy; a map that is found at the meter itself
        counts as having one until it is known."""
        unknown = self._profile.sunspec and self._resolved is None
        return unknown or self.profile.capabilities.has_energy

    async def start(self) -> None:
        """Begin to poll; the first answer may come later."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"meter at {self._endpoint}")

    async def stop(self) -> None:
        """Stop polling and give the port back; pending reads end with MeterSilent."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._end_reads(NoMeasurement(Message(STOPPED)))
        if self._bus is not None:
            self._bus = None
            await self._buses.release(self._endpoint)

    def abort(self) -> None:
        """Stop at once, as by a power cut: the port stays leased."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._end_reads(NoMeasurement(Message(STOPPED)))

    async def read(self) -> Measurement:
        """A measurement with energy, of a poll that begins after this call; raises MeterSilent."""
        if self._task is None:
            raise NoMeasurement(Message(STOPPED))
        waiter: asyncio.Future[Measurement] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._requested.set()
        return await waiter

    def subscribe(self, listener: Callable[[Answer], None]) -> Unsubscribe:
        """Call `listener` with the result of every poll."""
        return self._news.subscribe(listener)

    # Polling ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            self._requested.clear()
            waiting, self._waiting = self._waiting, []
            try:
                answer = await self._poll(with_energy=bool(waiting))
            except asyncio.CancelledError:
                self._waiting += waiting
                raise
            _answer_reads(waiting, answer)
            self._news.emit(answer)
            await self._until(began_s + PERIOD_S)

    async def _until(self, due_s: float) -> None:
        """Wait for the next poll: until it is due, or requested by a read."""
        try:
            async with asyncio.timeout_at(due_s):
                await self._requested.wait()
        except TimeoutError:
            return

    async def _poll(self, *, with_energy: bool) -> Answer:
        if self._bus is None:
            try:
                self._bus = self._buses.lease(self._endpoint)
            except ValueError as conflict:
                return self._miss(verbatim(str(conflict)))
        try:
            measurement = await self._measure(self._bus, with_energy=with_energy)
        except ModbusFailure as failure:
            return self._miss(explain(failure, self._endpoint, self._unit))
        except Unresolved as unresolved:
            return self._miss(unresolved.message)
        except TimeoutError:
            return self._miss(Message(TOO_SLOW, self._place() | {"seconds": self._timeout_s}))
        except Exception:
            if not self._failing:
                # The next poll, a second later, most likely fails alike.
                _log.exception("meter %s at %s", self.model, self._endpoint)
            self._failing = True
            return self._miss(Message(INTERNAL))
        self._failing = False
        return measurement

    async def _measure(self, bus: ModbusBus, *, with_energy: bool) -> Measurement:
        unknown = self._resolved is None
        if unknown:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                about = replace(self._profile, serial_number=None)
                self._resolved = await resolve(about, self._reader(bus, self._retry))
        profile = self.profile
        fast = profile.blocks(Refresh.FAST)
        every = with_energy or self._slow is None or self._since_energy + 1 >= self._energy_every
        blocks = fast if fast and not every else profile.blocks(Refresh.ALL)
        words: dict[tuple[int, int], int] = {}
        read = self._reader(bus, self._retry)
        async with asyncio.timeout(self._timeout_s):
            for block in blocks:
                try:
                    values = await read(block.function, block.address, block.count)
                except ExceptionAnswer:
                    if not profile.reads_input_only(block):
                        raise
                    continue  # a variant without a digital input is a good meter all the same
                for offset, value in enumerate(values):
                    words[block.function, block.address + offset] = value
        at_s = asyncio.get_running_loop().time()
        if self._asks_serial_number(unknown=unknown):
            await self._read_serial_number(bus)
        self._serial_number = self.profile.meter_serial
        measurement = self.profile.measurement(words, at_s)
        return self._with_slow(measurement, fresh=blocks is not fast)

    def _with_slow(self, measurement: Measurement, *, fresh: bool) -> Measurement:
        if fresh or self._slow is None:
            self._since_energy = 0
            self._slow = _Slow(
                measurement.import_wh, measurement.export_wh, measurement.frequency_hz
            )
            return measurement
        self._since_energy += 1
        return replace(
            measurement,
            import_wh=self._slow.import_wh,
            export_wh=self._slow.export_wh,
            frequency_hz=self._slow.frequency_hz,
        )

    def _reader(self, bus: ModbusBus, retry: RetryPolicy) -> Read:
        async def read(function: int, address: int, count: int) -> tuple[int, ...]:
            return await bus.read(
                self._unit, function, address, count, priority=self._priority, retry=retry
            )

        return read

    async def _read_serial_number(self, bus: ModbusBus) -> None:
        """Only of a meter that has just answered: one that ignores this request is not silent, and
        a silent one would take the line for one more time-out."""
        about = replace(self.profile, serial_number=self._profile.serial_number)
        read = self._reader(bus, replace(self._retry, may_be_ignored=True))
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            self._resolved = await resolve(about, read)
        self._gave_serial = self._gave_serial or bool(self._resolved.meter_serial)
        self._gives_none = not self._gave_serial

    def _asks_serial_number(self, *, unknown: bool) -> bool:
        """Whether to ask for the serial number: after a missed poll, and again at once if the meter
        gave one before, since a known meter without its number does not count; else rarely, as it
        may not have any."""
        if self._profile.serial_number is None or self.profile.meter_serial:
            return False
        self._without_serial += 1
        if self._without_serial % ASK_AGAIN == 0:
            return True
        return not self._gives_none and (unknown or self._gave_serial)

    def _miss(self, message: Message) -> NoMeasurement:
        self._resolved = None
        self._slow = None
        return NoMeasurement(message)

    def _place(self) -> dict[str, object]:
        return {"where": str(self._endpoint), "unit": self._unit}

    def _end_reads(self, answer: MeterSilent) -> None:
        waiting, self._waiting = self._waiting, []
        _answer_reads(waiting, answer)


def _answer_reads(waiting: list[asyncio.Future[Measurement]], answer: Answer) -> None:
    for waiter in waiting:
        if waiter.done():
            continue
        if isinstance(answer, Measurement):
            waiter.set_result(answer)
        else:
            waiter.set_exception(answer)
