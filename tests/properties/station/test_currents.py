"""No switch, restart, damaged file, clock or backend raises an offer above the lowest limit that
a person has set and not lifted.

Scenarios of people in every role and through every interface, who set whatever concerns a current,
while files of the settings are damaged, power goes and the clock is set. A model that knows nothing
of the station keeps what was set; the offer of each socket and the sum on the line are held against
it at every change.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.adapters.storage.settings_store import MARK
from borne.app import Host, HostOptions
from borne.application.settings.settings_service import (
    MayNotConfirm,
    SettingsRejected,
    SettingsService,
)
from borne.application.settings.settings_staging import SettingsStaging
from borne.application.station import Station
from borne.domain.principals import BACKEND, SYSTEM, Principal, PrincipalKind, Role
from borne.domain.settings.values import Form
from borne.domain.smart_charging.profiles import (
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Schedule,
)
from borne.foundation.clock import ClockTrust
from tests.support.examples import data_in_memory, examples
from tests.support.running_station import RunningStation, store_settings
from tests.support.virtual_time import run_virtual

EPS = 1e-6
BOARD_A = CABLE_A = DEFAULT_A = 32
PROFILE_S = 7200.0
SOCKETS = (1, 2)

MAXIMUM, INSTALLED, OPERATOR = "MaximumCurrent", "InstallationCurrentLimit", "OperatorCurrentLimit"
LINE, CAPACITY, STATION = (
    "SingleSupplyLine",
    "SupplyLineCurrentCapacity",
    "StationCurrentCapacity",
)
OF_SOCKETS = (MAXIMUM, INSTALLED, OPERATOR)
LIMITS = (*(f"{key}{end}" for key in OF_SOCKETS for end in ("", "_2")), CAPACITY, STATION)
NEEDED = {
    MAXIMUM: Role.MANUFACTURER,
    STATION: Role.MANUFACTURER,
    INSTALLED: Role.INSTALLER,
    CAPACITY: Role.INSTALLER,
    LINE: Role.INSTALLER,
    "OperatorMayInstall": Role.INSTALLER,
    "PhasesConnected": Role.INSTALLER,
}
"""The weakest role; the operator's where nothing is said."""
NEVER_BY_BACKEND = set(NEEDED)


# What happens ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """Something that happens, and the time after it."""

    name: str
    value: Any
    then_s: float


amps = st.sampled_from([6, 8, 10, 13, 16, 20, 25, 32, 32, 0, 5, 33, None])
single = st.one_of(
    st.tuples(st.sampled_from(LIMITS), amps),
    st.tuples(st.sampled_from(LIMITS), amps),
    st.tuples(st.just(LINE), st.booleans()),
    st.tuples(st.just("OperatorMayInstall"), st.booleans()),
    st.tuples(
        st.sampled_from(["PhasesConnected", "PhasesConnected_2"]),
        st.sampled_from(["single", "three"]),
    ),
)
wishes = st.lists(single, min_size=1, max_size=3).map(dict)
lowered = st.dictionaries(
    st.sampled_from([INSTALLED, f"{INSTALLED}_2", INSTALLED, f"{INSTALLED}_2", CAPACITY]),
    st.sampled_from([8, 10, 13, 20]),
    min_size=1,
    max_size=2,
)
"""What an installer does first."""
doors = st.sampled_from(
    ["system", "system", "manufacturer", "installer", "operator", "backend", "page", "token"]
)
damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "delete", "garbage", "older", "swap", "mark"]),
        st.integers(0, 4),
        st.integers(0, 10_000),
    ),
    min_size=1,
    max_size=3,
)
DAY_S = 86400.0


def act(name: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.just(name), value)


acts = st.builds(
    lambda what, then_s: Act(what[0], what[1], then_s),
    st.one_of(
        act("set", st.tuples(doors, wishes)),
        act("set", st.tuples(doors, wishes)),
        act("set", st.tuples(doors, wishes)),
        act("set", st.tuples(st.just("system"), lowered)),
        act("switch", st.booleans()),
        act("switch", st.booleans()),
        act("restart", st.booleans()),
        act("restart", st.booleans()),
        act("damage", damages),
        act("confirm", st.sampled_from(list(Role))),
        act("installer", st.none()),
        act("profile", st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from([8.0, 12.0, 30.0]))),
        act("clear", st.none()),
        act("clock", st.sampled_from([400 * DAY_S, -400 * DAY_S, 3 * DAY_S, -9000 * DAY_S])),
    ),
    st.sampled_from([0.5, 8.0, 40.0, 40.0, 4000.0]),
)


# What holds -----------------------------------------------------------------------------------


def base(name: str) -> str:
    return name.removesuffix("_2")


@dataclass(frozen=True)
class Model:
    """A model of what people have set."""

    limits: Mapping[str, int] = field(default_factory=dict)
    line_wanted: bool = False
    line: bool = False
    """In force since the last restart."""
    installer: bool = False
    may_install: bool = True
    blocked: bool = False
    """Settings were lost and the limits are not confirmed."""
    profiles: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Of a socket, or of all (0): amperes and end on the loop's clock."""

    def of(self, key: str, socket: int) -> int | None:
        return self.limits.get(key if socket == 1 else f"{key}_2")

    def maximum(self, socket: int) -> int:
        found = self.of(MAXIMUM, socket)
        return DEFAULT_A if found is None else found

    def installed(self, socket: int) -> int:
        found = self.of(INSTALLED, socket)
        return min(DEFAULT_A if found is None else found, self.maximum(socket))

    @property
    def capacity(self) -> int:
        """The capacity of the line: as set, or the lowest installation limit."""
        most = self.limits.get(STATION, DEFAULT_A)
        set_a = self.limits.get(CAPACITY)
        lowest = min(self.installed(socket) for socket in SOCKETS)
        return min(most, lowest if set_a is None else set_a)

    def allowed(self, socket: int, now_s: float) -> float:
        """The most that a socket may be offered."""
        set_a = self.of(OPERATOR, socket)
        found = [BOARD_A, CABLE_A, self.maximum(socket), DEFAULT_A if set_a is None else set_a]
        found.append(self.capacity if self.line else self.installed(socket))
        if socket in self.profiles and now_s < self.profiles[socket][1]:
            return min(*found, self.profiles[socket][0])
        return min(found)

    def together(self, now_s: float) -> float:
        """The most that both may be offered."""
        found = [float(self.capacity)] if self.line else [float(BOARD_A * len(SOCKETS))]
        if 0 in self.profiles and now_s < self.profiles[0][1]:
            found.append(self.profiles[0][0])
        return min(found)

    def role_for(self, name: str) -> Role:
        needed = NEEDED.get(base(name), Role.OPERATOR)
        if needed is Role.INSTALLER and self.may_install:
            return Role.OPERATOR
        return needed

    def after(self, request: Mapping[str, Any]) -> Model:
        """A change was accepted."""
        limits = {**self.limits, **{n: v for n, v in request.items() if n in LIMITS}}
        # A value that is the default anyway sets nothing; the line's default is another.
        gone = [n for n, v in limits.items() if v is None or (v == DEFAULT_A and n != CAPACITY)]
        for name in gone:
            del limits[name]
        changed = replace(
            self,
            limits=limits,
            line_wanted=request.get(LINE, self.line_wanted),
            may_install=request.get("OperatorMayInstall", self.may_install),
        )
        begins = changed.line_wanted and not self.line_wanted and CAPACITY not in request
        if begins and limits.get(CAPACITY, 0) > min(map(changed.installed, SOCKETS)):
            del limits[CAPACITY]
        return changed

    def contradictions(self) -> list[str]:
        """Limits that stand above the limit over them."""
        found = []
        for socket in SOCKETS:
            installed, set_a = self.of(INSTALLED, socket), self.of(OPERATOR, socket)
            if installed is not None and installed > self.maximum(socket):
                found.append(f"{INSTALLED} of {socket}")
            for line in {self.line, self.line_wanted}:
                above = self.capacity if line else self.installed(socket)
                if set_a is not None and set_a > min(above, self.maximum(socket)):
                    found.append(f"{OPERATOR} of {socket}")
        if self.limits.get(CAPACITY, 0) > self.limits.get(STATION, DEFAULT_A):
            found.append(CAPACITY)
        return found


# The station ----------------------------------------------------------------------------------


class Watch:
    """A station, the model of its settings, and all violations."""

    def __init__(self, host: Host, data: Path) -> None:
        self.rig = RunningStation(host)
        self.host = host
        self.data = data
        self.model = Model()
        self.acting = False
        self.wrong: list[str] = []
        self.limits_by_revision: dict[int, Mapping[str, int]] = {}
        """Limits as they were with each revision on the disk."""
        self.shift_s = 0.0
        """How far off the clock is."""
        host.station_changed.subscribe(self._follow)
        self._follow(host.station)
        for file in (data / "settings").glob("settings-*.json"):
            self.limits_by_revision[int(file.stem.partition("-")[2])] = self.limits_now()

    @property
    def service(self) -> SettingsService:
        return self.host.settings

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _follow(self, station: Any) -> None:
        if station is not None:
            station.limits.changed.subscribe(self._look)

    def _look(self, _: int) -> None:
        """An offer changed. In an act it is checked once the model knows of the act."""
        if not self.acting:
            self.check("a change")

    def check(self, when: str) -> None:
        """Offers against the model."""
        if self.host.station is None:
            return
        offers = {n: self.rig.connector(n)["offered_a"][0] for n in SOCKETS}
        for socket, offered in offers.items():
            allowed = 0.0 if self.model.blocked else self.model.allowed(socket, self.now_s)
            if offered > allowed + EPS:
                self.wrong.append(f"{when}: socket {socket} {offered} A above {allowed} A")
        if sum(offers.values()) > self.model.together(self.now_s) + EPS:
            most = self.model.together(self.now_s)
            self.wrong.append(f"{when}: {offers} together above {most} A")

    def _note(self) -> None:
        files = (self.data / "settings").glob("settings-*.json")
        newest = max(int(file.stem.partition("-")[2]) for file in files)
        self.limits_by_revision.setdefault(newest, self.limits_now())

    def limits_now(self) -> Mapping[str, int]:
        found = {name: self.service.settings[name] for name in LIMITS}
        return {name: value for name, value in found.items() if isinstance(value, int)}

    # Acts -----------------------------------------------------------------------------------

    async def do(self, one: Act) -> None:
        self.acting = True
        match one.name:
            case "set":
                await self._set(*one.value)
            case "switch":
                await self._set("system", {LINE: one.value})
            case "restart":
                await self._restart(cut=one.value)
            case "damage":
                await self._damage(one.value)
            case "confirm":
                await self._confirm(one.value)
            case "installer":
                await self.service.on_installer_password_set()
                fresh = not self.model.installer
                may = False if fresh else self.model.may_install
                self.model = replace(self.model, installer=True, may_install=may)
            case "profile":
                await self._profile(*one.value)
            case "clear":
                await self._running.charging.profiles.remove_all(SYSTEM)
                self.model = replace(self.model, profiles={})
            case _:
                clock = self.rig.services.clock
                wrong = clock.now() + timedelta(seconds=one.value)
                if wrong.year in range(1971, 2400):
                    clock.observe(wrong, ClockTrust.BACKEND)
                    self.shift_s += one.value
        await asyncio.sleep(0.1)
        self._note()
        self.check(f"after {one.name} {one.value}")
        self.acting = False

    @property
    def _running(self) -> Station:
        assert self.host.station is not None
        return self.host.station

    async def _set(self, door: str, request: Mapping[str, Any]) -> None:
        principal, change = self._door(door)
        try:
            await change(request)
        except SettingsRejected:
            return
        for name, value in request.items():
            self._check_right(name, principal)
            if value is not None and self.service.settings[name] != value:
                self.wrong.append(f"{name}={value} accepted as {self.service.settings[name]!r}")
        if self.model.line and any(base(name) == INSTALLED for name in request):
            self.wrong.append("an installation limit was accepted beside the supply line")
        self.model = self.model.after(request)
        self.wrong += [f"accepted {request}: {what}" for what in self.model.contradictions()]

    def _check_right(self, name: str, principal: Principal) -> None:
        needed = self.model.role_for(name)
        backend = principal.kind is PrincipalKind.BACKEND and base(name) in NEVER_BY_BACKEND
        if backend or not principal.role.includes(needed):
            self.wrong.append(f"{principal.role} ({principal.kind}) set {name}")

    def _door(self, door: str) -> tuple[Principal, Callable[[Mapping[str, Any]], Any]]:
        service = self.service
        match door:
            case "page":
                principal = Principal(PrincipalKind.PERSON, Role.OPERATOR)
                staging = SettingsStaging(service, lambda: self.now_s)

                async def save(request: Mapping[str, Any]) -> None:
                    texts = {n: None if v is None else _text(v) for n, v in request.items()}
                    staging.stage("s", texts, principal)
                    await staging.save("s", principal, "page")

                return principal, save
            case "backend":
                return BACKEND, lambda request: service.change(
                    {n: "" if v is None else _text(v) for n, v in request.items()},
                    BACKEND,
                    "ocpp",
                    form=Form.OCPP,
                )
            case "system":
                return SYSTEM, lambda request: service.change(
                    {n: None if v is None else _text(v) for n, v in request.items()},
                    SYSTEM,
                    "command line",
                    form=Form.TEXT,
                )
            case "token":
                token = Principal(PrincipalKind.API_TOKEN, Role.OPERATOR)
                return token, lambda request: service.change(request, token, "api")
            case _:
                person = Principal(PrincipalKind.PERSON, Role(door))
                return person, lambda request: service.change(request, person, "api")

    async def _restart(self, *, cut: bool) -> None:
        if cut:
            await self.host.cut()
            await self.host.restore()
        else:
            before = self.host.station
            await self.rig.services.restarter.restart(SYSTEM, "now")
            await self.rig.until_restarted(before)
        self._restarted()

    def _restarted(self) -> None:
        # Without a backend its profiles go at the start.
        self.model = replace(self.model, line=self.model.line_wanted, profiles={})
        self.shift_s = 0.0

    async def _profile(self, connector: int, amperes: float) -> None:
        purpose = Purpose.STATION if connector == 0 else Purpose.DEFAULT
        start = self.rig.services.clock.now() - timedelta(seconds=60)
        periods = (Period(0, amperes),)
        schedule = Schedule(RateUnit.AMPERE, periods, int(PROFILE_S) + 60, start)
        profile = Profile(connector + 1, 0, purpose, ProfileKind.ABSOLUTE, schedule)
        if await self._running.charging.profiles.set(connector, profile):
            ends = {connector: (amperes, self.now_s + PROFILE_S)}
            self.model = replace(self.model, profiles={**self.model.profiles, **ends})

    async def _confirm(self, role: Role) -> None:
        person = Principal(PrincipalKind.PERSON, role)
        try:
            await self.service.confirm_limits(person)
        except MayNotConfirm:
            return
        if not role.includes(self.model.role_for(INSTALLED)):
            self.wrong.append(f"{role} confirmed")
        self.model = replace(self.model, blocked=False)

    async def _damage(self, what: list[tuple[str, int, int]]) -> None:
        await self.host.cut()
        folder, mark = self.data / "settings", self.data / MARK
        before = {file.name: file.read_bytes() for file in folder.glob("settings-*.json")}
        marked = mark.read_bytes()
        for kind, which, place in what:
            _spoil(folder, mark, kind, which, place)
        newest = max(before)
        kept = folder / newest
        lost = not kept.exists() or kept.read_bytes() != before[newest]
        may_block = not mark.exists() or mark.read_bytes() != marked
        readable = [
            int(name[9:19])
            for name, content in before.items()
            if (folder / name).exists() and (folder / name).read_bytes() == content
        ]
        await self.host.restore()
        self._restarted()
        blocks = not self.service.charging_allowed
        if lost and not blocks:
            self.wrong.append(f"{what}: no confirmation was asked for")
        if blocks and not (lost or may_block or self.model.blocked):
            self.wrong.append(f"{what}: asked without reason")
        if lost:
            self._check_lowest(
                [self.limits_by_revision[n] for n in readable if n in self.limits_by_revision]
            )
        self.limits_by_revision = {
            number: self.limits_by_revision[number]
            for number in readable
            if number in self.limits_by_revision
        }
        self.model = replace(self.model, blocked=blocks)
        self._adopt()

    def _check_lowest(self, readable: list[Mapping[str, int]]) -> None:
        """What is shown to be confirmed is no higher than anything that can still be read."""
        for name, value in self.limits_now().items():
            most = min((limits[name] for limits in readable), default=6)
            if value > most:
                self.wrong.append(f"{name} comes back as {value}, {most} was known")

    def _adopt(self) -> None:
        """A person confirms the shown limits; the model starts again with them."""
        stored = self.service.settings.stored
        limits = {n: v for n, v in stored.items() if n in LIMITS and isinstance(v, int)}
        self.model = replace(
            self.model,
            limits=limits,
            line_wanted=self.service.settings.flag(LINE),
            line=self.service.settings.flag(LINE),
            may_install=self.service.settings.flag("OperatorMayInstall"),
            installer=self.service.settings.facts.installer_known,
        )
        self._note()


def _text(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _spoil(folder: Path, mark: Path, kind: str, which: int, place: int) -> None:
    files = sorted(folder.glob("settings-*.json"), reverse=True)
    if kind == "mark":
        _flip(mark, place) if which else mark.unlink(missing_ok=True)
        return
    if not files:
        return
    file, other = files[which % len(files)], files[(which + 1) % len(files)]
    match kind:
        case "flip":
            _flip(file, place)
        case "cut":
            content = file.read_bytes()
            file.write_bytes(content[: place % max(len(content), 1)])
        case "delete":
            file.unlink()
        case "garbage":
            file.write_bytes(random.Random(place).randbytes(place % 900))
        case "older":
            file.write_bytes(other.read_bytes())
        case _:
            one, two = file.read_bytes(), other.read_bytes()
            file.write_bytes(two)
            other.write_bytes(one)


def _flip(file: Path, place: int) -> None:
    if file.exists() and (content := bytearray(file.read_bytes())):
        content[place % len(content)] ^= 1 << place % 8
        file.write_bytes(content)


async def live(steps: list[Act]) -> list[str]:
    with data_in_memory() as data:
        store_settings(data, {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"})
        loop = asyncio.get_running_loop()
        began, began_s = datetime(2026, 11, 22, tzinfo=UTC), loop.time()
        host = Host(
            HostOptions(
                data,
                rng=random.Random(1),
                live=False,
                control_socket=False,
                wall=lambda: began + timedelta(seconds=loop.time() - began_s),
            )
        )
        await host.start()
        watch = Watch(host, data)
        for number in SOCKETS:
            await watch.rig.plug(number, {"max_a": 32, "reaction_s": 1.0})
        await asyncio.sleep(20.0)
        for one in steps:
            await watch.do(one)
            await asyncio.sleep(one.then_s)
            watch.check(f"{one.then_s} s after {one.name} {one.value}")
            if watch.wrong:
                break
        await host.stop()
        return watch.wrong


def then(*steps: st.SearchStrategy[Act]) -> st.SearchStrategy[list[Act]]:
    return st.tuples(*steps).map(list)


def one(name: str, value: st.SearchStrategy[Any], then_s: float = 8.0) -> st.SearchStrategy[Act]:
    return st.builds(Act, st.just(name), value, st.just(then_s))


lowers = one("set", st.tuples(st.just("system"), lowered))
act_lists = st.lists(
    st.one_of(
        acts.map(lambda only: [only]),
        acts.map(lambda only: [only]),
        then(lowers, lowers, one("switch", st.just(True)), one("restart", st.booleans(), 40.0)),
        then(one("switch", st.booleans()), acts, one("restart", st.booleans(), 40.0)),
        then(lowers, one("damage", damages), one("confirm", st.just(Role.MANUFACTURER), 40.0)),
    ),
    max_size=7,
).map(lambda parts: [act for part in parts for act in part])


@pytest.mark.timeout(1200)
@settings(max_examples=examples(40, campaign=400))
@given(act_lists)
def test_no_offer_is_above_what_a_person_has_set(acts: list[Act]) -> None:
    assert run_virtual(live(acts)) == []
