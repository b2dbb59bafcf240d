"""The external input of the station, and unbalanced load (manual 7.1)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from borne.application.limits.socket_limits import SocketLimits
from borne.domain.limits.cause import LimitCause
from borne.domain.settings.choices import ExternalInput, PhasesConnected
from borne.foundation.events import Signal, Unsubscribe
from tests.support.virtual_time import virtual_time
from tests.unit.application.limits.limit_doubles import Sockets


class Inputs:
    def __init__(self) -> None:
        self.levels = {1: False, 2: False, 3: False}
        self.changed: Signal[None] = Signal()

    def active(self, number: int) -> bool:
        return self.levels[number]

    def subscribe(self, listener: Any) -> Unsubscribe:
        return self.changed.subscribe(lambda _: listener(1, True))

    def set(self, number: int, level: bool) -> None:
        self.levels[number] = level
        self.changed.emit(None)


async def bench(inputs: Inputs | None = None, **settings: Any) -> Sockets:
    sockets = Sockets()
    sockets.set(**settings)
    limits = SocketLimits(
        {number: one.runner for number, one in sockets.benches.items()},
        sockets.service,
        sockets.meters,
        inputs,
        sockets.settings,
        sockets.clock,
        sockets.benches[1].supervisor,
    )
    limits.start()
    return await sockets.start()


def binding(sockets: Sockets, connector: int = 1) -> LimitCause | None:
    row = sockets.offer(connector).binding
    return None if row is None else row.source.cause


@pytest.mark.parametrize(
    ("kind", "number"),
    [(ExternalInput.OPTO_1, 1), (ExternalInput.OPTO_2, 2), (ExternalInput.MAINS_230V, 3)],
)
@virtual_time
async def test_the_input_limits_every_socket_while_active(kind: ExternalInput, number: int) -> None:
    inputs = Inputs()
    sockets = await bench(inputs, EnergyManExternalInput=kind, EnergyManExternalInputLimit=10)
    assert sockets.amps() == [32, 32]
    inputs.set(number, True)
    assert sockets.amps() == [10, 10]
    assert binding(sockets) is LimitCause.EXTERNAL_INPUT
    sockets.set(EnergyManExternalInputLimit=8)
    assert sockets.amps() == [8, 8]
    inputs.set(number, False)
    await asyncio.sleep(0)
    assert sockets.amps() == [32, 32]


@virtual_time
async def test_an_input_that_cannot_be_read_counts_as_active() -> None:
    sockets = await bench(EnergyManExternalInput=ExternalInput.OPTO_1)
    assert sockets.amps() == [6, 6]
    assert sockets.reason(1, sockets.offer().rows[0].source)
    assert binding(sockets) is LimitCause.EXTERNAL_INPUT


@virtual_time
async def test_without_the_setting_the_input_limits_nothing() -> None:
    inputs = Inputs()
    inputs.set(1, True)
    assert (await bench(inputs)).amps() == [32, 32]


@virtual_time
async def test_a_car_on_one_phase_keeps_the_limit() -> None:
    sockets = await bench(SinglePhaseLimit=20)
    assert sockets.amps() == [20, 20]
    await sockets.charge(1)
    for _ in range(10):
        sockets.meters.show(1, 20, 0, 0)
        await asyncio.sleep(2)
    assert sockets.amps() == [20, 20]
    assert binding(sockets) is LimitCause.UNBALANCED_LOAD


@virtual_time
async def test_a_car_on_three_phases_is_released_when_it_shows_them() -> None:
    sockets = await bench(SinglePhaseLimit=20)
    await sockets.charge(1)
    sockets.meters.show(1, 20)
    await asyncio.sleep(12)  # the meter reports changes only: it is read again
    assert sockets.amps() == [32, 20]
    sockets.benches[1].board.unplug()
    await asyncio.sleep(5)
    assert sockets.amps()[0] == 20


@virtual_time
async def test_a_car_that_leaves_a_phase_is_limited_again() -> None:
    sockets = await bench(SinglePhaseLimit=20)
    await sockets.charge(1)
    sockets.meters.show(1, 20)
    await asyncio.sleep(12)
    sockets.meters.show(1, 32, 32, 0)
    await asyncio.sleep(12)
    assert sockets.amps()[0] == 20


@virtual_time
async def test_a_one_phase_socket_is_always_limited() -> None:
    sockets = await bench(SinglePhaseLimit=16, PhasesConnected=PhasesConnected.SINGLE)
    await sockets.charge(1)
    sockets.meters.show(1, 16)
    await asyncio.sleep(12)
    assert sockets.amps()[0] == 16


@virtual_time
async def test_the_limit_changes_while_running() -> None:
    sockets = await bench()
    await sockets.charge(1)
    sockets.meters.show(1, 32)
    sockets.set(SinglePhaseLimit=20)
    assert sockets.amps() == [20, 20]
    await asyncio.sleep(12)
    assert sockets.amps() == [32, 20]
    sockets.set(SinglePhaseLimit=0)
    await asyncio.sleep(0)
    assert sockets.amps() == [32, 32]
