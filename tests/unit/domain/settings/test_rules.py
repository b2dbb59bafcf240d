"""What settings demand of each other (manual 1.4, 4, 5.1, 7.2 to 7.4; D34, D36, D37)."""

from __future__ import annotations

from typing import Any

import pytest

from borne.domain.principals import SYSTEM
from borne.domain.settings import CATALOGUE, Amps, HardwareFacts, Settings
from borne.domain.settings.changes import plan
from borne.domain.settings.rules import RULES, conflicts

ALL = frozenset(CATALOGUE.settings)
METER = {"DLMRole": "master", "DLMExternalMeterSupport": True, "DLMMainDistributionLimit": "63"}

ON_LINE = {"MeterConfig": "saia_ale3", "MeterSerialPort": "/dev/ttyUSB0", "MeterParity": "even"}
BEHIND_GATEWAY = {
    "MeterConfig": "saia_ale3",
    "MeterConfig_2": "saia_ale3",
    "MeterSerialPort": "tcp://192.168.1.7:4001",
    "MeterSerialPort_2": "rtu://192.168.1.7:4001",
}
SPEEDWIRE = {
    "MeterConfig": "sma_speedwire",
    "MeterConfig_2": "sma_speedwire",
    "MeterIP": "192.168.1.7",
}
ON_LINE_TOO = {f"{key}_2": value for key, value in ON_LINE.items()} | {"MeterUnitId_2": 2}


def errors(changes: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, str]:
    start = plan(Settings(), before or {}, SYSTEM, active=ALL)
    assert not start.errors
    planned = plan(start.after, changes, SYSTEM, active=ALL)
    return {name: str(message) for name, message in planned.errors.items()}


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({}, {"InstallationCurrentLimit": 16}),
        ({}, {"MaximumCurrent": 10, "MaximumCurrent_2": 10}),
        ({"OperatorCurrentLimit": 20}, {"OperatorCurrentLimit": 0}),
        ({"OperatorCurrentLimit": 20}, {"InstallationCurrentLimit": 20}),
        ({"OperatorCurrentLimit": 20}, {"InstallationCurrentLimit": 16, "OperatorCurrentLimit": 6}),
        ({}, {"MaximumCurrent": 63, "InstallationCurrentLimit": 63, "OperatorCurrentLimit": 63}),
        (
            {"SingleSupplyLine": True, "StationCurrentCapacity": 40},
            {"SupplyLineCurrentCapacity": 40},
        ),
        ({"EnergyManExternalInputLimit": 10}, {"OperatorCurrentLimit": 0}),
        ({"EnergyManExternalInputLimit": 10}, {"OperatorCurrentLimit_2": 6}),
        ({"DLMRole": "master", "DLMMinimumCurrentLimit": 8}, {"OperatorCurrentLimit": 6}),
        (
            {"DLMEVSESubDistributionLimit": "63"},
            {"DLMOperatorEVSESubDistributionLimit": "63,32,0"},
        ),
        ({}, {"EthernetConfigMode": "manual", "StaticGateway": "192.168.1.1"}),
        ({}, {"StaticGateway": "10.0.0.1"}),
        ({"ConnectionType": "ethernet"}, {"IfInDoubtAllowCharging": "on", "FreeChargingMode": 5}),
        ({}, METER),
        ({}, {"DLMExternalMeterSupport": True}),
        (
            {"AuthorizationKey": "x" * 16, "WebSocketsBackendURL": "wss://x.example"},
            {"SecurityProfile": 2},
        ),
        ({}, {"MeterConfig": "tq_em300", "MeterIP": "192.168.1.30"}),
        ({}, ON_LINE | ON_LINE_TOO),
        ({}, SPEEDWIRE | {"MeterIP_2": "192.168.1.8"}),
        ({}, {"MeterConfig": "eastron_sdm72", "MeterSerialPort": "/dev/ttyUSB0"}),
        ({}, {"DLMGroups": ["hall;;63", "north;hall;32"]}),
        ({}, {"ASKIInterface": True, "ASKIPort": 8090}),
    ],
)
def test_allowed(before: dict[str, Any], changes: dict[str, Any]) -> None:
    assert errors(changes, before) == {}


@pytest.mark.parametrize(
    ("before", "changes", "key", "sentence"),
    [
        pytest.param(
            {"InstallationCurrentLimit": 20},
            {"OperatorCurrentLimit": 25},
            "OperatorCurrentLimit",
            "At most 20 A: Installation Current Limit is 20 A.",
            id="operator above installation",
        ),
        pytest.param(
            {"InstallationCurrentLimit_2": 20},
            {"OperatorCurrentLimit_2": 25},
            "OperatorCurrentLimit_2",
            "At most 20 A: Installation Current Limit (Connector 2) is 20 A.",
            id="operator above installation, second socket",
        ),
        pytest.param(
            {"OperatorCurrentLimit": 25},
            {"InstallationCurrentLimit": 20},
            "InstallationCurrentLimit",
            "Operator Current Limit does not allow this. At most 20 A",
            id="installation below operator",
        ),
        pytest.param(
            {},
            {"InstallationCurrentLimit": 40},
            "InstallationCurrentLimit",
            "At most 32 A: Maximum Current is 32 A.",
            id="installation above maximum",
        ),
        pytest.param(
            {"InstallationCurrentLimit": 30},
            {"MaximumCurrent": 20},
            "MaximumCurrent",
            "Installation Current Limit does not allow this.",
            id="maximum below installation",
        ),
        pytest.param(
            {},
            {"SingleSupplyLine": True, "SupplyLineCurrentCapacity": 33},
            "SupplyLineCurrentCapacity",
            "At most 32 A: Current carrying capacity of the charging station is 32 A.",
            id="supply line above station (D34)",
        ),
        pytest.param(
            {"SingleSupplyLine": True, "SupplyLineCurrentCapacity": 20},
            {"OperatorCurrentLimit_2": 25},
            "OperatorCurrentLimit_2",
            "At most 20 A: Current carrying capacity of the supply line is 20 A.",
            id="operator above supply line (D34)",
        ),
        pytest.param(
            {
                "SingleSupplyLine": True,
                "SupplyLineCurrentCapacity": 32,
                "MaximumCurrent_2": 20,
            },
            {"OperatorCurrentLimit_2": 25},
            "OperatorCurrentLimit_2",
            "At most 20 A: Maximum Current (Connector 2) is 20 A.",
            id="operator above maximum with a single supply line",
        ),
        pytest.param(
            {"OperatorCurrentLimit": 16, "OperatorCurrentLimit_2": 16},
            {"EnergyManExternalInputLimit": 20},
            "EnergyManExternalInputLimit",
            "At most 16 A: Operator Current Limit is 16 A.",
            id="input limit above operator",
        ),
        pytest.param(
            {},
            {"DLMOperatorEVSESubDistributionLimit": "16,17,16"},
            "DLMOperatorEVSESubDistributionLimit",
            "At most 16/16/16 A: EVSE Sub-Distribution Limit (L1/L2/L3) is 16/16/16 A.",
            id="operator sub-distribution above its ceiling",
        ),
        pytest.param(
            {"DLMRole": "master", "InstallationCurrentLimit_2": 10},
            {"DLMMinimumCurrentLimit": 12},
            "DLMMinimumCurrentLimit",
            "At most 10 A: Installation Current Limit (Connector 2) is 10 A.",
            id="minimum above a limit",
        ),
        pytest.param(
            {},
            {"EthernetConfigMode": "manual", "StaticGateway": "192.168.2.1"},
            "StaticGateway",
            "The gateway must be in the station's network 192.168.1.0/24.",
            id="gateway elsewhere",
        ),
        pytest.param(
            {"StaticGateway": "10.0.0.1"},
            {"EthernetConfigMode": "manual"},
            "EthernetConfigMode",
            "Static network configuration gateway does not allow this.",
            id="gateway elsewhere, set before",
        ),
        pytest.param(
            {},
            {"EthernetConfigMode": "manual", "StaticGateway": "192.168.1.100"},
            "StaticGateway",
            "The gateway is another device than the station.",
            id="gateway is the station",
        ),
        pytest.param(
            {},
            {"USBAdditionalIP": "10.1.0.2", "USBAdditionalNetmask": "/16",
             "USBAdditionalGateway": "10.2.0.1"},
            "USBAdditionalGateway",
            "The gateway must be in the station's network 10.1.0.0/16.",
            id="USB gateway elsewhere",
        ),
        pytest.param(
            {},
            {"IfInDoubtAllowCharging": "on"},
            "IfInDoubtAllowCharging",
            "Without backend this must be off",
            id="if in doubt without backend (D36)",
        ),
        pytest.param(
            {"ConnectionType": "gsm", "IfInDoubtAllowCharging": "immediately"},
            {"ConnectionType": "no_backend"},
            "ConnectionType",
            "If in doubt allow charging does not allow this.",
            id="backend removed while in doubt is on (D36)",
        ),
        pytest.param(
            {},
            {"FreeChargingMode": "full_any_rfid"},
            "FreeChargingMode",
            "Without backend only mode 1",
            id="free charging with OCPP without backend (D36)",
        ),
        pytest.param(
            {},
            {"DLMRole": "master", "DLMExternalMeterSupport": True},
            "DLMRole",
            "Main Distribution Limit (L1/L2/L3) does not allow this.",
            id="external meter without main fuse (D37)",
        ),
        pytest.param(
            METER,
            {"DLMMainDistributionLimit": None},
            "DLMMainDistributionLimit",
            "Enter the main fuse of the building",
            id="main fuse removed (D37)",
        ),
        pytest.param(
            {},
            {"SecurityProfile": 1},
            "SecurityProfile",
            "Set the HTTP Basic Authentication password first.",
            id="profile 1 without password",
        ),
        pytest.param(
            {"AuthorizationKey": "x" * 16, "WebSocketsBackendURL": "ws://x.example"},
            {"SecurityProfile": 2},
            "SecurityProfile",
            "This needs a backend address with wss://.",
            id="profile 2 without TLS",
        ),
        pytest.param(
            {},
            {"MeterConfig_2": "tq_em300"},
            "MeterConfig_2",
            "IP address of OCPP meter (Connector 2) does not allow this. Enter the IP address",
            id="meter in the network without address (7.5)",
        ),
        pytest.param(
            {},
            {"MeterConfig": "saia_ale3"},
            "MeterConfig",
            "Serial port of OCPP meter does not allow this. Enter the serial port",
            id="meter on a serial line without a port",
        ),
        pytest.param(
            ON_LINE,
            ON_LINE_TOO | {"MeterUnitId_2": 1},
            "MeterUnitId_2",
            "This is the meter of socket 1: both would bill the same energy.",
            id="one meter for two sockets",
        ),
        pytest.param(
            BEHIND_GATEWAY | {"MeterUnitId_2": 2, "MeterBaudRate_2": 19200},
            {"MeterUnitId_2": 1},
            "MeterUnitId_2",
            "This is the meter of socket 1: both would bill the same energy.",
            id="the speed of a gateway's line is not ours",
        ),
        pytest.param(
            BEHIND_GATEWAY
            | {"MeterConfig_2": "tq_em300", "MeterIP_2": "192.168.1.7", "MeterPort_2": 4002},
            {"MeterPort_2": 4001},
            "MeterPort_2",
            "Modbus unit id of OCPP meter (Connector 2) does not allow this. This",
            id="one gateway named in two ways",
        ),
        pytest.param(
            SPEEDWIRE | {"MeterIP_2": "192.168.1.8"},
            {"MeterIP_2": ""},
            "MeterIP_2",
            "This is the meter of socket 1: both would bill the same energy.",
            id="the first Speedwire meter that sends, twice",
        ),
        pytest.param(
            ON_LINE,
            ON_LINE_TOO | {"MeterParity_2": "none"},
            "MeterParity_2",
            "Another meter uses /dev/ttyUSB0 with parity Even (8E1)",
            id="two parities on a line",
        ),
        pytest.param(
            ON_LINE,
            {
                "DLMExternalMeterSupport": True,
                "SecondMeterConfig": "cg_em340",
                "SecondMeterSerialPort": "/dev/ttyUSB0",
                "SecondMeterParity": "even",
                "SecondMeterBaudRate": 19200,
            },
            "SecondMeterBaudRate",
            "Another meter uses /dev/ttyUSB0 at 9600 Bd",
            id="two speeds on a line",
        ),
        pytest.param(
            {"DLMExternalMeterSupport": True},
            {"SecondMeterConfig": "sma_hm2_modbus"},
            "SecondMeterConfig",
            "This meter tells no currents per phase",
            id="a sum guards no phase",
        ),
        pytest.param(
            {"DLMRole": "master", "DLMExternalMeterSupport": True, "SecondMeterIP": "192.0.2.7"}
            | {"DLMMainDistributionLimit": "63", "SecondMeterConfig": "tq_em300"},
            {"DLMMeterDigitalInputConfig": "on"},
            "DLMMeterDigitalInputConfig",
            "The digital input of this meter cannot be read; it can with: ",
            id="no digital input that can be read",
        ),
        pytest.param(
            {},
            {"DLMGroups": ["hall;;63", "hall;;32"]},
            "DLMGroups",
            "The name hall is used twice.",
            id="two groups of one name",
        ),
        pytest.param(
            {},
            {"DLMGroups": ["hall;roof;63"]},
            "DLMGroups",
            "There is no group roof.",
            id="parent unknown",
        ),
        pytest.param(
            {},
            {"DLMGroups": ["a;b;63", "b;a;63"]},
            "DLMGroups",
            "a is its own parent.",
            id="circle of groups",
        ),
        pytest.param(
            {"ModbusTCPServer": True, "ModbusTCPServerBasePort": 8089, "ConnectionType": "gsm"},
            {"OCPPMode": "soap_1_6"},
            "OCPPMode",
            "Modbus TCP Server Base Port does not allow this. Port 8090 is already used by SOAP",
            id="port of the second socket taken",
        ),
        pytest.param(
            {"SEMPInterface": True},
            {"ASKIInterface": True, "ASKIPort": 8888},
            "ASKIPort",
            "Port 8888 is already used by SEMP interface.",
            id="port of SEMP taken",
        ),
    ],
)  # fmt: skip
def test_refused(before: dict[str, Any], changes: dict[str, Any], key: str, sentence: str) -> None:
    found = errors(changes, before)
    assert list(found) == [key]
    assert found[key].startswith(sentence)


def test_the_defaults_break_no_rule() -> None:
    for connectors in (1, 2):
        assert conflicts(Settings(HardwareFacts(connectors=connectors))) == {}


def test_every_rule_watches_settings_that_exist() -> None:
    for rule in RULES:
        assert rule.keys <= ALL


@pytest.mark.parametrize(
    "throttle",
    [
        {"OperatorCurrentLimit": 0, "OperatorCurrentLimit_2": 6},
        {"DLMOperatorEVSESubDistributionLimit": Amps(0, 0, 0)},
    ],
)
def test_lowering_the_current_is_never_refused(throttle: dict[str, Any]) -> None:
    """For any other settings: a lower current must always be accepted."""
    crowded = {
        **METER,
        "DLMMinimumCurrentLimit": 16,
        "EnergyManExternalInputLimit": 32,
        "DLMOperatorEVSESubDistributionLimit": "16",
    }
    assert errors(throttle, crowded) == {}
