"""Every profile of `data/` is there and sound, and agrees with what the settings offer."""

from __future__ import annotations

import pytest

from borne.domain.settings.catalogue.meter_profiles import METERS, USER_DEFINED
from borne.domain.settings.entry import MeterReach
from borne.protocols.meter_profiles import (
    Refresh,
    SignedCurrent,
    Transport,
    load_profile,
    slugs,
)
from borne.protocols.meter_profiles.loading import profile_files

REACHES = {
    Transport.TCP: MeterReach.NETWORK,
    Transport.RTU: MeterReach.LINE,
    Transport.SPEEDWIRE: MeterReach.MULTICAST,
}


def test_the_settings_offer_what_has_a_profile_and_the_user_defined_one() -> None:
    assert {*slugs(), USER_DEFINED} == {meter.slug for meter in METERS}
    assert profile_files() == sorted(slugs())
    for slug in slugs():
        assert load_profile(slug).slug == slug


@pytest.mark.parametrize("slug", ["", "user_defined", "no_meter", "internal_meter", "../x"])
def test_another_slug_is_a_key_error(slug: str) -> None:
    with pytest.raises(KeyError):
        load_profile(slug)


def test_the_settings_reach_a_meter_as_it_is_connected() -> None:
    for meter in METERS:
        if meter.slug != USER_DEFINED:
            profile = load_profile(meter.slug)
            assert REACHES[profile.transport] == meter.reach, meter.slug


def test_the_settings_know_which_meters_give_currents_of_phases() -> None:
    for meter in METERS:
        if meter.slug not in (USER_DEFINED, "sunspec_meter"):
            capabilities = load_profile(meter.slug).capabilities
            assert capabilities.has_phase_currents == meter.per_phase, meter.slug
            assert capabilities.has_digital_input == meter.digital_input, meter.slug


def test_every_profile_has_a_source_and_power() -> None:
    for slug in slugs():
        profile = load_profile(slug)
        assert profile.sources, slug
        assert profile.vendor
        assert profile.model
        if not profile.sunspec:
            assert profile.capabilities.has_power, slug


@pytest.mark.parametrize(
    ("slug", "signed"),
    [
        ("tq_em300", SignedCurrent.BY_POWER),
        ("eastron_sdm630", SignedCurrent.BY_POWER),
        ("dzg_dvh4013", SignedCurrent.UNKNOWN),
        ("siemens_7kt1665", SignedCurrent.UNKNOWN),
    ],
)
def test_whence_a_current_has_its_sign(slug: str, signed: SignedCurrent) -> None:
    assert load_profile(slug).capabilities.signed_current is signed


def test_which_meters_give_a_serial_number() -> None:
    with_number = [slug for slug in slugs() if load_profile(slug).capabilities.has_serial_number]
    assert with_number == [
        "cg_em24_e1",
        "algodue_uem",
        "sma_speedwire",
        "cg_em24",
        "cg_em340",
        "eastron_sdm630",
        "eastron_sdm72v2",
        "eastron_sdm72",
        "abb_b23",
        "schneider_iem3x55",
        "inepro_pro380",
        "wago_879",
    ]


@pytest.mark.parametrize(
    ("slug", "what", "requests"),
    [
        # No hole is read: the registers of the EM300 stand apart, 20 by 20.
        (
            "tq_em300",
            Refresh.FAST,
            [(0, 4), (40, 4), (60, 4), (80, 4), (100, 4), (120, 4), (140, 4)],
        ),
        # Over listed registers (power factors), not over the hole up to 52.
        ("eastron_sdm630", Refresh.FAST, [(0, 18), (52, 2)]),
        ("eastron_sdm630", Refresh.ALL, [(0, 18), (52, 2), (70, 6)]),
        # 11 words at most, and never half a value.
        ("cg_em24", Refresh.FAST, [(0, 6), (12, 10), (22, 2), (40, 2)]),
        ("phoenix_eem_mb371", Refresh.FAST, [(0x8006, 30)]),
        ("abb_b23", Refresh.FAST, [(0x5B00, 6), (0x5B0C, 16)]),
    ],
)
def test_requests_of_a_poll(slug: str, what: Refresh, requests: list[tuple[int, int]]) -> None:
    assert [(b.address, b.count) for b in load_profile(slug).blocks(what)] == requests


def test_a_function_of_its_own() -> None:
    blocks = load_profile("sma_hm2_modbus").blocks(Refresh.ALL)
    assert [(b.function, b.address, b.count) for b in blocks] == [(3, 30581, 4), (4, 30865, 4)]
