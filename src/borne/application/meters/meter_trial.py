"""The live test of a meter before its settings are saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Capabilities, Finding
from borne.domain.meters.measurement import Measurement
from borne.foundation.messages import Message


@dataclass(frozen=True, slots=True)
class Polls:
    """What several polls of a meter gave, in the order of time."""

    measurements: Sequence[Measurement]
    model: str = ""
    error: Message | None = None
    """Why there are no (further) measurements."""
    capabilities: Capabilities | None = None


PollMeter = Callable[[MeterAddress], Awaitable[Polls]]
"""Polls a meter a few times within some seconds; never raises for what the meter does."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The result of a live test."""

    measurements: Sequence[Measurement]
    findings: Sequence[Finding]
    error: Message | None
    age_s: float | None
    """Since the last measurement; None without one."""
    duration_s: float
    model: str = ""

    @property
    def good(self) -> bool:
        """It answered, and nothing is in doubt."""
        return bool(self.measurements) and self.error is None and not self.findings


MeterTrial = Callable[[MeterAddress], Awaitable[TrialResult]]
"""Tests a meter whose settings are not saved yet."""
