"""Draws the cars of a day: who comes when, stays how long and wants how much."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import ceil

from borne.adapters.site.building import DAY_S
from borne.adapters.site.car_models import MODELS, CarModel
from borne.adapters.site.site_model import CarVisit, SiteModel

USUAL_MODELS = ("van", "city", "two_phase", "family", "fast", "sleepy", "hybrid")
USUAL_WEIGHTS = (0.10, 0.15, 0.10, 0.40, 0.15, 0.03, 0.07)
WORKDAY_START_S, AFTERNOON_S = 8.5 * 3600, 13 * 3600
MIN_STAY_S, MAX_STAY_S = 0.75 * 3600, 11 * 3600
BETWEEN_CARS_S = 120.0
VOLTS = 230.0


def visits_of(site: SiteModel, until_s: float) -> tuple[CarVisit, ...]:
    """The cars of the file and the drawn ones, by arrival."""
    drawn = _drawn(site, until_s) if site.traffic_per_day else ()
    return tuple(sorted((*site.cars, *drawn), key=lambda car: (car.arrives_s, car.id)))


def _drawn(site: SiteModel, until_s: float) -> Iterator[CarVisit]:
    """A socket is used by one car after the other; a car that finds none free goes away."""
    rng = random.Random(site.traffic_seed)  # noqa: S311 -- a simulation
    sockets = [(one.id, number + 1) for one in site.stations for number in range(one.sockets)]
    free_from_s: dict[tuple[str, int], float] = dict.fromkeys(sockets, 0.0)
    for car in site.cars:
        place = (car.station, car.socket)
        free_from_s[place] = max(free_from_s[place], car.leaves_s + BETWEEN_CARS_S)
    number = 0
    for day in range(ceil(until_s / DAY_S)):
        arrivals = sorted(_arrival(rng) for _ in range(round(site.traffic_per_day)))
        for clock_s in arrivals:
            number += 1
            at_s = day * DAY_S + clock_s
            model = _model(rng, site.traffic_models)
            stay_s = min(MAX_STAY_S, max(MIN_STAY_S, rng.gauss(6.0, 2.2) * 3600))
            max_wh = model.phases * VOLTS * model.max_a * stay_s / 3600 * 0.95
            energy_wh = min(max_wh, model.battery_kwh * 900, rng.lognormvariate(2.4, 0.6) * 1000)
            free = [place for place in sockets if free_from_s[place] <= at_s]
            rng.shuffle(free)
            if not free or at_s >= until_s:
                continue
            station, socket = free[0]
            free_from_s[free[0]] = at_s + stay_s + BETWEEN_CARS_S
            yield CarVisit(
                id=f"car-{number}",
                model=model,
                arrives_s=at_s,
                leaves_s=at_s + stay_s,
                energy_wh=max(1000.0, energy_wh),
                station=station,
                socket=socket,
            )


def _arrival(rng: random.Random) -> float:
    if rng.random() < 0.75:
        clock_s = rng.gauss(WORKDAY_START_S, 3600)
    else:
        clock_s = rng.gauss(AFTERNOON_S, 2 * 3600)
    return min(22 * 3600.0, max(0.0, clock_s))


def _model(rng: random.Random, names: Sequence[str]) -> CarModel:
    if names:
        return MODELS[rng.choice(names)]
    return MODELS[rng.choices(USUAL_MODELS, USUAL_WEIGHTS)[0]]
