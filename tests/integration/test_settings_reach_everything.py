"""A setting changed while the station runs reaches everything that obeys it, or the answer of
PATCH says that a restart is needed. Generated from the catalogue's active settings.

Every reading of a setting is recorded: who read it, from which revision. A station in a world of
cars is used, every active setting is changed once, and the station is used again. Then

- a setting that services subscribed to was read anew within the change,
- one that takes effect at a restart was named in the answer,
- any other is listed here as read at its use,
- and every reader of a setting before its change has read it again afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx
import pytest

from borne.adapters.simulation.world import LinkMode
from borne.adapters.web import create_app
from borne.app import Host, HostOptions
from borne.application.people.accounts import PasswordRefused
from borne.application.ports.backend import IdTagInfo
from borne.application.settings.station_settings import (
    CONNECTOR_KEYS,
    POLICY_KEYS,
    SAMPLING_KEYS,
    authorization_policy,
    connector_config,
    sampling,
)
from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.addressing import SettingAddress
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.choices import FreeChargingMode
from borne.domain.settings.entry import Entry, Type, Value
from borne.domain.settings.snapshot import Settings
from borne.domain.station.board import BoardCapabilities
from borne.domain.station.session import StopReason
from borne.serve import follow_log_level
from tests.support.running_station import CARD, RunningStation, store_settings
from tests.support.simulated_world import world_of
from tests.support.virtual_time import virtual_time

BY = Principal(PrincipalKind.PERSON, Role.MANUFACTURER, "test")
FAST = {"reaction_s": 0.1}
BASE = "http://127.0.0.1:8080"
BACKEND = {
    "ConnectionType": "ethernet",
    "WebSocketsBackendURL": "ws://127.0.0.1:9/ocpp",
    "AuthorizationKey": "a password of the station",
    "FLLEnable": "on",
    "DLMAllowEVWakeup": "on",
    "DLMExternalMeterSupport": "on",
}
TEXTS = (
    "Another",
    "A1B2C3D4",
    "Europe/Paris",
    "ws://example.org/ocpp",
    "example.org:3128",
    "192.168.1.77",
    "/dev/ttyUSB9",
    "hall",
)
LISTS = (
    ["Energy.Active.Import.Register", "Voltage"],
    ["a.example"],
    ["hall;;30,30,30", "shed;hall;20,20,20"],
    ["07:00;09:30;10,10,10"],
)

NEXT_START = {
    "RestartTransactionAfterPowerLoss": "what a start does with the sessions that it finds open",
    "ResetRetries": "how often the reset is tried that ends this station",
}
"""Not used while a station runs."""

AT_USE = {
    "AllowLongGetConfigurationKeys": "an answer to GetConfiguration",
    "AllowOfflineTxForUnknownId": "a view of IfInDoubtAllowCharging",
    "AuthorizeRemoteTxRequests": "a remote start",
    "CacheExpiryMode": "an answer that goes into the cache",
    "ConnectorName": "a status",
    "CpoName": "a request for a certificate",
    "DisplayLanguage": "a status",
    "DisplayType": "a page",
    "EnforceMasterRFID": "a login",
    "EnforceStrongPasswords": "a new password",
    "MasterRFID": "a card",
    "OperatorMayInstall": "a request",
    "RFIDTagLetterCase": "a card",
    "RestStateOpen": "a request",
    "SendInformativeStatusNotifications": "a reading of the temperature",
    "SessionRetentionDays": "once a day",
    "SingleSupplyLineInstallerAccess": "a request",
    "StationName": "a page",
    "StopTransactionOnEVSideDisconnect": "a view of StopTransactionMode",
    "WebHostNames": "a request",
    "WebUILanguage": "a page",
}
"""Read anew each time that this happens: nothing stands that a change would have to reach."""

WHOLE_CATALOGUE = {"view", "changes", "rules", "load_rules", "restore", "visibility", "addressing"}
"""Modules of `domain.settings` that read all settings, obeying none."""


READING = {__name__, "borne.domain.settings.snapshot", "borne.application.settings.running"}


@dataclass
class Readings:
    """Who read which key, and the newest revision that each has seen."""

    by: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, key: str, revision: int) -> None:
        reader = _reader()
        if reader is not None:
            seen = self.by[key]
            seen[reader] = max(revision, seen.get(reader, 0))

    def readers(self, key: str) -> set[str]:
        return set(self.by[key])

    def since(self, key: str, revision: int) -> set[str]:
        """Who has read the key from this revision or a later one."""
        return {reader for reader, seen in self.by[key].items() if seen >= revision}


def _reader() -> str | None:
    """The function that asked for a value; None when it reads everything."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals["__name__"] in READING:
        frame = frame.f_back
    module = frame.f_globals["__name__"] if frame is not None else ""
    function = frame.f_code.co_qualname if frame is not None else ""
    short = module.removeprefix("borne.")
    views = short.rpartition(".")[2] in WHOLE_CATALOGUE or function == "_value"
    if short == module or views:
        return None
    return f"{short}:{function}"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    found, read_at, read = Readings(), Settings.at, Settings.get

    def at(self: Settings, address: SettingAddress) -> Value:
        found.note(address.entry.key, self.revision)
        return read_at(self, address)

    def get(self: Settings, key: str, connector: int = 1) -> Value:
        found.note(key, self.revision)
        return read(self, key, connector)

    monkeypatch.setattr(Settings, "get", get)
    monkeypatch.setattr(Settings, "at", at)
    # Hundreds of changes, and no power cut: nothing needs to be on the disk.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return found


@asynccontextmanager
async def running(
    data: Path, **changes: str
) -> AsyncIterator[tuple[RunningStation, httpx.AsyncClient]]:
    """A station whose backend cannot be reached, and a client with all rights."""
    store_settings(data, BACKEND | changes)
    host = Host(HostOptions(data, live=False, control_socket=False))
    world_of(host).links["backend"].set(False, LinkMode.REFUSE)
    await host.start()
    follow_log_level(host.settings.running)
    try:
        rig = RunningStation(host)
        await rig.services.whitelist.add(CARD, BY)
        _, token = await rig.services.accounts.create_token(Role.MANUFACTURER, "test")
        transport = httpx.ASGITransport(app=create_app(host), client=("127.0.0.1", 4711))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
            yield rig, client
    finally:
        await host.stop()


async def use(rig: RunningStation, client: httpx.AsyncClient) -> None:
    """Use the station so that every setting is read."""
    await _charge(rig)
    await _ask_as_a_backend(rig)
    station = rig.host.station
    assert station is not None
    await station.retention.tidy()
    for page in ("/login", "/", "/sessions", "/account", "/rest/full_state", "/api/v1/status"):
        await client.get(page, headers={"Accept": "text/html"})
    transport = httpx.ASGITransport(app=create_app(rig.host), client=("127.0.0.1", 4712))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as stranger:
        await stranger.get("/login", headers={"Accept": "text/html"})
        await stranger.get("/login", headers={"Accept": "text/html", "Host": "b.example"})
        await stranger.get("/rest/full_state", headers={"Accept": "text/plain"})
        fields = {"name": "operator", "password": "a good password"}
        await stranger.post("/login", data=fields, headers={"Origin": BASE, "Accept": "text/html"})


async def _charge(rig: RunningStation) -> None:
    await rig.plug(1, {**FAST, "wants_charge": False})
    await rig.card(CARD, 1)
    await rig.card("11223344", None)
    await asyncio.sleep(60)
    await rig.simulator.change_vehicle(1, {"wants_charge": True})
    await asyncio.sleep(200)
    await rig.simulator.set_temperature(60.0, 1)
    await rig.simulator.set_temperature(30.0, 1)


async def _ask_as_a_backend(rig: RunningStation) -> None:
    station = rig.host.station
    assert station is not None
    commands = station.backend_side.commands
    commands.read_settings(())
    assert commands.secure in (True, False)  # asked for each security event that is sent
    await station.security.watch.stop(StopReason.REBOOT)
    await commands.remote_start(2, "REMOTE")
    record = station.charging.journal.record(1)
    assert record is not None, "the car does not charge"
    await station.backend_side.refused.on_start_answered(record.session_id, "Invalid")
    await asyncio.sleep(60)
    await rig.simulator.unplug(1, force=True)
    await station.authorization.learn("A1B2", IdTagInfo("Accepted"))
    await station.security.certificates.request()
    await commands.clear_cache()
    with suppress(PasswordRefused):
        await rig.services.accounts.set_password(Role.OPERATOR, "a good password")
    await asyncio.sleep(60)


def other_values(entry: Entry, now: Value) -> Iterable[object]:
    """Raw values that differ from the one now; not all are allowed."""
    match entry.type:
        case Type.BOOL:
            return (not now,)
        case Type.INT:
            assert isinstance(now, int)
            return (now - 1, now + 1, *(n for n in (entry.low, entry.high) if n != now))
        case Type.CHOICE:
            return tuple(choice.slug for choice in entry.choices if choice.slug != now)
        case Type.LIST:
            return LISTS
        case Type.PER_PHASE:
            return ("12,13,14", "40,41,42")
        case Type.SECRET_KEY:
            return ("another password, long enough",)
        case _:
            return TEXTS


def allowed_change(rig: RunningStation, key: str) -> object | None:
    """A value that the station would take for `key`, other than the one now."""
    service = rig.services.settings
    for value in other_values(CATALOGUE.settings[key], service.settings[key]):
        planned = service.plan({key: value}, BY)
        if not planned.errors and planned.changed:
            return value
    return None


async def _patch(client: httpx.AsyncClient, changes: Mapping[str, object]) -> dict[str, list[str]]:
    answer = await client.patch("/api/v1/settings", json=dict(changes))
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = answer.json()
    return found


LINE = {"StationCurrentCapacity", "SupplyLineCurrentCapacity", "DLMMinimumCurrentLimit"}
FREE = {"FreeChargingMode", "FreeChargingRfidTag"}
MASTER = {key for key in ACTIVE if key.startswith("DLM")} - LINE
MASTER_SETTINGS = {
    "DLMRole": "master",
    "DLMEVSESubDistributionLimit": "32",
    "DLMExternalMeterSupport": "on",
    "DLMMainDistributionLimit": "63",
    "DLMExternalInput1Config": "opto_1",
    "DLMExternalInput2Config": "opto_2",
    "DLMMeterDigitalInputConfig": "on",
    "DLMCurrentImbalancePrevention": "on",
    "DLMMaxCurrentScheduler": "on",
    "DLMGroups": "hall;;50,50,50",
}
STATIONS: dict[str, tuple[dict[str, str], set[str]]] = {
    "usual": ({}, {*ACTIVE} - LINE - FREE - MASTER),
    "master": (MASTER_SETTINGS, MASTER),
    "one supply line": ({"SingleSupplyLine": "on"}, LINE),
    "free charging": (
        {"FreeCharging": "on", "FreeChargingMode": "full_fixed_without_auth"},
        FREE,
    ),
}
"""A setting is changed where it counts."""


@dataclass
class Trial:
    """Changes one setting after another, and notes what is wrong."""

    rig: RunningStation
    client: httpx.AsyncClient
    readings: Readings
    wrong: list[str] = field(default_factory=list)
    changed_at: dict[str, int] = field(default_factory=dict)
    """Revision of each setting's change."""

    async def change(self, key: str) -> None:
        service = self.rig.services.settings
        value, old = allowed_change(self.rig, key), service.settings[key]
        if value is None:
            self.wrong.append(f"{key}: no other value is allowed")
            return
        answer = await _patch(self.client, {key: value})
        self.changed_at[key] = service.settings.revision
        if CATALOGUE.settings[key].restart:
            if key not in answer["restart_required"] or service.in_force[key] != old:
                self.wrong.append(f"{key}: must wait for a restart, and the answer say so")
        else:
            self._judge_reach(key, observed=key in service.running.observed)

    def _judge_reach(self, key: str, *, observed: bool) -> None:
        if not observed and key not in {*AT_USE, *NEXT_START}:
            self.wrong.append(f"{key}: no service subscribed to it")
        elif observed and key in {*AT_USE, *NEXT_START}:
            self.wrong.append(f"{key}: is said to be read at its use, and subscribed to")
        elif observed and not self.readings.since(key, self.changed_at[key]):
            self.wrong.append(f"{key}: it was not read within the change")

    def judge_readers(self, before: Mapping[str, set[str]]) -> None:
        for key, revision in self.changed_at.items():
            entry = CATALOGUE.settings[key]
            if entry.restart or entry.derived_from or key in NEXT_START:
                continue
            stale = before[key] - self.readings.since(key, revision)
            self.wrong += [f"{key}: {reader} has not read it again" for reader in stale]
            if not self.readings.readers(key):
                self.wrong.append(f"{key}: it is never read")


@pytest.mark.parametrize("station", STATIONS)
def test_a_changed_setting_reaches_every_reader(
    tmp_path: Path, readings: Readings, station: str
) -> None:
    base, keys = STATIONS[station]

    @virtual_time
    async def scenario() -> None:
        async with running(tmp_path, **base) as (rig, client):
            trial = Trial(rig, client, readings)
            await use(rig, client)
            before = {key: readings.readers(key) for key in keys}
            for key in sorted(keys):
                await trial.change(key)
            await _patch(client, {key: (BACKEND | base).get(key) for key in trial.changed_at})
            await use(rig, client)
            trial.judge_readers(before)
            assert "\n".join(trial.wrong) == ""

    scenario()


def test_every_active_setting_is_tried() -> None:
    assert set.union(*(keys for _, keys in STATIONS.values())) == set(ACTIVE)


def test_declared_keys_are_those_that_are_read(readings: Readings) -> None:
    """Beside each function that makes values for a service are the keys that it reads."""
    mode = FreeChargingMode.FULL_FIXED_WITHOUT_AUTH
    everything = Settings().with_values({"FreeCharging": True, "FreeChargingMode": mode})
    board = BoardCapabilities(has_pilot_interrupt=False)
    made: list[tuple[frozenset[str], Callable[[], object]]] = [
        (CONNECTOR_KEYS, lambda: connector_config(everything, board)),
        (POLICY_KEYS, lambda: authorization_policy(everything)),
        (SAMPLING_KEYS, lambda: sampling(everything)),
    ]
    for keys, make in made:
        readings.by.clear()
        make()
        assert set(readings.by) == keys
