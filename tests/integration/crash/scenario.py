"""The session that is interrupted: plug, card, energy, card, unplug; and how it goes on after."""

from __future__ import annotations

import asyncio
from typing import Any

from borne.domain.principals import SYSTEM
from tests.support.running_station import CARD, RunningStation
from tests.support.simulated_world import world_of

CAR = {"phases": 3, "max_a": 16, "reaction_s": 0.1}
SETTINGS = {
    "ConnectionType": "ethernet",
    "ChargePointID": "CP-1",
    "MeterValueSampleInterval": "1",
    "TransactionMessageRetryInterval": "1",
}
SAMPLES = 1


async def begin(station: RunningStation) -> None:
    """From a free socket to energy that flows, and one sample reported."""
    if world_of(station.host).sockets[1].vehicle is None:
        await station.plug(1, CAR)
    await station.until(lambda c: c["state"] in ("preparing", "charging", "suspended_ev"))
    if station.connector()["session"] is None:
        await station.until_online()
        await station.card(CARD)
    await station.until_state("charging")
    before = station.connector()["session"]["energy_wh"]
    await asyncio.sleep(SAMPLES + 0.2)
    assert station.connector()["session"]["energy_wh"] >= before


async def end(station: RunningStation) -> None:
    """From any state to a free socket and an empty queue."""
    if station.connector()["session"] is not None:
        await station.services.control.stop(1, SYSTEM)
        await station.until(lambda c: c["session"] is None)
    await station.until(lambda c: not c["locked"])
    if world_of(station.host).sockets[1].vehicle is not None:
        await station.simulator.unplug(1, force=False)
    await station.until_state("available")
    await empty_queue(station)


async def empty_queue(station: RunningStation) -> None:
    """Wait until the backend has everything."""
    backend = station.services.backend
    assert backend is not None
    for _ in range(300):
        if backend.view().queue == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{backend.view().queue} messages are left")


def check_money(seen: list[tuple[str, dict[str, Any]]], register_wh: int) -> None:
    """The delivery rule: distinct by its key, each session has exactly one Start and one Stop, in
    order, energies fit together, and what was metered is what is billed."""
    starts: dict[tuple[Any, ...], dict[str, Any]] = {}
    stops: dict[tuple[Any, ...], dict[str, Any]] = {}
    order: list[str] = []
    for action, payload in seen:
        if action == "StartTransaction":
            names = ("connector_id", "id_tag", "timestamp", "meter_start")
            if starts.setdefault(tuple(payload[n] for n in names), payload) is payload:
                order.append("start")
        elif action == "StopTransaction":
            stop_names = ("transaction_id", "timestamp", "meter_stop")
            if stops.setdefault(tuple(payload[n] for n in stop_names), payload) is payload:
                order.append("stop")
    assert len(starts) == len(stops) >= 1, (starts, stops)
    assert order == ["start", "stop"] * len(starts), order
    meter = [p["meter_start"] for p in starts.values()], [p["meter_stop"] for p in stops.values()]
    for start_wh, stop_wh in zip(*meter, strict=True):
        assert start_wh <= stop_wh
    billed = sum(meter[1]) - sum(meter[0])
    assert billed <= register_wh - meter[0][0]
    assert meter[1][-1] == register_wh
