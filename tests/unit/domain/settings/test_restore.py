"""Settings out of stored values: what is wrong becomes less, never more, and is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.settings import CATALOGUE, Amps, HardwareFacts, Settings
from borne.domain.settings.restore import restore, safe_values, stored_form

FACTS = HardwareFacts()


def test_stored_values_are_restored() -> None:
    raw: dict[str, Any] = {
        "OperatorCurrentLimit_2": 16,
        "DLMRole": "master",
        "DLMEVSESubDistributionLimit": [63, 63, 32],
        "AuthorizationKey": {"hex": "00112233445566778899aabbccddeeff"},
        "NTPServers": ["a.example", "b.example"],
    }
    restored = restore(raw, FACTS, 12)
    assert restored.problems == ()
    assert restored.settings.revision == 12
    assert stored_form(restored.settings, restored.aside) == raw


def test_unknown_values_are_kept() -> None:
    raw: dict[str, Any] = {
        "FutureSetting": {"deep": [1]},
        "OperatorCurrentLimit_7": 16,
        "FreeCharging": True,
    }
    restored = restore(raw, FACTS, 1)
    assert restored.settings.changed == {"FreeCharging"}
    assert len(restored.problems) == 2
    assert stored_form(restored.settings, restored.aside) == raw


@pytest.mark.parametrize(
    ("name", "stored", "value"),
    [
        ("OperatorCurrentLimit", "garbage", 6),
        ("OperatorCurrentLimit", 3, 6),
        ("OperatorCurrentLimit", None, 6),
        ("OperatorCurrentLimit", 63, 32),
        ("MaximumCurrent", 99, 80),
        ("MaximumCurrent", "99 A", 6),
        ("InstallationCurrentLimit", 40, 32),
        ("DLMEVSESubDistributionLimit", [63, 63], Amps(0, 0, 0)),
        ("DLMOperatorEVSESubDistributionLimit", [20, 10, 16], Amps(16, 10, 16)),
        ("TimeZone", 5.5, "UTC"),
        ("FreeCharging", "perhaps", False),
        ("IfInDoubtAllowCharging", "on", "off"),
        ("FreeChargingMode", "full_any_rfid", "no_ocpp"),
    ],
)
def test_an_invalid_limit_is_replaced_by_a_lower_one(name: str, stored: Any, value: object) -> None:
    restored = restore({name: stored}, FACTS, 1)
    assert restored.settings[name] == value
    assert len(restored.problems) == 1
    assert "is replaced" in str(restored.problems[0])


def test_smaller_hardware_lowers_the_whole_chain() -> None:
    raw: dict[str, Any] = {
        "MaximumCurrent": 16,
        "InstallationCurrentLimit": 32,
        "OperatorCurrentLimit": 25,
    }
    settings = restore(raw, FACTS, 1).settings
    assert settings["InstallationCurrentLimit"] == 16
    assert settings["OperatorCurrentLimit"] == 16


def test_lost_settings_leave_the_lowest_limits() -> None:
    settings = Settings(FACTS, safe_values(FACTS))
    for connector in (1, 2):
        assert settings.integer("OperatorCurrentLimit", connector) == 6
        assert settings.integer("MaximumCurrent", connector) == 6
    assert settings.amps("DLMEVSESubDistributionLimit") == Amps(0, 0, 0)
    assert settings.integer("DLMDisconnectedLimit") == 0


_LIMITS = sorted(key for key, entry in CATALOGUE.settings.items() if entry.safe is not None)
_RAW = (
    st.none()
    | st.booleans()
    | st.integers(-10, 200)
    | st.text(max_size=5)
    | st.lists(st.integers(-1, 99), max_size=4)
)


@given(st.dictionaries(st.sampled_from(_LIMITS), _RAW, max_size=6))
def test_after_any_restore_no_limit_exceeds_the_one_above(raw: dict[str, Any]) -> None:
    settings = restore(raw, FACTS, 1).settings
    for connector in (1, 2):
        operator = settings.integer("OperatorCurrentLimit", connector)
        installation = settings.integer("InstallationCurrentLimit", connector)
        assert operator <= installation <= settings.integer("MaximumCurrent", connector) <= 80
    pairs = zip(
        settings.amps("DLMOperatorEVSESubDistributionLimit"),
        settings.amps("DLMEVSESubDistributionLimit"),
        strict=True,
    )
    assert all(operator <= ceiling for operator, ceiling in pairs)
