"""Load management that shows what a test wants, and a garage to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from borne.application.commands import Removed
from borne.application.refusals import Refused
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.load_status import (
    DisconnectedSum,
    GroupRow,
    LoadDecision,
    LoadSample,
    LoadStatus,
    ParticipantRow,
    SiteLimitRow,
    SlaveStatus,
    Trust,
)
from borne.domain.load_management.messages import SocketUse
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.topology import (
    ROOT,
    GridPhase,
    Rotation,
    SocketPhase,
    SupplyLink,
    grid_currents,
)
from borne.domain.settings.choices import DlmRole
from borne.foundation.events import Signal
from borne.foundation.messages import Message
from borne.foundation.units import ZERO, PerPhase

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OFF = LoadStatus(role=DlmRole.DISABLED)
ALL = frozenset(SocketPhase)
FIRST = frozenset({SocketPhase.L1})


class FakeLoad:
    """A LoadView on values; its commands are recorded."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.changed: Signal[Any] = Signal()
        self.shown = OFF
        self.decided: Sequence[LoadDecision] = ()
        self.sampled: Sequence[LoadSample] = ()
        self.asked: list[tuple[datetime | None, datetime | None]] = []

    def show(
        self,
        status: LoadStatus,
        decided: Sequence[LoadDecision] = (),
        sampled: Sequence[LoadSample] = (),
    ) -> None:
        self.shown, self.decided, self.sampled = status, decided, sampled
        self.changed.emit(None)

    def status(self) -> LoadStatus:
        return self.shown

    def history(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LoadDecision]:
        self.asked.append((start, end))
        return [
            each
            for each in self.decided
            if (start is None or each.at >= start) and (end is None or each.at < end)
        ]

    def samples(self) -> Sequence[LoadSample]:
        return self.sampled

    async def clear_silent(self, count: int) -> Removed:
        if count != len(self.shown.missing):
            raise Refused("wrong_count", "Another number of stations does not answer.")
        self.calls.append(("clear", count))
        return Removed(count)

    async def forget(self, station: str) -> Removed:
        if station not in self.shown.missing:
            raise Refused("station_connected", "It is connected and would come back.")
        self.calls.append(("forget", station))
        return Removed(1)

    async def identify(self, station: str) -> None:
        self.calls.append(("identify", station))

    async def set_demand(
        self,
        connector: int,
        energy_wh: float | None = None,
        departure: str | None = None,
        priority: int | None = None,
    ) -> None:
        self.calls.append(("demand", connector, energy_wh, departure, priority))

    async def withdraw_demand(self, connector: int) -> None:
        self.calls.append(("withdraw", connector))


def socket(
    station: str,
    connector: int,
    amps: float,
    reason: Reason,
    *,
    phases: frozenset[SocketPhase] | None = ALL,
    rotation: Rotation = Rotation.RST,
    drawn_a: float | None = None,
    **more: Any,
) -> ParticipantRow:
    """A socket of the garage; `drawn_a` on the phases that its car uses."""
    used = phases or ALL

    def on(value: float) -> PerPhase:
        return PerPhase(*(value if phase in used else 0.0 for phase in SocketPhase))

    measured = None if drawn_a is None else on(drawn_a)
    row = ParticipantRow(
        id=f"{station}/{connector}",
        station=station,
        station_name=f"Garage {station[-1]}",
        connector=connector,
        use=SocketUse.CHARGING if drawn_a else SocketUse.WAITING,
        since=NOW - timedelta(minutes=42),
        phases=phases,
        rotation=rotation,
        requested_a=16.0,
        granted_a=amps,
        measured_a=measured,
        grid_a=grid_currents(on(amps), rotation),
        measured_grid_a=grid_currents(measured or ZERO, rotation),
        minimum_a=7.0,
        disconnected_a=7.0,
        reason=reason,
        last_received=NOW - timedelta(seconds=3),
        received_s=3.0,
        address=f"172.16.23.10{station[-1]}",
    )
    return replace(row, **more)


N1, N2, N3 = (SupplyLink(ROOT, phase) for phase in GridPhase)
GARAGE_SOCKETS = (
    socket("s1", 1, 12.3, Reason(LimitCause.FAIR_SHARE, N1, sharing=3), drawn_a=12.1),
    socket(
        *("s1", 2, 12.3, Reason(LimitCause.FAIR_SHARE, N2, sharing=3)),
        phases=FIRST,
        rotation=Rotation.STR,
        drawn_a=12.0,
    ),
    socket(
        *("s2", 1, 11.0, Reason(LimitCause.TAKES_LESS, amps=10.0)),
        rotation=Rotation.TRS,
        drawn_a=9.9,
    ),
    socket(
        *("s3", 1, 0.0, Reason(LimitCause.WAITING_FOR_MINIMUM, N1, amps=4.4)),
        phases=None,
        until=NOW + timedelta(minutes=12),
    ),
    socket(
        *("s4", 1, 7.0, Reason(LimitCause.NO_CONTACT, amps=7.0)),
        lost=True,
        trust=Trust.LOST,
        received_s=75.0,
        last_received=NOW - timedelta(seconds=75),
    ),
    socket(
        *("s5", 1, 0.0, Reason(LimitCause.NO_DEMAND)),
        use=SocketUse.FREE,
        rotation=Rotation.UNKNOWN,
        requested_a=None,
        drawn_a=0.0,
    ),
)
LIMITS = (
    SiteLimitRow(
        source=LimitCause.SUB_DISTRIBUTION,
        amps=PerPhase.same(63.0),
        reason=Message("EVSE sub-distribution limit"),
    ),
    SiteLimitRow(
        source=LimitCause.OPERATOR,
        amps=PerPhase(60.0, 60.0, 50.0),
        reason=Message("Operator EVSE sub-distribution limit"),
        effective=(False, False, True),
    ),
    SiteLimitRow(
        source=LimitCause.EXTERNAL_LOAD,
        amps=PerPhase(35.0, 43.5, 58.0),
        reason=Message("100 A less building 60/51.5/37 A less headroom 5 A"),
        effective=(True, True, False),
        age_s=0.4,
        fallback_a=PerPhase.same(80.0),
    ),
)
GARAGE = LoadStatus(
    role=DlmRole.MASTER,
    revision=812,
    limits=LIMITS,
    limit_a=PerPhase(35.0, 43.5, 50.0),
    external_a=PerPhase(60.0, 51.5, 37.0),
    groups=(
        GroupRow(
            id=ROOT,
            parent=None,
            limit_a=PerPhase(35.0, 43.5, 50.0),
            used_a=PerPhase(30.3, 42.6, 30.3),
            measured_a=PerPhase(22.0, 34.0, 22.0),
        ),
    ),
    participants=GARAGE_SOCKETS,
    disconnected=(
        DisconnectedSum(group=ROOT, phase=GridPhase.N1, amps=42.0, limit_a=63.0, fits=True),
        DisconnectedSum(
            group=ROOT, phase=GridPhase.N1, amps=42.0, limit_a=20.0, fits=False, main=True
        ),
    ),
    last_cycle=NOW,
)
DECISIONS = (
    LoadDecision(
        at=NOW - timedelta(minutes=5),
        cycle=811,
        participant="s2/1",
        before_a=16.0,
        after_a=11.0,
        reason=Reason(LimitCause.TAKES_LESS, amps=10.0),
        grid_a=PerPhase.same(11.0),
    ),
    LoadDecision(
        at=NOW - timedelta(seconds=30),
        cycle=812,
        participant="s1/2",
        before_a=8.3,
        after_a=12.3,
        reason=Reason(LimitCause.FAIR_SHARE, N2, sharing=3),
        grid_a=PerPhase(0.0, 12.3, 0.0),
    ),
)


def samples(minutes: int = 10) -> list[LoadSample]:
    """Curves with a step in the middle and a building that sways."""
    found = []
    for index in range(minutes * 12):
        building = 40.0 + 12 * (index % 40 > 25)
        granted = 20.0 if index < minutes * 6 else 32.0
        found.append(
            LoadSample(
                at=NOW - timedelta(seconds=5 * (minutes * 12 - index)),
                limit_a=PerPhase(95 - building, 95 - building, 50.0),
                granted_a=PerPhase(granted, granted + 8, granted),
                measured_a=PerPhase(granted - 2, granted + 3, granted - 4),
                external_a=PerPhase(building, building - 6, 37.0),
            )
        )
    return found


SLAVE = LoadStatus(
    role=DlmRole.SLAVE_FIXED,
    slave=SlaveStatus(
        stage=FailSafeStage.CONNECTED,
        master="172.16.23.1",
        received_s=4.0,
        limited_in_s=56.0,
        static_in_s=86.0,
        disconnected_a=7.0,
        granted_a=((1, 13.0), (2, 13.0)),
    ),
)
