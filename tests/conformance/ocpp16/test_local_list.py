"""Certification cases of the list of cards that the central system keeps on the station."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocpp.v16 import call
from ocpp.v16.enums import UpdateType

from tests.conformance.ocpp16.rig import OTHER_CARD, OTHER_TAG, TAG, Rig, rig


def entry(tag: str, status: str | None = "Accepted") -> dict[str, Any]:
    info = {} if status is None else {"id_tag_info": {"status": status}}
    return {"id_tag": tag, **info}


async def send(bench: Rig, version: int, *entries: dict[str, Any], full: bool = True) -> str:
    kind = UpdateType.full if full else UpdateType.differential
    request = call.SendLocalList(
        list_version=version, update_type=kind, local_authorization_list=list(entries)
    )
    return str((await bench.call(request)).status)


async def version(bench: Rig) -> int:
    return int((await bench.call(call.GetLocalListVersion())).list_version)


async def test_TC_008_1_CS_an_id_of_the_list_starts_without_a_question(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        await bench.plug()
        await bench.swipe()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert start["id_tag"] == TAG
        assert not bench.ledger.of("Authorize")


async def test_TC_008_2_CS_an_id_of_the_list_is_started_remotely(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        await bench.configure(AuthorizeRemoteTxRequests=True)
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        await bench.plug()
        await bench.status("Preparing")
        request = call.RemoteStartTransaction(id_tag=TAG, connector_id=1)
        assert (await bench.call(request)).status == "Accepted"
        await bench.ledger.wait_for("StartTransaction", id_tag=TAG)
        assert not bench.ledger.of("Authorize")


async def test_TC_042_1_CS_no_list_in_use(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalAuthListEnabled="false") as bench:
        assert await version(bench) == -1


async def test_TC_043_1_CS_a_list_that_is_not_in_use(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalAuthListEnabled="false") as bench:
        assert await send(bench, 1, entry(TAG)) == "NotSupported"


async def test_TC_042_2_CS_an_empty_list(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, 1) == "Accepted"
        assert await version(bench) == 0


async def test_TC_043_CS_full_and_differential(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        assert await send(bench, 2, entry(OTHER_TAG), full=False) == "Accepted"
        assert await version(bench) == 2


async def test_TC_043_2_CS_an_old_version(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, 2, entry(TAG)) == "Accepted"
        assert await send(bench, 5, entry(OTHER_TAG), full=False) == "Accepted"
        assert await send(bench, 4, entry(OTHER_TAG), full=False) == "VersionMismatch"
        assert await version(bench) == 5


async def test_TC_043_3_CS_an_update_that_cannot_be_made(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        assert await send(bench, 2, entry(OTHER_TAG), entry(OTHER_TAG)) == "Failed"
        assert await send(bench, 2, entry(OTHER_TAG, None)) == "Failed"
        too_many = [entry(f"{number:08x}") for number in range(501)]
        assert await send(bench, 2, *too_many) == "Failed"
        assert await version(bench) == 1


async def test_an_entry_without_information_is_removed(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        assert await send(bench, 1, entry(TAG), entry(OTHER_TAG)) == "Accepted"
        assert await send(bench, 2, entry(TAG, None), full=False) == "Accepted"
        await bench.plug()
        await bench.swipe()
        await bench.ledger.wait_for("Authorize", id_tag=TAG)


async def test_the_list_survives_a_power_failure_and_decides_offline(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, 3, entry(TAG), entry(OTHER_TAG, "Blocked")) == "Accepted"
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.station.until_online()
        assert await version(bench) == 3
        await bench.offline()
        await bench.plug()
        await bench.swipe(OTHER_CARD)
        await bench.station.until_state("preparing")
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.online()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert start["id_tag"] == TAG


async def test_ids_of_the_list_are_not_cached(tmp_path: Path) -> None:
    """Errata 3.4: else a card taken off the list would go on."""
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        assert await send(bench, 1, entry(TAG)) == "Accepted"
        await bench.charging()
        await bench.stop()
        await bench.unplug()
        assert await send(bench, 2) == "Accepted"
        await bench.plug(2)
        await bench.swipe(connector=2)
        await bench.ledger.wait_for("Authorize", id_tag=TAG)
