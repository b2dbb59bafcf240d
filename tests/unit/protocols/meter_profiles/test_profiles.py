"""Every profile of `data/`: it is there, sound, and asks only what the meter answers."""

from __future__ import annotations

import pytest

from borne.domain.settings.catalogue.meter_profiles import METERS
from borne.domain.settings.entry import MeterReach
from borne.protocols.meter_profiles import USER_DEFINED, Transport, load_profile, slugs


def test_the_settings_offer_what_has_a_profile_and_the_user_defined_one() -> None:
    assert {*slugs(), USER_DEFINED} == {meter.slug for meter in METERS}
    for slug in slugs():
        assert load_profile(slug).slug == slug


@pytest.mark.parametrize("slug", ["", "user_defined", "no_meter", "internal_meter", "../x"])
def test_another_slug_is_a_key_error(slug: str) -> None:
    with pytest.raises(KeyError):
        load_profile(slug)


def test_what_the_settings_call_tcp_is_reached_by_tcp() -> None:
    for meter in METERS:
        if meter.slug != USER_DEFINED:
            tcp = load_profile(meter.slug).transport is Transport.TCP
            assert tcp == (meter.reach is MeterReach.NETWORK), meter.slug
