"""A site file for whole stations: their settings, and the cars of the simulated street."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

from borne.adapters.site.site_model import CarVisit, SiteModel, StationModel
from borne.domain.load_management.topology import ROOT
from borne.domain.settings.choices import SampleRate
from borne.foundation.units import PerPhase

MAX_STATIONS = 40
"""Each has its own web page, database and threads."""
HIGHEST_BUILDING_A = 1000.0
"""Of the simulated street."""
MIN_SLICE_MIN, MAX_SLICE_MIN = 5, 120
LONGEST_NAME = 40
_WIDE_CABLE_A, _USUAL_CABLE_A = 63, 32


class NotAsStations(Exception):
    """The file describes what a whole station cannot do; a sentence for users."""


def check(site: SiteModel) -> None:
    """Refuse what whole stations cannot do; raises NotAsStations."""
    if len(site.stations) > MAX_STATIONS:
        raise NotAsStations(
            f"This file has {len(site.stations)} stations; without --until at most {MAX_STATIONS} "
            "run, because each is a whole station with a web page."
        )
    for station in site.stations:
        if station.phases == 2:
            reason = "a whole station has one phase or three; give --until for a site with two"
            raise NotAsStations(f"Station {station.id}: {reason}.")
    events = [event.building_a for event in site.events if event.building_a is not None]
    if any(abs(amps) > HIGHEST_BUILDING_A for load in _loads(site, events) for amps in load):
        reason = f"is limited to {HIGHEST_BUILDING_A:g} A; give --until for more"
        raise NotAsStations(f"The building of the simulated street {reason}.")


def _loads(site: SiteModel, events: list[PerPhase]) -> Iterator[PerPhase]:
    yield site.building.base_a
    yield from (amps for _, amps in site.building.steps)
    yield from events


def remarks(site: SiteModel) -> Iterator[str]:
    """What of the file does not apply to whole stations, or not exactly."""
    settings = site.settings
    if sample_rate(settings.sample_s).seconds != settings.sample_s:
        nearest = sample_rate(settings.sample_s).seconds
        yield f"sample_s = {settings.sample_s:g} is no choice of a station: {nearest} s."


def sample_rate(wanted_s: float) -> SampleRate:
    """The nearest sample rate that a station has."""
    return min(SampleRate, key=lambda rate: abs(rate.seconds - wanted_s))


def settings_of(site: SiteModel, station: StationModel) -> dict[str, str]:
    """The settings of a station, as texts. Limits are whole amps: rounded down, the minimum up."""
    master = station.id == site.master
    given = {
        "StationName": station.id[:LONGEST_NAME],
        "ConnectionType": "no_backend",
        "FreeCharging": "on",
        "FreeChargingMode": "no_ocpp",
        "DLMRole": "master" if master else "slave_auto",
        "DLMGroup": "" if station.group == ROOT else station.group,
        "DLMDisconnectedLimit": str(int(site.settings.disconnected_a)),
        "DLMMinimumCurrentLimit": str(ceil(site.settings.minimum_a)),
    }
    given |= _of_line(station)
    for number in range(1, station.sockets + 1):
        given |= {_key(name, number): text for name, text in _of_socket(station, number).items()}
    return given | _of_master(site) if master else given


def _key(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"


def _of_socket(station: StationModel, number: int) -> dict[str, str]:
    highest_a = station.maximum_a
    if station.sockets == 1 and station.supply_line_a is not None:
        highest_a = min(highest_a, *station.supply_line_a)
    amps = str(int(highest_a))
    # A shared supply line takes the place of the installation limit of each socket.
    shared = station.sockets > 1 and station.supply_line_a is not None
    installation = {} if shared else {"InstallationCurrentLimit": amps}
    return installation | {
        "MaximumCurrent": amps,
        "OperatorCurrentLimit": amps,
        "PhasesConnected": "single" if station.phases == 1 else "three",
        "ConnectorPhaseRotation": station.rotations[number - 1].value.lower(),
        "DLMPriority": str(station.priority),
    }


def _of_line(station: StationModel) -> dict[str, str]:
    if station.supply_line_a is None or station.sockets == 1:
        return {}
    amps = str(int(min(80.0, *station.supply_line_a)))
    return {
        "SingleSupplyLine": "on",
        "StationCurrentCapacity": amps,
        "SupplyLineCurrentCapacity": amps,
    }


def _of_master(site: SiteModel) -> dict[str, str]:
    settings = site.settings
    minutes = round(settings.time_slot_s / 60)
    given = {
        "DLMEVSESubDistributionLimit": _amps(settings.sub_distribution_a),
        "DLMOperatorEVSESubDistributionLimit": _amps(
            settings.operator_a or settings.sub_distribution_a
        ),
        "DLMSampleRate": sample_rate(settings.sample_s).value,
        "DLMTimeSlice": str(min(MAX_SLICE_MIN, max(MIN_SLICE_MIN, minutes))),
        "DLMAllowEVWakeup": _flag(settings.allow_wakeup),
        "DLMITNetwork": _flag(settings.it_network),
        "DLMCurrentImbalancePrevention": _flag(settings.imbalance_a > 0),
        "TimeZone": settings.timezone,
        "DLMGroups": " | ".join(
            f"{group.id};{'' if group.parent == ROOT else group.parent};{_amps(group.limit_a)}"
            for group in site.groups
        ),
    }
    if settings.imbalance_a > 0:
        given["DLMCurrentImbalanceLimit"] = str(max(1, int(settings.imbalance_a)))
    return given | _of_meter(site)


def _of_meter(site: SiteModel) -> dict[str, str]:
    settings = site.settings
    if settings.main_a is None:
        return {"DLMExternalMeterSupport": "off"}
    return {
        "DLMExternalMeterSupport": "on",
        "DLMExternalMeterLocation": "including" if settings.including else "excluding",
        "DLMMainDistributionLimit": _amps(settings.main_a),
        "DLMExternalLoadHeadroom": ",".join(str(ceil(amps)) for amps in settings.headroom_a),
        "DLMExternalLoadFallback": ",".join(str(ceil(amps)) for amps in settings.fallback_a),
        "DLMExternalLoadAveraging": str(min(300, max(1, round(settings.averaging_s)))),
    }


def _amps(amps: PerPhase) -> str:
    return ",".join(str(int(each)) for each in amps)


def _flag(on: bool) -> str:
    return "on" if on else "off"


def vehicle_of(car: CarVisit) -> Mapping[str, object]:
    """The car as members of a vehicle of the simulated street: what is missing in its battery is
    the energy that it wants."""
    model = car.model
    battery_kwh = min(2000.0, max(model.battery_kwh, car.energy_wh / 1000))
    soc = max(0.0, 1.0 - car.energy_wh / 1000 / battery_kwh)
    return {
        "name": car_name(car),
        "phases": model.phases,
        "min_a": model.min_a,
        "max_a": model.max_a,
        "battery_kwh": battery_kwh,
        "soc": soc,
        "taper": soc + (1.0 - soc) * model.taper,
        "reaction_s": min(5.0, model.reaction_s),
        "wake_up": model.sleeps,
        "rogue_a": model.rogue_a,
        "cable_a": _WIDE_CABLE_A if model.max_a > _USUAL_CABLE_A else _USUAL_CABLE_A,
    }


def car_name(car: CarVisit) -> str:
    """Its name on the pages."""
    return car.id[:60]
