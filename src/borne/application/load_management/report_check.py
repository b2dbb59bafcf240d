"""What a master accepts as a report: a station may be wrong, old, or none of ours.

A refused report counts as silence: a current stays reserved for the station, as for a lost one.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from operator import is_

from borne.domain.load_management.messages import SlaveReport, SocketReport
from borne.domain.load_management.topology import ROOT
from borne.foundation.messages import N_, Message
from borne.foundation.units import PerPhase

MAX_SOCKETS = 16
"""Sockets of one station."""

MAX_NAME = 64
MAX_A = 1000.0
"""No socket of a station carries more."""

MAX_NUMBER = 2**63
MAX_PRIORITY = 9


def refusal(report: SlaveReport) -> Message | None:
    """Return why a report is not accepted; None if it is."""
    if not _name(report.station):
        return Message(N_("The name of the station is not usable."))
    if not (_short(report.name) and _short(report.group)):
        return Message(N_("A name in the report is not usable."))
    connectors = [own.connector for own in report.sockets]
    if len(connectors) > MAX_SOCKETS or len(set(connectors)) < len(connectors):
        return Message(N_("The report names {n} sockets."), {"n": len(connectors)})
    if not (0 <= report.number < MAX_NUMBER and all(0 < one <= 99 for one in connectors)):
        return Message(N_("A number in the report is not usable."))
    if not (_limit(report.limit_a) and all(map(_plausible, report.sockets))):
        return Message(N_("A current in the report is not usable."))
    return None


def cleaned(report: SlaveReport) -> SlaveReport:
    """Return an accepted report with measured currents that can be counted: an unusable one counts
    as not measured, a negative one as 0."""
    sockets = tuple(map(_cleaned, report.sockets))
    if report.group and all(map(is_, sockets, report.sockets)):
        return report
    return replace(report, group=report.group or ROOT, sockets=sockets)


def _cleaned(own: SocketReport) -> SocketReport:
    measured_a, energy_wh = _measured(own.measured_a), _energy(own.energy_wh)
    if (measured_a, energy_wh) == (own.measured_a, own.energy_wh):
        return own
    return replace(own, measured_a=measured_a, energy_wh=energy_wh)


def _plausible(own: SocketReport) -> bool:
    amps = (own.offered_a, own.upper_a, own.minimum_a, own.disconnected_a)
    departs_s = own.departs_in_s
    return (
        all(isfinite(one) and 0 <= one <= MAX_A for one in amps)
        and 1 <= own.phase_count <= 3
        and abs(own.priority) <= MAX_PRIORITY
        and (departs_s is None or isfinite(departs_s))
    )


def _limit(limit_a: PerPhase | None) -> bool:
    return limit_a is None or all(isfinite(amps) and amps >= 0 for amps in limit_a)


def _measured(amps: PerPhase | None) -> PerPhase | None:
    if amps is None or not all(isfinite(one) and one <= MAX_A for one in amps):
        return None
    return PerPhase(*(max(0.0, one) for one in amps))


def _energy(energy_wh: float | None) -> float | None:
    return energy_wh if energy_wh is not None and isfinite(energy_wh) else None


def _name(text: str) -> bool:
    return bool(text.strip()) and _short(text)


def _short(text: str) -> bool:
    return len(text) <= MAX_NAME and text.isprintable()
