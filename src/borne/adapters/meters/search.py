"""The search for meters that pages offer, by the scan of `borne meter scan`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from borne.adapters.meters.endpoints import endpoint_of
from borne.adapters.meters.scan import FoundDevice, Guess, ScanTarget, scan
from borne.application.meters.meter_search import FoundMeter, SearchProgress, SearchRequest
from borne.domain.meters.address import MeterAddress
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.entry import MeterReach
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import SerialEndpoint, TcpEndpoint

USUAL_UNITS = (1, 2)
"""Units of the known meters as they are sold."""
LINE_UNITS = range(1, 11)


async def find_meters(
    request: SearchRequest, buses: Buses
) -> AsyncGenerator[SearchProgress | FoundMeter, None]:
    """See `FindMeters`; devices that are no meters of a known type are left out."""
    async with contextlib.aclosing(scan(_targets(request), buses)) as news:
        async for each in news:
            if not isinstance(each, FoundDevice):
                yield SearchProgress(each.done, each.total, each.where)
            elif (found := found_meter(each)) is not None:
                yield found


def _targets(request: SearchRequest) -> list[ScanTarget]:
    targets = [
        ScanTarget(TcpEndpoint(host, request.port), USUAL_UNITS, first_only=True)
        for host in dict.fromkeys(request.hosts)
    ]
    if request.device:
        line = MeterAddress("", device=request.device, baud=request.baud, parity=request.parity)
        targets.append(ScanTarget(endpoint_of(line, on_line=True), LINE_UNITS))
    return targets


def found_meter(device: FoundDevice) -> FoundMeter | None:
    """The likeliest type of a device; None if its values fit to none."""
    good = [guess for guess in device.guesses if guess.measurement is not None]
    if not good or good[0].measurement is None:
        return None
    others = tuple(guess.slug for guess in good[1:])
    return FoundMeter(_address(device, good[0]), device.sure, good[0].measurement, others)


def _address(device: FoundDevice, guess: Guess) -> MeterAddress:
    endpoint, unit = device.endpoint, device.unit
    if isinstance(endpoint, SerialEndpoint):
        return MeterAddress(
            guess.slug,
            unit=unit,
            device=endpoint.device,
            baud=endpoint.baud,
            parity=endpoint.parity,
        )
    if PROFILES[guess.slug].reach is MeterReach.LINE:
        return MeterAddress(guess.slug, unit=unit, device=f"{endpoint.framing}://{endpoint}")
    return MeterAddress(guess.slug, host=endpoint.host, port=endpoint.port, unit=unit)
