"""Reads a site file: TOML, as docs/sites.md describes it."""

from __future__ import annotations

import random
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from borne.adapters.site.building import MAX_BUILDING_A, Building, CurveError, read_curve
from borne.adapters.site.car_models import MODELS
from borne.adapters.site.site_model import (
    CarVisit,
    Do,
    MeterModel,
    NetworkModel,
    SiteEvent,
    SiteModel,
    SiteSettings,
    StationModel,
)
from borne.adapters.site.toml_table import (
    Document,
    Mistake,
    SiteFileError,
    Table,
    nearest,
    parse,
)
from borne.domain.load_management.rotation_slots import TIME_SLOT_S
from borne.domain.load_management.topology import ROOT, Group, Rotation, Topology, TopologyError
from borne.foundation.units import ZERO, PerPhase

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_STATIONS, MAX_GROUPS, MAX_CARS, MAX_EVENTS, MAX_STEPS = 2000, 500, 20_000, 5_000, 5_000
LOCATIONS = ("none", "including", "excluding")
KNOWN_ROTATIONS = tuple(one for one in Rotation if one is not Rotation.UNKNOWN)
ALTERNATE = (Rotation.RST, Rotation.STR, Rotation.TRS)
"""Manual 7.8: the phases are rotated from one station to the next."""
NUMBER = "{n}"
WITH_STATION = (Do.KILL, Do.START, Do.CUT_LINK, Do.RESTORE_LINK)
WITH_METER = (Do.METER_SILENT, Do.METER_BACK)


def read_site(path: Path) -> SiteModel:
    """Read and check a site file; raises SiteFileError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            reason = f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MB"
            raise SiteFileError([Mistake(0, reason)])
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SiteFileError([Mistake(0, f"{path} cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise SiteFileError([Mistake(0, f"{path} is not a text in UTF-8")]) from None
    return site_of(text, path.parent)


def site_of(text: str, folder: Path = Path()) -> SiteModel:
    """Read a site from a text; curves are looked for in `folder`. Raises SiteFileError."""
    top, document = parse(text)
    site = _SiteReader(top, document, folder).read()
    if document.mistakes or site is None:
        raise SiteFileError(document.mistakes)
    return site


class _SiteReader:
    def __init__(self, top: Table, document: Document, folder: Path) -> None:
        self._top, self._document, self._folder = top, document, folder

    def read(self) -> SiteModel | None:
        top = self._top
        head = top.table("site")
        if head is None:
            top.fail(None, "the table [site] is missing")
            return None
        seed = head.whole("seed", 0, 2**31, 0)
        settings = self._settings(head)
        groups = self._groups()
        stations = self._stations(groups, random.Random(seed))  # noqa: S311 -- a simulation
        names = {one.id: one for one in stations}
        master = head.text("master", stations[0].id if stations else "")
        if names and master not in names:
            head.fail("master", f"there is no station {master!r}{nearest(master, names)}")
        head.done()
        building = self._building()
        cars = tuple(self._cars(names))
        per_day, traffic_seed, models = self._traffic()
        events = self._events(names, settings)
        meter, network = self._meter(), self._network()
        top.done()
        if self._document.mistakes:
            return None
        return SiteModel(
            settings=settings,
            groups=groups,
            stations=stations,
            master=master,
            building=building,
            meter=meter,
            network=network,
            cars=cars,
            traffic_per_day=per_day,
            traffic_seed=traffic_seed,
            traffic_models=models,
            events=events,
            seed=seed,
        )

    def _settings(self, head: Table) -> SiteSettings:
        sub_a = head.amps("evse_sub_distribution_a", low=1.0)
        operator_a = None
        if head.has("operator_sub_distribution_a"):
            operator_a = head.amps("operator_sub_distribution_a")
            if any(mine > above for mine, above in zip(operator_a, sub_a, strict=True)):
                reason = "operator_sub_distribution_a is above evse_sub_distribution_a"
                head.fail("operator_sub_distribution_a", reason)
        location = head.choice("meter_location", LOCATIONS, "none")
        main_a = None
        if location != "none":
            main_a = head.amps("main_distribution_a", low=1.0)
        elif head.amps("main_distribution_a", low=1.0, default=ZERO) != ZERO:
            reason = 'main_distribution_a needs meter_location "including" or "excluding"'
            head.fail("main_distribution_a", reason)
        return SiteSettings(
            name=head.text("name", "site"),
            sub_distribution_a=sub_a,
            operator_a=operator_a,
            main_a=main_a,
            headroom_a=head.amps("headroom_a", default=ZERO),
            fallback_a=head.amps("fallback_a", default=PerPhase.same(9999.0)),
            including=location == "including",
            imbalance_a=head.number("imbalance_a", 0, 1000, 0),
            it_network=head.flag("it_network", default=False),
            minimum_a=head.number("minimum_a", 6, 32, 6),
            disconnected_a=head.number("disconnected_a", 0, 32, 0),
            sample_s=head.number("sample_s", 1, 600, 30),
            averaging_s=head.number("averaging_s", 0, 3600, 0),
            time_slot_s=head.number("time_slot_s", 60, 86400, TIME_SLOT_S),
            allow_wakeup=head.flag("allow_wakeup", default=True),
            timezone=self._timezone(head),
        )

    @staticmethod
    def _timezone(head: Table) -> str:
        name = head.text("timezone", "UTC")
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            right = zoneinfo.available_timezones()
            head.fail("timezone", f"there is no time zone {name!r}{nearest(name, right)[:60]}")
        return name

    def _groups(self) -> tuple[Group, ...]:
        groups: dict[str, Group] = {}
        tables: dict[str, Table] = {}
        for table in self._top.tables("group", MAX_GROUPS):
            name = table.text("id")
            if name in groups or name == ROOT:
                table.fail("id", f"two groups are named {name!r}")
            parent = table.text("parent", ROOT)
            groups[name] = Group(name, table.amps("limit_a"), parent)
            tables[name] = table
            table.done()
        for name, group in groups.items():
            if group.parent not in groups and group.parent != ROOT:
                hint = nearest(group.parent, [ROOT, *groups])
                tables[name].fail("parent", f"there is no group {group.parent!r}{hint}")
                return ()
        try:
            Topology(groups.values())
        except TopologyError as error:
            self._document.fail(("group",), str(error))
        return tuple(groups.values())

    def _stations(self, groups: Sequence[Group], rng: random.Random) -> tuple[StationModel, ...]:
        known = [ROOT, *(one.id for one in groups)]
        stations: dict[str, StationModel] = {}
        for table in self._top.tables("station", MAX_STATIONS):
            for one in self._station(table, known, rng, len(stations)):
                if one.id in stations:
                    table.fail("id", f"two stations are named {one.id!r}")
                stations[one.id] = one
            table.done()
        if len(stations) > MAX_STATIONS:
            self._document.fail(("station",), f"at most {MAX_STATIONS} stations")
        elif not stations:
            self._document.fail(("station",), "there is no [[station]]")
        return tuple(stations.values())

    def _station(
        self, table: Table, groups: Sequence[str], rng: random.Random, before: int
    ) -> Iterator[StationModel]:
        name = table.text("id")
        count = table.whole("count", 1, MAX_STATIONS, 1)
        if count > 1 and NUMBER not in name:
            table.fail("id", f'with count the id needs {NUMBER}, for example "bay-{NUMBER}"')
            count = 1
        group = table.text("group", ROOT)
        if group not in groups:
            table.fail("group", f"there is no group {group!r}{nearest(group, groups)}")
        sockets = table.whole("sockets", 1, 2, 1)
        link = table.choice("link", ("none", "real"), "none")
        if link == "real":
            reason = 'this version joins the stations of a site within the process: link = "none"'
            table.fail("link", reason)
        common = StationModel(
            id=name,
            group=group,
            rotations=(),
            wiring=(),
            phases=table.whole("phases", 1, 3, 3),
            supply_line_a=table.amps("supply_line_a", low=1.0)
            if table.has("supply_line_a")
            else None,
            maximum_a=table.number("maximum_a", 6, 80, 32),
            priority=table.whole("priority", 0, 9, 0),
        )
        words = table.text_list("rotation", 2)
        for number in range(1, count + 1):
            rotations = self._rotations(table, words, sockets, before + number - 1)
            wiring = tuple(
                rng.choice(KNOWN_ROTATIONS) if one is Rotation.UNKNOWN else one for one in rotations
            )
            own = name.replace(NUMBER, str(number))
            yield replace(common, id=own, rotations=rotations, wiring=wiring)

    @staticmethod
    def _rotations(
        table: Table, words: Sequence[str] | None, sockets: int, place: int
    ) -> tuple[Rotation, ...]:
        """Of each socket; one rotation applies to both."""
        if words is None:
            return (Rotation.RST,) * sockets
        if tuple(words) == ("alternate",):
            first = place * sockets
            return tuple(ALTERNATE[(first + one) % len(ALTERNATE)] for one in range(sockets))
        right = {one.value.lower(): one for one in Rotation}
        for word in words:
            if word.lower() not in right:
                hint = nearest(word, ["alternate", *(one.value for one in Rotation)])
                table.fail("rotation", f"there is no rotation {word!r}{hint}")
                return (Rotation.RST,) * sockets
        if len(words) not in {1, sockets}:
            table.fail("rotation", f"{len(words)} rotations for {sockets} socket(s)")
            return (Rotation.RST,) * sockets
        found = tuple(right[word.lower()] for word in words)
        return found * (sockets // len(found))

    def _building(self) -> Building:
        table = self._top.table("building")
        if table is None:
            return Building()
        if table.has("curve"):
            building = self._curve(table)
            table.done()
            return building
        low = -MAX_BUILDING_A
        base_a = table.amps("base_a", low, default=ZERO)
        steps: dict[float, PerPhase] = {}
        for step in table.tables("steps", MAX_STEPS):
            at_s = step.seconds("at")
            if at_s >= 86400:
                step.fail("at", "a step is at a time of the day, below 24:00")
            steps[at_s] = step.amps("a", low)
            step.done()
        table.done()
        return Building(base_a, tuple(sorted(steps.items())))

    def _curve(self, table: Table) -> Building:
        name = table.text("curve", limit=200)
        for other in ("base_a", "steps"):
            if table.has(other):
                table.fail(other, f"{other} and curve exclude each other")
        try:
            return read_curve(self._folder / name)
        except CurveError as error:
            table.fail("curve", str(error))
            return Building()

    def _cars(self, stations: dict[str, StationModel]) -> Iterator[CarVisit]:
        taken: dict[tuple[str, int], list[CarVisit]] = {}
        for number, table in enumerate(self._top.tables("car", MAX_CARS), start=1):
            car = self._car(table, number, stations)
            for other in taken.setdefault((car.station, car.socket), []):
                if car.arrives_s < other.leaves_s and other.arrives_s < car.leaves_s:
                    table.fail("socket", f"{other.id} is at this socket at that time")
                    break
            taken[car.station, car.socket].append(car)
            yield car

    @staticmethod
    def _car(table: Table, number: int, stations: dict[str, StationModel]) -> CarVisit:
        model = MODELS[table.choice("model", MODELS, "family")]
        model = replace(
            model,
            phases=table.whole("phases", 1, 3, model.phases),
            max_a=table.number("max_a", 0.5, 80, model.max_a),
            min_a=table.number("min_a", 0, 80, model.min_a),
            reaction_s=table.number("reaction_s", 0, 5, model.reaction_s),
            taper=table.number("taper", 0, 1, model.taper),
            sleeps=table.flag("sleeps", default=model.sleeps),
            rogue_a=table.number("rogue_a", 0, 200) if table.has("rogue_a") else model.rogue_a,
        )
        station, socket = table.text("station"), table.whole("socket", 1, 2, 1)
        if station and station not in stations:
            table.fail("station", f"there is no station {station!r}{nearest(station, stations)}")
        elif station and socket > stations[station].sockets:
            table.fail("socket", f"{station} has one socket")
        arrives_s, leaves_s = table.seconds("arrives"), table.seconds("leaves")
        if table.has("arrives") and table.has("leaves") and leaves_s <= arrives_s:
            table.fail("leaves", "the car leaves before it arrives")
        car = CarVisit(
            id=table.text("id", f"car-{number}"),
            model=model,
            arrives_s=arrives_s,
            leaves_s=leaves_s,
            energy_wh=table.number("energy_kwh", 0.1, 2000) * 1000,
            station=station,
            socket=socket,
        )
        table.done()
        return car

    def _traffic(self) -> tuple[float, int, tuple[str, ...]]:
        table = self._top.table("traffic")
        if table is None:
            return 0.0, 0, ()
        per_day = table.number("cars_per_day", 0, 20_000)
        seed = table.whole("seed", 0, 2**31, 0)
        models = table.text_list("models", 20) or ()
        for word in models:
            if word not in MODELS:
                table.fail("models", f"there is no model {word!r}{nearest(word, MODELS)}")
        table.done()
        return per_day, seed, models

    def _meter(self) -> MeterModel:
        table = self._top.table("meter")
        if table is None:
            return MeterModel()
        meter = MeterModel(
            period_s=table.number("period_s", 0.2, 60, 1),
            skew_s=table.number("skew_s", 0, 30, 0),
        )
        table.done()
        return meter

    def _network(self) -> NetworkModel:
        table = self._top.table("network")
        if table is None:
            return NetworkModel()
        network = NetworkModel(
            delay_s=table.number("delay_s", 0, 10, 0),
            loss=table.number("loss", 0, 0.9, 0),
            reorder=table.number("reorder", 0, 1, 0),
            seed=table.whole("seed", 0, 2**31, 0),
        )
        table.done()
        return network

    def _events(
        self, stations: dict[str, StationModel], settings: SiteSettings
    ) -> tuple[SiteEvent, ...]:
        found = []
        for table in self._top.tables("event", MAX_EVENTS):
            at_s, do = table.seconds("at"), Do(table.choice("do", [one.value for one in Do]))
            station, building_a = None, None
            if do in WITH_STATION:
                station = table.text("station")
                if station and station not in stations:
                    hint = nearest(station, stations)
                    table.fail("station", f"there is no station {station!r}{hint}")
            elif do is Do.BUILDING and table.has("value"):
                building_a = table.amps("value", -MAX_BUILDING_A)
            elif do in WITH_METER and settings.main_a is None:
                table.fail("do", f"{do.value} needs a meter: meter_location in [site]")
            table.done()
            found.append(SiteEvent(at_s=at_s, do=do, station=station, building_a=building_a))
        return tuple(sorted(found, key=lambda one: one.at_s))
