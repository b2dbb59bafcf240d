"""acnportal, the simulator of Caltech's Adaptive Charging Network, on our groups and days.

It is installed on demand into a folder of its own (it needs pandas, scikit-learn and an old
setuptools), which is put behind all other packages: both sides use the same NumPy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from borne.domain.load_management.participant import Demand
from tests.benchmarks.load_management.day import (
    LINE_V,
    STEP_S,
    Outcome,
    Visit,
    links_of,
    supply,
)
from tests.benchmarks.load_management.timing import Instance

PACKAGES = ("acnportal==0.3.3", "setuptools<81")
START = datetime(2026, 1, 5, tzinfo=UTC)
LONGEST_SIZE = 1000
"""Larger groups take more than an hour."""


class NotInstalled(Exception):
    """acnportal could not be installed; the message says why."""


def load() -> Any:
    """Import acnportal, installed if necessary."""
    folder = Path(sys.prefix) / "benchmark-acnportal"
    if not (folder / "acnportal").is_dir():
        _install(folder)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("acnportal.acnsim", "acnportal.algorithms"):
            import_module(name)
    return import_module("acnportal")


def _install(folder: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        subprocess.run([sys.executable, "-m", "ensurepip"], check=False, capture_output=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet"]
    else:
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    result = subprocess.run(
        [*command, "--target", str(folder), *PACKAGES],
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotInstalled(result.stderr.strip().splitlines()[-1] if result.stderr else "?")


Matrix = NDArray[np.float64]


def _network(
    names: Sequence[str],
    maxima_a: Sequence[float],
    watts_per_a: Sequence[float],
    matrix: Matrix,
    limits: Sequence[float],
    *,
    whole_amps: bool,
) -> Any:
    acnsim = load().acnsim
    network = acnsim.ChargingNetwork()
    for name, maximum_a in zip(names, maxima_a, strict=True):
        # `register_evse` rebuilds all tables for every socket.
        network._EVSEs[name] = (
            acnsim.FiniteRatesEVSE(name, [0, *range(6, int(maximum_a) + 1)])
            if whole_amps
            else acnsim.EVSE(name, max_rate=maximum_a)
        )
    network._voltages = np.array(watts_per_a, dtype=float)
    network._phase_angles = np.zeros(len(names))
    network.constraint_matrix = matrix
    network.magnitudes = np.array(limits, dtype=float)
    network.constraint_index = [f"link {link}" for link in range(len(limits))]
    network._update_info_store()
    return network


def _vehicle(name: str, arrives: int, departs: int, energy_wh: float, full_w: float) -> Any:
    acnsim = load().acnsim
    kwh = energy_wh / 1000
    battery = acnsim.Battery(kwh, 0.0, full_w / 1000)
    return acnsim.EV(arrives, departs, kwh, name, name, battery)


def _matrix(crossed: Sequence[Sequence[int]], links: int) -> Matrix:
    matrix = np.zeros((links, len(crossed)))
    for car, own in enumerate(crossed):
        matrix[list(own), car] = 1.0
    return matrix


def algorithms() -> dict[str, tuple[Callable[[], Any], bool]]:
    """Each with whether it decides in whole amps."""
    package = load().algorithms
    return {
        "acn LLF": (lambda: package.SortedSchedulingAlgo(package.least_laxity_first), False),
        "acn EDF": (lambda: package.SortedSchedulingAlgo(package.earliest_deadline_first), False),
        "acn RR": (lambda: package.RoundRobin(package.first_come_first_served), True),
    }


def schedules(group: Instance) -> dict[str, Callable[[], object]]:
    """One decision of each algorithm on a group."""
    acnsim = load().acnsim
    cars = [one for one in group.participants if one.demand is Demand.CHARGING]
    topology = group.supply.topology
    crossed = [topology.crossed(one.group, one.loads()) for one in cars]
    matrix = _matrix(crossed, len(topology.links))
    works: dict[str, Callable[[], object]] = {}
    for name, (make, whole_amps) in algorithms().items():
        names = [one.id for one in cars]
        watts_per_a = [LINE_V * len(one.loads()) for one in cars]
        network = _network(
            names,
            [one.upper_a for one in cars],
            watts_per_a,
            matrix,
            group.supply.capacities(),
            whole_amps=whole_amps,
        )
        algorithm = make()
        simulator = acnsim.Simulator(
            network, algorithm, acnsim.EventQueue(), START, 5, verbose=False
        )
        for number, one in enumerate(cars):
            full_w = one.upper_a * watts_per_a[number]
            network.plugin(_vehicle(one.id, 0, 50 + number % 50, 4 * full_w, full_w))
        assert simulator.network is network

        def decide(algorithm: Any = algorithm) -> object:
            return algorithm.schedule(algorithm.interface.active_sessions())

        works[name] = decide
    return works


def day(cars: list[Visit], limit_a: float, name: str, *, whole_amps: bool) -> Outcome:
    """A day by acnportal's own simulator."""
    acnsim = load().acnsim
    shared = supply(cars, limit_a)
    crossed = [links_of(car, shared.topology) for car in cars]
    matrix = _matrix(crossed, len(shared.topology.links))
    names = [car.name for car in cars]
    network = _network(
        names,
        [car.maximum_a for car in cars],
        [car.watts_per_a for car in cars],
        matrix,
        shared.capacities(),
        whole_amps=whole_amps,
    )
    events = acnsim.EventQueue(
        [
            acnsim.PluginEvent(
                car.arrives,
                _vehicle(
                    car.name,
                    car.arrives,
                    car.departs,
                    car.energy_wh,
                    car.maximum_a * car.watts_per_a,
                ),
            )
            for car in cars
        ]
    )
    make, _ = algorithms()[name]
    simulator = acnsim.Simulator(network, make(), events, START, STEP_S // 60, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simulator.run()
    delivered = {name: 1000 * simulator.ev_history[name].energy_delivered for name in names}
    return Outcome(delivered, {car.name: car.energy_wh for car in cars})
