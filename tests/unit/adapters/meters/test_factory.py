"""From the address of a meter to its driver and its port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from borne.adapters.meters.endpoints import BadAddress, endpoint_of
from borne.adapters.meters.factory import build_billing_meter, build_meter
from borne.adapters.meters.modbus_meter import ModbusMeter
from borne.adapters.meters.speedwire import SpeedwireMeter
from borne.domain.meters.address import MeterAddress, Parity
from borne.protocols.meter_profiles import load_profile
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint

SIEMENS = MeterAddress("siemens_7km2200", host="192.0.2.7", port=1502)
ABB = MeterAddress("abb_b23", device="/dev/ttyUSB0", baud=19200, parity=Parity.EVEN)


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        pytest.param(SIEMENS, TcpEndpoint("192.0.2.7", 1502), id="in the network"),
        pytest.param(
            ABB, SerialEndpoint("/dev/ttyUSB0", 19200, Parity.EVEN, 2), id="the address wins"
        ),
        pytest.param(
            replace(ABB, device="rtu://192.0.2.7:4001"),
            TcpEndpoint("192.0.2.7", 4001, Framing.RTU),
            id="transparent gateway",
        ),
        pytest.param(
            replace(ABB, device="tcp://gateway.example"),
            TcpEndpoint("gateway.example", 502),
            id="Modbus TCP gateway",
        ),
        pytest.param(
            replace(ABB, device="rtu://[2001:db8::1]:4001"),
            TcpEndpoint("2001:db8::1", 4001, Framing.RTU),
            id="IPv6",
        ),
    ],
)
def test_the_port_of_a_meter(address: MeterAddress, endpoint: Endpoint) -> None:
    assert endpoint_of(address, on_line=bool(address.device), stop_bits=2) == endpoint


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (replace(SIEMENS, host=""), "The address of the meter is not set."),
        (replace(ABB, device=""), "The serial port of the meter is not set."),
        (replace(ABB, device="ttyUSB0"), "ttyUSB0 is no serial port"),
        (replace(ABB, device="http://192.0.2.7"), "is no serial port"),
        (replace(ABB, device="rtu://"), "is no serial port"),
        (replace(ABB, device="rtu://h:99999"), "is no serial port"),
        (replace(ABB, device="rtu://h:0"), "is no serial port"),
        (replace(ABB, device="rtu://h:502/path"), "is no serial port"),
        (replace(ABB, device="rtu://user@h:502"), "is no serial port"),
        (replace(ABB, device="rtu://[::1"), "is no serial port"),
        (replace(ABB, unit=0), "A serial line has no unit 0"),
        (replace(ABB, unit=248), "A serial line has no unit 248"),
        (MeterAddress("sundial", host="192.0.2.7"), "There is no meter type sundial."),
        (MeterAddress("sma_speedwire", host="meter.example"), "meter.example is no IP address"),
    ],
)
def test_an_address_that_says_too_little(address: MeterAddress, sentence: str) -> None:
    with pytest.raises(BadAddress, match=sentence.replace(".", r"\.")):
        build_meter(address, Buses())


def test_a_profile_without_registers_cannot_be_read() -> None:
    empty = replace(load_profile("abb_b23"), registers={})
    with pytest.raises(BadAddress, match="The registers of ABB"):
        build_meter(ABB, Buses(), profile=empty)


def test_each_type_has_its_driver() -> None:
    buses = Buses()
    assert isinstance(build_meter(SIEMENS, buses), ModbusMeter)
    assert isinstance(build_meter(MeterAddress("sma_speedwire"), buses), SpeedwireMeter)


@pytest.mark.parametrize("slug", ["siemens_7km2200", "sma_speedwire", "sunspec_meter"])
def test_a_meter_with_a_register_of_energy_bills(slug: str) -> None:
    assert build_billing_meter(MeterAddress(slug, host="192.0.2.7"), Buses()).billing


def test_a_meter_without_a_register_of_energy_does_not_bill() -> None:
    profile = load_profile("siemens_7km2200")
    without = {n: r for n, r in profile.registers.items() if not n.startswith("energy")}
    meter = build_billing_meter(SIEMENS, Buses(), profile=replace(profile, registers=without))
    assert not meter.billing
