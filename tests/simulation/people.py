"""People at a station: they plug, hold cards, wait, change their mind, and drive away.

Everything is drawn from one generator per socket, so a seed is a scenario.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from borne.adapters.simulation.vehicle import LIBRARY
from borne.application.ports.simulator import SimulatorError
from tests.support.simulated_network import SimulatedStation

MINUTE_S = 60.0
OWN_CARDS = ("04A1A1A1A1A1A1", "04B2B2B2B2B2B2")
GROUP_CARDS = ("04C3C3C3C3C3C3", "04D4D4D4D4D4D4")
BLOCKED_CARD = "04E5E5E5E5E5E5"
WRONG_CARD = "04F6F6F6F6F6F6"
CARDS = (*OWN_CARDS, *GROUP_CARDS, BLOCKED_CARD, WRONG_CARD)
_CARD_WEIGHTS = (5, 4, 3, 3, 1, 1)
VEHICLES = tuple(LIBRARY)


def judge(id_tag: str) -> dict[str, str]:
    """What the backend says of a card."""
    token = id_tag.upper()
    if token in GROUP_CARDS:
        return {"status": "Accepted", "parentIdTag": "FLEET"}
    if token in OWN_CARDS or token.startswith("REMOTE"):
        return {"status": "Accepted"}
    return {"status": "Blocked" if token == BLOCKED_CARD else "Invalid"}


class Driver:
    """The people who come to one socket, one after the other."""

    def __init__(self, simulated: SimulatedStation, connector: int, rng: random.Random) -> None:
        self._simulated = simulated
        self._connector = connector
        self._rng = rng
        self.counts: dict[str, int] = {}

    async def come_and_go(self) -> None:
        """Run until cancelled."""
        while True:
            await self._idle(40)
            card = self._rng.choices(CARDS, _CARD_WEIGHTS)[0]
            first = self._rng.random()
            if first < 0.3:
                await self._show(card)
                await self._idle(0.2)
            if not await self._plug():
                continue
            if first < 0.8:
                await self._idle(0.3)
                await self._show(card)
            await self._stay(card)
            await self._leave(card)

    async def leave_for_good(self) -> None:
        """Pull the plug by force."""
        with suppress(SimulatorError):
            await self._simulated.simulator.unplug(self._connector, force=True)

    async def _stay(self, card: str) -> None:
        for _ in range(self._rng.randrange(4)):
            await self._idle(25)
            what = self._rng.random()
            if what < 0.2:
                await self._show(self._rng.choice(CARDS))
            elif what < 0.3:
                await self._show(card)
            elif what < 0.6:
                await self._change({"wants_charge": self._rng.random() < 0.6})
            elif what < 0.7:
                await self._change({"soc": self._rng.random()})

    async def _leave(self, card: str) -> None:
        await self._idle(20)
        if self._rng.random() < 0.5:
            await self._show(card)
            await self._idle(0.3)
        for _ in range(2):
            if await self._unplug(force=False):
                return
            await self._show(card)
            await self._idle(0.5)
        await self._unplug(force=True)

    async def _plug(self) -> bool:
        name = self._rng.choice(VEHICLES)
        car = {"vehicle": name}
        if name not in ("full", "half_plugged"):
            car["soc"] = round(self._rng.random(), 3)  # type: ignore[assignment]  # a whole car
        with suppress(SimulatorError):
            await self._simulated.simulator.plug(self._connector, car)
            self._count(f"plugged {name}")
            return True
        return False

    async def _unplug(self, *, force: bool) -> bool:
        with suppress(SimulatorError):
            await self._simulated.simulator.unplug(self._connector, force=force)
            self._count("unplugged by force" if force else "unplugged")
            return True
        return False

    async def _show(self, card: str) -> None:
        own_reader = self._rng.random() < 0.6
        reader = self._connector if own_reader else None
        with suppress(SimulatorError):
            await self._simulated.simulator.present_card(uid=card, connector=reader)
            self._count("card")

    async def _change(self, change: dict[str, object]) -> None:
        with suppress(SimulatorError):
            await self._simulated.simulator.change_vehicle(self._connector, change)

    async def _idle(self, mean_minutes: float) -> None:
        await asyncio.sleep(self._rng.expovariate(1 / mean_minutes) * MINUTE_S)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
