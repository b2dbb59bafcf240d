"""A meter of the field as the billing meter of a socket (manual 7.4.2, "OCPP meter")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from borne.application.ports.hardware import MeterSilent, SiteMeterPort
from borne.domain.meters.billing import billing_reading
from borne.domain.meters.measurement import Measurement
from borne.domain.station.reading import MeterReading, UnusableReading
from borne.foundation.events import Signal, Unsubscribe

ALL_PHASES = (0, 1, 2)


class EnergyMeter(SiteMeterPort, Protocol):
    """A meter that knows whether it has a register of imported energy."""

    @property
    def has_energy(self) -> bool: ...

    def abort(self) -> None: ...


class BillingMeter:
    """Gives the measurements of a meter as readings. `phases` are the connected phases of the
    socket, 0 for L1. Without a register of energy every reading counts as missing."""

    polls_itself = True

    def __init__(self, meter: EnergyMeter, phases: Sequence[int] = ALL_PHASES) -> None:
        self._meter = meter
        self._phases = tuple(phases)
        self._news: Signal[MeterReading | MeterSilent] = Signal()
        self._subscription: Unsubscribe | None = None

    @property
    def model(self) -> str:
        return self._meter.model

    @property
    def serial_number(self) -> str:
        return self._meter.serial_number

    @property
    def billing(self) -> bool:
        return self._meter.has_energy

    async def start(self) -> None:
        if self._subscription is None:
            self._subscription = self._meter.subscribe(self._on_answer)
        await self._meter.start()

    async def stop(self) -> None:
        if self._subscription is not None:
            self._subscription()
            self._subscription = None
        await self._meter.stop()

    def abort(self) -> None:
        """Stop at once, as by a power cut."""
        self._meter.abort()

    async def read(self) -> MeterReading:
        """A reading that is made after this call; raises MeterSilent and UnusableReading."""
        return self._reading(await self._meter.read())

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        """Call `listener` with the result of every poll."""
        return self._news.subscribe(listener)

    def _on_answer(self, answer: Measurement | MeterSilent) -> None:
        if isinstance(answer, MeterSilent):
            self._news.emit(answer)
            return
        try:
            self._news.emit(self._reading(answer))
        except UnusableReading as unusable:
            self._news.emit(MeterSilent(unusable.message))

    def _reading(self, measurement: Measurement) -> MeterReading:
        return billing_reading(measurement, phases=self._phases)
