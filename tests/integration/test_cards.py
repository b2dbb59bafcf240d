"""Cards and lists of a whole station, on virtual time (manual 5.3 to 5.5)."""
# ruff: noqa: N802 -- a test of a setting is named after it

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from borne.application.authorization.master_card import MasterCard
from borne.application.authorization.teach_in import TeachIn
from borne.application.refusals import Refused
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from tests.support.running_station import CARD, RunningStation, running_station
from tests.support.virtual_time import virtual_time

OTHER, RANDOM, MAC = "0A0E9B83", "08AABBCC", "0018E6A1B201"
OPERATOR = Principal(PrincipalKind.PERSON, Role.OPERATOR, "operator at 192.168.1.7")
LISTED: dict[str, Any] = {"FLLEnable": "on", "RFIDTagLetterCase": "upper"}


def teach_in(station: RunningStation) -> TeachIn:
    view = station.services.teach_in
    assert view is not None
    return view


def master_card(station: RunningStation) -> MasterCard:
    view = station.services.master_card
    assert view is not None
    return view


def listed(station: RunningStation) -> list[tuple[str, str, int | None]]:
    entries, _ = station.services.whitelist.page()
    return [(entry.token, entry.kind, entry.connector) for entry in entries]


async def show(station: RunningStation, uid: str, number: int | None = 1) -> None:
    """Hold a card, and wait until what follows is stored."""
    await station.card(uid, number)
    await asyncio.sleep(3.0)


def teach_in_events(station: RunningStation) -> list[tuple[str, str]]:
    """Results and tokens, in the order of the cards."""
    state = teach_in(station).state()
    assert state is not None
    return [(event.result.value, event.token) for event in reversed(state.events)]


# Teach-in ---------------------------------------------------------------------------------------


@virtual_time
async def test_every_card_shown_is_added_at_once_and_starts_nothing(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        lease = teach_in(station).start(OPERATOR)
        for card in (CARD, CARD, RANDOM, OTHER):
            await show(station, card)
        assert teach_in_events(station) == [
            ("added", CARD),
            ("known", CARD),
            ("random", RANDOM),
            ("added", OTHER),
        ]
        assert listed(station) == [(CARD, "RFID", None), (OTHER, "RFID", None)]
        assert station.connector(1)["state"] == "available"
        assert len(teach_in(station).finish(lease)) == 4
        await show(station, CARD)
        assert station.connector(1)["state"] == "authorized"


@virtual_time
async def test_a_card_that_is_held_is_one_card(tmp_path: Path) -> None:
    async with running_station(tmp_path, RFIDTagLetterCase="upper") as station:
        teach_in(station).start(OPERATOR)
        for _ in range(3):
            await station.card(CARD)
        await asyncio.sleep(1.0)
        assert teach_in_events(station) == [("added", CARD)]


@virtual_time
async def test_a_car_adds_its_address(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        teach_in(station).start(OPERATOR, bind=2)
        await station.plug(2, {"evccid": MAC})
        await station.plug(1)
        await asyncio.sleep(1.0)
        assert listed(station) == [(MAC, "MAC", 2)]


@virtual_time
async def test_only_cards_at_the_chosen_reader_are_added(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        teach_in(station).start(OPERATOR, reader=2)
        await show(station, CARD, 1)
        await show(station, OTHER, 2)
        assert listed(station) == [(OTHER, "RFID", None)]


@virtual_time
async def test_plain_cards_are_not_added_while_only_secure_ones_count(tmp_path: Path) -> None:
    async with running_station(
        tmp_path, RFIDTagLetterCase="upper", EnforceSecureRFID="on"
    ) as station:
        teach_in(station).start(OPERATOR)
        await show(station, CARD)
        await station.simulator.present_card(uid=OTHER, connector=1, secure=True)
        await asyncio.sleep(1.0)
        assert teach_in_events(station) == [("not_secure", CARD), ("added", OTHER)]


@virtual_time
async def test_teach_in_ends_when_it_is_not_renewed(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        teach_in(station).start(OPERATOR)
        await asyncio.sleep(14.9)
        assert teach_in(station).state() is not None
        await asyncio.sleep(0.2)
        assert teach_in(station).state() is None
        await show(station, CARD)
        assert listed(station) == []


@virtual_time
async def test_teach_in_ends_after_a_minute_unless_it_is_prolonged(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        view = teach_in(station)
        lease = view.start(OPERATOR)
        for _ in range(5):
            await asyncio.sleep(10.0)
            view.renew(lease)
        assert view.prolong(lease).remaining_s == 60.0
        for _ in range(5):
            await asyncio.sleep(10.0)
            view.renew(lease)
        await asyncio.sleep(10.1)
        assert view.state() is None
        with pytest.raises(Refused, match="is over"):
            view.renew(lease)


@virtual_time
async def test_one_teach_in_runs_at_a_time(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        view = teach_in(station)
        view.start(OPERATOR)
        with pytest.raises(Refused, match=r"running \(operator at 192\.168\.1\.7\)"):
            view.start(SYSTEM)
        with pytest.raises(Refused, match="is over"):
            view.finish("another lease")


@virtual_time
async def test_a_power_cut_ends_teach_in_and_keeps_the_added_cards(tmp_path: Path) -> None:
    async with running_station(tmp_path, RFIDTagLetterCase="upper") as station:
        teach_in(station).start(OPERATOR)
        await show(station, CARD)
        await station.host.cut()
        await station.host.restore()
        assert teach_in(station).state() is None
        assert listed(station) == [(CARD, "RFID", None)]


@virtual_time
async def test_teach_in_needs_the_role_operator(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        with pytest.raises(Refused, match="needs operator"):
            teach_in(station).start(Principal(PrincipalKind.PERSON, Role.USER))


# Held too short ---------------------------------------------------------------------------------


async def hold(station: RunningStation, uid: str, held_s: float) -> None:
    """Hold a card for so long."""
    await station.simulator.present_card(uid=uid, connector=1, hold_s=held_s)
    await asyncio.sleep(0.5)


@virtual_time
async def test_a_card_held_too_short_is_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Manual 6: hold it for two seconds. No ring refuses, and the next try counts at once."""
    caplog.set_level("INFO")
    async with running_station(tmp_path, **LISTED) as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await hold(station, CARD, 1.9)
        assert station.connector(1)["state"] == "available"
        assert station.connector(1)["led"] == "available"
        assert "held_too_short" in caplog.text
        await hold(station, CARD, 2.0)
        assert station.connector(1)["state"] == "authorized"


@virtual_time
async def test_a_card_held_too_short_is_neither_added_nor_the_master_card(tmp_path: Path) -> None:
    async with running_station(tmp_path, RFIDTagLetterCase="upper", MasterRFID=CARD) as station:
        teach_in(station).start(OPERATOR)
        waiting = asyncio.ensure_future(master_card(station).reset_passwords())
        await asyncio.sleep(0)
        await hold(station, CARD, 1.0)
        assert teach_in_events(station) == [("unreadable", CARD)]
        assert not waiting.done()
        assert listed(station) == []
        waiting.cancel()


# The list ---------------------------------------------------------------------------------------


@virtual_time
async def test_the_list_shows_when_a_card_was_used(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await show(station, OTHER)
        await show(station, CARD)
        ((entry,), _) = station.services.whitelist.page()
        assert entry.last_used_at != ""


@virtual_time
async def test_a_card_typed_in_the_configured_spelling_is_recognised(tmp_path: Path) -> None:
    changes = LISTED | {"RFIDTagLetterCase": "lower_inverted"}
    async with running_station(tmp_path, **changes) as station:
        await station.services.whitelist.import_text("839b0e0a", SYSTEM, dry_run=False)
        await show(station, OTHER)
        assert station.connector(1)["state"] == "authorized"


# The master card --------------------------------------------------------------------------------


@virtual_time
async def test_MasterRFID(tmp_path: Path) -> None:
    async with running_station(tmp_path, MasterRFID=CARD) as station:
        accounts = station.services.accounts
        for role in (Role.OPERATOR, Role.INSTALLER, Role.MANUFACTURER):
            await accounts.set_password(role, f"a good password of {role.value}")
        waiting = asyncio.ensure_future(master_card(station).reset_passwords())
        await asyncio.sleep(0)
        await show(station, OTHER)
        assert not waiting.done()
        with pytest.raises(Refused, match="already waiting for a card"):
            await master_card(station).next_card()
        await show(station, CARD)
        assert await waiting
        assert not await accounts.has_password(Role.OPERATOR)
        assert not await accounts.has_password(Role.INSTALLER)
        assert await accounts.has_password(Role.MANUFACTURER)


@virtual_time
async def test_a_master_card_that_does_not_come_resets_nothing(tmp_path: Path) -> None:
    async with running_station(tmp_path, MasterRFID=CARD, EnforceSecureRFID="on") as station:
        waiting = asyncio.ensure_future(master_card(station).reset_passwords())
        await asyncio.sleep(0)
        await show(station, CARD)
        assert not await waiting
    async with running_station(tmp_path, MasterRFID="") as station:
        with pytest.raises(Refused, match="knows no master card"):
            await master_card(station).reset_passwords()


@virtual_time
async def test_a_card_is_registered_as_master_card(tmp_path: Path) -> None:
    async with running_station(tmp_path, RFIDTagLetterCase="lower") as station:
        waiting = asyncio.ensure_future(master_card(station).next_card())
        await asyncio.sleep(0)
        await show(station, CARD)
        assert await waiting == CARD.lower()
        assert station.connector(1)["state"] == "available"


# Cars on the list -------------------------------------------------------------------------------


async def list_car(station: RunningStation, connector: int | None = None) -> None:
    await station.services.whitelist.add(MAC, SYSTEM, connector=connector)


@virtual_time
async def test_a_car_on_the_list_charges_when_it_is_plugged(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await list_car(station)
        await station.plug(1, {"evccid": MAC})
        charging = await station.until_state("charging")
        assert charging["session"]["identity"]["kind"] == "MAC"
        await station.plug(2, {"evccid": "0018E6A1B299"})
        await station.until_state("preparing", 2)
        await asyncio.sleep(30.0)
        assert station.connector(2)["state"] == "preparing"
        entries, _ = station.services.whitelist.page()
        assert entries[0].last_used_at


@pytest.mark.parametrize(
    ("change", "bound"), [({"FLLEnable": "off"}, None), ({}, 2)], ids=["list off", "other socket"]
)
@virtual_time
async def test_a_car_that_the_list_does_not_name_here_waits_for_a_card(
    tmp_path: Path, change: dict[str, Any], bound: int | None
) -> None:
    async with running_station(tmp_path, **(LISTED | change)) as station:
        await list_car(station, bound)
        await station.plug(1, {"evccid": MAC})
        await station.until_state("preparing")
        await asyncio.sleep(30.0)
        assert station.connector()["state"] == "preparing"


@virtual_time
async def test_a_card_before_the_plug_takes_precedence_over_the_car(tmp_path: Path) -> None:
    async with running_station(tmp_path, **LISTED) as station:
        await list_car(station)
        await station.services.whitelist.add(CARD, SYSTEM)
        await show(station, CARD)
        await station.plug(1, {"evccid": MAC})
        charging = await station.until_state("charging")
        assert charging["session"]["identity"]["kind"] == "RFID"


@virtual_time
async def test_free_charging_takes_precedence_over_the_car(tmp_path: Path) -> None:
    free = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
    async with running_station(tmp_path, **(LISTED | free)) as station:
        await list_car(station)
        await station.plug(1, {"evccid": MAC})
        charging = await station.until_state("charging")
        assert charging["session"]["identity"]["kind"] == "FREE"
