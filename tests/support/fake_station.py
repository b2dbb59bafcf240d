"""A station that only looks like one: its state is data, its commands change the data.

For the web interface's tests and to look at the pages: `python -m tests.support.fake_station`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import World
from borne.adapters.web.contract import Readiness
from borne.application.authorization.card_router import CardRouter
from borne.application.authorization.token_lists import BackendTokens
from borne.application.authorization.whitelist import Whitelist
from borne.application.charging.connector import Connector
from borne.application.charging.sessions_view import SessionsService
from borne.application.charging.station_control import StationControl
from borne.application.commands import Members
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.people.accounts import Accounts, Logins
from borne.application.people.passwords import Hasher, ScryptCost
from borne.application.ports.backend import (
    BackendView,
    BootState,
    ConnectionStep,
    LinkState,
    StepResult,
    StepState,
)
from borne.application.ports.hardware import CardRead
from borne.application.ports.simulator import (
    NOTHING,
    AddedMeter,
    CauseView,
    SimulatorError,
    SimulatorPort,
    Vehicles,
    VehicleView,
    WorldView,
)
from borne.application.ports.storage import (
    ALL_SESSIONS,
    SessionFigures,
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    SessionTotals,
    WhitelistEntry,
)
from borne.application.refusals import Refused, require
from borne.application.services import RestartAnswer, StationServices, When
from borne.application.settings.settings_service import SettingsService
from borne.domain.frames import FrameRecord
from borne.domain.principals import SYSTEM, Principal, Role
from borne.domain.settings import CATALOGUE
from borne.domain.settings.entry import HardwareFacts
from borne.domain.settings.snapshot import Settings
from borne.domain.smart_charging.profiles import Installed, Selection
from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.connector_state import Authorization, LiveSession, Phase, Stop
from borne.domain.station.session import (
    Sample,
    SessionEnd,
    SessionFlag,
    SessionRecord,
    SessionStart,
    StopReason,
)
from borne.domain.station.station_status import StationStatus
from borne.domain.station.status import ConnectorStatus
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Clock, ClockTrust, Moment, format_utc
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import PerPhase
from tests.support.fake_load import FakeLoad
from tests.support.fake_meters import FakeMeter, FakeSearch, FakeSiteMeter
from tests.support.fake_stores import (
    MemoryAccounts,
    MemorySecurityLog,
    MemorySettings,
    MemoryState,
    MemoryTokens,
    MemoryWhitelist,
)
from tests.support.frames import frame
from tests.support.status_reader import status_of

Json = dict[str, Any]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PASSWORD = "Ladekabel-2026"


def limit(source: str, amps: float, reason: str = "setting", **more: Any) -> Json:
    """A row of the waterfall."""
    row = {
        "source": source,
        "scope": {"supply_line": "station", "load_management": "group"}.get(source, "connector"),
        "amps": [amps, amps, amps],
        "reason": reason,
        "since": "2026-11-22T09:00:00Z",
        "until": None,
        "effective": False,
    }
    return row | more


def free_connector(number: int) -> Json:
    """Nothing is plugged."""
    return {
        "id": number,
        "name": "",
        "state": "available",
        "pilot": "A1",
        "offered_a": [0.0, 0.0, 0.0],
        "phases": 3,
        "measured_a": [0.0, 0.0, 0.0],
        "power_w": 0,
        "register_wh": 123456,
        "cable_a": None,
        "locked": False,
        "led": "available",
        "display": [
            ["Ready", "Show your card"],
            ["Bereit", "Karte vorhalten"],
            ["Prêt", "Passez le badge"],
            ["Gereed", "Houd kaart voor"],
        ],
        "session": None,
        "limits": [
            limit("board", 32, "hardware"),
            limit("supply_line", 32),
            limit("operator", 16, effective=True),
        ],
        "faults": [],
    }


def charging_connector(number: int, phases: int, amps: float, token: str) -> Json:
    """A car charges."""
    measured = [round(amps - 0.1 * phase, 1) if phase < phases else 0.0 for phase in range(3)]
    return free_connector(number) | {
        "state": "charging",
        "pilot": "C2",
        "offered_a": [13.0, 13.0, 13.0],
        "measured_a": measured,
        "power_w": round(sum(measured) * 230),
        "cable_a": 20,
        "locked": True,
        "led": "charging",
        "display": [["Charging", "7.4kW 12.34kWh"]],
        "session": {
            "id": f"session-{number}",
            "started_at": format_utc(NOW - timedelta(minutes=59 * number)),
            "energy_wh": 12340 // number,
            "transaction_id": 41 + number,
            "identity": {"kind": "RFID", "masked": token},
            "billable": True,
            "flags": [],
        },
        "limits": [
            limit("board", 32, "hardware"),
            limit("supply_line", 32),
            limit("installation", 32),
            limit("operator", 16),
            limit("cable", 20, "plug"),
            limit("load_management", 13, "fair_share", effective=True),
        ],
    }


class FakeStatus:
    """A StatusView whose state is changed by `edit`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news = asyncio.Condition()
        self._waking: set[asyncio.Task[None]] = set()
        self.revision = 812
        self.somebody_waits = asyncio.Event()
        self.data: Json = {
            "connectors": [free_connector(1), free_connector(2)],
            "backend": {"link": "connected", "boot": "accepted", "queue": 0},
            "load_management": {"role": "disabled"},
            "limits": [limit("supply_line", 32, effective=True)],
            "faults": [],
            "last_card": None,
            "notices": [],
        }

    def snapshot(self) -> StationStatus:
        head = {
            "revision": self.revision,
            "time": format_utc(self._clock.now()),
            "clock_trust": self._clock.trust.value,
            "power": "on",
        }
        return status_of(head | self.data)

    def connector(self, number: int) -> Json:
        found: Json = self.data["connectors"][number - 1]
        return found

    def edit(self, number: int, **changes: Any) -> None:
        """Change a connector, or the station (0)."""
        (self.connector(number) if number else self.data).update(changes)
        self.revision += 1
        task = asyncio.get_running_loop().create_task(self._wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def wait(self, after: int, timeout_s: float) -> StationStatus:
        self.somebody_waits.set()
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: self.revision > after)
        except TimeoutError:
            pass
        return self.snapshot()

    async def changes(self) -> AsyncIterator[StationStatus]:
        seen = 0
        while True:
            snapshot = await self.wait(seen, 3600)
            seen = snapshot.revision
            yield snapshot


class FakeConnector:
    """A connector on the data, as far as commands want it; `calls` records what was called."""

    def __init__(self, number: int, status: FakeStatus, calls: list[tuple[Any, ...]]) -> None:
        self.id = number
        self._status = status
        self._calls = calls

    @property
    def status(self) -> ConnectorSnapshot:
        data = self._status.connector(self.id)
        session = LiveSession(Authorization(Identity(IdentityKind.FREE)), Phase.RUNNING, "one")
        return ConnectorSnapshot(
            state=ConnectorStatus(data["state"]),
            session=session if data["session"] is not None else None,
            out_of_service_later=data["session"] is not None,
        )

    def authorize(self, authorization: Authorization) -> None:
        self._calls.append(("authorize", self.id, authorization.identity.id_token))
        self._status.edit(self.id, state="authorized", led="authorized")

    def end_session(self, stop: Stop) -> None:
        self._calls.append(("end_session", self.id, stop.reason))
        if self._status.connector(self.id)["session"] is not None:
            self._status.edit(self.id, **(free_connector(self.id) | {"state": "finishing"}))

    def unlock(self) -> None:
        self._calls.append(("unlock", self.id))
        self._status.edit(self.id, locked=False)

    def set_available(self, *, available: bool, at_once: bool = False) -> None:
        assert not at_once
        self._calls.append(("set_available", self.id, available))
        if self._status.connector(self.id)["session"] is None:
            state = "available" if available else "unavailable"
            self._status.edit(self.id, state=state, led=state)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Anything else that a connector can do is recorded, and changes nothing."""
        if not hasattr(Connector, name):
            raise AttributeError(name)
        return lambda *given, **named: self._calls.append((name, self.id, *given, *named.values()))


class FakeControl(StationControl):
    """The real commands on fake connectors."""

    def __init__(self, status: FakeStatus) -> None:
        self.calls: list[tuple[Any, ...]] = []
        connectors = {number: FakeConnector(number, status, self.calls) for number in (1, 2)}
        super().__init__(cast("Mapping[int, Connector]", connectors), MemoryState())


def record(number: int) -> SessionRecord:
    """The session with that number, counted back from now."""
    began = NOW - timedelta(hours=5 * number, minutes=7 * number % 60)
    kind = IdentityKind.FREE if number % 7 == 3 else IdentityKind.RFID
    token = "" if kind is IdentityKind.FREE else f"04567DAA{0x5F3580 + number % 5:06X}"
    energy = 4200 + 1370 * (number % 9)
    start = SessionStart(
        f"session-{number:04d}",
        1 + number % 2,
        Identity(kind, token),
        Moment("boot", 0.0, began),
        1_000_000 + 10_000 * (100 - number),
        reported=True,
        flags=frozenset({SessionFlag.NOT_BILLABLE} if number % 11 == 5 else ()),
    )
    reasons = list(StopReason)
    end = SessionEnd(
        Moment("boot", 0.0, began + timedelta(minutes=40 + 13 * (number % 6))),
        start.meter_start_wh + energy,
        StopReason.EV_DISCONNECTED if number % 3 else reasons[number % len(reasons)],
    )
    running = number == 0
    return SessionRecord(
        start,
        None if running else end,
        400 - number,
        start.meter_start_wh + energy,
        max_power_w=7400.0 + 400 * (number % 10),
    )


def _wanted(found: SessionRecord, query: SessionQuery) -> bool:
    at, start = found.start.at.wall or NOW, found.start
    return (
        query.connector in (None, start.connector)
        and query.id_token in (None, start.identity.id_token)
        and (query.since is None or at >= query.since)
        and (query.until is None or at < query.until)
    )


class FakeSessions(SessionsService):
    """A SessionsView on records in memory."""

    def __init__(self, number: int = 60) -> None:
        self.records = [record(index) for index in range(number)]

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[Sequence[SessionRecord], int]:
        chosen = [found for found in self.records if _wanted(found, query)]
        ids = [found.session_id for found in chosen]
        if {before, after} - {None, *ids}:
            return [], len(chosen)
        if before is not None:
            offset = ids.index(before) + 1
        if after is not None:
            offset = max(0, ids.index(after) - limit)
        return chosen[offset : offset + limit], len(chosen)

    async def get(self, session_id: str) -> SessionRecord | None:
        return next((found for found in self.records if found.session_id == session_id), None)

    async def curve(self, session_id: str) -> Sequence[Sample]:
        found = await self.get(session_id)
        if found is None or found.start.at.wall is None:
            return []
        began, register = found.start.at.wall, found.start.meter_start_wh
        samples = []
        for minute in range(0, 60, 2):
            amps = 15.9 if minute < 36 else max(6.0, 15.9 - (minute - 36) * 0.45)
            power = amps * 690
            register += round(power / 30)
            moment = Moment("boot", 0.0, began + timedelta(minutes=minute))
            current = PerPhase(amps, amps - 0.1, amps - 0.2)
            samples.append(
                Sample(moment, register, current, PerPhase.same(230.0), power, min(16.0, amps + 1))
            )
        return samples

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> Sequence[SessionGroup]:
        found, _ = await self.page(query, limit=len(self.records))
        groups: dict[int | Identity, SessionTotals] = {}
        for each in found:
            by_socket = by is SessionGrouping.CONNECTOR
            key = each.start.connector if by_socket else each.start.identity
            old = groups.get(key, SessionTotals())
            groups[key] = SessionTotals(
                old.sessions + 1,
                old.energy_wh + each.energy_wh,
                old.duration_s + 3600.0,
                old.timed + 1,
            )
        return [
            SessionGroup(key, None, sums) if isinstance(key, int) else SessionGroup(None, key, sums)
            for key, sums in groups.items()
        ][:limit]

    async def export(
        self, query: SessionQuery = ALL_SESSIONS
    ) -> AsyncIterator[Sequence[SessionRecord]]:
        before: str | None = None
        while found := (await self.page(query, limit=100, before=before))[0]:
            yield found
            before = found[-1].session_id

    async def anonymise(
        self, principal: Principal, *, id_token: str | None = None, sessions: Sequence[str] = ()
    ) -> int:
        require(principal, Role.OPERATOR)
        if not (id_token or sessions):
            raise Refused("invalid", "Name the card or the sessions to make anonymous.")
        forgotten = [each for each in self.records if each.start.identity.id_token == id_token]
        for each in forgotten:
            anonymous = replace(each.start, identity=Identity(each.start.identity.kind, ""))
            self.records[self.records.index(each)] = replace(each, start=anonymous)
        return len(forgotten)

    async def totals(self) -> SessionFigures:
        number = len(self.records)
        if not number:
            return SessionFigures()
        return SessionFigures(
            SessionTotals(number, 9610 * number, 72.4 * 60 * number, number),
            SessionTotals(31, 298_400, 0.0, 0),
        )


def cards(number: int = 9) -> list[WhitelistEntry]:
    """A whitelist of so many entries."""
    names = ["Anna", "Bob", "Service van", "Guest 1", "Guest 2", "", "Chris", "Dana", ""]
    return [
        WhitelistEntry(
            f"04567DAA{index:04X}" if index % 9 == 8 else f"04567DAA{0x5F3580 + index:06X}",
            "MAC" if index % 9 == 8 else "RFID",
            1 if index % 9 == 3 else None,
            names[index % 9],
            "2026-10-01T08:00:00Z",
            "2026-11-21T17:12:00Z" if index % 2 else "",
        )
        for index in range(number)
    ]


async def whitelist(clock: Clock, number: int = 9) -> Whitelist:
    """The real one on a store in memory."""
    made = Whitelist(MemoryWhitelist(cards(number)), clock)
    await made.load()
    return made


class FakeRestarter:
    """Remembers that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def restart(self, principal: Principal, when: When = "now") -> RestartAnswer:
        require(principal, Role.OPERATOR)
        self.asked.append(when)
        return RestartAnswer(when)


def step(name: str, state: str = "ok", detail: str = "") -> StepResult:
    """A step of the connection."""
    return StepResult(ConnectionStep(name), StepState(state), detail)


CONNECTED = (
    step("dns", detail="ocpp.example.com → 203.0.113.7"),
    step("tcp", detail="203.0.113.7:443"),
    step("tls", detail="TLS 1.3, certificate until 2027-03-01"),
    step("websocket", detail="ocpp1.6"),
    step("boot", detail="Accepted, interval 300 s"),
    step("heartbeat"),
)


async def try_connection(settings: Settings) -> Sequence[StepResult]:
    """A ConnectionTrial: one host exists, the others have no name."""
    if "ocpp.example.com" in settings.text("WebSocketsBackendURL"):
        return CONNECTED[:4]
    unknown = [step(result.step, "unknown") for result in CONNECTED[1:]]
    return [step("dns", "failed", "no such host"), *unknown]


class FakeBackend:
    """A BackendPort; `lost` is a link with a failing step."""

    def __init__(self) -> None:
        self.lost = False

    async def authorize(self, id_token: str) -> Any:
        raise NotImplementedError

    def report_status(self, status: Any) -> None: ...

    def ask_statuses(self, settle: Any) -> None: ...

    @property
    def online(self) -> bool:
        return not self.lost

    def view(self) -> BackendView:
        if not self.lost:
            accepted = (LinkState.CONNECTED, BootState.ACCEPTED)
            return BackendView(*accepted, 0, next_heartbeat_s=48.0, steps=CONNECTED)
        error = "HTTP 401 Unauthorized"
        steps = (
            *CONNECTED[:3],
            step("websocket", "failed", error),
            step("boot", "unknown"),
            step("heartbeat", "unknown"),
        )
        away = (LinkState.WAITING, BootState.NONE)
        return BackendView(*away, 3, next_attempt_s=12.0, last_error=error, steps=steps)

    def message_log(self) -> Sequence[FrameRecord]:
        log: list[FrameRecord] = []
        for index in range(40):
            at = NOW - timedelta(seconds=300 * (40 - index))
            action, text, message_id = "Heartbeat", "{}", f"m{index:04d}"
            if index % 6 == 0:
                action = "StatusNotification"
                text = '{"connectorId":1,"errorCode":"NoError","status":"Charging"}'
            call = f'[2,"{message_id}","{action}",{text}]'
            log.append(frame("sent", "call", message_id, call, action, seq=2 * index, at=at))
            kind, outcome = ("error", "InternalError") if index == 24 else ("result", "")
            answer = frame(
                "received",
                kind,
                message_id,
                f'[3,"{message_id}",{{}}]',
                None,
                seq=2 * index + 1,
                at=at,
                outcome=outcome,
                elapsed_ms=23.4,
            )
            log.append(answer)
        return log

    async def message_history(self) -> Sequence[FrameRecord]:
        return self.message_log()


def car(name: str, phases: int, max_a: int, battery_kwh: int, cable_a: int = 32) -> Json:
    """A vehicle of the library."""
    return {
        "name": name,
        "phases": phases,
        "max_a": max_a,
        "battery_kwh": battery_kwh,
        "cable_a": cable_a,
        "soc": 0.3,
        "wants_charge": True,
        "ventilation": False,
    }


VEHICLES = {
    "city": car("City car", 1, 16, 28),
    "family": car("Family car", 3, 16, 60),
    "fast": car("Fast AC car", 3, 32, 80),
    "hybrid": car("Plug-in hybrid", 1, 13, 11, 20),
}
CAUSES = {
    "residual-current": ("Current leaks to earth", "connector"),
    "diode-check": ("Vehicle's diode bridged", "connector"),
    "contactor-welded": ("Contacts welded together", "connector"),
    "lock-stuck": ("Lock actuator stuck", "connector"),
    "meter-ocpp": ("Meter does not answer", "connector"),
    "rcd-tripped": ("RCD off", "station"),
    "spd": ("Surge protection used up", "station"),
    "rfid-reader": ("Card reader does not answer", "station"),
}


VALUES: dict[str, Json] = {
    "residual-current": {
        "unit": "mA",
        "default": 40.0,
        "minimum": 0,
        "maximum": 5000,
        "choices": [],
    },
}


class FakeProfiles(ChargingProfiles):
    """The commands themselves, on profiles that limit nothing; there are none at first."""

    def __init__(self) -> None:
        self._book: list[Installed] = []

    def install(self, *profiles: Installed) -> None:
        """Replace all records."""
        self._book = list(profiles)

    async def clear(self, selection: Selection) -> bool:
        kept = [entry for entry in self._book if not selection.fits(entry)]
        found, self._book = len(kept) < len(self._book), kept
        return found


SERVED_METER: Json = {
    "type": "eastron_sdm630",
    "label": "Modbus Eastron SDM630 (RTU)",
    "source": "site",
    "host": "127.0.0.1",
    "port": 1502,
    "unit": 1,
    "framing": "tcp",
    "serial": False,
    "fault": None,
    "state": "serving",
    "note": "",
    "address": "127.0.0.1:1502",
    "requests": 17,
    "last_client": "127.0.0.1",
    "values": {
        "voltage_v": [230.0, 229.5, 231.0],
        "current_a": [4.1, -6.3, None],
        "power_w": [943.0, -1446.0, None],
        "power_total_w": -503.0,
        "import_wh": 1_234_500,
        "export_wh": 20_000,
        "frequency_hz": 50.01,
        "serial_number": "SIMSITE",
    },
}


class FakeSimulator(Simulator):
    """A simulator whose effects are changes of the fake status; what it does not override has
    none."""

    def __init__(self, status: FakeStatus, cards: CardRouter) -> None:
        super().__init__(World())
        self.status = status
        self.cards = cards
        self.calls: list[tuple[Any, ...]] = []
        self.links: dict[str, Json] = {
            name: {"up": True, "mode": "reset"}
            for name in ("backend", "meter", "external-meter", "master", "usb")
        }
        self.active: set[tuple[str, int]] = set()
        self.site: Json = {
            "building_a": [4.1, 6.3, 2.2],
            "voltage_v": [230.0, 230.0, 230.0],
            "pv_w": 0.0,
            "meter_input": False,
        }
        self.inputs = {1: False, 2: False, 3: False}
        self.temperature_c = 31.0
        self.served: dict[str, Json] = {}

    def vehicles(self) -> Vehicles:
        vehicles = {name: cast("VehicleView", vehicle) for name, vehicle in VEHICLES.items()}
        return {"vehicles": vehicles, "schema": {"type": "object"}}

    def _plugged(self, connector: int) -> bool:
        if connector not in {1, 2}:
            raise SimulatorError("not_found", f"There is no socket {connector}.")
        return bool(self.status.connector(connector)["cable_a"])

    async def plug(self, connector: int, vehicle: Members = NOTHING) -> None:
        if self._plugged(connector):
            raise SimulatorError("conflict", f"Something is plugged at socket {connector} already.")
        name = vehicle.get("vehicle", "family")
        if name not in VEHICLES:
            raise SimulatorError("invalid", f"There is no vehicle {name}.")
        self.calls.append(("plug", connector, name))
        self.status.edit(connector, state="preparing", pilot="B1", cable_a=32, led="preparing")

    async def unplug(self, connector: int, *, force: bool = False) -> None:
        if not self._plugged(connector):
            raise SimulatorError("conflict", f"Nothing is plugged at socket {connector}.")
        if self.status.connector(connector)["locked"] and not force:
            raise SimulatorError("conflict", "The plug is locked; pull it by force?")
        self.status.edit(connector, **free_connector(connector))

    async def change_vehicle(self, connector: int, change: Members) -> None:
        if not self._plugged(connector):
            raise SimulatorError("conflict", f"Nothing is plugged at socket {connector}.")
        self.calls.append(("vehicle", connector, dict(change)))
        self.status.edit(connector)

    async def present_card(
        self,
        *,
        uid: str | None = None,
        connector: int | None = None,
        hold_s: float | None = None,
        secure: bool | None = None,
        id_token: str | None = None,
    ) -> None:
        if uid is None and id_token is None:
            raise SimulatorError("invalid", "A card needs a uid or an id_token.")
        card = {"uid": uid, "connector": connector, "hold_s": hold_s, "secure": secure}
        self.calls.append(("card", {k: v for k, v in card.items() if v is not None}))
        number = connector or 1
        read = CardRead(str(uid), connector)
        if self.cards.master_card.on_card(read) or self.cards.teach_in.on_card(read):
            return
        plugged = self._plugged(number)
        changed = (
            charging_connector(number, 3, 12.9, "..." + str(uid)[-6:])
            if plugged
            else {"state": "authorized", "led": "authorized"}
        )
        self.status.edit(number, **changed)

    def faults(self) -> list[CauseView]:
        found: list[CauseView] = []
        for cause, (label, scope) in CAUSES.items():
            on = sorted(number for name, number in self.active if name == cause)
            row = {"id": cause, "label": label, "scope": scope, "provokes": cause}
            more = {"value": VALUES.get(cause), "connectors": on, "active": bool(on)}
            found.append(cast("CauseView", row | more))
        return found

    async def set_fault(
        self,
        fault: str,
        *,
        active: bool,
        connector: int | None = None,
        error_code: str | None = None,
        value: float | str | Mapping[str, float] | None = None,
        extent: Mapping[str, float] | None = None,
    ) -> None:
        if fault not in CAUSES:
            raise SimulatorError("not_found", f"there is no cause {fault!r}")
        self.calls.append(("fault", fault, value))
        for number in (connector,) if connector else (1, 2):
            (self.active.add if active else self.active.discard)((fault, number))
            if CAUSES[fault][1] == "connector":
                faults = [{"id": fault, "since": format_utc(NOW)}] if active else []
                state = "faulted" if active else "available"
                self.status.edit(number, faults=faults, state=state, led=state)

    async def set_link(self, link: str, *, up: bool, mode: str | None = None) -> None:
        self.links[link] = {"up": up, "mode": mode or "reset"}
        if link == "backend":
            self.status.edit(0, backend={"link": "connected" if up else "waiting", "queue": 0})

    async def set_site(self, change: Members) -> None:
        if unknown := change.keys() - self.site.keys():
            raise SimulatorError("invalid", f"The site has no {', '.join(sorted(unknown))}.")
        self.site.update(change)
        self.status.edit(0)

    async def set_input(self, number: int, *, active: bool) -> None:
        self.inputs[number] = active
        self.status.edit(0)

    async def set_temperature(self, board_c: float, connector: int | None = None) -> None:
        self.temperature_c = board_c
        self.status.edit(0)

    async def add_meter(self, setup: Members) -> AddedMeter:
        name = f"meter-{len(self.served) + 1}"
        await self.set_meter(name, setup)
        return AddedMeter(name)

    async def set_meter(self, meter: str, change: Members) -> None:
        if meter not in self.served and "type" not in change:
            raise SimulatorError("invalid", "A new meter needs a type.")
        before = self.served.get(meter, SERVED_METER | {"id": meter})
        self.served[meter] = before | dict(change)
        self.calls.append(("meter", meter, dict(change)))
        self.status.edit(0)

    async def remove_meter(self, meter: str) -> None:
        if self.served.pop(meter, None) is None:
            raise SimulatorError("not_found", f"There is no meter {meter}.")
        self.status.edit(0)

    def view(self) -> WorldView:
        shown: Json = {
            "power": "on",
            "sockets": [self._shown(item) for item in self.status.data["connectors"]],
            "vehicles": {key: vehicle["name"] for key, vehicle in VEHICLES.items()},
            "cards": [
                {"uid": "04567DAA5F3580", "name": "Anna", "note": "accepted"},
                {"uid": "04A1B2C3D4E580", "name": "Bob", "note": "blocked"},
            ],
            "reader_alive": True,
            "links": self.links,
            "faults": self.faults(),
            "site": self.site | {"grid_a": [27.8, 17.0, 12.9]},
            "inputs": {str(number): active for number, active in self.inputs.items()},
            "meters": list(self.served.values()),
        }
        return cast("WorldView", shown)

    def _shown(self, item: Json) -> Json:
        charging = item["state"] == "charging"
        vehicle = VEHICLES["family"] | {"state": "C" if charging else "B", "asleep": False}
        return {
            "id": item["id"],
            "vehicle": vehicle if item["cable_a"] else None,
            "lock": "locked" if item["locked"] else "unlocked",
            "locked": item["locked"],
            "contactor_closed": charging,
            "contactor_cycles": 41,
            "pilot": {"drive": "pwm", "duty_percent": 21.67, "high_v": 6.0, "low_v": -12.0},
            "proximity_ohm": 220.0,
            "current_a": item["measured_a"],
            "voltage_v": [230.0, 230.0, 230.0],
            "power_w": item["power_w"],
            "register_wh": item["register_wh"],
            "energy_wh": float(item["register_wh"]),
            "meter_serial": f"meter-{item['id']}",
            "led_percent": 100,
            "led": item["led"],
            "temperature_c": self.temperature_c,
        }


class FakePower:
    """A mains switch that takes the services away and gives them back."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host

    async def cut(self) -> None:
        self._host.powered = False

    async def restore(self) -> None:
        self._host.powered = True


class FakeHost:
    """A WebHost around one fake station. Build it with `await FakeHost.start()`."""

    version = "0.1.0"

    def __init__(self, services: StationServices, status: FakeStatus) -> None:
        self._services = services
        self.status = status
        self.powered = True
        self.power: FakePower | None = FakePower(self)
        self.remote_simulator = False
        self.own_names: tuple[str, ...] = ()
        self.ready = True
        self.security = MemorySecurityLog()

    @property
    def simulator(self) -> SimulatorPort | None:
        return self._services.simulator

    @classmethod
    async def start(cls, wall: datetime = NOW) -> FakeHost:
        loop = asyncio.get_running_loop()
        clock = Clock(loop.time, wall, ClockTrust.NTP, boot_id="boot")
        status = FakeStatus(clock)
        listed = await whitelist(clock)
        settings = SettingsService.open(
            MemorySettings(), HardwareFacts(connectors=2), active=frozenset(CATALOGUE.settings)
        )
        store = MemoryAccounts()
        hasher = Hasher(secrets.token_bytes, ScryptCost(n=2, r=1, p=1))
        accounts = Accounts(store, clock, Logins(loop.time, secrets.token_urlsafe), hasher=hasher)
        await accounts.load()
        cards = CardRouter(
            listed,
            lambda: settings.settings,
            accounts,
            clock,
            Supervisor("fake"),
            partial(secrets.token_urlsafe, 16),
        )
        cards.teach_in.changed.subscribe(lambda _: status.edit(0))
        services = StationServices(
            clock=clock,
            status=status,
            control=FakeControl(status),
            sessions=FakeSessions(),
            whitelist=listed,
            restarter=FakeRestarter(),
            settings=settings,
            accounts=accounts,
            backend=FakeBackend(),
            simulator=FakeSimulator(status, cards),
            teach_in=cards.teach_in,
            master_card=cards.master_card,
            try_connection=try_connection,
            try_meter=FakeMeter(),
            find_meters=FakeSearch(),
            site_meter=FakeSiteMeter(),
            load=FakeLoad(),
            ocpp_whitelist=BackendTokens("cache", MemoryTokens(), clock),
            charging_profiles=FakeProfiles(),
        )
        return cls(services, status)

    @property
    def all(self) -> StationServices:
        """The services, also while power is cut."""
        return self._services

    @property
    def accounts(self) -> Accounts:
        found = self._services.accounts
        assert isinstance(found, Accounts)
        return found

    @property
    def meter(self) -> FakeMeter:
        """What live tests of meters find."""
        found = self._services.try_meter
        assert isinstance(found, FakeMeter)
        return found

    @property
    def search(self) -> FakeSearch:
        """What searches for meters find."""
        found = self._services.find_meters
        assert isinstance(found, FakeSearch)
        return found

    @property
    def load(self) -> FakeLoad:
        """Load management."""
        found = self._services.load
        assert isinstance(found, FakeLoad)
        return found

    @property
    def site_meter(self) -> FakeSiteMeter:
        """The second meter."""
        found = self._services.site_meter
        assert isinstance(found, FakeSiteMeter)
        return found

    def replace(self, **changes: Any) -> None:
        """Other services, as after a restart."""
        self._services = replace(self._services, **changes)

    def services(self) -> StationServices | None:
        return self._services if self.powered else None

    def health(self) -> Readiness:
        reasons = () if self.ready else ("boards not armed",)
        return Readiness(ready=self.ready, reasons=reasons, works=self.ready)

    async def metrics(self) -> str:
        return "borne_up 1\n"

    async def token(self, role: Role) -> str:
        """An API token."""
        _, token = await self.accounts.create_token(role, "test", SYSTEM)
        return token

    def show_two_cars(self) -> None:
        """The state of the dashboard's reference picture."""
        self.status.edit(1, **charging_connector(1, 3, 10.7, "...5F3580") | {"name": "Left"})
        self.status.edit(2, **charging_connector(2, 1, 13.0, "...0E9B83") | {"name": "Right"})
        self.status.edit(0, site={"building_a": [4.1, 6.3, 2.2]})
        group = {"role": "master", "members": 3}
        self.status.edit(0, load_management=group)


async def _serve(port: int) -> None:
    import uvicorn

    from borne.adapters.web import create_app

    host = await FakeHost.start(datetime.now(UTC))
    host.show_two_cars()
    for role in Role:
        await host.accounts.set_password(role, PASSWORD)
    config = uvicorn.Config(create_app(host), port=port, log_level="warning")
    print(f"http://127.0.0.1:{port}  password {PASSWORD}")  # noqa: T201 -- the way in
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(_serve(8090))
