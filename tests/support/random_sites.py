"""Random sites for the closed loop: what an installer could build, and what can happen to it.

Cars are obedient and disconnected limits fit everywhere, so nothing excuses a current above the
bound that `adapters.site.accounts` computes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from borne.adapters.site.building import Building
from borne.adapters.site.car_models import MODELS, CarModel
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
from borne.adapters.site.site_run import available_a, topology_of
from borne.domain.load_management.fail_safe import DisconnectedSocket, overcommitments
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    connected_phases,
)
from borne.foundation.units import PerPhase

OBEDIENT = ("city", "family", "fast", "hybrid", "sleepy", "van", "two_phase", "demanding")
KNOWN_ROTATIONS = tuple(one for one in Rotation if one is not Rotation.UNKNOWN)
STEP_A = 30.0


def random_site(seed: int, until_s: float = 3600.0) -> SiteModel:
    """A site, the same for every run of a seed."""
    rng = random.Random(seed)
    groups = tuple(_groups(rng))
    stations = tuple(_stations(rng, [ROOT, *(one.id for one in groups)]))
    building = _building(rng)
    settings = _settings(rng, building)
    site = SiteModel(
        settings=settings,
        groups=groups,
        stations=stations,
        master=rng.choice(stations).id,
        building=building,
        meter=MeterModel(
            period_s=rng.choice((1.0, 1.0, 2.0, 5.0)),
            skew_s=rng.choice((0.0, 0.0, 2.0, 10.0, 30.0)),
        ),
        network=_network(rng),
        cars=tuple(_cars(rng, stations, until_s)),
        events=tuple(_events(rng, stations, settings, until_s)),
        seed=seed,
    )
    fitting = [amps for amps in (16.0, 10.0, 8.0, 6.0) if _fits(site, amps)]
    disconnected_a = rng.choice((*fitting, 0.0))
    return replace(site, settings=replace(settings, disconnected_a=disconnected_a))


def with_rogues(site: SiteModel, seed: int) -> SiteModel:
    """The same site, with some cars that draw more than they are offered."""
    rng = random.Random(seed)
    cars = tuple(
        replace(car, model=replace(car.model, rogue_a=rng.choice((10.0, 16.0, 25.0))))
        if rng.random() < 0.3
        else car
        for car in site.cars
    )
    return replace(site, cars=cars)


def _groups(rng: random.Random) -> Iterator[Group]:
    """A tree of at most three levels below the root."""
    levels: dict[str, int] = {ROOT: 0}
    for number in range(rng.choice((0, 0, 1, 2, 3, 4))):
        parent = rng.choice([name for name, level in levels.items() if level < 3])
        name = f"g{number}"
        levels[name] = levels[parent] + 1
        yield Group(name, _three(rng, 16, 80), parent)


def _stations(rng: random.Random, groups: Sequence[str]) -> Iterator[StationModel]:
    for number in range(rng.randint(1, 4)):
        sockets = rng.choice((1, 2))
        wiring = tuple(rng.choice(KNOWN_ROTATIONS) for _ in range(sockets))
        unknown = rng.random() < 0.1
        yield StationModel(
            id=f"s{number}",
            group=rng.choice(groups),
            rotations=(Rotation.UNKNOWN,) * sockets if unknown else wiring,
            wiring=wiring,
            phases=rng.choice((3, 3, 3, 3, 2, 1)),
            supply_line_a=_three(rng, 16, 40, same=0.9) if rng.random() < 0.3 else None,
            maximum_a=rng.choice((16.0, 20.0, 32.0, 32.0)),
            priority=rng.choice((0, 0, 0, 1)),
        )


def _settings(rng: random.Random, building: Building) -> SiteSettings:
    location = rng.choice(("none", "including", "excluding"))
    sub_a = _three(rng, 16, 100)
    main_a = None
    if location != "none":
        left_a = _three(rng, 10, 60)
        main_a = PerPhase(*(max(25.0, amps) for amps in building.highest_a.plus(left_a)))
    high_a = max(0.0, *building.highest_a)
    return SiteSettings(
        name="random site",
        sub_distribution_a=sub_a,
        operator_a=sub_a.lowest(_three(rng, 10, 100)) if rng.random() < 0.3 else None,
        main_a=main_a,
        headroom_a=PerPhase.same(rng.choice((0.0, 0.0, 2.0, 5.0))),
        fallback_a=PerPhase.same(rng.choice((9999.0, high_a, high_a + STEP_A))),
        including=location == "including",
        imbalance_a=rng.choice((0.0, 0.0, 0.0, 16.0, 20.0)),
        it_network=rng.random() < 0.1,
        minimum_a=rng.choice((6.0, 7.0, 8.0)),
        disconnected_a=0.0,
        sample_s=rng.choice((5.0, 10.0, 30.0)),
        averaging_s=rng.choice((0.0, 0.0, 10.0, 60.0)),
        time_slot_s=rng.choice((300.0, 900.0, 1800.0)),
        allow_wakeup=rng.random() < 0.7,
    )


def _building(rng: random.Random) -> Building:
    base_a = _three(rng, 0, 25, same=0.3)
    steps = []
    for _ in range(rng.randint(0, 8)):
        rise_a = PerPhase(*(rng.choice((0.0, STEP_A)) for _ in range(3)))
        steps.append((float(rng.randint(1, 7200)), base_a.plus(rise_a)))
    return Building(base_a, tuple(sorted(dict(steps).items())))


def _network(rng: random.Random) -> NetworkModel:
    return NetworkModel(
        delay_s=rng.choice((0.0, 0.05, 0.5, 2.0)),
        loss=rng.choice((0.0, 0.0, 0.05, 0.2)),
        reorder=rng.choice((0.0, 0.0, 0.2)),
        seed=rng.randrange(2**31),
    )


def _cars(
    rng: random.Random, stations: Sequence[StationModel], until_s: float
) -> Iterator[CarVisit]:
    number = 0
    for station in stations:
        for socket in range(1, station.sockets + 1):
            at_s = rng.uniform(0, until_s / 2)
            while at_s < until_s and number < 40:
                number += 1
                stay_s = rng.uniform(120, until_s)
                yield CarVisit(
                    id=f"car-{number}",
                    model=_model(rng),
                    arrives_s=at_s,
                    leaves_s=at_s + stay_s,
                    energy_wh=rng.uniform(300, 12_000),
                    station=station.id,
                    socket=socket,
                )
                at_s += stay_s + rng.uniform(5, until_s / 2)


def _model(rng: random.Random) -> CarModel:
    model = MODELS[rng.choice(OBEDIENT)]
    return replace(model, reaction_s=rng.choice((1.0, 3.0, 5.0, 5.0)))


def _events(
    rng: random.Random,
    stations: Sequence[StationModel],
    settings: SiteSettings,
    until_s: float,
) -> Iterator[SiteEvent]:
    """Each outage ends after up to ten minutes, in any order with others."""
    pairs = [(Do.KILL, Do.START), (Do.CUT_LINK, Do.RESTORE_LINK)]
    for _ in range(rng.choice((0, 1, 2, 3))):
        begin, end = rng.choice(pairs)
        station = rng.choice(stations).id
        at_s = rng.uniform(0, until_s)
        yield SiteEvent(at_s=at_s, do=begin, station=station)
        yield SiteEvent(at_s=at_s + _outage_s(rng), do=end, station=station)
    if settings.main_a is not None and rng.random() < 0.4:
        at_s = rng.uniform(0, until_s)
        yield SiteEvent(at_s=at_s, do=Do.METER_SILENT)
        yield SiteEvent(at_s=at_s + _outage_s(rng), do=Do.METER_BACK)


def _outage_s(rng: random.Random) -> float:
    return rng.choice((rng.uniform(1, 30), rng.uniform(30, 100), rng.uniform(60, 600)))


def _fits(site: SiteModel, disconnected_a: float) -> bool:
    """True if all sockets may draw this at once, beside the highest load of the building."""
    sockets = [
        DisconnectedSocket(
            disconnected_a,
            station.group if station.supply_line_a is None else station.id,
            connected_phases(station.phases),
            rotation,
        )
        for station in site.stations
        for rotation in station.rotations
    ]
    root_a = available_a(site, site.building.highest_a)
    it_network = site.settings.it_network
    return not overcommitments(topology_of(site), root_a, sockets, it_network=it_network)


def _three(rng: random.Random, low: float, high: float, same: float = 0.6) -> PerPhase:
    if rng.random() < same:
        return PerPhase.same(float(rng.randint(int(low), int(high))))
    return PerPhase(*(float(rng.randint(int(low), int(high))) for _ in range(3)))
