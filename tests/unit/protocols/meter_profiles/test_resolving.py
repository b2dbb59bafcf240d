"""What is asked once: order of words, the models of a SunSpec meter, serial number."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import Profile, Refresh, load_profile
from borne.protocols.meter_profiles.register_types import WordOrder
from borne.protocols.meter_profiles.resolving import Unresolved, resolve
from borne.protocols.modbus.failures import ExceptionAnswer, NoAnswer, Unreachable
from tests.support.meter_bank import MeterBank

SHOWN = Measurement(
    1.0, (230.0, 231.0, 232.0), (1.0, 2.0, -3.0), (230.0, 462.0, -696.0), -4.0, 1200, 3400, 50.0
)


class Device:
    """Words by function and address; what is not there is refused."""

    def __init__(self, words: Mapping[tuple[int, int], int]) -> None:
        self.words = words
        self.requests: list[tuple[int, int, int]] = []

    async def read(self, function: int, address: int, count: int) -> list[int]:
        self.requests.append((function, address, count))
        try:
            return [self.words[function, address + place] for place in range(count)]
        except KeyError:
            raise ExceptionAnswer(1, 2) from None

    async def measure(self, profile: Profile) -> Measurement:
        words: dict[tuple[int, int], int] = {}
        for block in profile.blocks(Refresh.ALL):
            answer = await self.read(block.function, block.address, block.count)
            words |= {(block.function, block.address + n): word for n, word in enumerate(answer)}
        return profile.measurement(words, 1.0)


@pytest.mark.parametrize("order", WordOrder)
async def test_the_frequency_gives_the_order_of_words(order: WordOrder) -> None:
    device = Device(MeterBank("phoenix_eem_mb371", {"frequency": 50.02}, word_order=order).words)
    profile = await resolve(load_profile("phoenix_eem_mb371"), device.read)
    assert profile.word_order is order
    assert not profile.probe_word_order
    found = await device.measure(profile)
    assert found.frequency_hz == pytest.approx(50.02)
    assert device.requests[0] == (3, 0x800C, 2)


@pytest.mark.parametrize("hertz", [0.0, 44.9, 65.1])
async def test_no_order_of_words_is_guessed(hertz: float) -> None:
    device = Device(MeterBank("phoenix_eem_mb371", {"frequency": hertz}).words)
    with pytest.raises(Unresolved, match="45 to 65 Hz"):
        await resolve(load_profile("phoenix_eem_mb371"), device.read)


def sunspec(
    models: list[tuple[int, list[int]]], base: int, end: tuple[int, ...] = (0xFFFF, 0)
) -> dict[tuple[int, int], int]:
    words = [0x5375, 0x6E53]
    for number, body in models:
        words += [number, len(body), *body]
    words += end
    return {(3, base + place): word for place, word in enumerate(words)}


def common(serial: str) -> list[int]:
    body = [0] * 66
    raw = serial.encode().ljust(32, b"\0")
    body[48:64] = struct.unpack(">16H", raw)
    return body


def integer_meter() -> list[int]:
    """Model 203 with scale factors -2 for A, -1 for V, 1 for W, -2 for Hz, 2 for Wh."""
    body = [0x8000] * 105
    body[1:5] = [100, 200, 300, 0xFFFE]  # A per phase
    body[6:9] = [2300, 2310, 2320]
    body[13] = 0xFFFF
    body[14:16] = [5000, 0xFFFE]
    body[16:21] = [0xFFFF, 23, 46, 0xFFBA, 1]  # -10, 230, 460, -700 W
    body[36:38] = [0, 34]
    body[44:46] = [1, 0]
    body[52] = 2
    return body


def float_meter() -> list[int]:
    body = list(struct.unpack(">124H", struct.pack(">62f", *[float("nan")] * 62)))

    def put(offset: int, *values: float) -> None:
        body[offset - 2 : offset - 2 + 2 * len(values)] = struct.unpack(
            f">{2 * len(values)}H", struct.pack(f">{len(values)}f", *values)
        )

    put(4, 1.0, 2.0, 3.0)
    put(12, 230.0, 231.0, 232.0)
    put(26, 50.0, -4.0, 230.0, 462.0, -696.0)
    put(60, 3400.0)
    put(68, 1200.0)
    return body


@pytest.mark.parametrize("base", [40000, 50000, 0])
@pytest.mark.parametrize("model", [211, 212, 213, 214])
async def test_a_sunspec_meter_with_floats(base: int, model: int) -> None:
    device = Device(
        sunspec([(1, common("SN 4711")), (120, [0] * 26), (model, float_meter())], base)
    )
    profile = await resolve(load_profile("sunspec_meter"), device.read)
    assert profile.meter_serial == "SN 4711"
    found = await device.measure(profile)
    assert found.voltage_v == SHOWN.voltage_v
    assert found.current_a == SHOWN.current_a
    assert found.power_w == SHOWN.power_w
    assert (found.import_wh, found.export_wh, found.frequency_hz) == (1200, 3400, 50.0)
    assert found.serial_number == "SN 4711"


@pytest.mark.parametrize("model", [201, 202, 203, 204])
async def test_a_sunspec_meter_with_scale_factors(model: int) -> None:
    device = Device(sunspec([(1, common("7")), (model, integer_meter())], 40000))
    profile = await resolve(load_profile("sunspec_meter"), device.read)
    found = await device.measure(profile)
    assert found.current_a == (1.0, 2.0, -3.0)
    assert found.voltage_v == (230.0, 231.0, 232.0)
    assert found.power_w == (230.0, 460.0, -700.0)
    assert found.power_total_w == -10.0
    assert (found.import_wh, found.export_wh) == (6_553_600, 3400)
    assert found.frequency_hz == 50.0


async def test_what_a_sunspec_meter_does_not_have_is_none() -> None:
    body = [0x8000] * 105
    body[36:38], body[44:46] = [0, 0], [0x8000, 0]
    body[52] = 0
    device = Device(sunspec([(203, body)], 0))
    profile = await resolve(load_profile("sunspec_meter"), device.read)
    assert await device.measure(profile) == Measurement(1.0)


@pytest.mark.parametrize(
    "words",
    [
        {},
        sunspec([(1, common("1")), (103, [0] * 50)], 40000),
        sunspec([(1, common("1"))], 40000, end=(0, 0)),
        {(3, 40000): 0x1234, (3, 40001): 0x5678},
        # A length that leads in circles or beyond the last address.
        sunspec([(1, common("1"))], 40000, end=(5, 0xFFFF)),
        sunspec([(7, []) for _ in range(500)], 40000),
        sunspec([(7, [0] * 25_496), (213, [])], 40000),
    ],
    ids=["nothing", "inverter", "zero", "no mark", "beyond", "endless", "cut off"],
)
async def test_no_sunspec_meter(words: dict[tuple[int, int], int]) -> None:
    device = Device(words)
    with pytest.raises(Unresolved):
        await resolve(load_profile("sunspec_meter"), device.read)
    assert len(device.requests) < 60


async def test_a_sunspec_meter_is_encoded_once_it_is_known() -> None:
    assert load_profile("sunspec_meter").encode(SHOWN) == {}
    for number, body in ((213, float_meter()), (203, integer_meter())):
        device = Device(sunspec([(1, common("SN 4711")), (number, body)], 40000))
        profile = await resolve(load_profile("sunspec_meter"), device.read)
        found = profile.measurement(profile.encode(SHOWN), 1.0)
        assert found == replace(SHOWN, serial_number="SN 4711")


SERIALS = {
    "eastron_sdm630": ({(3, 0xFC00): 0x0001, (3, 0xFC01): 0x0002}, "65538"),
    "abb_b23": ({(3, 0x8900): 0, (3, 0x8901): 4711}, "4711"),
    "cg_em24_e1": (
        {(3, 0x5000 + n): word for n, word in enumerate([0x4B30, 0x3132, 0x3300, 0, 0, 0, 0])},
        "K0123",
    ),
}


@pytest.mark.parametrize(("slug", "words", "serial"), [(s, *v) for s, v in SERIALS.items()])
async def test_a_serial_number(slug: str, words: dict[tuple[int, int], int], serial: str) -> None:
    profile = await resolve(load_profile(slug), Device(words).read)
    assert profile.measurement({}, 1.0).serial_number == serial


async def test_a_meter_without_the_register_of_its_serial_number() -> None:
    profile = await resolve(load_profile("abb_b23"), Device({}).read)
    assert profile.meter_serial == ""


async def test_a_serial_number_marked_as_invalid() -> None:
    words = {(3, 0x8900): 0xFFFF, (3, 0x8901): 0xFFFF}
    assert (await resolve(load_profile("abb_b23"), Device(words).read)).meter_serial == ""


async def test_no_answer_costs_the_serial_number_no_connection_the_meter() -> None:
    async def silent(*_: int) -> list[int]:
        raise NoAnswer("silent")

    async def gone(*_: int) -> list[int]:
        raise Unreachable("gone")

    assert (await resolve(load_profile("abb_b23"), silent)).meter_serial == ""
    with pytest.raises(Unreachable):
        await resolve(load_profile("abb_b23"), gone)


async def test_the_encoded_serial_number_is_read() -> None:
    shown = Measurement(1.0, serial_number="1234567")
    for slug in SERIALS:
        device = Device(load_profile(slug).encode(shown))
        assert (await resolve(load_profile(slug), device.read)).meter_serial == "1234567"
