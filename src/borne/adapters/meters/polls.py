"""Polls a meter a few times: the live test of its settings, and `borne meter read`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from borne.adapters.meters.endpoints import BadAddress
from borne.adapters.meters.factory import FieldMeter, build_meter
from borne.adapters.meters.failures import NoMeasurement
from borne.adapters.meters.modbus_meter import PERIOD_S, ModbusMeter
from borne.application.meters.meter_trial import Polls
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Capabilities, Finding, FindingCode
from borne.domain.meters.measurement import Measurement
from borne.foundation.messages import Message
from borne.protocols.meter_profiles import Profile, SignedCurrent, load_profile
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.job_queue import Priority

SPEEDWIRE = "sma_speedwire"
SERIOUS = {FindingCode.IMPLAUSIBLE, FindingCode.WRONG_WORD_ORDER, FindingCode.NO_VOLTAGE}
POLLS = 2
"""A second apart, so that a frozen or jumping value shows."""


async def poll_meter(
    address: MeterAddress, buses: Buses, *, profile: Profile | None = None, polls: int = POLLS
) -> Polls:
    """What `polls` polls of the meter at an address give; never raises for what the meter does."""
    try:
        # A wrong type or unit is tried beside the polls of meters that are in use.
        meter = build_meter(address, buses, profile=profile, priority=Priority.SCAN)
    except BadAddress as bad:
        return Polls((), error=bad.message, was_asked=False)
    await meter.start()
    try:
        return await poll_started(meter, polls)
    finally:
        await meter.stop()


async def poll_started(meter: FieldMeter, polls: int = POLLS) -> Polls:
    """As `poll_meter`, of a meter that is started."""
    measurements: list[Measurement] = []
    error: Message | None = None
    is_other_type = False
    try:
        for number in range(polls):
            if number:
                await next_poll(meter)
            measurements.append(await meter.read())
    except NoMeasurement as silent:
        error, is_other_type = silent.message, silent.is_other_type
    capabilities = capabilities_of(meter)
    return Polls(tuple(measurements), meter.model, error, capabilities, is_other_type)


async def next_poll(meter: FieldMeter) -> None:
    """Wait a second, if the meter does not keep its own time."""
    if isinstance(meter, ModbusMeter):
        await asyncio.sleep(PERIOD_S)


def capabilities_of(meter: FieldMeter) -> Capabilities:
    """What the type of a meter gives, for the findings."""
    if isinstance(meter, ModbusMeter):
        return findings_capabilities(meter.profile)
    # Only newer firmware sends the frequency.
    return replace(findings_capabilities(load_profile(SPEEDWIRE)), has_frequency=False)


def findings_capabilities(profile: Profile) -> Capabilities:
    """What a profile gives, for the findings."""
    has = profile.capabilities
    return Capabilities(
        has_phase_voltage=has.has_phase_voltages,
        has_phase_currents=has.has_phase_currents,
        has_phase_power=has.has_phase_power,
        has_power=has.has_power,
        has_energy=has.has_energy,
        has_frequency=has.has_frequency,
        signed_current=has.signed_current is not SignedCurrent.UNKNOWN,
    )


def plausible(found: Sequence[Finding]) -> bool:
    """True if the findings are doubts at most."""
    return not any(finding.code in SERIOUS for finding in found)
