"""The rings follow the connectors (manual 6)."""

from __future__ import annotations

import asyncio

import pytest

from borne.application.charging.indication_service import IndicationService
from borne.application.settings.running import RunningSettings
from borne.domain.authorization.decision import Reason
from borne.domain.authorization.outcome import CardOutcome
from borne.domain.settings.snapshot import Settings
from borne.domain.station.connector_events import Authorized, CardChecking, FaultRaised, Reserved
from borne.domain.station.faults import Fault
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import CARD, RunnerBench

REFUSED = CardOutcome((1,), accepted=False, reason=Reason.UNKNOWN_CARD, masked="...")
ACCEPTED = CardOutcome((1,), accepted=True, reason=Reason.CACHE, masked="...")


class Rings:
    """Two sockets and what their rings show."""

    def __init__(self) -> None:
        self.benches = {number: RunnerBench(number) for number in (1, 2)}
        self.shown: list[tuple[int, str]] = []
        self.settings = RunningSettings(Settings())
        self.percent = -1
        runners = {number: bench.runner for number, bench in self.benches.items()}
        self.service = IndicationService(runners, self, self.settings)

    def set(self, **values: bool | int) -> None:
        self.settings.replace(self.settings().with_values(values))

    def show(self, connector: int, pattern: str) -> None:
        self.shown.append((connector, pattern))

    def dim(self, percent: int) -> None:
        self.percent = percent

    async def start(self) -> Rings:
        for bench in self.benches.values():
            await bench.start()
        self.service.start()
        return self


@virtual_time
async def test_each_ring_follows_its_own_connector() -> None:
    rings = await Rings().start()
    assert rings.shown == [(1, "available"), (2, "available")]
    rings.shown.clear()
    rings.benches[2].runner.post(Reserved(7))
    assert rings.shown == [(2, "reserved")]
    assert (rings.service.shown(1), rings.service.shown(2)) == ("available", "reserved")


@virtual_time
async def test_the_same_pattern_is_shown_once() -> None:
    rings = await Rings().start()
    rings.shown.clear()
    for active in (True, True, False, False):
        rings.benches[1].runner.post(CardChecking(active))
    assert rings.shown == [(1, "checking"), (1, "available")]


@virtual_time
async def test_a_refused_card_blinks_for_five_seconds() -> None:
    rings = await Rings().start()
    rings.service.on_card_outcome(REFUSED)
    assert rings.service.shown(1) == "rejected"
    assert rings.service.shown(2) == "available"
    await asyncio.sleep(4.9)
    assert rings.service.shown(1) == "rejected"
    await asyncio.sleep(0.2)
    assert rings.service.shown(1) == "available"


@pytest.mark.parametrize("blinks", [1, 3, 40])
def test_a_refused_card_blinks_as_often_as_is_set(blinks: int) -> None:
    @virtual_time
    async def test() -> None:
        rings = await Rings().start()
        rings.set(BlinkRepeat=blinks)
        rings.service.on_card_outcome(REFUSED)
        await asyncio.sleep(blinks - 0.1)
        assert rings.service.shown(1) == "rejected"
        await asyncio.sleep(0.2)
        assert rings.service.shown(1) == "available"

    test()


@virtual_time
async def test_without_blinks_a_refusal_is_not_shown() -> None:
    rings = await Rings().start()
    rings.set(BlinkRepeat=0)
    rings.service.on_card_outcome(REFUSED)
    assert rings.service.shown(1) == "available"


@virtual_time
async def test_the_brightness_is_set_at_the_start_and_at_each_change() -> None:
    rings = await Rings().start()
    assert rings.percent == 100
    rings.set(LightIntensity=30)
    assert rings.percent == 30


@virtual_time
async def test_a_second_refusal_restarts_the_blinking() -> None:
    rings = await Rings().start()
    rings.service.on_card_outcome(REFUSED)
    await asyncio.sleep(3)
    rings.service.on_card_outcome(REFUSED)
    await asyncio.sleep(3)
    assert rings.service.shown(1) == "rejected"
    await asyncio.sleep(3)
    assert rings.service.shown(1) == "available"


@virtual_time
async def test_an_accepted_card_is_shown_by_the_state_of_its_connector() -> None:
    rings = await Rings().start()
    rings.service.on_card_outcome(ACCEPTED)
    assert rings.service.shown(1) == "available"
    rings.benches[1].runner.post(Authorized(CARD))
    assert rings.service.shown(1) == "authorized"


@virtual_time
async def test_an_update_is_shown_before_everything_else() -> None:
    rings = await Rings().start()
    rings.benches[1].runner.post(FaultRaised(Fault.RCD_TRIPPED))
    rings.service.show_update(active=True)
    assert (rings.service.shown(1), rings.service.shown(2)) == ("updating", "updating")
    rings.service.show_update(active=False)
    assert (rings.service.shown(1), rings.service.shown(2)) == ("faulted", "available")


@virtual_time
async def test_a_station_that_is_looked_for_blinks_for_half_a_minute() -> None:
    rings = await Rings().start()
    rings.service.identify()
    await asyncio.sleep(29.0)
    assert (rings.service.shown(1), rings.service.shown(2)) == ("identifying", "identifying")
    await asyncio.sleep(2.0)
    assert (rings.service.shown(1), rings.service.shown(2)) == ("available", "available")


@virtual_time
async def test_a_lost_backend_is_shown_when_set_and_nothing_charges() -> None:
    """Manual 4, "Show backend disconnect as error"."""
    rings = await Rings().start()
    for bench in rings.benches.values():
        bench.runner.post(FaultRaised(Fault.BACKEND_OFFLINE))
    assert rings.service.shown(1) == "available"
    rings.set(ShowBackendDisconnectAsError=True)
    assert rings.service.shown(1) == "faulted"
    rings.benches[1].runner.post(Authorized(CARD))
    assert (rings.service.shown(1), rings.service.shown(2)) == ("authorized", "faulted")


@virtual_time
async def test_nothing_is_shown_after_a_power_cut() -> None:
    rings = await Rings().start()
    rings.service.on_card_outcome(REFUSED)
    rings.service.abort()
    rings.shown.clear()
    await asyncio.sleep(60)
    assert rings.shown == []
