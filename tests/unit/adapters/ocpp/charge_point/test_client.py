"""The life of the client: dial, lose, back off, change, end (manual 4; OCPP-J 1.6 section 5)."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from borne.adapters.ocpp.charge_point.reconnect import Backoff
from borne.application.ports.backend import BackendView, ConnectionStep, LinkState, StepState
from borne.protocols.ocpp.messages import Action
from borne.protocols.ocpp.messages.core import (
    AuthorizeResponse,
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatus,
    HeartbeatRequest,
    HeartbeatResponse,
    UnlockConnectorRequest,
)
from borne.protocols.ocpp.messages.types import AuthorizationStatus, IdTagInfo
from borne.protocols.ocpp.rpc.errors import CallRefused, RpcError, Unreachable
from tests.unit.adapters.ocpp.charge_point.harness import Bench, now_s, on_a_bench


def test_pauses_grow_to_a_cap_with_jitter() -> None:
    backoff = Backoff(random.Random(1), first_s=1, longest_s=60)
    pauses = [backoff.next_pause_s() for _ in range(200)]
    nominal = [min(2.0**n, 60) for n in range(200)]
    assert all(n / 2 <= p <= n for p, n in zip(pauses, nominal, strict=True))
    assert len(set(pauses[10:])) > 150
    backoff.reset()
    assert backoff.next_pause_s() <= 1


@on_a_bench(longest_reconnect_pause_s=60)
async def test_it_dials_for_ever_with_growing_pauses(bench: Bench) -> None:
    bench.central.reachable = False
    bench.start()
    await asyncio.sleep(3600)
    pauses = [later - earlier for earlier, later in pairwise(bench.central.dials)]
    assert pauses[0] <= 1
    assert all(30 <= pause <= 60 for pause in pauses[6:])
    view = bench.client.view()
    assert view.link is LinkState.WAITING
    assert view.last_error == "tcp: Connection refused"
    assert view.next_attempt_s is not None
    assert 0 <= view.next_attempt_s <= 60


@on_a_bench()
async def test_retry_now_clears_the_back_off(bench: Bench) -> None:
    bench.central.reachable = False
    bench.start()
    await asyncio.sleep(3600)
    bench.central.reachable = True
    bench.client.retry_now()
    await asyncio.sleep(0.1)
    assert bench.client.online
    bench.central.current.abort()
    await asyncio.sleep(1.1)
    assert bench.client.online


@on_a_bench()
async def test_retry_now_restarts_a_hanging_dial(bench: Bench) -> None:
    bench.central.alive = False
    bench.start()
    await asyncio.sleep(30)
    assert bench.client.view().link is LinkState.CONNECTING
    bench.central.alive = True
    bench.client.retry_now()
    await asyncio.sleep(0.1)
    assert bench.client.online


@on_a_bench(longest_reconnect_pause_s=60)
async def test_a_link_that_falls_at_once_counts_as_a_failure(bench: Bench) -> None:
    bench.start()
    for _ in range(40):
        await asyncio.sleep(5)
        if bench.client.online:
            bench.central.current.abort()
    assert len(bench.central.dials) < 15
    await asyncio.sleep(200)
    assert bench.client.online
    bench.central.current.abort()
    await asyncio.sleep(1.1)
    assert bench.client.online


@on_a_bench()
async def test_authorize(bench: Bench) -> None:
    with pytest.raises(Unreachable):
        await bench.client.authorize("A")
    blocked = IdTagInfo(status=AuthorizationStatus.BLOCKED)
    bench.central.then(Action.AUTHORIZE, AuthorizeResponse(id_tag_info=blocked))
    await bench.online()
    assert (await bench.client.authorize("A")).status == "Blocked"
    bench.central.then(Action.AUTHORIZE, None, CallRefused("GenericError", "", {}))
    began_s = now_s()
    with pytest.raises(Unreachable):
        await bench.client.authorize("A")
    assert now_s() - began_s == pytest.approx(60)
    with pytest.raises(CallRefused):
        await bench.client.authorize("A")


@on_a_bench()
async def test_other_requests(bench: Bench) -> None:
    answer = DataTransferResponse(status=DataTransferStatus.UNKNOWN_VENDOR_ID)
    bench.central.then(Action.DATA_TRANSFER, answer)
    await bench.online()
    request = DataTransferRequest(vendor_id="x")
    assert await bench.client.call(request, DataTransferResponse) == answer


@on_a_bench()
async def test_known_actions_without_a_handler_are_not_supported(bench: Bench) -> None:
    await bench.online()
    with pytest.raises(RpcError, match="NotSupported"):
        await bench.central.current.ask(UnlockConnectorRequest(connector_id=1))


@on_a_bench()
async def test_a_dead_link_is_noticed_by_a_timeout_even_without_pings(bench: Bench) -> None:
    await bench.online()
    bench.central.alive = False
    with pytest.raises(Unreachable):
        await bench.client.authorize("A")
    await asyncio.sleep(0.01)
    assert not bench.client.online
    assert bench.client.view().link is not LinkState.CONNECTED


@on_a_bench()
async def test_small_changes_keep_the_connection(bench: Bench) -> None:
    await bench.online()
    bench.client.configure(replace(bench.config, ping_interval_s=5, call_timeout_s=7))
    await asyncio.sleep(1)
    assert len(bench.central.links) == 1
    assert bench.central.current.config.call_timeout_s == 7


@on_a_bench()
async def test_another_password_closes_the_connection_and_dials_at_once(bench: Bench) -> None:
    await bench.online()
    first = bench.central.current
    connection = replace(bench.config.connection, password=b"new")
    bench.client.configure(replace(bench.config, connection=connection))
    await asyncio.sleep(0.5)
    assert first.politely
    assert bench.central.current.config.connection.password == b"new"
    assert bench.client.online
    assert len(bench.central.times(Action.BOOT_NOTIFICATION)) == 1


@on_a_bench()
async def test_another_backend_gets_a_boot_notification(bench: Bench) -> None:
    await bench.online()
    connection = replace(bench.config.connection, url="ws://other/")
    bench.client.configure(replace(bench.config, connection=connection))
    await asyncio.sleep(1)
    assert len(bench.central.times(Action.BOOT_NOTIFICATION)) == 2


@on_a_bench()
async def test_the_view_follows_the_connection(bench: Bench) -> None:
    views: list[BackendView] = []
    online: list[bool] = []
    bench.client.changed.subscribe(views.append)
    bench.client.online_changed.subscribe(online.append)
    await bench.online()
    bench.central.current.abort()
    await asyncio.sleep(5)
    await bench.end()
    assert online == [True, False, True, False]
    links = [view.link.value for view in views]
    assert [link for link, before in zip(links, ["", *links], strict=False) if link != before] == [
        "connecting", "connected", "waiting", "connecting", "connected", "off",
    ]  # fmt: skip
    steps = {result.step: result for result in bench.client.view().steps}
    assert steps[ConnectionStep.WEBSOCKET].state is StepState.FAILED


@on_a_bench()
async def test_stop_closes_the_connection(bench: Bench) -> None:
    await bench.online()
    await bench.client.stop()
    assert bench.running is not None
    await bench.running
    assert bench.central.current.politely
    assert bench.client.view().link is LinkState.OFF


@pytest.mark.parametrize("moment_s", [0, 0.005, 1, 301])
def test_a_power_cut_ends_everything_without_a_close_frame(moment_s: float) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        bench.status(1, "Available")
        bench.start()
        await asyncio.sleep(moment_s)
        assert bench.running is not None
        bench.running.cancel()
        await asyncio.wait([bench.running])
        sent = len(bench.central.received)
        assert not any(link.politely for link in bench.central.links)
        assert all(link.ended.is_set() for link in bench.central.links)
        await asyncio.sleep(1000)
        assert len(bench.central.received) == sent
        assert asyncio.all_tasks() == {asyncio.current_task()}
        bench.running = None

    test()


@on_a_bench()
async def test_abort_from_a_callback_ends_the_run(bench: Bench) -> None:
    await bench.online()
    bench.client.abort()
    assert bench.running is not None
    await bench.running
    assert not bench.central.current.politely


@pytest.mark.parametrize(("round_trip_s", "closes_s"), [(0.5, 0.5), (30.0, 2.0)])
def test_a_reconnection_waits_shortly_for_a_pending_answer(
    round_trip_s: float, closes_s: float
) -> None:
    @on_a_bench()
    async def test(bench: Bench) -> None:
        await bench.online()
        link, began_s = bench.central.current, asyncio.get_running_loop().time()
        bench.central.round_trip_s = round_trip_s
        asked = asyncio.ensure_future(bench.client.call(HeartbeatRequest(), HeartbeatResponse))
        await asyncio.sleep(0)
        bench.client.reconnect()
        await link.ended.wait()
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(closes_s, abs=0.01)
        assert link.politely
        await asyncio.wait([asked])
        asked.exception()

    test()
