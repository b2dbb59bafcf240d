"""The billing meters: last reading, silence, implausible registers.

A reading is asked for when money depends on it and taken when the meter tells by itself. A meter
that is silent for a while is a fault; one whose register goes backwards or jumps is another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from borne.application.ports import EvseHardware, MeterPort, MeterReading, MeterSilent
from borne.domain.station.metering import RegisterPoint, Verdict, judge
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor

READ_TIMEOUT_S = 3.0
SILENCE_S = 10.0
MAX_POWER_PER_AMPERE_W = 3 * 253.0


class MeteringService:
    """Meters of all connectors."""

    def __init__(
        self,
        evses: Mapping[int, EvseHardware],
        supervisor: Supervisor,
        live_poll_s: float | None = None,
    ) -> None:
        self.readings: dict[int, MeterReading] = {}
        self.changed: Signal[int] = Signal()
        self.silent: Signal[tuple[int, bool]] = Signal()
        self.implausible: Signal[tuple[int, Verdict]] = Signal()
        self._evses = evses
        self._supervisor = supervisor
        self._live_poll_s = live_poll_s
        self._silence_timers: dict[int, asyncio.TimerHandle] = {}
        self._is_silent: set[int] = set()
        self._watched: set[int] = set()

    async def start(self) -> None:
        """Begin to listen to every meter."""
        for connector, meter in self._meters().items():
            meter.subscribe(partial(self._take, connector))
            await meter.start()
            await self.read(connector)
        if self._live_poll_s is not None:
            pause_s = self._live_poll_s
            self._supervisor.keep("meter polling", lambda: self._poll(pause_s))

    async def stop(self) -> None:
        """End listening."""
        self.abort()
        for meter in self._meters().values():
            await meter.stop()

    def abort(self) -> None:
        """Power cut."""
        for timer in self._silence_timers.values():
            timer.cancel()

    def watch(self, connector: int, *, active: bool) -> None:
        """Read this meter regularly while a session runs."""
        (self._watched.add if active else self._watched.discard)(connector)

    def has_meter(self, connector: int) -> bool:
        """Whether a billing meter belongs to this connector."""
        evse = self._evses.get(connector)
        return evse is not None and evse.meter is not None and evse.meter.billing

    async def read(self, connector: int) -> MeterReading | None:
        """A fresh reading, or None when the meter is silent or there is none."""
        meter = self._meters().get(connector)
        if meter is None:
            return None
        try:
            reading = await asyncio.wait_for(meter.read(), READ_TIMEOUT_S)
        except (MeterSilent, TimeoutError):
            self._take(connector, MeterSilent())
            return None
        self._take(connector, reading)
        return reading

    def _meters(self) -> dict[int, MeterPort]:
        return {
            connector: evse.meter
            for connector, evse in self._evses.items()
            if evse.meter is not None
        }

    def _take(self, connector: int, told: MeterReading | MeterSilent) -> None:
        if isinstance(told, MeterSilent):
            if connector not in self._silence_timers:
                loop = asyncio.get_running_loop()
                self._silence_timers[connector] = loop.call_later(
                    SILENCE_S, self._tell_silence, connector
                )
            return
        timer = self._silence_timers.pop(connector, None)
        if timer is not None:
            timer.cancel()
        if connector in self._is_silent:
            self._is_silent.discard(connector)
            self.silent.emit((connector, False))
        self._judge(connector, told)
        self.readings[connector] = told
        self.changed.emit(connector)

    def _judge(self, connector: int, reading: MeterReading) -> None:
        before = self.readings.get(connector)
        if before is None:
            return
        limit_w = self._evses[connector].board.capabilities.max_current_a * MAX_POWER_PER_AMPERE_W
        verdict = judge(
            RegisterPoint(before.register_wh, before.at_s),
            RegisterPoint(reading.register_wh, reading.at_s),
            limit_w,
        )
        if verdict is not Verdict.GOOD:
            self.implausible.emit((connector, verdict))

    def _tell_silence(self, connector: int) -> None:
        self._is_silent.add(connector)
        self.silent.emit((connector, True))

    async def _poll(self, pause_s: float) -> None:
        while True:
            await asyncio.sleep(pause_s)
            for connector in tuple(self._watched):
                await self.read(connector)
