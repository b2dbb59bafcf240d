"""The settings of load management, as one value (manual 7.4, 7.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from borne.application.load_management.group_record import MasterConfig
from borne.application.settings.station_settings import phases_connected
from borne.domain.load_management.fail_safe import FailSafeTiming
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.topology import ROOT, Group, Rotation
from borne.domain.settings.choices import DlmRole, PhaseRotation, PhasesConnected, SampleRate
from borne.domain.settings.snapshot import Settings
from borne.foundation.units import PerPhase

GROUP_KEYS = frozenset(
    {
        "ConnectorPhaseRotation",
        "DLMAllowEVWakeup",
        "DLMCurrentImbalanceLimit",
        "DLMCurrentImbalancePrevention",
        "DLMDisconnectedLimit",
        "DLMGroup",
        "DLMGroups",
        "DLMITNetwork",
        "DLMMinimumCurrentLimit",
        "DLMPriority",
        "DLMSampleRate",
        "DLMTimeSlice",
        "PhasesConnected",
        "PowerSourceVoltage",
    }
)
"""Those that act while the station runs; the others are read at its start."""

NOTHING_ASSUMED = 9999.0
"""An External Load Fallback from here on assumes no load: it stops the cars instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """What a master, a slave or both obey."""

    role: DlmRole
    network_id: int = 0
    master: MasterConfig
    group: str = ROOT
    """The sub-distribution that feeds this station."""
    disconnected_a: float = 0.0
    rotations: Mapping[int, Rotation]
    phase_counts: Mapping[int, int]
    priorities: Mapping[int, int]
    main_left_a: PerPhase | None = None
    """What the main distribution leaves the group while no master acts; None: there is no meter at
    the main distribution."""

    @classmethod
    def of(cls, settings: Settings) -> GroupSettings:
        """Read the settings of a station."""
        sockets = range(1, settings.facts.connectors + 1)
        rotations = {
            n: Rotation(settings.choice("ConnectorPhaseRotation", PhaseRotation, n).value.upper())
            for n in sockets
        }
        return cls(
            role=settings.choice("DLMRole", DlmRole),
            network_id=settings.integer("DLMNetworkId"),
            master=_master(settings),
            group=settings.text("DLMGroup") or ROOT,
            disconnected_a=float(settings.integer("DLMDisconnectedLimit")),
            rotations=rotations,
            phase_counts={n: phases_connected(settings, n) for n in sockets},
            priorities={n: settings.integer("DLMPriority", n) for n in sockets},
            main_left_a=_main_left(settings),
        )


def _master(settings: Settings) -> MasterConfig:
    imbalance = None
    if settings.flag("DLMCurrentImbalancePrevention"):
        imbalance = Imbalance(float(settings.integer("DLMCurrentImbalanceLimit")))
    return MasterConfig(
        groups=tuple(map(_group, settings.items("DLMGroups"))),
        it_network=_it_network(settings),
        imbalance=imbalance,
        allow_wakeup=settings.flag("DLMAllowEVWakeup"),
        slot_s=60.0 * settings.integer("DLMTimeSlice"),
        sample_s=float(settings.choice("DLMSampleRate", SampleRate).seconds),
        timing=FailSafeTiming(),
        minimum_a=float(settings.integer("DLMMinimumCurrentLimit")),
        voltage_v=float(settings.integer("PowerSourceVoltage")),
    )


def _it_network(settings: Settings) -> bool:
    sockets = range(1, settings.facts.connectors + 1)
    wired = (settings.choice("PhasesConnected", PhasesConnected, n) for n in sockets)
    return settings.flag("DLMITNetwork") or PhasesConnected.SINGLE_IT in wired


def _group(item: str) -> Group:
    """Parse an entry of the tree: `name;parent;L1,L2,L3`, without a parent below the root."""
    name, parent, amps = item.split(";")
    return Group(name, PerPhase(*map(float, amps.split(","))), parent or ROOT)


def _main_left(settings: Settings) -> PerPhase | None:
    """The fallback load counts as the load of the building; if it only says that nothing is left,
    the headroom does (decision 0219)."""
    if not settings.flag("DLMExternalMeterSupport"):
        return None
    main = settings.amps_or_none("DLMMainDistributionLimit")
    if main is None:
        return None
    fallback = settings.amps("DLMExternalLoadFallback")
    headroom = settings.amps("DLMExternalLoadHeadroom")
    kept = (
        spare if load >= NOTHING_ASSUMED else max(load, spare)
        for load, spare in zip(fallback, headroom, strict=True)
    )
    return PerPhase(*(max(0.0, float(limit - own)) for limit, own in zip(main, kept, strict=True)))
