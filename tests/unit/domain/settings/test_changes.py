"""A request to change settings is checked as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.principals import BACKEND, SYSTEM, Principal, PrincipalKind, Role
from borne.domain.settings import CATALOGUE, Feature, HardwareFacts, Settings
from borne.domain.settings.changes import Plan, plan
from borne.domain.settings.rules import conflicts
from borne.domain.settings.values import Form

ALL = frozenset(CATALOGUE.settings)
OPERATOR = Principal(PrincipalKind.PERSON, Role.OPERATOR)


def planned(changes: dict[str, Any], settings: Settings | None = None, **how: Any) -> Plan:
    return plan(settings or Settings(), changes, how.pop("by", OPERATOR), active=ALL, **how)


def test_all_errors_are_reported_together() -> None:
    result = planned(
        {"Nothing": 1, "MaximumCurrent": 16, "FreeCharging": "maybe", "OperatorCurrentLimit": 99}
    )
    assert set(result.errors) == {
        "Nothing",
        "MaximumCurrent",
        "FreeCharging",
        "OperatorCurrentLimit",
    }


def test_equal_values_are_no_change() -> None:
    result = planned({"FreeCharging": False, "OperatorCurrentLimit": 16, "TimeZone": "UTC"})
    assert result.asked == ("FreeCharging", "OperatorCurrentLimit", "TimeZone")
    assert result.changed == ("OperatorCurrentLimit",)


def test_a_restart_is_required_as_the_catalogue_says() -> None:
    result = planned({"DLMRole": "master", "OperatorCurrentLimit": 16})
    assert result.restart_names == ("DLMRole",)


def test_none_restores_the_default() -> None:
    settings = Settings(stored={"OperatorCurrentLimit": 16, "TimeZone": "Europe/Berlin"})
    result = planned({"OperatorCurrentLimit": None, "TimeZone": None}, settings)
    assert not result.errors
    assert result.after.changed == frozenset()


def test_a_limit_equal_to_a_lowered_default_is_kept() -> None:
    """Raising the installation limit later must not raise what the operator chose."""
    low = Settings(stored={"InstallationCurrentLimit": 16})
    chosen = planned({"OperatorCurrentLimit": 16}, low).after
    raised = planned({"InstallationCurrentLimit": 32}, chosen).after
    assert raised["OperatorCurrentLimit"] == 16


def test_planned_settings_are_read_only() -> None:
    result = plan(Settings(), {"FreeCharging": True}, SYSTEM, active=frozenset())
    assert str(result.errors["FreeCharging"]).startswith("Planned:")


@pytest.mark.parametrize(
    ("key", "value", "missing"),
    [
        ("APN", "internet", Feature.MODEM),
        ("WLANEnabled", True, Feature.WLAN),
        ("HLC15118Mode", "offer", Feature.PLC),
        ("PhaseSwitchFunction", "modbus", Feature.PHASE_SWITCHING),
    ],
)
def test_settings_of_missing_hardware_are_refused(
    key: str, value: object, missing: Feature
) -> None:
    facts = HardwareFacts(features=frozenset(Feature) - {missing})
    assert not planned({key: value}, by=SYSTEM).errors
    assert "This station" in str(planned({key: value}, Settings(facts), by=SYSTEM).errors[key])


def test_one_socket_has_no_single_supply_line() -> None:
    result = planned({"SingleSupplyLine": True}, Settings(HardwareFacts(connectors=1)))
    assert str(result.errors["SingleSupplyLine"]) == "This needs a station with 2 sockets."


@pytest.mark.parametrize(
    ("view", "raw", "base", "before", "after"),
    [
        ("StopTransactionOnEVSideDisconnect", "false", "StopTransactionMode",
         "normal", "only_rfid_remote"),
        ("StopTransactionOnEVSideDisconnect", "true", "StopTransactionMode",
         "only_rfid_remote", "normal"),
        ("StopTransactionOnEVSideDisconnect", "true", "StopTransactionMode",
         "normal_mode_d_rcd", "normal_mode_d_rcd"),
        ("AllowOfflineTxForUnknownId", "true", "IfInDoubtAllowCharging", "off", "on"),
        ("AllowOfflineTxForUnknownId", "true", "IfInDoubtAllowCharging",
         "immediately", "immediately"),
        ("AllowOfflineTxForUnknownId", "false", "IfInDoubtAllowCharging", "immediately", "off"),
    ],
)  # fmt: skip
def test_derived_keys_write_what_they_show(
    view: str, raw: str, base: str, before: str, after: str
) -> None:
    """Decision D30."""
    start = planned({"ConnectionType": "ethernet", base: before}).after
    result = planned({view: raw}, start, by=BACKEND, form=Form.OCPP)
    assert not result.errors
    assert result.asked == (view,)
    assert result.after[base] == after
    assert result.after[view] is (raw == "true")


def test_contradicting_values_of_a_view_and_its_setting_are_refused() -> None:
    both = {"StopTransactionMode": "normal", "StopTransactionOnEVSideDisconnect": False}
    result = planned(both)
    assert "contradicts Stop Transaction Mode" in str(
        result.errors["StopTransactionOnEVSideDisconnect"]
    )


def test_a_view_obeys_the_rules_of_its_setting() -> None:
    """Decision D36: without a backend there is no charging in doubt."""
    result = planned({"AllowOfflineTxForUnknownId": True})
    assert set(result.errors) == {"AllowOfflineTxForUnknownId"}


def test_keys_of_a_backend_are_read_in_any_letter_case() -> None:
    result = planned({"operatorcurrentlimit_2": "16"}, by=BACKEND, form=Form.OCPP)
    assert result.asked == ("OperatorCurrentLimit_2",)
    assert "operatorcurrentlimit" in planned({"operatorcurrentlimit": 16}).errors


def test_a_backend_raises_the_security_profile_and_never_lowers_it() -> None:
    """Security whitepaper, A05.FR.01."""
    ready = planned(
        {
            "AuthorizationKey": "x" * 16,
            "WebSocketsBackendURL": "wss://x.example",
            "SecurityProfile": 1,
        }
    ).after
    assert not planned({"SecurityProfile": "2"}, ready, by=BACKEND, form=Form.OCPP).errors
    lowered = planned({"SecurityProfile": "0"}, ready, by=BACKEND, form=Form.OCPP)
    assert str(lowered.errors["SecurityProfile"]) == "A backend may only raise this."
    assert not planned({"SecurityProfile": 0}, ready).errors


def test_too_many_changes_at_once_are_refused() -> None:
    assert planned({f"k{n}": n for n in range(501)}).errors


_NUMBERS = {
    "OperatorCurrentLimit": st.sampled_from([0, 6, 10, 16, 32, 63]),
    "OperatorCurrentLimit_2": st.sampled_from([0, 6, 10, 16, 32, 63]),
    "InstallationCurrentLimit": st.sampled_from([6, 16, 32, 63]),
    "MaximumCurrent": st.sampled_from([6, 16, 32, 63]),
    "SingleSupplyLine": st.booleans(),
    "SupplyLineCurrentCapacity": st.sampled_from([6, 20, 32, 63]),
    "StationCurrentCapacity": st.sampled_from([6, 32, 80]),
    "DLMEVSESubDistributionLimit": st.sampled_from(["0", "16", "63,32,16"]),
    "DLMOperatorEVSESubDistributionLimit": st.sampled_from(["0", "16", "63,32,16"]),
    "ConnectionType": st.sampled_from(["no_backend", "ethernet"]),
    "IfInDoubtAllowCharging": st.sampled_from(["off", "on"]),
    "FreeChargingMode": st.integers(1, 6),
}
_wishes = st.lists(
    st.dictionaries(
        st.sampled_from(sorted(_NUMBERS)), st.none() | st.integers(0, 5), min_size=1, max_size=4
    ).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {key: st.none() if raw is None else _NUMBERS[key] for key, raw in chosen.items()}
        )
    ),
    max_size=8,
)
_LIMIT_RULES = {"EnergyManExternalInputLimit", "DLMMinimumCurrentLimit"}


@given(_wishes)
def test_accepted_changes_never_leave_a_contradiction(requests: list[dict[str, Any]]) -> None:
    settings = Settings()
    for request in requests:
        result = planned(request, settings, by=SYSTEM)
        if not result.errors:
            settings = result.after
        assert not set(conflicts(settings)) - _LIMIT_RULES
        for connector in (1, 2):
            operator = settings.integer("OperatorCurrentLimit", connector)
            assert operator <= settings.integer("MaximumCurrent", connector)
