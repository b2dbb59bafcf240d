"""What a scan asks of an unknown device, and which profile it is taken for."""

from __future__ import annotations

import pytest

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import Profile, Transport, load_profile, slugs

SHOWN = Measurement(
    1.0, (230.0, 231.0, 232.0), (1.0, 2.0, 3.0), (230.0, 462.0, 696.0), 1388.0, 1200, 3400, 50.0
)
ASKED = [slug for slug in slugs() if load_profile(slug).transport is not Transport.SPEEDWIRE]
SUNSPEC = {(3, 40000): 0x5375, (3, 40001): 0x6E53}


def device_of(slug: str) -> dict[tuple[int, int], int]:
    return SUNSPEC if slug == "sunspec_meter" else load_profile(slug).encode(SHOWN)


def likeness(profile: Profile, device: dict[tuple[int, int], int]) -> float:
    words: dict[tuple[int, int], int] = {}
    for block in profile.fingerprint:
        places = [(block.function, block.address + n) for n in range(block.count)]
        if all(place in device for place in places):
            words |= {place: device[place] for place in places}
    return profile.likeness(words)


def same_registers(one: Profile, other: Profile) -> bool:
    names = {r.name: (r.address, r.type, r.scale) for r in one.registers.values()}
    others = {r.name: (r.address, r.type, r.scale) for r in other.registers.values()}
    shared = set(names) & set(others)
    return bool(shared) and all(names[name] == others[name] for name in shared)


@pytest.mark.parametrize("slug", ASKED)
def test_a_device_is_taken_for_what_it_is(slug: str) -> None:
    device = device_of(slug)
    found = {other: likeness(load_profile(other), device) for other in ASKED}
    best = max(found.values())
    assert found[slug] == best > 0
    for other, points in found.items():
        if points == best:
            assert other == slug or same_registers(load_profile(slug), load_profile(other)), other


@pytest.mark.parametrize("slug", ASKED)
def test_a_device_without_voltage_is_no_meter(slug: str) -> None:
    profile = load_profile(slug)
    if profile.capabilities.has_phase_voltages:
        assert likeness(profile, profile.encode(Measurement(1.0, frequency_hz=50.0))) == 0
    assert likeness(profile, {}) == 0


@pytest.mark.parametrize("volts", [60.0, 310.0, 6000.0])
def test_a_voltage_that_no_grid_has(volts: float) -> None:
    profile = load_profile("tq_em300")
    device = profile.encode(Measurement(1.0, (230.0, volts, 230.0), frequency_hz=50.0))
    assert likeness(profile, device) == 0


@pytest.mark.parametrize("hertz", [0.0, 44.0, 500.0])
def test_a_frequency_that_no_grid_has(hertz: float) -> None:
    profile = load_profile("tq_em300")
    device = profile.encode(Measurement(1.0, (230.0, 230.0, 230.0), frequency_hz=hertz))
    assert likeness(profile, device) == 0


def test_a_model_decides_between_equal_maps() -> None:
    device = load_profile("cg_em24_e1").encode(SHOWN)
    assert likeness(load_profile("cg_em24_e1"), device) == 15.0
    assert likeness(load_profile("cg_em340"), device) == 5.0
    device[3, 0x000B] = 340
    # Another model, or a newer one of the type.
    assert likeness(load_profile("cg_em24_e1"), device) == 2.5


def test_a_model_by_the_beginning_of_its_name() -> None:
    profile = load_profile("socomec_countis")
    device = profile.encode(SHOWN)
    for place, word in enumerate([0x436F, 0x756E, 0x7469, 0x7320, 0x4532, 0x3400, 0, 0]):
        device[3, 0xC38A + place] = word  # "Countis E24"
    assert likeness(profile, device) == 15.0


def test_one_phase_is_enough() -> None:
    one = Measurement(1.0, (230.0, None, None), (5.0, None, None), (1150.0, None, None), 1150.0)
    profile = load_profile("saia_ale3")
    assert likeness(profile, profile.encode(one)) == 1.0


def test_the_words_of_a_probed_meter_may_come_in_either_order() -> None:
    profile = load_profile("phoenix_eem_mb371")
    device = profile.encode(SHOWN)
    swapped = {(function, address ^ 1): word for (function, address), word in device.items()}
    assert likeness(profile, device) == likeness(profile, swapped) == 5.0
