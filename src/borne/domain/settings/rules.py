"""Rules between settings (manual 1.4, 4, 5.1, 7.2 to 7.4; decisions D34, D36, D37).

A rule is checked when one of its keys changes. Lowering a current limit is never refused: rules
that keep another value below that limit do not list it among their keys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from borne.domain.settings.addressing import SettingAddress, connectors_of, label_of
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.choices import (
    ConnectionType,
    DlmRole,
    EthernetMode,
    FreeChargingMode,
    IfInDoubt,
)
from borne.domain.settings.entry import Amps
from borne.domain.settings.load_rules import (
    INPUT_KEYS,
    group_unknown,
    groups_no_tree,
    headroom_too_large,
    input_used_twice,
    main_limit_missing,
    minimum_never_left,
)
from borne.domain.settings.meter_addresses import BILLING_KEYS, SITE_KEYS
from borne.domain.settings.meter_rules import (
    line_with_two_speeds,
    meter_address_missing,
    meter_named_twice,
    site_meter_without_input,
    site_meter_without_phases,
)
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message

Findings = Iterator[tuple[str, Message]]
"""Name of the value to correct, and the message for it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, and the keys whose change triggers it."""

    keys: frozenset[str]
    check: Callable[[Settings], Findings]


def _bounded(key: str) -> Callable[[Settings], Findings]:
    """A check that `key` does not exceed the limit named by its entry."""
    entry = CATALOGUE.settings[key]

    def check(settings: Settings) -> Findings:
        for connector in connectors_of(entry, settings.facts):
            address = SettingAddress(entry, connector)
            value, bound = settings.at(address), settings.bound(entry, connector)
            if isinstance(value, Amps):
                if any(amps > high for amps, high in zip(value, bound, strict=True)):
                    yield address.name, _too_much(settings, address, bound)
            elif isinstance(value, int) and value > min(bound):
                yield address.name, _too_much(settings, address, (min(bound),))

    return check


def _too_much(settings: Settings, address: SettingAddress, bound: tuple[int, ...]) -> Message:
    high = "/".join(map(str, bound))
    above = _bounding(settings, address, bound)
    return Message(
        N_("At most {high} A: {label} is {high} A."), {"high": high, "label": label_of(above)}
    )


def _bounding(
    settings: Settings, address: SettingAddress, bound: tuple[int, ...]
) -> SettingAddress:
    """The setting that determines the bound."""
    above = CATALOGUE.settings[address.entry.at_most]
    if above.key == "InstallationCurrentLimit" and settings.single_supply_line:
        line = CATALOGUE.settings["SupplyLineCurrentCapacity"]
        if settings.integer(line.key) == bound[0]:
            return SettingAddress(line)
        above = CATALOGUE.settings["MaximumCurrent"]
    return SettingAddress(
        above, address.connector if len(connectors_of(above, settings.facts)) > 1 else 1
    )


def _minimum(settings: Settings) -> Findings:
    """A minimum above every reachable current would prevent all charging."""
    if settings.choice("DLMRole", DlmRole) is DlmRole.DISABLED:
        return
    minimum = settings.integer("DLMMinimumCurrentLimit")
    operator = CATALOGUE.settings["OperatorCurrentLimit"]
    for connector in range(1, settings.facts.connectors + 1):
        high = min(settings.bound(operator, connector))
        if minimum > high:
            address = SettingAddress(operator, connector)
            yield "DLMMinimumCurrentLimit", _too_much(settings, address, (high,))
            return


def _static_network(settings: Settings) -> Findings:
    if settings.choice("EthernetConfigMode", EthernetMode) is not EthernetMode.MANUAL:
        return
    if not settings.text("StaticIP"):
        yield "StaticIP", Message(N_("Enter the fixed address of the station."))
        return
    yield from _gateway_in_network(settings, "Static", "IP")


def _usb_network(settings: Settings) -> Findings:
    if settings.text("USBAdditionalIP") and settings.text("USBAdditionalNetmask"):
        yield from _gateway_in_network(settings, "USBAdditional", "IP")


def _gateway_in_network(settings: Settings, prefix: str, suffix: str) -> Findings:
    address, gateway = settings.text(prefix + suffix), settings.text(f"{prefix}Gateway")
    mask = settings.text(f"{prefix}Netmask") or "255.255.255.0"
    own = ipaddress.ip_address(address)
    if not gateway or own.version == 6:
        return
    network = ipaddress.IPv4Network(f"{address}/{mask}", strict=False)
    if gateway == address:
        yield f"{prefix}Gateway", Message(N_("The gateway is another device than the station."))
    elif ipaddress.ip_address(gateway) not in network:
        yield (
            f"{prefix}Gateway",
            Message(
                N_("The gateway must be in the station's network {network}."),
                {"network": str(network)},
            ),
        )


def _without_backend(settings: Settings) -> Findings:
    """Decision D36."""
    if settings.choice("ConnectionType", ConnectionType) is not ConnectionType.NO_BACKEND:
        return
    if settings.choice("IfInDoubtAllowCharging", IfInDoubt) is not IfInDoubt.OFF:
        yield (
            "IfInDoubtAllowCharging",
            Message(N_("Without backend this must be off: every card would be accepted.")),
        )
    if settings.choice("FreeChargingMode", FreeChargingMode) is not FreeChargingMode.NO_OCPP:
        yield (
            "FreeChargingMode",
            Message(N_("Without backend only mode 1 (No OCPP) is possible.")),
        )


def _security_profile(settings: Settings) -> Findings:
    """OCPP 1.6 security whitepaper, A00."""
    profile = settings.integer("SecurityProfile")
    if profile in {1, 2} and not settings.key_bytes("AuthorizationKey"):
        yield "SecurityProfile", Message(N_("Set the HTTP Basic Authentication password first."))
    url = settings.text("WebSocketsBackendURL").lower()
    if profile >= 2 and not url.startswith("wss://"):
        yield "SecurityProfile", Message(N_("This needs a backend address with wss://."))


def listener_ports(settings: Settings) -> dict[str, int]:
    """The TCP ports on which the station would listen, by the key that sets each."""
    ports: dict[str, int] = {}
    backend = settings.choice("ConnectionType", ConnectionType) is not ConnectionType.NO_BACKEND
    if backend and settings.text("OCPPMode").startswith("soap"):
        ports["SOAPServerPort"] = settings.integer("SOAPServerPort")
    if settings.flag("ASKIInterface"):
        ports["ASKIPort"] = settings.integer("ASKIPort")
    if settings.flag("ModbusTCPServer"):
        base = settings.integer("ModbusTCPServerBasePort")
        ports["ModbusTCPServerBasePort"] = base
        if settings.facts.connectors > 1:
            ports["ModbusTCPServerBasePort+1"] = base + 1
    return ports


def _ports(settings: Settings) -> Findings:
    used: dict[int, str] = {8888: "SEMPInterface"} if settings.flag("SEMPInterface") else {}
    for owner, port in listener_ports(settings).items():
        key = owner.removesuffix("+1")
        if port in used:
            other = CATALOGUE.settings[used[port]]
            yield (
                key,
                Message(
                    N_("Port {port} is already used by {label}."),
                    {"port": port, "label": Message(other.label)},
                ),
            )
            return
        used[port] = key


def _rule(check: Callable[[Settings], Findings], *keys: str) -> Rule:
    return Rule(frozenset(keys), check)


RULES = (
    _rule(_bounded("InstallationCurrentLimit"), "InstallationCurrentLimit", "MaximumCurrent"),
    _rule(
        _bounded("SupplyLineCurrentCapacity"),
        "SupplyLineCurrentCapacity",
        "StationCurrentCapacity",
    ),
    _rule(
        _bounded("OperatorCurrentLimit"),
        "OperatorCurrentLimit",
        "InstallationCurrentLimit",
        "MaximumCurrent",
        "SingleSupplyLine",
        "SupplyLineCurrentCapacity",
        "StationCurrentCapacity",
    ),
    _rule(_bounded("EnergyManExternalInputLimit"), "EnergyManExternalInputLimit"),
    _rule(
        _bounded("DLMOperatorEVSESubDistributionLimit"),
        "DLMOperatorEVSESubDistributionLimit",
        "DLMEVSESubDistributionLimit",
    ),
    _rule(
        _minimum,
        "DLMMinimumCurrentLimit",
        "DLMRole",
        "InstallationCurrentLimit",
        "MaximumCurrent",
        "SupplyLineCurrentCapacity",
    ),
    _rule(_static_network, "EthernetConfigMode", "StaticIP", "StaticNetmask", "StaticGateway"),
    _rule(_usb_network, "USBAdditionalIP", "USBAdditionalNetmask", "USBAdditionalGateway"),
    _rule(_without_backend, "ConnectionType", "IfInDoubtAllowCharging", "FreeChargingMode"),
    _rule(main_limit_missing, "DLMRole", "DLMExternalMeterSupport", "DLMMainDistributionLimit"),
    _rule(headroom_too_large, "DLMRole", "DLMExternalMeterSupport", "DLMExternalLoadHeadroom"),
    _rule(minimum_never_left, "DLMRole", "DLMMinimumCurrentLimit"),
    _rule(group_unknown, "DLMRole", "DLMGroup", "DLMGroups"),
    _rule(input_used_twice, *INPUT_KEYS),
    _rule(_security_profile, "SecurityProfile", "AuthorizationKey", "WebSocketsBackendURL"),
    _rule(groups_no_tree, "DLMGroups"),
    _rule(meter_address_missing, *BILLING_KEYS, *SITE_KEYS, "DLMRole"),
    _rule(meter_named_twice, *BILLING_KEYS),
    _rule(line_with_two_speeds, *BILLING_KEYS, *SITE_KEYS, "DLMRole"),
    _rule(site_meter_without_phases, *SITE_KEYS, "DLMRole"),
    _rule(site_meter_without_input, *SITE_KEYS, "DLMMeterDigitalInputConfig", "DLMRole"),
    _rule(
        _ports,
        "ConnectionType",
        "OCPPMode",
        "SOAPServerPort",
        "ASKIInterface",
        "ASKIPort",
        "ModbusTCPServer",
        "ModbusTCPServerBasePort",
        "SEMPInterface",
    ),
)


def conflicts(settings: Settings, changed: frozenset[str] | None = None) -> dict[str, Message]:
    """Violated rules: name of the setting to message.

    `changed` (keys without connector) selects the rules to check; None checks all.
    """
    found: dict[str, Message] = {}
    for rule in RULES:
        if changed is None or changed & rule.keys:
            for name, message in rule.check(settings):
                found.setdefault(name, message)
    return found


def keys_of_rules_with(key: str) -> frozenset[str]:
    """All keys of the rules that include `key`."""
    return frozenset().union(*(rule.keys for rule in RULES if key in rule.keys))


__all__ = ["RULES", "Rule", "conflicts", "keys_of_rules_with", "listener_ports"]
