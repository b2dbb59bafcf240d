"""Names of settings: `Key`, or `Key_2` for the second connector (controller notes, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.entry import Entry, HardwareFacts, SettingKind, SettingScope, Type
from borne.foundation.messages import N_, Message

ALIASES = {"chargeboxidentity": "ChargePointID"}
"""Other vendors' names of OCPP keys, in lower case (decision D2)."""


@dataclass(frozen=True, slots=True)
class SettingAddress:
    """Identifies one value: the entry, and the connector for settings per connector."""

    entry: Entry
    connector: int = 1

    @property
    def name(self) -> str:
        """`Key`, or `Key_2`."""
        return full_name(self.entry, self.connector)


def full_name(entry: Entry, connector: int = 1) -> str:
    """The name of an entry's value at a connector."""
    if entry.scope is SettingScope.CONNECTOR and connector > 1:
        return f"{entry.key}_{connector}"
    return entry.key


def resolve(name: str, facts: HardwareFacts, *, any_case: bool = False) -> SettingAddress | None:
    """Find a setting by name; None if the station has none.

    With `any_case`, case is ignored, as OCPP demands. `Key_1` is the same as `Key`.
    """
    entry = _entry(name, any_case=any_case)
    if entry is not None:
        return SettingAddress(entry)
    key, underline, digits = name.rpartition("_")
    if not (underline and digits.isascii() and digits.isdigit() and len(digits) <= 2):
        return None
    entry = _entry(key, any_case=any_case)
    if entry is None or entry.scope is not SettingScope.CONNECTOR:
        return None
    connector = int(digits)
    return SettingAddress(entry, connector) if 1 <= connector <= facts.connectors else None


def _entry(key: str, *, any_case: bool) -> Entry | None:
    if not any_case:
        return CATALOGUE.settings.get(key)
    entry = CATALOGUE.fold(ALIASES.get(key.casefold(), key))
    return entry if entry is not None and entry.kind is SettingKind.SETTING else None


def addresses(facts: HardwareFacts) -> Sequence[SettingAddress]:
    """All values of the station, in the order of the pages."""
    return _addresses(facts.connectors)


def restart_names(facts: HardwareFacts) -> Sequence[str]:
    """Names of the settings that take effect after a restart."""
    return _restart_names(facts.connectors)


@cache
def _addresses(connectors: int) -> tuple[SettingAddress, ...]:
    return tuple(
        SettingAddress(entry, connector)
        for entry in CATALOGUE.settings.values()
        for connector in _connectors_of(entry, connectors)
    )


@cache
def _restart_names(connectors: int) -> tuple[str, ...]:
    return tuple(address.name for address in _addresses(connectors) if address.entry.restart)


def connectors_of(entry: Entry, facts: HardwareFacts) -> range:
    """The connectors with a value of their own; only 1 for a setting of the station."""
    return _connectors_of(entry, facts.connectors)


def _connectors_of(entry: Entry, connectors: int) -> range:
    return range(1, connectors + 1 if entry.scope is SettingScope.CONNECTOR else 2)


def field_label_of(address: SettingAddress) -> Message:
    """The label of a form field: currents carry their unit, as in the manual."""
    entry = address.entry
    if entry.unit != "A" or entry.type not in {Type.INT, Type.PER_PHASE}:
        return label_of(address)
    return _at_connector(Message("{label} [A]", {"label": Message(entry.label)}), address)


def label_of(address: SettingAddress) -> Message:
    """The label with its connector, as in the manual."""
    return _at_connector(Message(address.entry.label), address)


def _at_connector(label: Message, address: SettingAddress) -> Message:
    if address.connector == 1:
        return label
    return Message(
        N_("{label} (Connector {connector})"), {"label": label, "connector": address.connector}
    )


__all__ = [
    "ALIASES",
    "SettingAddress",
    "addresses",
    "connectors_of",
    "field_label_of",
    "full_name",
    "label_of",
    "resolve",
    "restart_names",
]
