"""What simulated meters answer and send, before any socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace

import pytest

from borne.adapters.simulation import speedwire_sender, sunspec
from borne.adapters.simulation.meter_setup import MeterFault, MeterSetup
from borne.adapters.simulation.meter_types import SIMULATED, UnknownType, meter_type
from borne.adapters.simulation.register_map import RegisterMap, functions_of
from borne.adapters.simulation.speedwire_sender import SpeedwireSender, packet
from borne.domain.meters.measurement import Measurement
from borne.protocols import speedwire
from borne.protocols.meter_profiles import Profile, Refresh, load_profile
from borne.protocols.meter_profiles.resolving import resolve
from borne.protocols.modbus.failures import ExceptionAnswer, ExceptionCode
from borne.protocols.modbus.pdu import Read, Write
from tests.support.virtual_time import virtual_time

MEASURED = Measurement(
    at_s=5.0,
    voltage_v=(230.0, 231.5, 229.0),
    current_a=(12.0, -7.5, 0.0),
    power_w=(2760.0, -1736.0, 0.0),
    power_total_w=1024.0,
    import_wh=1_234_567,
    export_wh=89_012,
    frequency_hz=50.01,
    serial_number="SIM1234567",
)
MODBUS = [slug for slug in SIMULATED if slug != "sma_speedwire"]


def answer(profile: Profile, request: Read | Write) -> tuple[int, ...] | ExceptionCode:
    return RegisterMap(profile).answer(request, lambda: MEASURED)


@pytest.mark.parametrize("slug", MODBUS)
def test_nothing_is_written_and_no_other_function_is_known(slug: str) -> None:
    profile = load_profile(slug)
    for function in {1, 2, 3, 4} - functions_of(profile):
        assert answer(profile, Read(function, 0, 2)) is ExceptionCode.ILLEGAL_FUNCTION
    for write in (Write(6, 0, (1,)), Write(16, 0, (1, 2)), Write(5, 0, (1,))):
        assert answer(profile, write) is ExceptionCode.ILLEGAL_FUNCTION


@pytest.mark.parametrize("slug", MODBUS)
def test_only_registers_of_the_map_are_read_and_not_too_many(slug: str) -> None:
    profile = load_profile(slug)
    function = profile.function
    if profile.max_words < 125:
        too_many = Read(function, 0, profile.max_words + 1)
        assert answer(profile, too_many) is ExceptionCode.ILLEGAL_VALUE
    words = sunspec.registers(MEASURED) if profile.sunspec else profile.encode(MEASURED)
    listed = sorted(a for f, a in words if f == function)
    for beyond in (max(listed) + 2, 0xFFF0):
        if beyond not in listed:
            assert answer(profile, Read(function, beyond, 2)) is ExceptionCode.ILLEGAL_ADDRESS
    if slug == "sunspec_meter":
        return
    hole = next((a for a in range(min(listed), max(listed)) if a not in listed), None)
    if hole is not None and not profile.even:
        expected = (0,) if profile.holes else ExceptionCode.ILLEGAL_ADDRESS
        assert answer(profile, Read(function, hole, 1)) == expected
    if profile.even:
        for odd in (Read(function, listed[0] | 1, 2), Read(function, listed[0] & ~1, 1)):
            assert answer(profile, odd) is ExceptionCode.ILLEGAL_ADDRESS


async def resolved(slug: str) -> tuple[Profile, Measurement]:
    """The profile and the values of the simulated meter as the station finds them."""
    registers = RegisterMap(load_profile(slug))

    async def read(function: int, address: int, count: int) -> Sequence[int]:
        found = registers.answer(Read(function, address, count), lambda: MEASURED)
        if isinstance(found, ExceptionCode):
            raise ExceptionAnswer(1, found)
        return found

    profile = await resolve(load_profile(slug), read)
    words = {}
    for block in profile.blocks(Refresh.ALL):
        found = await read(block.function, block.address, block.count)
        for place, word in enumerate(found, block.address):
            words[block.function, place] = word
    return profile, profile.measurement(words, 5.0)


@pytest.mark.parametrize("slug", MODBUS)
async def test_the_station_finds_what_it_shows(slug: str) -> None:
    profile, found = await resolved(slug)
    if profile.serial_number is not None:
        assert found.serial_number == profile.meter_serial
        assert profile.meter_serial.removeprefix("SIM") == "1234567"
    for known, shown, near in (
        (found.voltage_v, MEASURED.voltage_v, 1),
        (found.power_w, MEASURED.power_w, 10),
    ):
        assert all(
            value is None or value == pytest.approx(right, abs=near)
            for value, right in zip(known, shown, strict=True)
        )
    for energy, right_wh in ((found.import_wh, 1_234_567), (found.export_wh, 89_012)):
        assert energy is None or right_wh - 1000 < energy <= right_wh


async def test_a_sunspec_meter_has_integers_with_scale_factors() -> None:
    _, found = await resolved("sunspec_meter")
    assert found.current_a == (12.0, -7.5, 0.0)
    assert found.voltage_v == (230.0, 231.5, 229.0)
    assert found.power_w == (2760.0, -1736.0, 0.0)
    assert (found.power_total_w, found.frequency_hz) == (1024.0, 50.01)
    assert (found.import_wh, found.export_wh) == (1_234_567, 89_012)
    assert found.serial_number == "SIM1234567"


def test_a_sunspec_meter_changes_the_scale_of_large_powers() -> None:
    large = replace(MEASURED, power_w=(70_000.0, -70_000.0, 0.0), power_total_w=150_000.0)
    registers = RegisterMap(load_profile("sunspec_meter"))
    found = registers.answer(Read(3, 40_070 + 18, 5), lambda: large)
    assert found == (15_000, 7_000, 65_536 - 7_000, 0, 1)


# Types --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "label"), list(SIMULATED.items()))
def test_a_type_is_found_by_slug_and_label(slug: str, label: str) -> None:
    assert meter_type(slug) == meter_type(label) == meter_type(label.upper()) == slug


@pytest.mark.parametrize("text", ["", "user_defined", "toaster 3000", "no_meter"])
def test_an_unknown_type_is_refused(text: str) -> None:
    with pytest.raises(UnknownType):
        meter_type(text)


# Speedwire ----------------------------------------------------------------------------------------


def test_a_packet_is_read_by_the_station() -> None:
    data = packet(MEASURED, 1_234_567, 99, speedwire_sender.PROTOCOL)
    found = speedwire.measurement(speedwire.parse(data), load_profile("sma_speedwire"), 5.0)
    assert found == replace(MEASURED, serial_number="1234567")


def test_a_value_that_is_not_measured_is_left_out() -> None:
    data = packet(Measurement(1.0), 7, 0, speedwire_sender.PROTOCOL)
    found = speedwire.measurement(speedwire.parse(data), load_profile("sma_speedwire"), 1.0)
    assert found == Measurement(1.0, serial_number="7")


class Sent(socket.socket):
    """Keeps what would be sent."""

    packets: list[bytes]

    def sendto(self, data: bytes, *_: object) -> int:  # type: ignore[override]
        self.packets.append(bytes(data))
        return len(data)


@virtual_time
async def test_it_sends_once_a_second_and_fails_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    packets: list[bytes] = []
    monkeypatch.setattr(Sent, "packets", packets, raising=False)
    monkeypatch.setattr(socket, "socket", Sent)
    sender = SpeedwireSender(MeterSetup("sma", "sma_speedwire"), lambda: MEASURED)
    await sender.start()
    await asyncio.sleep(10.5)
    assert (len(packets), sender.requests) == (11, 11)
    sender.fault = MeterFault.SILENT
    await asyncio.sleep(10)
    assert len(packets) == 11
    for fault in (MeterFault.GARBAGE, MeterFault.WRONG_UNIT):
        sender.fault = fault
        packets.clear()
        await asyncio.sleep(2)
        assert len(packets) == 2
        for data in packets:
            with pytest.raises(speedwire.NotAPacket):
                speedwire.parse(data)
    sender.fault = None
    await asyncio.sleep(1)
    assert speedwire.parse(packets[-1]).serial_number == 1_234_567
    await sender.stop()
    packets.clear()
    await asyncio.sleep(5)
    assert packets == []
