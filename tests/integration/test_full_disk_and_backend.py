"""A full disk while a backend judges cards and answers: what was answered stays answered, what runs
can end, and nothing new begins in the space reserved for ends (decision 0052).
"""

from __future__ import annotations

from pathlib import Path

from borne.domain.station.faults import Fault
from tests.conformance.ocpp16.rig import OTHER_CARD, OTHER_TAG, TAG, Rig, rig
from tests.support.central_system import Ledger


async def fill_disk(bench: Rig) -> None:
    await bench.station.simulator.set_fault("disk-full", active=True, connector=None)


async def started_offline(bench: Rig) -> None:
    """A session whose start waits to be sent; then the disk is full."""
    await bench.offline()
    await bench.plug()
    await bench.swipe()
    await bench.station.until_state("charging")
    await fill_disk(bench)


async def test_a_start_answered_on_a_full_disk_is_sent_once(tmp_path: Path) -> None:
    async with rig(tmp_path, IfInDoubtAllowCharging="on") as bench:
        await started_offline(bench)
        await bench.online()
        await bench.ledger.wait_for("StartTransaction")
        await bench.station.until(lambda c: c["session"]["transaction_id"] == 1001)
        await bench.stop()
        # The queue is in order: it is sent after the answer to the start was committed.
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["transaction_id"] == 1001
        assert len(bench.ledger.of("StartTransaction")) == 1


async def test_a_card_that_is_refused_on_a_full_disk_gets_no_more_energy(tmp_path: Path) -> None:
    ledger = Ledger(judge=lambda _: "Blocked")
    async with rig(tmp_path, ledger, IfInDoubtAllowCharging="on") as bench:
        await started_offline(bench)
        await bench.online()
        (stop,) = await ledger.wait_for("StopTransaction")
        assert stop["reason"] == "DeAuthorized"
        assert len(ledger.of("StartTransaction")) == 1


async def test_a_card_of_the_group_stops_a_session_on_a_full_disk(tmp_path: Path) -> None:
    ledger = Ledger(parents={TAG: "Family", OTHER_TAG: "Family"})
    async with rig(tmp_path, ledger) as bench:
        await bench.charging()
        await fill_disk(bench)
        await bench.swipe(OTHER_CARD)
        (stop,) = await ledger.wait_for("StopTransaction")
        assert stop["id_tag"] == OTHER_TAG


async def test_the_space_reserved_for_ends_starts_no_session(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        await fill_disk(bench)
        await bench.stop()
        await bench.ledger.wait_for("StopTransaction")
        faults = {active.fault for active in bench.station.services.status.snapshot().faults}
        assert Fault.STORAGE_FULL in faults
        await bench.plug(2)
        await bench.swipe(connector=2)
        await bench.station.until_state("authorized", 2)
        await bench.settled()
        assert len(bench.ledger.of("StartTransaction")) == 1
