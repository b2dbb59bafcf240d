"""Presets of providers: the values of manual 1.3, accepted by the catalogue."""

from __future__ import annotations

import pytest

from borne.application.backend.presets import Preset, presets
from borne.domain.principals import SYSTEM
from borne.domain.settings import CATALOGUE
from tests.unit.application.settings_doubles import open_service


def test_the_presets_are_those_of_the_manual() -> None:
    assert [preset.name for preset in presets()] == ["E-Flux", "LMS", "TotalEnergies"]


@pytest.mark.parametrize("mobile", [False, True])
@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.key)
def test_every_preset_has_valid_values(preset: Preset, mobile: bool) -> None:
    changes = preset.changes(mobile=mobile)
    service = open_service(active=frozenset(CATALOGUE.settings))
    assert service.plan(changes, SYSTEM).errors == {}
    assert changes["OCPPMode"] == "json_1_6"


def test_the_preset_of_total() -> None:
    (total,) = (preset for preset in presets() if preset.key == "totalenergies")
    assert total.changes(mobile=False)["RFIDTagLetterCase"] == "upper"
    assert total.changes(mobile=True)["APN"] == "wlapn.com"
    assert "APN" not in total.changes(mobile=False)
