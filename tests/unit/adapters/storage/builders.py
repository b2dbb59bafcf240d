"""Sessions, messages and stations' storages for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from borne.adapters.storage import open_storage
from borne.application.ports.storage import Storage
from borne.domain.station import measurands
from borne.domain.station.measurands import MeterValue, SampledValue
from borne.domain.station.session import Sample, SessionEnd, SessionStart, StopReason
from borne.domain.station.transaction_messages import (
    MeterValuesMessage,
    StartMessage,
    StopMessage,
    TransactionMessage,
)
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.units import PerPhase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOOT = "boot-1"
TOKEN = "04567DAA5F3580"


def clock(boot_id: str = BOOT, monotonic: Callable[[], float] = lambda: 0.0) -> Clock:
    return Clock(monotonic, NOON, ClockTrust.NTP, boot_id)


async def opened(folder: Path, seed: str = "seed", **options: Any) -> Storage:
    return await open_storage(folder, clock(), lambda: seed, **options)


def at(seconds: float, *, dated: bool = True, boot: str = BOOT) -> Moment:
    """A moment so long after noon, which is when the boot was."""
    return Moment(boot, seconds, NOON + timedelta(seconds=seconds) if dated else None)


def start(
    session_id: str = "s1",
    *,
    connector: int = 1,
    when: Moment | None = None,
    wh: int = 1000,
    token: str = TOKEN,
    reported: bool = True,
    serial: str = "",
) -> SessionStart:
    identity = Identity(IdentityKind.RFID, token)
    moment = when or at(0)
    return SessionStart(session_id, connector, identity, moment, wh, reported, meter_serial=serial)


def end(when: Moment | None = None, wh: int = 3500) -> SessionEnd:
    return SessionEnd(when or at(3600), wh, StopReason.LOCAL, TOKEN)


def sample(seconds: float, wh: int, power_w: float = 0.0, *, dated: bool = True) -> Sample:
    amps, volts = PerPhase(10.5, 10.25, 0.0), PerPhase.same(230.0)
    return Sample(at(seconds, dated=dated), wh, amps, volts, power_w, 16.0)


def start_message(
    session_id: str = "s1",
    *,
    token: str = TOKEN,
    when: Moment | None = None,
    wh: int = 1000,
    connector: int = 1,
) -> StartMessage:
    return StartMessage(session_id, connector, token, wh, when or at(0))


def stop_message(
    session_id: str = "s1",
    *,
    token: str | None = TOKEN,
    when: Moment | None = None,
    wh: int = 3500,
    values: tuple[MeterValue, ...] = (),
) -> StopMessage:
    return StopMessage(session_id, 1, wh, when or at(3600), StopReason.LOCAL, token, values)


def values_message(
    session_id: str | None = "s1", *, when: Moment | None = None, value: str = "1000"
) -> MeterValuesMessage:
    return MeterValuesMessage(session_id, 1, (meter_value(value, when),))


def meter_value(value: str, when: Moment | None = None) -> MeterValue:
    sampled = SampledValue(value, "Wh", measurands.REGISTER, measurands.PERIODIC)
    return MeterValue(when or at(60), (sampled,))


def as_stored(message: TransactionMessage) -> TransactionMessage:
    """As it comes back: a date needs no boot."""
    return message.with_moments(lambda moment: Moment.from_text(moment.to_text()))
