"""Certification cases of reservations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import AvailabilityType

from tests.conformance.ocpp16.rig import OTHER_CARD, OTHER_TAG, TAG, Rig, rig
from tests.support.central_system import Ledger

RESERVATION = 7


async def reserve(
    bench: Rig,
    connector: int = 1,
    *,
    tag: str = TAG,
    parent: str | None = None,
    seconds: float = 60.0,
    number: int = RESERVATION,
) -> str:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    request = call.ReserveNow(
        connector_id=connector,
        expiry_date=until.isoformat(),
        id_tag=tag,
        reservation_id=number,
        parent_id_tag=parent,
    )
    return str((await bench.call(request)).status)


async def out_of_service(bench: Rig, connector: int) -> None:
    request = call.ChangeAvailability(connector_id=connector, type=AvailabilityType.inoperative)
    assert (await bench.call(request)).status == "Accepted"
    await bench.status("Unavailable", connector)


async def test_TC_046_1_CS_reserve_a_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.status("Reserved")
        await bench.swipe(OTHER_CARD)
        await bench.settled()
        assert not bench.ledger.of("Authorize")
        await bench.swipe()
        await bench.status("Preparing")
        await bench.plug()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["id_tag"], start["reservation_id"]) == (TAG, RESERVATION)
        await bench.status("Charging")


async def test_TC_046_2_CS_reserved_and_started_remotely(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.status("Reserved")
        foreign = call.RemoteStartTransaction(id_tag=OTHER_TAG, connector_id=1)
        assert (await bench.call(foreign)).status == "Rejected"
        right = call.RemoteStartTransaction(id_tag=TAG, connector_id=1)
        assert (await bench.call(right)).status == "Accepted"
        await bench.plug()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["id_tag"], start["reservation_id"]) == (TAG, RESERVATION)


async def test_TC_047_CS_a_reservation_expires(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench, seconds=1.0) == "Accepted"
        await bench.status("Reserved")
        await bench.status("Available", count=2)
        await bench.plug()
        await bench.swipe(OTHER_CARD)
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert start["id_tag"] == OTHER_TAG
        assert "reservation_id" not in start


async def test_TC_048_1_CS_reserve_a_broken_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.station.simulator.set_fault("residual-current", active=True, connector=1)
        await bench.status("Faulted")
        assert await reserve(bench) == "Faulted"


async def test_TC_048_2_CS_reserve_an_occupied_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.plug()
        await bench.status("Preparing")
        assert await reserve(bench) == "Occupied"


async def test_TC_048_3_CS_reserve_an_unavailable_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await out_of_service(bench, 1)
        assert await reserve(bench) == "Unavailable"


async def test_TC_049_CS_reserve_the_station(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await out_of_service(bench, 2)
        assert await reserve(bench, 0) == "Accepted"
        await bench.status("Reserved", 1)
        await bench.swipe()
        await bench.plug()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["id_tag"], start["reservation_id"]) == (TAG, RESERVATION)


async def test_the_last_free_connector_is_kept_for_a_reservation_of_the_station(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench, 0) == "Accepted"
        await bench.plug(2)
        await bench.swipe(OTHER_CARD, 2)
        await bench.status("Charging", 2)
        await bench.status("Reserved", 1)
        await bench.plug(1)
        await bench.swipe(OTHER_CARD, 1)
        await bench.settled()
        assert len(bench.ledger.of("StartTransaction")) == 1
        await bench.swipe(connector=1)
        (start,) = await bench.ledger.wait_for("StartTransaction", connector_id=1)
        assert (start["id_tag"], start["reservation_id"]) == (TAG, RESERVATION)


async def test_TC_050_1_CS_reserve_a_broken_station(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        for connector in (1, 2):
            await bench.station.simulator.set_fault(
                "residual-current", active=True, connector=connector
            )
            await bench.status("Faulted", connector)
        assert await reserve(bench, 0) == "Faulted"


async def test_TC_050_2_CS_reserve_an_occupied_station(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        for connector in (1, 2):
            await bench.plug(connector)
            await bench.status("Preparing", connector)
        assert await reserve(bench, 0) == "Occupied"


async def test_TC_050_3_CS_reserve_an_unavailable_station(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await out_of_service(bench, 0)
        assert await reserve(bench, 0) == "Unavailable"


async def test_TC_051_CS_cancel_a_reservation(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.status("Reserved")
        cancelled = await bench.call(call.CancelReservation(reservation_id=RESERVATION))
        assert cancelled.status == "Accepted"
        await bench.status("Available", count=2)
        await bench.plug()
        await bench.swipe()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert "reservation_id" not in start


async def test_TC_052_CS_cancel_an_unknown_reservation(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await bench.call(call.CancelReservation(reservation_id=99))
        assert answer.status == "Rejected"


@pytest.mark.parametrize(
    "remote",
    [pytest.param(False, id="TC_053_1_CS"), pytest.param(True, id="TC_053_2_CS")],
)
async def test_a_card_of_the_same_group_uses_the_reservation(tmp_path: Path, remote: bool) -> None:
    ledger = Ledger(parents={OTHER_TAG: "group"})
    async with rig(tmp_path, ledger) as bench:
        assert await reserve(bench, parent="group") == "Accepted"
        await bench.status("Reserved")
        if remote:
            request = call.RemoteStartTransaction(id_tag=OTHER_TAG, connector_id=1)
            assert (await bench.call(request)).status == "Accepted"
        else:
            await bench.swipe(OTHER_CARD)
        await bench.ledger.wait_for("Authorize", id_tag=OTHER_TAG)
        await bench.plug()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["id_tag"], start["reservation_id"]) == (OTHER_TAG, RESERVATION)


async def test_the_same_number_replaces_a_reservation(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench, 1) == "Accepted"
        await bench.status("Reserved", 1)
        assert await reserve(bench, 1, number=8) == "Occupied"
        assert await reserve(bench, 2) == "Accepted"
        await bench.status("Reserved", 2)
        await bench.status("Available", 1, count=2)


async def test_a_reservation_survives_a_power_failure(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.status("Reserved")
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.status("Reserved", count=2)


async def test_a_reservation_whose_card_was_shown_without_a_plug_stays(tmp_path: Path) -> None:
    """The card was shown but no plug came: the connector is reserved as before."""
    async with rig(tmp_path, ConnectionTimeOut=1) as bench:
        assert await reserve(bench) == "Accepted"
        await bench.swipe()
        await bench.status("Preparing")
        await bench.status("Reserved", count=2)
