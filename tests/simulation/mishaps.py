"""What befalls a station and its backend: bad lines, restarts, power cuts, orders from above."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from borne.adapters.simulation.faults import CATALOGUE
from borne.adapters.simulation.world import LinkMode
from borne.application.ports.simulator import SimulatorError
from borne.application.refusals import Refused
from borne.application.settings.settings_service import SettingsRejected
from borne.domain.principals import SYSTEM
from borne.domain.station.faults import FaultScope
from tests.simulation.central_model import INTERVAL_S, AnswerMode, CentralModel
from tests.simulation.truth import Truth
from tests.support.simulated_network import SimulatedStation

MINUTE_S = 60.0
LIMITS_A = (0, 3, 5, 6, 8, 10, 13, 16, 20, 32)
"""1 to 5 A are no offer and refused as settings; 0 is a pause."""
SHORTEST_CUT_S = 0.1
"""By then the contactors have dropped; no station boots so fast."""
RTC_ERROR_S = 1.5
"""How far a battery clock is from the truth."""
NOT_BROKEN = (
    "clock-lost",
    "backend-offline",
    "network-lost",
    "master-lost",
    "usb-link",
    "meter-polled",
    "disk-full",
    "car-pulses",
)
TAMPERED = (
    "meter-backwards",
    "meter-jump",
    "meter-replaced",
    "meter-step",
    "meter-exchanged",
    "meter-frozen",
    "meter-factor",
    "meter-nan",
    "meter-garbage",
)
BREAKABLE = tuple(cause for cause in CATALOGUE if cause not in (*NOT_BROKEN, *TAMPERED))
"""Physical causes that leave the registers honest; links are cut by other mishaps."""
TRIGGERS = ("StatusNotification", "MeterValues", "Heartbeat", "BootNotification")
REMOTE_TAGS = ("REMOTE1", "04A1A1A1A1A1A1", "04E5E5E5E5E5E5")


class AnswerModes:
    """How the central system treats messages; `healed` makes it good for ever."""

    def __init__(self, rng: random.Random, bad: float = 0.1) -> None:
        self.healed = False
        self._rng = rng
        self._bad = bad
        self.drawn: dict[AnswerMode, int] = {}

    def __call__(self, action: str) -> AnswerMode:
        if self.healed:
            return AnswerMode.GOOD
        mode = AnswerMode.GOOD
        if self._rng.random() < self._bad:
            mode = self._rng.choice([m for m in AnswerMode if m is not AnswerMode.GOOD])
        self.drawn[mode] = self.drawn.get(mode, 0) + 1
        return mode

    def greet(self, _: str) -> tuple[str, int]:
        """The answer to a BootNotification."""
        if not self.healed and self._rng.random() < 0.3:
            status = self._rng.choice(("Pending", "Rejected"))
            return status, self._rng.choice((0, 5, 30, 120))
        return "Accepted", INTERVAL_S


class Mishaps:
    """All that happens to one station besides people."""

    def __init__(
        self, simulated: SimulatedStation, central: CentralModel, truth: Truth, rng: random.Random
    ) -> None:
        self._simulated = simulated
        self._central = central
        self._truth = truth
        self._rng = rng
        self.counts: dict[str, int] = {}

    def all(self) -> list[Awaitable[None]]:
        """Run all disturbances."""
        return [
            self._every(45, self._cut_link),
            self._every(120, self._cut_power),
            self._every(150, self._restart_backend),
            self._every(60, self._change_limit),
            self._every(150, self._change_availability),
            self._every(40, self._order),
            self._every(300, self._restart),
            self._every(400, self._storm),
            self._every(200, self._break_something),
        ]

    async def heal(self) -> None:
        """Restore everything."""
        await self._repair_everything()
        await self._simulated.world.links["backend"].switch(True)
        await self._central.go_away(politely=False)
        await self._central.start()
        await self._restore_power()
        for connector in self._simulated.world.sockets:
            await self._availability(connector, operative=True)

    async def _every(self, mean_minutes: float, happen: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / mean_minutes) * MINUTE_S)
            await happen()

    async def _cut_link(self) -> None:
        mode = self._rng.choice(list(LinkMode))
        self._count(f"link {mode}")
        link = self._simulated.world.links["backend"]
        await link.switch(False, mode)
        await asyncio.sleep(self._rng.choice((0.5, 20, 90, 400, 1500)) * self._rng.random())
        await link.switch(True)

    async def _cut_power(self) -> None:
        self._count("power cut")
        self._simulated.world.clock_battery = self._rng.random() < 0.5
        self._simulated.rtc_error_s = self._rng.uniform(-RTC_ERROR_S, RTC_ERROR_S)
        await self._simulated.host.cut()
        await asyncio.sleep(
            SHORTEST_CUT_S + self._rng.choice((0, 2, 60, 1200)) * self._rng.random()
        )
        await self._restore_power()

    async def _storm(self) -> None:
        """The line goes first, then the power, several times; the clock's battery is empty."""
        self._count("storm")
        link = self._simulated.world.links["backend"]
        await link.switch(False, self._rng.choice(list(LinkMode)))
        for _ in range(self._rng.randrange(2, 5)):
            await asyncio.sleep(self._rng.expovariate(1 / (20 * MINUTE_S)))
            self._simulated.world.clock_battery = False
            await self._simulated.host.cut()
            await asyncio.sleep(SHORTEST_CUT_S + 5 * MINUTE_S * self._rng.random())
            await self._restore_power()
        await asyncio.sleep(self._rng.expovariate(1 / (20 * MINUTE_S)))
        await link.switch(True)

    async def _break_something(self) -> None:
        cause, connector = self._rng.choice(BREAKABLE), self._connector()
        self._count("broken")
        self._count(f"broken {cause}")
        await self._set_fault(cause, connector, active=True)
        await asyncio.sleep(self._rng.choice((0.2, 5, 60, 1200)) * self._rng.random())
        await self._set_fault(cause, connector, active=False)

    async def _set_fault(self, cause: str, connector: int, *, active: bool) -> None:
        scoped = None if CATALOGUE[cause].scope is FaultScope.STATION else connector
        with suppress(SimulatorError):
            await self._simulated.simulator.set_fault(cause, active=active, connector=scoped)

    async def _repair_everything(self) -> None:
        for cause in BREAKABLE:
            for connector in self._simulated.world.sockets:
                await self._set_fault(cause, connector, active=False)

    async def _restore_power(self) -> None:
        await self._simulated.host.restore()
        await self._truth.settle()

    async def _restart_backend(self) -> None:
        self._count("backend restart")
        await self._central.go_away(politely=self._rng.random() < 0.5)
        await asyncio.sleep(self._rng.choice((1, 30, 600)) * self._rng.random())
        await self._central.start()

    async def _change_limit(self) -> None:
        connector = self._connector()
        limit_a = self._rng.choice(LIMITS_A)
        key = "OperatorCurrentLimit" if connector == 1 else f"OperatorCurrentLimit_{connector}"
        self._count("limit")
        if self._rng.random() < 0.5:
            await self._ask("ChangeConfiguration", key=key, value=str(limit_a))
        elif self._simulated.station is not None:
            with suppress(SettingsRejected):
                await self._simulated.host.settings.change({key: limit_a}, SYSTEM, "test")

    async def _change_availability(self) -> None:
        connector = self._rng.choice((0, self._connector()))
        self._count("availability")
        await self._ask("ChangeAvailability", connectorId=connector, type="Inoperative")
        await asyncio.sleep(self._rng.expovariate(1 / (20 * MINUTE_S)))
        await self._availability(connector, operative=True)

    async def _availability(self, connector: int, *, operative: bool) -> None:
        station = self._simulated.station
        if station is not None:
            await station.control.set_availability(connector, SYSTEM, operative=operative)

    async def _order(self) -> None:
        connector = self._connector()
        what = self._rng.random()
        if what < 0.35:
            tag = self._rng.choice(REMOTE_TAGS)
            await self._ask("RemoteStartTransaction", connectorId=connector, idTag=tag)
        elif what < 0.65:
            running = self._central.book(self._simulated.name).running
            number = running.get(connector, 999)
            await self._ask("RemoteStopTransaction", transactionId=number)
        elif what < 0.75:
            await self._ask("UnlockConnector", connectorId=connector)
        elif what < 0.85:
            await self._ask("TriggerMessage", requestedMessage=self._rng.choice(TRIGGERS))
        elif what < 0.9:
            await self._ask(self._rng.choice(("ClearCache", "GetConfiguration")))
        else:
            await self._order_locally(connector)

    async def _order_locally(self, connector: int) -> None:
        station = self._simulated.station
        if station is None:
            return
        self._count("local order")
        with suppress(Refused):
            if self._rng.random() < 0.5:
                await station.control.start(connector, SYSTEM, None)
            else:
                await station.control.stop(connector, SYSTEM)

    async def _restart(self) -> None:
        what = self._rng.random()
        if what < 0.6:
            await self._ask("Reset", type=self._rng.choice(("Soft", "Hard")))
        elif self._simulated.station is not None:
            self._count("restart")
            with suppress(Refused):
                await self._simulated.host.restart(SYSTEM, "now" if what < 0.8 else "idle")

    async def _ask(self, action: str, **payload: object) -> None:
        await self._central.call(self._simulated.name, action, dict(payload))
        self._count(action)

    def _connector(self) -> int:
        return self._rng.choice(list(self._simulated.world.sockets))

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
