"""The statuses of a connector that a backend receives are current and agree with the page.

On virtual time, with a recorder in the place of the backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from borne.application.ports.backend import (
    BackendUnreachable,
    BackendView,
    BootState,
    IdTagInfo,
    LinkState,
    StatusReport,
)
from borne.application.ports.backend_link import Backend
from borne.domain.principals import SYSTEM as OPERATOR
from borne.domain.reservation import Answer, Reservation
from borne.domain.station.modes import StopMode
from borne.domain.station.status import (
    ALLOWED_NEXT,
    BACKEND_STATUS,
    BackendStatus,
    ConnectorStatus,
    status_in_between,
)
from tests.support.running_station import CARD, RunningStation, running_station
from tests.support.virtual_time import run_virtual

WHITELISTED = {"FLLEnable": "on"}
FREE = {"FreeCharging": "on", "FreeChargingMode": "status_without_auth"}
BACKEND = {
    "ConnectionType": "ethernet",
    # Nothing is dialled: there is no URL, and the recorder stands for the link.
    "WebSocketsBackendURL": "",
}


class Recorder:
    """Records statuses."""

    online = False

    def __init__(self) -> None:
        self.reports: list[StatusReport] = []

    async def authorize(self, id_token: str) -> IdTagInfo:
        raise BackendUnreachable(id_token)

    def view(self) -> BackendView:
        return BackendView(link=LinkState.CONNECTED, boot=BootState.ACCEPTED, queue=0)

    def report_status(self, status: StatusReport) -> None:
        self.reports.append(status)

    def of(self, connector: int = 1) -> list[str]:
        return [report.status for report in self.reports if report.connector == connector]


class Bench:
    """A station and the recorder of its reports."""

    def __init__(self, station: RunningStation) -> None:
        self.station = station
        self.backend = Recorder()
        running = station.host.station
        assert running is not None
        self.reporter = running.backend_side.reporter
        running.link.backend = cast(Backend, cast(Any, self.backend))

    @property
    def agreed(self) -> str:
        """The status that page and backend agree on."""
        page = BACKEND_STATUS[ConnectorStatus(self.station.connector()["state"])]
        assert self.backend.of()[-1] == page
        return page

    @property
    def simulator(self) -> Any:
        return self.station.simulator


@asynccontextmanager
async def bench(folder: Path, **settings: Any) -> AsyncIterator[Bench]:
    async with running_station(folder, **{**BACKEND, **FREE, **settings}) as station:
        await asyncio.sleep(1)
        yield Bench(station)


def on_a_bench(folder: Path, scenario: Callable[[Bench], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with bench(folder, **settings) as at:
            await scenario(at)

    run_virtual(run())


ASLEEP = {"wants_charge": False}
WAKE_UP = {"DLMAllowEVWakeup": "on", "EVWakeupMethod": "pilot_interruption"}


@pytest.mark.parametrize("wake_up", [{}, WAKE_UP], ids=["left alone", "woken in vain"])
def test_a_car_that_never_asks_is_reported_as_suspended_ev(tmp_path: Path, wake_up: Any) -> None:
    async def scenario(at: Bench) -> None:
        await at.station.plug(1, ASLEEP)
        await asyncio.sleep(9)
        assert at.agreed == "Charging"  # it may still be thinking about it
        await asyncio.sleep(4)
        assert at.agreed == "SuspendedEV"
        await asyncio.sleep(3600)
        assert at.agreed == "SuspendedEV"
        assert at.backend.of().count("Charging") == 1
        await at.simulator.change_vehicle(1, {"wants_charge": True})
        await asyncio.sleep(10)
        assert at.agreed == "Charging"
        await at.simulator.change_vehicle(1, ASLEEP)
        await asyncio.sleep(5)
        assert at.agreed == "SuspendedEV"

    on_a_bench(tmp_path, scenario, **wake_up)


def test_a_car_that_takes_some_seconds_is_not_reported_as_suspended_ev(tmp_path: Path) -> None:
    async def scenario(at: Bench) -> None:
        await at.station.plug(1, {"reaction_s": 5.0})
        await asyncio.sleep(60)
        assert at.backend.of() == ["Preparing", "Charging"]

    on_a_bench(tmp_path, scenario)


def test_a_car_that_never_asks_stays_preparing_where_that_lasts_until_state_c(
    tmp_path: Path,
) -> None:
    async def scenario(at: Bench) -> None:
        await at.station.plug(1, ASLEEP)
        await asyncio.sleep(3600)
        assert at.backend.of() == ["Preparing"]

    on_a_bench(tmp_path, scenario, PreparingUntilStateC="on")


@pytest.mark.parametrize("mode", [StopMode.NORMAL, StopMode.ONLY_RFID_REMOTE])
def test_a_pulled_plug_is_not_reported_as_suspended_evse(tmp_path: Path, mode: StopMode) -> None:
    async def scenario(at: Bench) -> None:
        await at.station.plug(1, {})
        await asyncio.sleep(30)
        await at.simulator.unplug(1, force=True)
        await asyncio.sleep(30)
        ends = mode is StopMode.NORMAL
        after = ["Finishing", "Available"] if ends else ["SuspendedEV"]
        assert at.backend.of() == ["Preparing", "Charging", *after]

    # Free charging ends by unplugging in every mode but those with transactions.
    full = {"FreeChargingMode": "full_fixed_without_auth"}
    on_a_bench(tmp_path, scenario, StopTransactionMode=mode.value, **full)


def test_a_session_that_ends_stays_what_it_was_until_its_end_is_committed(tmp_path: Path) -> None:
    """A vehicle has some seconds to end its draw: until then the transaction goes on."""

    async def scenario(at: Bench) -> None:
        await at.station.plug(1, {"reaction_s": 3.0})
        await asyncio.sleep(30)
        before = len(at.backend.of())
        await at.station.services.control.stop(1, OPERATOR)
        await asyncio.sleep(2)
        assert at.backend.of()[before:] == []
        await asyncio.sleep(30)
        assert at.backend.of()[before:] == ["Finishing"]

    on_a_bench(tmp_path, scenario)


def test_a_triggered_status_is_the_present_one_while_another_is_held_back(tmp_path: Path) -> None:
    async def scenario(at: Bench) -> None:
        await at.station.plug(1, {})
        await asyncio.sleep(30)
        assert at.backend.of() == []
        at.reporter.settle(1)
        assert at.backend.of() == ["Preparing", "Charging"][-len(at.backend.of()) :]
        assert at.agreed == "Charging"
        await asyncio.sleep(300)
        assert at.backend.of()[-1] == "Charging"
        assert at.backend.of().count("Charging") == 1

    on_a_bench(tmp_path, scenario, MinimumStatusDuration=60)


EVERY = sorted(ALLOWED_NEXT)


@pytest.mark.parametrize("plugged", [True, False])
@pytest.mark.parametrize("before", EVERY)
@pytest.mark.parametrize("after", EVERY)
def test_reported_statuses_follow_the_table(
    before: BackendStatus, after: BackendStatus, plugged: bool
) -> None:
    between = status_in_between(before, after, plugged=plugged)
    way = [before, after] if between is None else [before, between, after]
    assert before == after or all(b in ALLOWED_NEXT[a] for a, b in pairwise(way))


def test_another_card_at_a_reserved_socket_changes_nothing(tmp_path: Path) -> None:
    async def scenario(at: Bench) -> None:
        running = at.station.host.station
        assert running is not None
        now = running.services().clock.now()
        kept = Reservation(7, 1, CARD.lower(), now + timedelta(hours=1))
        assert await running.cards.reservations.reserve(kept) is Answer.ACCEPTED
        await at.station.plug(1, {})
        await asyncio.sleep(10)
        await at.station.card("04A1B2C3D4E5F6", 1)
        await asyncio.sleep(10)
        assert at.backend.of() == ["Reserved"]
        assert at.agreed == "Reserved"
        await at.station.card(CARD, 1)
        await asyncio.sleep(10)
        assert at.backend.of() == ["Reserved", "Preparing", "Charging"]

    card = {"FreeCharging": "off", "IfInDoubtAllowCharging": "on"}
    on_a_bench(tmp_path, scenario, **card)


def words(at: Bench, connector: int) -> list[tuple[str, str, str]]:
    mine = [report for report in at.backend.reports if report.connector == connector]
    return [(report.status, report.error_code, report.info) for report in mine]


READER, BROKEN = ("rfid-reader", 0), ("over-voltage", 1)
WORDS = {
    READER: ("RFID reader not communicating", "RFID reader recovered"),
    BROKEN: ("Supply voltage too high", "Supply voltage in order"),
}


async def cause(at: Bench, what: tuple[str, int], *, active: bool) -> None:
    name, connector = what
    await at.simulator.set_fault(name, active=active, connector=connector or None)
    await asyncio.sleep(60)


@pytest.mark.parametrize("what", [READER, BROKEN])
@pytest.mark.parametrize("switched", ["never", "off in between", "on in between"])
def test_a_recovery_follows_its_activation(
    tmp_path: Path, what: tuple[str, int], switched: str
) -> None:
    """Decision D31: an activation that was held back sends no recovery, one that was sent
    sends it."""
    first = "on" if switched == "off in between" else "off"

    async def scenario(at: Bench) -> None:
        await cause(at, what, active=True)
        if switched != "never":
            wanted = switched.startswith("on")
            await at.station.set(SendErrorStatusNotifications=wanted)
        await cause(at, what, active=False)
        infos = [info for _, _, info in words(at, what[1]) if info]
        codes = {code for _, code, _ in words(at, what[1])}
        if switched == "never":
            assert infos == []
            assert codes <= {"NoError", "OtherError"}
        else:
            assert infos == list(WORDS[what])
        if infos or words(at, what[1]):
            assert words(at, what[1])[-1][1] == "NoError"

    on_a_bench(tmp_path, scenario, SendErrorStatusNotifications=first)


def test_a_fault_that_was_never_reported_sends_no_recovery(tmp_path: Path) -> None:
    async def scenario(at: Bench) -> None:
        await cause(at, ("over-temperature", 1), active=True)
        await cause(at, BROKEN, active=True)
        await cause(at, BROKEN, active=False)
        infos = [info for _, _, info in words(at, 1) if info]
        assert infos == ["Controller too hot"]

    on_a_bench(tmp_path, scenario, SendInformativeStatusNotifications="off")
