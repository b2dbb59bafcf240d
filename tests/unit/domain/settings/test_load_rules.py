"""Contradictions between the settings of load management, and what is only warned of."""

from __future__ import annotations

from typing import Any

import pytest

from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.changes import plan
from borne.domain.settings.choices import (
    DlmInput1,
    DlmRole,
    EthernetMode,
    ExternalInput,
    OptoInput,
)
from borne.domain.settings.entry import Amps, Feature, HardwareFacts
from borne.domain.settings.load_rules import warnings
from borne.domain.settings.restore import restore
from borne.domain.settings.rules import conflicts
from borne.domain.settings.snapshot import Settings

INSTALLER = Principal(PrincipalKind.PERSON, Role.INSTALLER)
MASTER: dict[str, Any] = {"DLMRole": DlmRole.MASTER}
METER: dict[str, Any] = {
    **MASTER,
    "DLMExternalMeterSupport": True,
    "SecondMeterIP": "192.168.1.9",
    "DLMMainDistributionLimit": Amps(100, 100, 100),
}


def of(**values: Any) -> Settings:
    return Settings(stored={**MASTER, **values})


@pytest.mark.parametrize(
    ("stored", "key", "words"),
    [
        ({**METER, "DLMMainDistributionLimit": None}, "DLMMainDistributionLimit", "main fuse"),
        (
            {**METER, "DLMExternalLoadHeadroom": Amps(0, 100, 0)},
            "DLMExternalLoadHeadroom",
            "At most 99/99/99 A",
        ),
        ({**MASTER, "DLMMinimumCurrentLimit": 17}, "DLMMinimumCurrentLimit", "16/16/16 A"),
        ({**MASTER, "DLMGroup": "hall"}, "DLMGroup", "no group hall"),
        ({**MASTER, "DLMGroups": ("root;;63,63,63",)}, "DLMGroups", "root"),
        ({**MASTER, "DLMGroups": ("a;b;63,63,63",)}, "DLMGroups", "no group b"),
        (
            {**MASTER, "DLMGroups": ("a;b;63,63,63", "b;a;63,63,63")},
            "DLMGroups",
            "its own parent",
        ),
        (
            {
                **MASTER,
                "RCDInput": OptoInput.OPTO_1,
                "DLMExternalInput1Config": DlmInput1.OPTO_1_INVERTED,
            },
            "DLMExternalInput1Config",
            "Input 1 is already used by RCD",
        ),
        (
            {"SPDInput": OptoInput.OPTO_2, "EnergyManExternalInput": ExternalInput.OPTO_2},
            "EnergyManExternalInput",
            "Input 2 is already used by SPD",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_contradiction_is_refused_in_words(stored: dict[str, Any], key: str, words: str) -> None:
    found = conflicts(Settings(stored={k: v for k, v in stored.items() if v is not None}))
    assert words in str(found[key])


@pytest.mark.parametrize(
    "stored",
    [
        METER,
        {**METER, "DLMRole": DlmRole.DISABLED, "DLMExternalLoadHeadroom": Amps(100, 100, 100)},
        {**MASTER, "DLMMinimumCurrentLimit": 16},
        {**MASTER, "DLMGroups": ("hall;;63,63,63",), "DLMGroup": "hall"},
        {"DLMRole": DlmRole.SLAVE_AUTO, "DLMGroup": "known to the master"},
        {
            **MASTER,
            "EnergyManExternalInput": ExternalInput.OPTO_1,
            "DLMExternalInput1Config": DlmInput1.OPTO_1,
        },
        {"EnergyManExternalInput": ExternalInput.MAINS_230V, "RCDInput": OptoInput.OPTO_1},
    ],
)
def test_what_fits_together_is_accepted(stored: dict[str, Any]) -> None:
    assert conflicts(Settings(stored=stored)) == {}


@pytest.mark.parametrize("role", ["slave_auto", "slave_fixed"])
def test_a_slave_needs_a_link_to_its_master(role: str) -> None:
    alone = Settings(HardwareFacts(features=frozenset(Feature) - {Feature.GROUP_LINK}))
    changes = {"DLMRole": role, "DLMMasterAddress": "10.0.0.1:7010"}
    result = plan(alone, changes, INSTALLER, active=ACTIVE | set(changes))
    assert "no network link" in str(result.errors["DLMRole"])
    linked = plan(Settings(), changes, INSTALLER, active=ACTIVE | set(changes))
    assert linked.errors == {}


def test_a_stored_slave_role_is_never_replaced_by_no_load_management() -> None:
    alone = HardwareFacts(features=frozenset(Feature) - {Feature.GROUP_LINK})
    restored = restore({"DLMRole": "slave_auto"}, alone, 1)
    assert restored.settings.choice("DLMRole", DlmRole) is DlmRole.SLAVE_AUTO
    assert restored.problems == ()


@pytest.mark.parametrize(
    ("stored", "warned"),
    [
        ({"WANRouter": True}, {"WANRouter"}),
        ({"WANRouter": True, "DLMRole": DlmRole.DISABLED}, set()),
        (
            {"DLMRole": DlmRole.SLAVE_FIXED, "EthernetConfigMode": EthernetMode.AUTO},
            {"EthernetConfigMode"},
        ),
        ({"DLMRole": DlmRole.SLAVE_FIXED, "EthernetConfigMode": EthernetMode.MANUAL}, set()),
        ({"DLMDisconnectedLimit": 5}, {"DLMDisconnectedLimit"}),
        ({"DLMDisconnectedLimit": 0}, set()),
        ({"DLMMaxCurrentScheduler": True}, {"DLMMaxCurrentSchedule"}),
        ({**METER, "DLMExternalLoadFallback": Amps(0, 0, 0)}, {"DLMExternalLoadFallback"}),
    ],
)
def test_what_is_dangerous_is_warned_of(stored: dict[str, Any], warned: set[str]) -> None:
    assert set(warnings(of(**stored))) == warned


@pytest.mark.parametrize("value", ["1.Unknown", "1.UNKNOWN,2.RST"])
def test_ocpp_knows_an_unknown_rotation(value: str) -> None:
    from borne.application.settings.settings_configuration import phase_rotations
    from borne.domain.settings.ocpp_view import configuration
    from borne.domain.settings.values import Form

    changes = phase_rotations(value, 2)
    assert changes is not None
    result = plan(Settings(), changes, INSTALLER, form=Form.OCPP)
    assert result.errors == {}
    (key,), _ = configuration(result.after, ["ConnectorPhaseRotation"])
    assert key.value == "0.RST,1.Unknown,2.RST"
