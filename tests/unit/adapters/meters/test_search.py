"""The search for meters of the pages, on the scan of `borne meter scan`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from borne.adapters.meters.endpoints import BadAddress
from borne.adapters.meters.scan import FoundDevice, Guess
from borne.adapters.meters.search import find_meters, found_meter
from borne.application.meters.meter_search import FoundMeter, SearchProgress, SearchRequest
from borne.domain.meters.address import MeterAddress, Parity
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from tests.support.fake_buses import HOUSE, FakeBuses, meter
from tests.support.virtual_time import VirtualTimeLoop

HOST = TcpEndpoint("192.0.2.7")
LINE = SerialEndpoint("/dev/ttyUSB0", 19200, Parity.EVEN)


def on_virtual_time(scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


@pytest.mark.parametrize(
    ("endpoint", "slug", "address"),
    [
        pytest.param(
            TcpEndpoint("192.0.2.7", 1502),
            "siemens_7km2200",
            MeterAddress("siemens_7km2200", "192.0.2.7", 1502, 4),
            id="in the network",
        ),
        pytest.param(
            LINE,
            "abb_b23",
            MeterAddress("abb_b23", unit=4, device="/dev/ttyUSB0", baud=19200, parity=Parity.EVEN),
            id="on a line",
        ),
        pytest.param(
            TcpEndpoint("192.0.2.7", 502, Framing.RTU),
            "abb_b23",
            MeterAddress("abb_b23", unit=4, device="rtu://192.0.2.7:502"),
            id="behind a transparent gateway",
        ),
        pytest.param(
            HOST,
            "abb_b23",
            MeterAddress("abb_b23", unit=4, device="tcp://192.0.2.7:502"),
            id="behind a Modbus TCP gateway",
        ),
    ],
)
def test_the_address_of_a_meter_that_was_found(
    endpoint: Endpoint, slug: str, address: MeterAddress
) -> None:
    found = found_meter(FoundDevice(endpoint, 4, (Guess(slug, 5.0, HOUSE),)))
    assert found == FoundMeter(address, True, HOUSE)


def test_a_device_of_no_known_type_is_left_out() -> None:
    assert found_meter(FoundDevice(HOST, 1)) is None
    assert found_meter(FoundDevice(HOST, 1, (Guess("abb_b23", 2.0),))) is None


def test_hosts_and_a_line_are_searched_in_one_go() -> None:
    async def scenario() -> None:
        buses = FakeBuses(
            {HOST: {1: meter("tq_em300").read}, LINE: {7: meter("eastron_sdm630").read}}
        )
        request = SearchRequest(("192.0.2.7",), 502, "/dev/ttyUSB0", 19200, Parity.EVEN)
        news = [each async for each in find_meters(request, buses)]
        found = {each.address.unit: each for each in news if isinstance(each, FoundMeter)}
        assert sorted(found) == [1, 7]
        types = {unit: {each.address.slug, *each.others} for unit, each in found.items()}
        assert "tq_em300" in types[1]
        assert "eastron_sdm630" in types[7]
        last = [each for each in news if isinstance(each, SearchProgress)][-1]
        assert last.done == last.total
        assert buses.leases == 0

    on_virtual_time(scenario)


def test_a_line_that_cannot_be_one_is_refused() -> None:
    async def scenario() -> None:
        with pytest.raises(BadAddress):
            async for _ in find_meters(SearchRequest(device="http://192.0.2.7"), FakeBuses({})):
                pass

    on_virtual_time(scenario)
