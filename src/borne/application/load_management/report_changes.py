"""What of a report has changed, and how much it matters to a master."""

from __future__ import annotations

from dataclasses import replace

from borne.domain.load_management.messages import SlaveReport
from borne.foundation.units import ZERO


def differ(before: SlaveReport, report: SlaveReport, *, same_sockets: bool) -> bool:
    """True if more changed than what is only measured or may wait for the sample rate."""
    if same_sockets:
        return (before.group, before.limit_a) != (report.group, report.limit_a)
    return _plain(before) != _plain(report)


def wiring(report: SlaveReport) -> object:
    """Return what decides which lines a station loads, and how much without a master."""
    return (
        report.group,
        report.limit_a,
        tuple(
            (own.connector, own.rotation, own.phase_count, own.disconnected_a)
            for own in report.sockets
        ),
    )


def _plain(report: SlaveReport) -> object:
    """Return the report without what is only measured or may wait for the sample rate."""
    return (
        report.group,
        report.limit_a,
        tuple(
            replace(
                own,
                measured_a=None if own.measured_a is None else ZERO,
                offered_a=0.0,
                energy_wh=None,
                departs_in_s=None,
            )
            for own in report.sockets
        ),
    )
