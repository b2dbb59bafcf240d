"""Sessions, messages and stations' storages for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from borne.adapters.storage import open_storage
from borne.application.ports.storage import MessageKind, Storage, TransactionMessage
from borne.domain.station.session import Sample, SessionEnd, SessionStart, StopReason
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


def message(
    kind: MessageKind, session_id: str | None = "s1", *, droppable: bool = False, **payload: Any
) -> TransactionMessage:
    body: Mapping[str, Any] = payload or {"kind": str(kind)}
    return TransactionMessage(kind, session_id, 1, body, droppable)


def start_message(session_id: str = "s1", **payload: Any) -> TransactionMessage:
    return message(MessageKind.START, session_id, **payload)


def stop_message(session_id: str = "s1", **payload: Any) -> TransactionMessage:
    return message(MessageKind.STOP, session_id, **payload)


def values_message(session_id: str = "s1", **payload: Any) -> TransactionMessage:
    return message(MessageKind.METER_VALUES, session_id, droppable=True, **payload)
