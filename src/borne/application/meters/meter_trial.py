"""The live test of a meter before its settings are saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from borne.application.meters.own_current import OwnCurrent
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Capabilities, Finding, Surroundings, findings
from borne.domain.meters.measurement import Measurement
from borne.domain.settings.choices import MeterLocation
from borne.domain.settings.meter_addresses import billing_meter
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock
from borne.foundation.messages import Message
from borne.foundation.units import PerPhase


@dataclass(frozen=True, slots=True)
class Polls:
    """What several polls of a meter gave, in the order of time."""

    measurements: Sequence[Measurement]
    model: str = ""
    error: Message | None = None
    """Why there are no (further) measurements."""
    capabilities: Capabilities | None = None
    is_other_type: bool = False
    """The device answers, but does not have the registers of this type."""
    was_asked: bool = True
    """False: address or description is wrong, so that nothing was sent."""


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
    is_other_type: bool = False
    """The device answers, but does not have the registers of this type."""
    was_asked: bool = True
    """False: address or description is wrong, so that nothing was sent."""

    @property
    def good(self) -> bool:
        """It answered, and nothing is in doubt."""
        return bool(self.measurements) and self.error is None and not self.findings


MeterTrial = Callable[[MeterAddress], Awaitable[TrialResult]]
"""Tests a meter whose settings are not saved yet."""


class MeterTrials:
    """A `MeterTrial` that knows the station: what its sockets draw during the test, and the main
    limit of the building."""

    def __init__(
        self,
        poll: PollMeter,
        settings: Callable[[], Settings],
        own_current: OwnCurrent,
        clock: Clock,
    ) -> None:
        self._poll = poll
        self._settings = settings
        self._own_current = own_current
        self._clock = clock

    async def __call__(self, address: MeterAddress) -> TrialResult:
        began_s = self._clock.monotonic()
        own: list[tuple[float, PerPhase]] = [(began_s, self._own_current())]

        def on_change() -> None:
            own.append((self._clock.monotonic(), self._own_current()))

        unsubscribe = self._own_current.changed.notify(on_change)
        try:
            polls = await self._poll(address)
        finally:
            unsubscribe()
        now_s = self._clock.monotonic()
        return TrialResult(
            polls.measurements,
            findings(polls.measurements, self._surroundings(address, polls, own)),
            polls.error,
            max(0.0, now_s - polls.measurements[-1].at_s) if polls.measurements else None,
            now_s - began_s,
            polls.model,
            polls.is_other_type,
            polls.was_asked,
        )

    def _surroundings(
        self, address: MeterAddress, polls: Polls, own: Sequence[tuple[float, PerPhase]]
    ) -> Surroundings:
        settings = self._settings()
        limit_a = settings.amps_or_none("DLMMainDistributionLimit")
        sockets = range(1, settings.facts.connectors + 1)
        at_a_socket = any(billing_meter(settings, number) == address for number in sockets)
        location = settings.choice("DLMExternalMeterLocation", MeterLocation)
        return Surroundings(
            [_own_at(own, measurement.at_s) for measurement in polls.measurements],
            location is MeterLocation.INCLUDING and not at_a_socket,
            None if limit_a is None else PerPhase(*limit_a),
            polls.capabilities,
        )


def _own_at(own: Sequence[tuple[float, PerPhase]], at_s: float) -> PerPhase:
    """What the own sockets drew at a time."""
    before = [amps for since_s, amps in own if since_s <= at_s]
    return before[-1] if before else own[0][1]
