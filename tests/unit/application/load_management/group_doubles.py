"""A station in a load-managed group: doubles of its sockets under real limits, with the limit of
the group from the test."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from borne.application.load_management.group_service import GroupParts, GroupService
from borne.application.load_management.learnt_skew import LearntSkew
from borne.application.load_management.master_service import RootLimit
from borne.application.ports.group_link import MasterLink, SlaveLink
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.load_status import LoadStatus, ParticipantRow, SiteLimitRow
from borne.domain.settings.entry import Value
from borne.foundation.events import Signal
from borne.foundation.messages import verbatim
from borne.foundation.units import PerPhase
from tests.support.fake_stores import MemoryState
from tests.unit.application.limits.limit_doubles import Sockets


class FakeSite:
    """The limit of a group, set by the test."""

    def __init__(self, amps: float) -> None:
        self.changed: Signal[bool] = Signal()
        self.limit_a = PerPhase.same(amps)
        self.external_a: PerPhase | None = None
        self.drawn: list[PerPhase] = []
        self.shown_s: float | None = None
        self.learnt: LearntSkew | None = None
        self.remembered: LearntSkew | None = None

    @property
    def rows(self) -> tuple[SiteLimitRow, ...]:
        row = SiteLimitRow(
            source=LimitCause.SUB_DISTRIBUTION, amps=self.limit_a, reason=verbatim("the test")
        )
        return (row,)

    def start(self) -> None: ...

    def abort(self) -> None: ...

    def note_drawn(self, evse_a: PerPhase, max_a: PerPhase | None = None) -> None:
        self.drawn.append(evse_a)

    def remember(self, learnt: LearntSkew | None) -> None:
        self.remembered = learnt

    def set(self, amps: float) -> None:
        before, self.limit_a = self.limit_a, PerPhase.same(amps)
        self.changed.emit(amps < before.l1)


class GroupStation:
    """A station with its load management."""

    def __init__(
        self,
        station: str = "alpha",
        connectors: int = 2,
        *,
        site: RootLimit | None = None,
        state: MemoryState | None = None,
        slave_link: SlaveLink | None = None,
        master_link: MasterLink | None = None,
        **settings: Value,
    ) -> None:
        self.sockets = Sockets(connectors)
        self.sockets.set(**settings)
        self.site = site
        self.state = state or MemoryState()
        self.group = GroupService(
            GroupParts(
                station=station,
                name=station.title(),
                connectors={n: bench.runner for n, bench in self.sockets.benches.items()},
                meters=self.sockets.meters,
                limits=self.sockets.service,
                site=site,
                state=self.state,
                settings=self.sockets.settings,
                clock=self.sockets.clock,
                supervisor=self.sockets.benches[1].supervisor,
                slave_link=slave_link,
                master_link=master_link,
            )
        )

    async def start(self) -> GroupStation:
        await self.group.start()
        await self.sockets.start()
        return self

    @property
    def status(self) -> LoadStatus:
        return self.group.status()

    def row(self, participant: str) -> ParticipantRow:
        return next(row for row in self.status.participants if row.id == participant)

    def offers(self) -> Sequence[float]:
        return self.sockets.amps()

    async def draw(self, connector: int, *amps: float) -> None:
        """A reading of the meter, and the turns of the loop that follow."""
        self.sockets.meters.show(connector, *amps)
        await asyncio.sleep(0.1)
