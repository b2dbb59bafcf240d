"""What a site file describes, checked and complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.adapters.site.building import Building
from borne.adapters.site.car_models import CarModel
from borne.domain.load_management.topology import ROOT, Group, Rotation
from borne.foundation.units import PerPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """The settings of the master. Currents in amps per grid phase."""

    name: str
    sub_distribution_a: PerPhase
    operator_a: PerPhase | None = None
    main_a: PerPhase | None = None
    """None: there is no external meter, and nothing limits but the sub-distribution."""
    headroom_a: PerPhase
    fallback_a: PerPhase
    including: bool = False
    """The external meter measures the stations, too."""
    imbalance_a: float = 0.0
    it_network: bool = False
    minimum_a: float
    disconnected_a: float
    sample_s: float
    averaging_s: float = 0.0
    time_slot_s: float
    allow_wakeup: bool = True
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationModel:
    """A station with one or two sockets."""

    id: str
    group: str = ROOT
    rotations: tuple[Rotation, ...]
    """Of each socket, as the master knows it."""
    wiring: tuple[Rotation, ...]
    """Of each socket, as it is wired; differs from `rotations` where that is unknown."""
    phases: int = 3
    supply_line_a: PerPhase | None = None
    maximum_a: float = 32.0
    """Of each socket."""
    priority: int = 0

    @property
    def sockets(self) -> int:
        """Number of sockets."""
        return len(self.rotations)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarVisit:
    """A car that comes once. Times in seconds from the start of the run."""

    id: str
    model: CarModel
    arrives_s: float
    leaves_s: float
    energy_wh: float
    station: str
    socket: int


class Do(StrEnum):
    """What an event does."""

    KILL = "kill"
    START = "start"
    CUT_LINK = "cut-link"
    RESTORE_LINK = "restore-link"
    METER_SILENT = "meter-silent"
    METER_BACK = "meter-back"
    BUILDING = "building"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEvent:
    """Something that happens at a moment (seconds from the start of the run)."""

    at_s: float
    do: Do
    station: str | None = None
    building_a: PerPhase | None = None
    """From now on; None: the building's own curve again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterModel:
    """The external meter."""

    period_s: float = 1.0
    """Between two readings."""
    skew_s: float = 0.0
    """How old a value is when it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkModel:
    """The messages between master and slaves."""

    delay_s: float = 0.0
    """The longest delay of a message; each is drawn by lot from half of it."""
    loss: float = 0.0
    """Share of messages that are lost."""
    reorder: float = 0.0
    """Share of messages that are delayed twice, so that later ones overtake them."""
    seed: int = 0

    @property
    def longest_s(self) -> float:
        """The longest time that a message needs."""
        return self.delay_s * (2.0 if self.reorder else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteModel:
    """Everything in a site file."""

    settings: SiteSettings
    groups: tuple[Group, ...] = ()
    stations: tuple[StationModel, ...]
    master: str
    """The station in which the master runs."""
    building: Building = field(default_factory=Building)
    meter: MeterModel = field(default_factory=MeterModel)
    network: NetworkModel = field(default_factory=NetworkModel)
    cars: tuple[CarVisit, ...] = ()
    traffic_per_day: float = 0.0
    traffic_seed: int = 0
    traffic_models: tuple[str, ...] = ()
    events: tuple[SiteEvent, ...] = ()
    seed: int = 0
