"""Curves and causes of a run, for `--out`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from borne.adapters.site.accounts import Accounts
from borne.adapters.site.virtual_station import VirtualStation
from borne.domain.load_management.group import GroupPlan
from borne.domain.load_management.participant import Grant, Reason
from borne.domain.load_management.topology import ROOT
from borne.foundation.units import PHASES, PerPhase

SITE, BUILDING = "site", "building"
MIN_PERIOD_S, SAMPLES = 5.0, 4000


class CurvePoint(NamedTuple):
    """A row of curves.csv; it holds until the next row of this id and phase."""

    at_s: float
    id: str
    phase: int
    """Of the grid, from 1."""
    offered_a: float | None
    measured_a: float
    limit_a: float | None


class CauseChange(NamedTuple):
    """A row of causes.csv: a new current of a socket, or a new reason."""

    at_s: float
    participant: str
    amps: float
    reason: Reason


class PhaseSample(NamedTuple):
    """A point of the picture."""

    at_s: float
    limit_a: PerPhase
    stations_a: PerPhase
    building_a: PerPhase


@dataclass
class Recorder:
    """Samples everything once a period, and keeps what changed."""

    period_s: float = MIN_PERIOD_S
    points: list[CurvePoint] = field(default_factory=list)
    causes: list[CauseChange] = field(default_factory=list)
    samples: list[PhaseSample] = field(default_factory=list)
    _last: dict[tuple[str, int], tuple[float | None, float, float | None]] = field(
        default_factory=dict
    )
    _grants: dict[str, Grant] = field(default_factory=dict)

    @classmethod
    def for_run(cls, until_s: float) -> Recorder:
        """A recorder whose files stay of a size that opens."""
        return cls(max(MIN_PERIOD_S, until_s / SAMPLES))

    def planned(self, now_s: float, plan: GroupPlan) -> None:
        """Note what a cycle changed."""
        for name, grant in plan.grants.items():
            before = self._grants.get(name)
            if before is None or (before.amps, before.reason.cause) != (
                grant.amps,
                grant.reason.cause,
            ):
                self.causes.append(CauseChange(now_s, name, grant.amps, grant.reason))
                self._grants[name] = grant

    def sample(
        self,
        now_s: float,
        stations: Iterable[VirtualStation],
        accounts: Accounts,
        building_a: PerPhase,
    ) -> None:
        """Note all currents of this moment."""
        accounts.settle(now_s)
        three = PerPhase(*(line.amps for line in accounts.lines[:3]))
        self.samples.append(PhaseSample(now_s, accounts.root_limit_a, three, building_a))
        for name, phase, values in _values(stations, accounts, building_a):
            if self._last.get((name, phase)) != values:
                self._last[name, phase] = values
                self.points.append(CurvePoint(now_s, name, phase + 1, *values))


def _values(
    stations: Iterable[VirtualStation], accounts: Accounts, building_a: PerPhase
) -> Iterator[tuple[str, int, tuple[float | None, float, float | None]]]:
    for number, name in enumerate([ROOT, *accounts.topology.groups]):
        for phase in PHASES:
            line = accounts.lines[3 * number + phase]
            shown = SITE if number == 0 else f"group/{name}"
            yield shown, phase, (None, round(line.amps, 3), round(line.limit_a, 3))
    for phase in PHASES:
        yield BUILDING, phase, (None, round(building_a[phase], 3), None)
    for station in stations:
        for socket in station.sockets:
            for phase in socket.root_phases if socket.car is not None else ():
                name = f"{station.model.id}/{socket.number}"
                values = (socket.pilot_a, round(socket.drawn_a, 3), station.model.maximum_a)
                yield name, phase, values
