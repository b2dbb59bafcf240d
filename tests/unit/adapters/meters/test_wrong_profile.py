"""A meter that is read as another type: the live test notices it, for nearly all pairs of types."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from borne.adapters.meters.polls import plausible, poll_meter
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Surroundings, findings
from borne.protocols.meter_profiles import Transport, load_profile, slugs
from borne.protocols.modbus.endpoint import TcpEndpoint
from tests.support.fake_buses import Device, FakeBuses, lenient, meter
from tests.support.virtual_time import VirtualTimeLoop

ENDPOINT = TcpEndpoint("192.0.2.7")
MODBUS = [
    slug
    for slug in slugs()
    if load_profile(slug).transport is not Transport.SPEEDWIRE and load_profile(slug).registers
]
PAIRS = [
    (device, read_as)
    for device, read_as in permutations(MODBUS, 2)
    if load_profile(device).registers != load_profile(read_as).registers
]


async def is_noticed(device: Device, read_as: str) -> bool:
    """Whether the live test of a device, read as another type, fails or finds it implausible."""
    buses = FakeBuses({ENDPOINT: {1: device}})
    polls = await poll_meter(MeterAddress(read_as, host=ENDPOINT.host), buses)
    if polls.error is not None:
        return True
    around = Surroundings(capabilities=polls.capabilities)
    return not plausible(findings(polls.measurements, around))


def unnoticed(*, strict: bool) -> list[tuple[str, str]]:
    async def run() -> list[tuple[str, str]]:
        devices = {slug: meter(slug) for slug in MODBUS}
        found = []
        for slug, read_as in PAIRS:
            device = devices[slug].read if strict else lenient(devices[slug])
            if not await is_noticed(device, read_as):
                found.append((slug, read_as))
        return found

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "answers 0 for any register"])
def test_nine_of_ten_wrong_types_are_noticed(strict: bool) -> None:
    missed = unnoticed(strict=strict)
    assert len(missed) <= len(PAIRS) / 10, missed


@pytest.mark.parametrize("slug", MODBUS)
def test_the_right_type_is_not_suspected(slug: str) -> None:
    async def run() -> bool:
        return await is_noticed(meter(slug).read, slug)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert not runner.run(run())


@pytest.mark.parametrize(("unit", "expected"), [(1, True), (7, False)], ids=["refuses", "silent"])
def test_a_device_that_refuses_the_registers_is_no_silent_one(unit: int, expected: bool) -> None:
    async def run() -> bool:
        buses = FakeBuses({ENDPOINT: {1: meter("tq_em300").read}})
        address = MeterAddress("siemens_7km2200", host=ENDPOINT.host, unit=unit)
        polls = await poll_meter(address, buses)
        assert polls.error is not None
        return polls.is_other_type

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(run()) is expected


async def test_a_meter_without_an_address_is_not_asked() -> None:
    polls = await poll_meter(MeterAddress("siemens_7km2200"), FakeBuses({}))
    assert not polls.was_asked
    assert polls.error is not None
