"""Statuses at the wire: in the order of section 4.9, and after the end of their transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import AvailabilityType, MessageTrigger, ResetType

from tests.conformance.ocpp16.rig import OTHER_CARD, TAG, Rig, rig
from tests.conformance.ocpp16.test_reservation import RESERVATION, reserve


def _messages_of(bench: Rig, connector: int = 1) -> Sequence[str]:
    """Statuses of a connector and ends of transactions, in the order of their arrival."""
    return [
        seen.payload.get("status", seen.action)
        for seen in bench.ledger.seen
        if seen.action == "StopTransaction"
        or (seen.action == "StatusNotification" and seen.payload["connector_id"] == connector)
    ]


async def _by_card(bench: Rig) -> None:
    await bench.stop()


async def _remotely(bench: Rig) -> None:
    await bench.call(call.RemoteStopTransaction(transaction_id=1001))


async def _by_the_car(bench: Rig) -> None:
    await bench.pull_from_car()


async def _by_force(bench: Rig) -> None:
    await bench.unplug(force=True)


async def _by_unlocking(bench: Rig) -> None:
    await bench.call(call.UnlockConnector(connector_id=1))


ENDS: dict[str, tuple[Callable[[Rig], Awaitable[Any]], list[str]]] = {
    "card": (_by_card, ["Finishing"]),
    "remote": (_remotely, ["Finishing"]),
    "cable pulled from the car": (_by_the_car, ["Finishing"]),
    "plug pulled by force": (_by_force, ["Finishing", "Available"]),
    "unlock": (_by_unlocking, ["Finishing"]),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_stop_is_sent_before_the_statuses_that_follow(tmp_path: Path, end: str) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        before = len(_messages_of(bench))
        act, after = ENDS[end]
        await act(bench)
        await bench.status(after[-1], count=2 if after[-1] == "Available" else 1)
        assert _messages_of(bench)[before:] == ["StopTransaction", *after]


async def test_after_a_fault_the_stop_is_sent_before_finishing(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        before = len(_messages_of(bench))
        simulator = bench.station.simulator
        await simulator.set_fault("mcb-type2", active=True, connector=1)
        await bench.ledger.wait_for("StopTransaction")
        await simulator.set_fault("mcb-type2", active=False, connector=1)
        await bench.status("Finishing")
        sent = _messages_of(bench)[before:]
        assert sent[0] == "Faulted"
        assert sent[-2:] == ["StopTransaction", "Finishing"]
        assert set(sent[:-2]) == {"Faulted"}


async def test_after_a_power_cut_the_stop_is_sent_before_the_status(tmp_path: Path) -> None:
    async with rig(tmp_path, RestartTransactionAfterPowerLoss="off") as bench:
        await bench.charging()
        await bench.station.host.cut()
        before = len(_messages_of(bench))
        await bench.station.host.restore()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "PowerLoss"
        await bench.status("Preparing", count=2)
        assert _messages_of(bench)[before:] == ["StopTransaction", "Preparing"]


async def test_at_a_reset_the_stop_is_sent_before_the_status(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        before = len(_messages_of(bench))
        await bench.call(call.Reset(type=ResetType.soft))
        await bench.ledger.wait_for("BootNotification", count=2)
        await bench.ledger.wait_for("StatusNotification", count=2, connector_id=2)
        sent = _messages_of(bench)[before:]
        assert sent[0] == "StopTransaction"


async def test_a_triggered_status_is_the_present_one_while_short_ones_are_held_back(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, MinimumStatusDuration=600) as bench:
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        asked = bench.station.services.clock.now()
        trigger = call.TriggerMessage(
            requested_message=MessageTrigger.status_notification, connector_id=1
        )
        assert (await bench.call(trigger)).status == "Accepted"
        sent = await bench.status("Charging")
        assert bench.time(sent["timestamp"]) >= asked.replace(microsecond=0)
        await bench.stop()
        await bench.station.until(lambda c: c["session"] is None)
        assert (await bench.call(trigger)).status == "Accepted"
        await bench.status("Finishing")


async def test_a_reserved_socket_stays_reserved_when_another_car_plugs_in(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.status("Reserved")
        await bench.plug()
        await bench.swipe(OTHER_CARD)
        await bench.settled()
        assert _messages_of(bench) == ["Available", "Reserved"]
        await bench.swipe()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["id_tag"], start["reservation_id"]) == (TAG, RESERVATION)
        await bench.status("Charging")
        assert _messages_of(bench) == ["Available", "Reserved", "Preparing", "Charging"]


async def test_another_car_at_a_reserved_socket_changes_no_status(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.status("Reserved")
        await bench.plug()
        await bench.station.until(lambda c: c["pilot"] != "A1")
        await bench.unplug(force=True)
        await bench.station.until(lambda c: c["pilot"] == "A1")
        assert (await bench.call(call.CancelReservation(reservation_id=RESERVATION))).status == (
            "Accepted"
        )
        await bench.status("Available", count=2)
        assert _messages_of(bench) == ["Available", "Reserved", "Available"]


def _availability(kind: AvailabilityType) -> call.ChangeAvailability:
    return call.ChangeAvailability(connector_id=1, type=kind)


async def test_out_of_service_waits_while_a_driver_prepares(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.plug()
        await bench.status("Preparing")
        answer = await bench.call(_availability(AvailabilityType.inoperative))
        assert answer.status == "Scheduled"
        await bench.swipe()
        await bench.status("Charging")
        await bench.stop()
        await bench.status("Unavailable")
        assert "Preparing" not in _messages_of(bench)[3:]


@pytest.mark.parametrize("leaves", [True, False], ids=["who leaves", "who does nothing"])
async def test_out_of_service_waits_at_most_the_connection_timeout(
    tmp_path: Path, leaves: bool
) -> None:
    # A second without actions; long enough never to matter when somebody leaves.
    async with rig(tmp_path, ConnectionTimeOut=600 if leaves else 1) as bench:
        await bench.plug()
        await bench.status("Preparing")
        answer = await bench.call(_availability(AvailabilityType.inoperative))
        assert answer.status == "Scheduled"
        if leaves:
            await bench.unplug(force=True)
        await bench.status("Unavailable")
        between = "Available" if leaves else "Finishing"
        assert _messages_of(bench) == ["Available", "Preparing", between, "Unavailable"]
        answer = await bench.call(_availability(AvailabilityType.operative))
        assert answer.status == "Accepted"
        await bench.status("Available" if leaves else "Preparing", count=3 if leaves else 2)


async def test_out_of_service_at_once_when_no_driver_prepares(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await bench.call(_availability(AvailabilityType.inoperative))
        assert answer.status == "Accepted"
        await bench.status("Unavailable")
        assert _messages_of(bench) == ["Available", "Unavailable"]
