"""The scan: which meters it finds, what it asks, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from borne.adapters.meters.endpoints import BadAddress
from borne.adapters.meters.scan import (
    MAX_PLACES,
    FoundDevice,
    Guess,
    ScanProgress,
    ScanTarget,
    TooMany,
    scan,
    settings_for,
)
from borne.domain.meters.address import Parity
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.entry import MeterReach
from borne.protocols.meter_profiles import Transport, load_profile, slugs
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionAnswer, WrongAnswer
from borne.protocols.modbus.job_queue import Priority
from tests.support.fake_buses import HOUSE, Device, FakeBuses, meter
from tests.support.virtual_time import VirtualTimeLoop

HOST = TcpEndpoint("192.0.2.7")
LINE = SerialEndpoint("/dev/ttyUSB0", 9600, Parity.EVEN)
MODBUS = [
    slug
    for slug in slugs()
    if load_profile(slug).transport is not Transport.SPEEDWIRE and load_profile(slug).registers
]
Ports = dict[Endpoint, dict[int, Device]]


def on_virtual_time(scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


async def scanned(
    targets: Sequence[ScanTarget], buses: FakeBuses
) -> tuple[list[FoundDevice], list[ScanProgress]]:
    found: list[FoundDevice] = []
    progress: list[ScanProgress] = []
    async for news in scan(targets, buses):
        if isinstance(news, FoundDevice):
            found.append(news)
        else:
            progress.append(news)
    assert buses.leases == 0
    return found, progress


def plausible_types(device: FoundDevice) -> list[str]:
    return [guess.slug for guess in device.guesses if guess.measurement is not None]


def refuses_everything(function: int, address: int, count: int) -> Sequence[int]:
    raise ExceptionAnswer(1, 2)


def test_a_serial_port_that_cannot_be_opened_is_named_after_what_was_found() -> None:
    async def scenario() -> None:
        buses = FakeBuses({HOST: {1: meter("tq_em300").read}})
        found = 0

        async def search() -> None:
            nonlocal found
            async for news in scan([ScanTarget(LINE), ScanTarget(HOST)], buses):
                found += isinstance(news, FoundDevice)

        with pytest.raises(BadAddress, match="refused"):
            await search()
        assert found == 1
        assert buses.leases == 0

    on_virtual_time(scenario)


@pytest.mark.parametrize("slug", MODBUS)
def test_every_type_is_among_the_plausible_ones(slug: str) -> None:
    async def scenario() -> None:
        endpoint = LINE if PROFILES[slug].reach is MeterReach.LINE else HOST
        buses = FakeBuses({endpoint: {1: meter(slug).read}})
        found, _ = await scanned([ScanTarget(endpoint)], buses)
        assert slug in plausible_types(found[0])
        assert buses.bus(endpoint).priorities == {Priority.SCAN}

    on_virtual_time(scenario)


def test_meters_of_a_line_are_found_beside_absent_units_and_other_devices() -> None:
    async def scenario() -> None:
        units: dict[int, Device] = {
            3: meter("eastron_sdm630").read,
            5: refuses_everything,
            7: meter("saia_ale3").read,
        }
        buses = FakeBuses({LINE: units})
        found, progress = await scanned([ScanTarget(LINE, range(1, 11))], buses)
        assert [device.unit for device in found] == [3, 5, 7]
        assert [bool(device.guesses) for device in found] == [True, False, True]
        assert [news.done for news in progress] == list(range(1, 11))
        for unit in (1, 2, 4, 6, 8, 9, 10):
            asked = sum(n for (u, _, _), n in buses.bus(LINE).asked.items() if u == unit)
            assert asked == 3, "an absent unit costs three time-outs"

    on_virtual_time(scenario)


def test_a_port_that_nothing_answers_at_is_asked_once() -> None:
    async def scenario() -> None:
        buses = FakeBuses({})
        found, progress = await scanned([ScanTarget(HOST, range(1, 101))], buses)
        assert found == []
        assert progress == [ScanProgress(100, 100, str(HOST))]
        assert buses.bus(HOST).asked.total() == 1

    on_virtual_time(scenario)


def test_of_a_device_in_the_network_the_first_unit_is_enough() -> None:
    async def scenario() -> None:
        siemens = meter("siemens_7km2200").read
        buses = FakeBuses({HOST: {1: siemens, 2: siemens}})
        targets = [ScanTarget(HOST, (1, 2), first_only=True)]
        found, progress = await scanned(targets, buses)
        assert [device.unit for device in found] == [1]
        assert progress[-1].done == progress[-1].total == 2

    on_virtual_time(scenario)


def test_damaged_answers_are_a_device_on_a_line_and_another_service_on_tcp() -> None:
    async def scenario() -> None:
        def damaged(function: int, address: int, count: int) -> Sequence[int]:
            raise WrongAnswer("CRC")

        buses = FakeBuses({LINE: {1: damaged}, HOST: {1: damaged}})
        found, _ = await scanned([ScanTarget(LINE), ScanTarget(HOST, range(1, 9))], buses)
        assert found == [FoundDevice(LINE, 1)]

    on_virtual_time(scenario)


def test_a_gateway_without_the_unit_is_no_device() -> None:
    async def scenario() -> None:
        def nobody(function: int, address: int, count: int) -> Sequence[int]:
            raise ExceptionAnswer(1, 11)

        found, _ = await scanned([ScanTarget(HOST)], FakeBuses({HOST: {1: nobody}}))
        assert found == []

    on_virtual_time(scenario)


def test_hosts_are_asked_at_once_but_not_all() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        hosts = [TcpEndpoint(f"192.0.2.{number}") for number in range(1, 33)]
        buses = FakeBuses({host: {} for host in hosts})
        began_s = loop.time()
        await scanned([ScanTarget(host) for host in hosts], buses)
        assert loop.time() - began_s == 12.0, "3 s for each of 4 groups of 8 silent hosts"

    on_virtual_time(scenario)


def test_a_closed_scan_gives_its_ports_back() -> None:
    async def scenario() -> None:
        buses = FakeBuses({LINE: {}, HOST: {}})
        news = scan([ScanTarget(LINE, range(1, 100)), ScanTarget(HOST, range(1, 100))], buses)
        await anext(news)
        assert buses.leases == 2
        await news.aclose()
        assert buses.leases == 0

    on_virtual_time(scenario)


def test_a_port_that_cannot_be_leased_ends_the_scan() -> None:
    async def scenario() -> None:
        buses = FakeBuses({HOST: {}})
        buses.conflict = "in use with 19200 baud"
        with pytest.raises(ValueError, match="in use"):
            await scanned([ScanTarget(LINE), ScanTarget(HOST)], buses)

    on_virtual_time(scenario)


def test_a_scan_is_bounded() -> None:
    with pytest.raises(TooMany):
        scan([ScanTarget(HOST, range(MAX_PLACES)), ScanTarget(LINE)], FakeBuses({}))


@pytest.mark.parametrize(
    ("endpoint", "slug", "settings"),
    [
        pytest.param(
            TcpEndpoint("192.0.2.7", 1502),
            "siemens_7km2200",
            "SecondMeterConfig=siemens_7km2200 SecondMeterIP=192.0.2.7 SecondMeterPort=1502 "
            "SecondMeterUnitId=4",
            id="in the network",
        ),
        pytest.param(
            LINE,
            "abb_b23",
            "SecondMeterConfig=abb_b23 SecondMeterSerialPort=/dev/ttyUSB0 "
            "SecondMeterBaudRate=9600 SecondMeterParity=even SecondMeterUnitId=4",
            id="on a line",
        ),
        pytest.param(
            TcpEndpoint("192.0.2.7", 502, Framing.RTU),
            "abb_b23",
            "SecondMeterConfig=abb_b23 SecondMeterSerialPort=rtu://192.0.2.7:502 "
            "SecondMeterUnitId=4",
            id="behind a transparent gateway",
        ),
        pytest.param(
            HOST,
            "abb_b23",
            "SecondMeterConfig=abb_b23 SecondMeterSerialPort=tcp://192.0.2.7:502 "
            "SecondMeterUnitId=4",
            id="behind a Modbus TCP gateway",
        ),
    ],
)
def test_the_settings_that_select_a_meter(endpoint: Endpoint, slug: str, settings: str) -> None:
    chosen = settings_for(FoundDevice(endpoint, 4), Guess(slug, 5.0, HOUSE))
    assert " ".join(f"{key}={value}" for key, value in chosen.items()) == settings
