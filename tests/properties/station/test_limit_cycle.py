"""Offers against rows in any order, with a worker that answers late (decision 0181).

Real connector machines on boards of the test, rows from the test; the distribution runs on the
loop, or in a worker whose answers come when the scenario says so. What must hold is computed anew
from the rows, without the code under test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.plan import LimitPlan
from borne.domain.limits.sources import LimitKind, LimitScope, Source
from borne.domain.load_management.topology import Rotation, connected_phases, loaded_phases
from borne.domain.settings.choices import PhaseRotation, PhasesConnected
from borne.domain.station.connector_events import Authorized, StopAsked
from borne.domain.station.connector_state import Stop
from borne.domain.station.session import StopReason
from tests.support.virtual_time import run_virtual
from tests.unit.application.limits.limit_doubles import Sockets, turn, where
from tests.unit.application.station_doubles import CARD

SURPLUS = Source(LimitCause.EXTERNAL_LOAD, LimitScope.CONNECTOR, LimitKind.RECOMMENDATION, 6.0)
EPS = 1e-6
SECOND_ON_N2 = {
    "PhasesConnected_2": PhasesConnected.SINGLE,
    "ConnectorPhaseRotation_2": PhaseRotation.STR,
}

connectors = st.sampled_from([1, 2])
amps = st.sampled_from([0.0, 5.0, 6.0, 9.5, 13.0, 20.0, 32.0, 60.0])
per_phase = st.one_of(amps.map(lambda value: (value,) * 3), st.tuples(amps, amps, amps))
owned = st.tuples(
    st.sampled_from(
        [
            sources.OCPP_TX,
            sources.ENERGY_MANAGER,
            sources.TEMPERATURE,
            sources.OCPP_STATION,
            sources.OCPP_STATION,
            SURPLUS,
        ]
    ),
    connectors,
    st.sampled_from(["", "semp"]),
)
acts = st.one_of(
    st.tuples(st.just("put"), owned, per_phase, st.sampled_from([None, None, 4.0, 90.0])),
    st.tuples(st.just("withdraw"), owned, st.none(), st.none()),
    st.tuples(
        st.just("set"),
        st.sampled_from(["OperatorCurrentLimit", "MaximumCurrent_2", "SupplyLineCurrentCapacity"]),
        st.sampled_from([6, 10, 16, 32]),
        st.none(),
    ),
    st.tuples(st.just("set"), st.just("SingleSupplyLine"), st.booleans(), st.none()),
    st.tuples(st.just("car"), connectors, st.booleans(), st.none()),
    st.tuples(st.just("pass"), st.sampled_from([0.5, 3.0, 6.5, 40.0]), st.none(), st.none()),
    st.tuples(st.just("answer"), st.none(), st.none(), st.none()),
)


class World:
    """Two sockets, their rows as the test knows them, and a worker that waits to be asked."""

    def __init__(self, *, inline: bool) -> None:
        self.inline = inline
        how: dict[str, Any] = (
            {} if inline else {"inline_up_to": 0, "run_in_worker": self._in_worker}
        )
        self.sockets = Sockets(**how)
        self.rows: dict[tuple[int, Source, str], tuple[tuple[float, ...], float | None]] = {}
        self.changes = 0
        """Of rows: each makes an older plan stale."""
        self.work: list[tuple[asyncio.Future[None], int]] = []
        self.cars: set[int] = set()

    async def _in_worker(self, work: Callable[[], LimitPlan]) -> LimitPlan:
        plan = work()
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.work.append((gate, self.changes))
        await gate
        return plan

    # The scenario -----------------------------------------------------------------------------

    async def do(self, name: str, what: Any, value: Any, for_s: float | None) -> None:
        before, may_rise = self.offers(), self.inline
        match name:
            case "put":
                source, connector, owner = what
                self.put(source, connector, owner, value, for_s)
            case "withdraw":
                source, connector, owner = what
                self.rows.pop((where(source, connector), source, owner), None)
                self.changes += 1
                self.sockets.withdraw(source, connector, owner)
            case "set":
                self.changes += self.sockets.settings()[what] != value
                self.sockets.set(**{what: value})
            case "car":
                self.car(what, here=value)
            case "pass":
                await self.pass_time(what)
            case _:
                may_rise |= self.answer()
        self.check_own_rows()
        if not self.inline:
            self.check_shared_rows()
        await turn()
        self.check_own_rows()
        self.check_shared_rows()
        if not may_rise:
            assert all(after <= before[number] for number, after in self.offers().items())

    def put(
        self,
        source: Source,
        connector: int,
        owner: str,
        values: tuple[float, ...],
        for_s: float | None,
    ) -> None:
        now_s = asyncio.get_running_loop().time()
        until_s = None if for_s is None else now_s + for_s
        self.rows[where(source, connector), source, owner] = (values, until_s)
        self.changes += 1
        self.sockets.put(source, *values, connector=connector, for_s=for_s, owner=owner)

    def car(self, connector: int, *, here: bool) -> None:
        bench = self.sockets.benches[connector]
        if here and connector not in self.cars:
            self.cars.add(connector)
            bench.board.plug()
            bench.runner.post(Authorized(CARD))
        elif not here and connector in self.cars:
            self.cars.discard(connector)
            bench.runner.post(StopAsked(Stop(StopReason.LOCAL)))
            bench.board.unplug()

    async def pass_time(self, seconds: float) -> None:
        now_s = asyncio.get_running_loop().time()
        dues = [until_s for _, until_s in self.rows.values() if until_s is not None]
        self.changes += any(now_s < due_s <= now_s + seconds for due_s in dues)
        await asyncio.sleep(seconds)

    def answer(self) -> bool:
        """The worker answers; True if its plan is fresh, and may raise."""
        if not self.work:
            return False
        gate, changes = self.work.pop(0)
        gate.set_result(None)
        return changes == self.changes

    # What must hold ------------------------------------------------------------------------

    def offers(self) -> dict[int, float]:
        return {number: self.sockets.service.offered_a(number) for number in (1, 2)}

    def values(self, book: int, kind: LimitKind) -> list[tuple[tuple[float, ...], bool]]:
        """The rows of a book, and whether they are still live."""
        now_s = asyncio.get_running_loop().time()
        found = []
        for (number, source, _), (values, until_s) in self.rows.items():
            if number == book and source.kind is kind:
                over = until_s is not None and now_s >= until_s
                found.append(((source.fallback_a,) * 3 if over else values, not over))
        return found

    def phases(self, number: int) -> int:
        wired = self.sockets.settings().choice("PhasesConnected", PhasesConnected, number)
        return 3 if wired is PhasesConnected.THREE else 1

    def check_own_rows(self) -> None:
        set_to = self.sockets.settings()
        for number, offer_a in self.offers().items():
            most = [
                min(values[: self.phases(number)])
                for values, _ in self.values(number, LimitKind.OBLIGATION)
            ]
            recommended = self.values(number, LimitKind.RECOMMENDATION)
            live = [values for values, is_live in recommended if is_live]
            most += [min(one[: self.phases(number)]) for one in live or [r for r, _ in recommended]]
            most += [
                set_to.integer(key, number) for key in ("MaximumCurrent", "OperatorCurrentLimit")
            ]
            if not set_to.single_supply_line:
                most.append(set_to.integer("InstallationCurrentLimit", number))
            assert offer_a <= min(most) + EPS, (number, offer_a, most)

    def check_shared_rows(self) -> None:
        set_to = self.sockets.settings()
        limits = [values for values, _ in self.values(0, LimitKind.OBLIGATION)]
        if set_to.single_supply_line:
            limits.append((float(set_to.integer("SupplyLineCurrentCapacity")),) * 3)
        if not limits:
            return
        for phase in (1, 2, 3):
            total = 0.0
            for number, offer_a in self.offers().items():
                turned = set_to.choice("ConnectorPhaseRotation", PhaseRotation, number)
                connected = connected_phases(self.phases(number))
                if phase in loaded_phases(Rotation(turned.value.upper()), connected):
                    total += offer_a
            assert total <= min(limit[phase - 1] for limit in limits) + EPS, (phase, total, limits)

    async def settle(self) -> None:
        """Answer until nothing is asked any more."""
        await turn()
        while self.work:
            await self.do("answer", None, None, None)
            await self.do("pass", 10.0, None, None)

    async def check_everybody_is_served_in_the_end(self) -> None:
        for book, source, owner in list(self.rows):
            await self.do("withdraw", (source, book, owner), None, None)
        await self.do("set", "SingleSupplyLine", False, None)
        await self.settle()
        own = {number: self.sockets.service.own_limit_a(number) for number in (1, 2)}
        assert self.offers() == own


async def live(steps: list[tuple[Any, ...]], *, inline: bool, wired: dict[str, Any]) -> None:
    world = World(inline=inline)
    await world.sockets.start(**wired)
    for connector in (1, 2):
        await world.do("car", connector, True, None)
        await world.settle()
    for name, what, value, for_s in steps:
        await world.do(name, what, value, for_s)
    await world.check_everybody_is_served_in_the_end()
    world.sockets.service.abort()


@settings(max_examples=100)
@given(
    st.lists(acts, max_size=30),
    st.sampled_from([False, False, True]),
    st.sampled_from([{}, SECOND_ON_N2]),
)
def test_no_offer_is_above_a_row_and_no_stale_plan_raises(
    steps: list[tuple[Any, ...]], inline: bool, wired: dict[str, Any]
) -> None:
    run_virtual(live(steps, inline=inline, wired=wired))
