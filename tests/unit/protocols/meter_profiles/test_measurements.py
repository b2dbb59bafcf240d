"""From registers to a measurement and back, for every profile, against registers that are written
from the description of the meter alone."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.meters.measurement import NO_PHASES, Measurement
from borne.protocols.meter_profiles import Block, Profile, Refresh, Transport, load_profile, slugs
from borne.protocols.meter_profiles.quantities import MEASURED
from borne.protocols.meter_profiles.register_types import WordOrder
from tests.support.meter_bank import FORMATS, MeterBank, description, scale_of

MODBUS = [
    slug
    for slug in slugs()
    if load_profile(slug).transport is not Transport.SPEEDWIRE and load_profile(slug).registers
]
PHASES = ("_l1", "_l2", "_l3")

volts = st.floats(90, 290)
amps = st.floats(0, 300)
watts = st.one_of(st.floats(-60_000, -20), st.floats(20, 60_000))
watt_hours = st.integers(0, 90_000_000)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    powers = (draw(watts), draw(watts), draw(watts))
    currents = [math.copysign(draw(amps), power) for power in powers]
    return Measurement(
        at_s=1.0,
        voltage_v=(draw(volts), draw(volts), draw(volts)),
        current_a=(currents[0], currents[1], currents[2]),
        power_w=powers,
        power_total_w=sum(powers),
        import_wh=draw(watt_hours),
        export_wh=draw(watt_hours),
        frequency_hz=draw(st.floats(45, 65)),
    )


def by_name(m: Measurement) -> dict[str, float]:
    """The measurement in the words of the register maps; currents signed."""
    found = {
        "power": m.power_total_w,
        "energy_import": m.import_wh,
        "energy_export": m.export_wh,
        "frequency": m.frequency_hz,
    }
    for index, place in enumerate(PHASES):
        found |= {
            f"voltage{place}": m.voltage_v[index],
            f"current{place}": m.current_a[index],
            f"power{place}": m.power_w[index],
        }
    return {name: value for name, value in found.items() if value is not None}


def shown(m: Measurement) -> dict[str, float]:
    """What the registers of a meter show: magnitudes of currents, and power in each direction."""
    values = by_name(m)
    for place in ("", *PHASES):
        power = values.get(f"power{place}", 0.0)
        values |= {f"power_import{place}": max(power, 0), f"power_export{place}": max(-power, 0)}
    return {name: abs(v) if name.startswith("current") else v for name, v in values.items()}


def expected(profile: Profile, m: Measurement) -> dict[str, float]:
    """What can be known from the registers that the profile has."""
    names = set(profile.registers)
    values = by_name(m)
    right = {name: values[name] for name in values if name in names}
    for place in ("", *PHASES):
        if f"power_import{place}" in names:
            right[f"power{place}"] = values[f"power{place}"]
    if all(f"power{place}" in right for place in PHASES):
        right["power"] = values["power"]
    for place in PHASES:
        if f"current{place}" in right and f"power{place}" not in right:
            right[f"current{place}"] = abs(right[f"current{place}"])
    return right


def tolerance(registers: Mapping[str, Mapping[str, object]], name: str, value: float) -> float:
    """The resolution of what gives `name`; energy is rounded down by a step."""
    if name in registers:
        parts, steps = [name], 1.0
    elif f"{name.replace('power', 'power_import')}" in registers:
        parts, steps = [name.replace("power", "power_import")], 1.0
    else:
        parts, steps = ["power_l1"], 3.0
    kind, scale = registers[parts[0]]["type"], scale_of(registers[parts[0]])
    if kind == "f32":
        return steps * (abs(value) * 2.0**-22 + 0.01) + (name[:6] == "energy") * 1.0
    if kind in ("t5", "t6"):
        return abs(value) * 2.0**-20 + 0.1
    return steps * scale + (name[:6] == "energy") * 1.0


def check(slug: str, profile: Profile, found: Measurement, right: Measurement) -> None:
    registers = description(slug)["registers"]
    known, wanted = by_name(found), expected(profile, right)
    assert set(known) == set(wanted)
    for name, value in wanted.items():
        assert known[name] == pytest.approx(value, abs=tolerance(registers, name, value)), name
        if name.startswith("energy"):
            assert known[name] <= value + tolerance(registers, name, value) - 1


def read(bank: MeterBank, blocks: Sequence[Block]) -> dict[tuple[int, int], int]:
    words = {}
    for block in blocks:
        answer = bank.read(block.function, block.address, block.count)
        for place, word in enumerate(answer):
            words[block.function, block.address + place] = word
    return words


@pytest.mark.parametrize("slug", MODBUS)
@given(right=measurements(), data=st.data())
@settings(max_examples=6)
def test_a_strict_meter_is_read_whole(slug: str, right: Measurement, data: st.DataObject) -> None:
    """With both orders of words, and any limit of words that holds the longest value."""
    profile = load_profile(slug)
    longest = max(register.count for register in profile.registers.values())
    max_words = data.draw(st.integers(longest, profile.max_words), label="max_words")
    order = data.draw(st.sampled_from(WordOrder), label="order")
    profile = replace(profile, word_order=order, max_words=max_words)
    bank = MeterBank(slug, shown(right), word_order=order.value, max_words=max_words)
    words = read(bank, profile.blocks(Refresh.ALL))
    check(slug, profile, profile.measurement(words, 2.0), right)


@pytest.mark.parametrize("slug", MODBUS)
@given(right=measurements())
@settings(max_examples=6)
def test_an_encoded_measurement_is_what_the_meter_shows(slug: str, right: Measurement) -> None:
    profile = load_profile(slug)
    encoded = profile.encode(right)
    check(slug, profile, profile.measurement(encoded, 2.0), right)
    bank = MeterBank(slug, shown(right))
    listed = set(bank.words)
    identities = {i.register for i in (profile.serial_number, profile.model_id) if i}
    of_identities = {
        (r.function, r.address + place) for r in identities for place in range(r.count)
    }
    served = {place for place in encoded if place[0] not in profile.also_functions}
    assert served - of_identities == listed


@pytest.mark.parametrize("slug", MODBUS)
def test_a_fast_poll_gives_all_but_energy_and_frequency(slug: str) -> None:
    profile = load_profile(slug)
    right = Measurement(1.0, (230, 231, 232), (1, 2, 3), (230, 462, 696), 1388, 1000, 2000, 50.0)
    bank = MeterBank(slug, shown(right))
    blocks = profile.blocks(Refresh.FAST)
    found = profile.measurement(read(bank, blocks), 7.0)
    everything = profile.measurement(read(bank, profile.blocks(Refresh.ALL)), 7.0)
    assert found.at_s == 7.0
    assert found.voltage_v == everything.voltage_v
    assert found.current_a == everything.current_a
    assert found.power_total_w == everything.power_total_w is not None
    assert len(blocks) <= len(profile.blocks(Refresh.ALL))


@pytest.mark.parametrize("slug", MODBUS)
def test_no_words_no_values(slug: str) -> None:
    found = load_profile(slug).measurement({}, 3.0)
    assert found == Measurement(3.0)


@pytest.mark.parametrize("slug", [s for s in MODBUS if load_profile(s).invalid])
def test_a_code_for_no_value_is_none(slug: str) -> None:
    profile = load_profile(slug)
    right = Measurement(
        1.0, (230, 231, 232), (1, 2, 3), (230, 462, 696), 1388, 10_000, 20_000, 50.0
    )
    tried = 0
    for name in sorted(MEASURED & set(profile.registers)):
        register = profile.registers[name]
        for code in sorted(profile.invalid.get(register.type, ())):
            bank = MeterBank(slug, shown(right))
            bank.put(name, code.to_bytes(2 * register.count, "big"))
            words = read(bank, profile.blocks(Refresh.ALL))
            lost = by_name(profile.measurement(words, 1.0))
            assert name.replace("_import", "").replace("_export", "") not in lost or (
                name.startswith("energy") and name not in lost
            )
            tried += 1
    assert tried


@pytest.mark.parametrize("slug", MODBUS)
def test_floats_that_are_no_numbers_are_none(slug: str) -> None:
    profile = load_profile(slug)
    registers = {n: r for n, r in profile.registers.items() if r.type in ("f32", "f64")}
    for name in sorted(MEASURED & set(registers)):
        for code in (0x7FC0, 0x7F80, 0xFF80) if registers[name].count == 2 else (0x7FF8, 0xFFF0):
            bank = MeterBank(slug, {})
            bank.put(name, code.to_bytes(2, "big") + bytes(2 * registers[name].count - 2))
            words = read(bank, profile.blocks(Refresh.ALL))
            values = by_name(profile.measurement(words, 1.0))
            assert values.get(name.removesuffix("_t2")) is None


@pytest.mark.parametrize("slug", MODBUS)
def test_what_is_unknown_is_encoded_as_no_value_or_zero(slug: str) -> None:
    profile = load_profile(slug)
    words = profile.encode(Measurement(1.0))
    found = by_name(profile.measurement(words, 1.0))
    for name, register in profile.registers.items():
        if name in found and not register.exponent:
            assert found[name] == 0
            assert register.type not in profile.invalid
    one_phase = Measurement(1.0, (230.0, None, None), (5.0, None, None), (1150.0, None, None))
    assert profile.measurement(profile.encode(one_phase), 1.0).voltage_v[1] in (None, 0.0)


@pytest.mark.parametrize("slug", MODBUS)
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_beyond_a_register_is_its_end(slug: str, sign: int) -> None:
    huge = sign * 1e15
    profile = load_profile(slug)
    m = Measurement(1.0, (huge,) * 3, (huge,) * 3, (huge,) * 3, huge, 10**30, 10**30, huge)
    words = profile.encode(m)
    assert all(0 <= word <= 0xFFFF for word in words.values())
    found = by_name(profile.measurement(words, 1.0))
    for name, value in found.items():
        if name.startswith("power") and name in profile.registers:
            assert value * sign > 30_000


def test_the_end_of_a_register_is_not_its_code_for_no_value() -> None:
    profile = load_profile("cg_em340")
    huge = Measurement(1.0, voltage_v=(1e15, -1e15, 230.0))
    found = profile.measurement(profile.encode(huge), 1.0)
    assert list(found.voltage_v) == pytest.approx([0x7FFFFFFE / 10, -0x80000000 / 10, 230.0])


def test_a_meter_shows_no_energy_before_it_has_counted_it() -> None:
    profile = load_profile("abb_b23")
    found = profile.measurement(profile.encode(Measurement(1.0, import_wh=19, export_wh=9)), 1.0)
    assert (found.import_wh, found.export_wh) == (10, 0)


@pytest.mark.parametrize("slug", MODBUS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_any_words_are_a_measurement(slug: str, seed: int) -> None:
    profile = load_profile(slug)
    chance = random.Random(seed)
    words = {
        place: chance.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF, chance.randrange(0x10000)))
        for place in profile.encode(Measurement(0.0))
    }
    found = profile.measurement(words, 1.0)
    for name, value in by_name(found).items():
        assert math.isfinite(value), name
        if name.startswith("energy"):
            assert 0 <= value < 2**63
    assert profile.likeness(words) >= 0
    assert found.serial_number.isprintable()
    assert profile.read_model(words).isprintable()


def test_energy_of_64_bits_loses_nothing() -> None:
    right = Measurement(1.0, import_wh=12_345_678_901_234_567, export_wh=99_999_999_999_999_999)
    profile = load_profile("tq_em300")
    found = profile.measurement(profile.encode(right), 1.0)
    assert (found.import_wh, found.export_wh) == (right.import_wh, right.export_wh)


def test_speedwire_values_by_obis_number() -> None:
    profile = load_profile("sma_speedwire")
    right = Measurement(
        1.0, (230.0, 231.0, 232.0), (1.0, 2.0, -3.0), (230.0, 462.0, -696.0), -4.0, 12, 34, 50.0
    )
    raw = profile.encode(right)
    assert raw[0, 0x010800] == 12 * 3600
    assert raw[0, 0x020400] == 40
    assert profile.measurement(raw, 1.0) == right
    assert profile.blocks(Refresh.ALL) == ()


def test_the_bank_knows_every_type() -> None:
    kinds = {r["type"] for slug in MODBUS for r in description(slug)["registers"].values()}
    assert kinds <= {*FORMATS, "t5", "t6"}
    assert NO_PHASES == (None, None, None)
