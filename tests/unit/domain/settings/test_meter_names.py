"""Types of meters by what people write."""

from __future__ import annotations

import pytest

from borne.domain.settings.catalogue.meter_profiles import METERS
from borne.domain.settings.meter_names import find_meter_type, nearest_labels


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.slug)
def test_every_meter_is_found_by_label_and_slug(meter: object) -> None:
    assert meter in METERS
    found = next(each for each in METERS if each == meter)
    for name in (found.label, found.label.upper(), found.slug, found.label.removesuffix(" (TCP)")):
        assert find_meter_type(name) == found


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Modbus TQ EM300-LR (TCP)", "kostal_ksem"),
        ("Modbus Phoenix Contact EEM-MB371 / EEM-MB370 (TCP)", "phoenix_eem_mb371"),
        ("eem-mb370", "phoenix_eem_mb371"),
        ("EM540", "cg_em340"),
        ("Modbus Janitza UMG 605 PRO (TCP)", "janitza_umg"),
        ("Modbus TQ EM410/EM420 (TCP)", "tq_em420"),
        ("EEM-MB371", "phoenix_eem_mb371"),
        ("sdm630", "eastron_sdm630"),
    ],
)
def test_one_model_of_a_label_is_enough(name: str, slug: str) -> None:
    found = find_meter_type(name)
    assert found is not None
    assert found.slug == slug


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SDM72", "Modbus Eastron SDM72D-M v2 (RTU)"),
        ("Siemens 7KM2000", "Modbus Siemens 7KM2200 (TCP)"),
    ],
)
def test_an_unknown_name_has_near_ones(name: str, nearest: str) -> None:
    assert find_meter_type(name) is None
    assert nearest_labels(name)[0] == nearest


@pytest.mark.parametrize("name", ["", "()", "x" * 100_000])
def test_nothing_is_like_nonsense(name: str) -> None:
    assert find_meter_type(name) is None
    assert nearest_labels(name) == []
