"""Calls of all parts of the client, one after the other, each looked at when its turn comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from borne.adapters.ocpp.charge_point.config import BackendConfig, ConnectionConfig
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.protocols.ocpp.messages import Action
from borne.protocols.ocpp.messages.core import HeartbeatRequest, HeartbeatResponse
from borne.protocols.ocpp.rpc.errors import CallTimeout, ConnectionLost, NotAccepted
from borne.protocols.ocpp.rpc.handlers import Handlers
from tests.support.virtual_time import virtual_time
from tests.unit.adapters.ocpp.charge_point.harness import CentralSystem, FakeLink, now_s

CONFIG = BackendConfig(ConnectionConfig("ws://backend/ocpp", "station"), call_timeout_s=10)


class Bench:
    """An accepted link to a central system that answers in a second."""

    def __init__(self) -> None:
        self.central = CentralSystem()
        self.central.round_trip_s = 1.0
        self.link = FakeLink(self.central, Handlers(), CONFIG)
        self.uplink = Uplink()
        self.uplink.attach(self.link)
        self.uplink.set_accepted(True)

    def call(self) -> asyncio.Task[HeartbeatResponse]:
        return asyncio.ensure_future(self.uplink.call(HeartbeatRequest(), HeartbeatResponse))

    @property
    def sent_s(self) -> list[float]:
        return self.central.times(Action.HEARTBEAT)


def on_a_link(test: Callable[[Bench], Awaitable[None]]) -> Callable[[], None]:
    @virtual_time
    async def run() -> None:
        await test(Bench())

    run.__name__ = test.__name__
    return run


@on_a_link
async def test_calls_are_sent_one_after_the_other(bench: Bench) -> None:
    began_s = now_s()
    await asyncio.gather(bench.call(), bench.call(), bench.call())
    assert [sent_s - began_s for sent_s in bench.sent_s] == [0, 1, 2]


@on_a_link
async def test_the_timeout_starts_when_the_call_is_sent(bench: Bench) -> None:
    bench.central.then(Action.HEARTBEAT, None, None)
    began_s = now_s()
    first, second = bench.call(), bench.call()
    await asyncio.wait([first, second])
    assert now_s() - began_s == 20
    assert isinstance(first.exception(), CallTimeout)
    assert isinstance(second.exception(), CallTimeout)


@on_a_link
async def test_a_cancelled_call_frees_the_line(bench: Bench) -> None:
    bench.central.then(Action.HEARTBEAT, None)
    first, second = bench.call(), bench.call()
    await asyncio.sleep(2)
    first.cancel()
    await second
    assert len(bench.sent_s) == 2


@on_a_link
async def test_a_waiting_call_is_refused_when_acceptance_is_lost(bench: Bench) -> None:
    first, refused = bench.call(), bench.call()
    await asyncio.sleep(0.5)
    bench.uplink.set_accepted(False)
    await first
    with pytest.raises(NotAccepted):
        await refused
    assert len(bench.sent_s) == 1


@on_a_link
async def test_waiting_calls_end_with_the_link(bench: Bench) -> None:
    bench.central.then(Action.HEARTBEAT, None)
    calls = [bench.call() for _ in range(3)]
    await asyncio.sleep(1)
    bench.link.abort()
    bench.uplink.detach()
    await asyncio.wait(calls)
    assert all(isinstance(call.exception(), ConnectionLost) for call in calls)
    assert len(bench.sent_s) == 1
