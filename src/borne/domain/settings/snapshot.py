"""An immutable snapshot of all settings at one revision.

Only deviations from the defaults are stored. The default of a limit never exceeds the limit above
it, also after that was lowered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from borne.domain.settings.addressing import SettingAddress, full_name, resolve, restart_names
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.choices import DlmRole, IfInDoubt
from borne.domain.settings.entry import Amps, Entry, Feature, HardwareFacts, Type, Value
from borne.domain.station.modes import StopMode

E = TypeVar("E", bound=StrEnum)


class UnknownSetting(KeyError):
    """The station has no setting of this name."""


class Settings:
    """Settings by name: `settings["OperatorCurrentLimit"]`, `settings["OperatorCurrentLimit", 2]`
    or `settings["OperatorCurrentLimit_2"]`; the methods give typed access. Raises UnknownSetting
    for an unknown name, TypeError for a wrong type."""

    __slots__ = ("_values", "facts", "revision", "stored")

    def __init__(
        self,
        facts: HardwareFacts | None = None,
        stored: Mapping[str, Value] | None = None,
        revision: int = 0,
    ) -> None:
        self.facts = facts or HardwareFacts()
        self.stored: Mapping[str, Value] = MappingProxyType(dict(stored or {}))
        self.revision = revision
        self._values: dict[str | tuple[str, int], Value] = {}
        """Cache of resolved values, because a default may depend on several other settings."""

    def __repr__(self) -> str:
        return f"<Settings revision {self.revision}, {len(self.stored)} changed>"

    def __getitem__(self, name: str | tuple[str, int]) -> Value:
        if isinstance(name, tuple):
            return self.get(*name)
        return self.at(self._resolve(name))

    def get(self, key: str, connector: int = 1) -> Value:
        """The value of `key`; `connector` is ignored for settings of the station."""
        known = key if connector == 1 else (key, connector)
        try:
            return self._values[known]
        except KeyError:
            value = self._values[known] = self._looked_up(key, connector)
            return value

    def drop_cache(self) -> None:
        """Free 2 kB, when other settings are in force; values are resolved again when needed."""
        self._values.clear()

    def _looked_up(self, key: str, connector: int) -> Value:
        entry = CATALOGUE.settings.get(key)
        if entry is None or not 1 <= connector <= max(self.facts.connectors, 1):
            raise UnknownSetting(f"{key}, connector {connector}")
        return self._value(entry, connector)

    def at(self, address: SettingAddress) -> Value:
        return self._value(address.entry, address.connector)

    def _value(self, entry: Entry, connector: int) -> Value:
        if entry.derived_from:
            return DERIVED[entry.key](self)
        name = full_name(entry, connector)
        if name in self.stored:
            return self.stored[name]
        return self.default(entry, connector)

    def _resolve(self, name: str) -> SettingAddress:
        address = resolve(name, self.facts)
        if address is None:
            raise UnknownSetting(name)
        return address

    # Defaults -------------------------------------------------------------------------------

    def default(self, entry: Entry, connector: int = 1) -> Value:
        """The value that applies if none is stored."""
        made = _MADE.get(entry.key)
        if made is not None:
            return made(self)
        if not entry.at_most:
            return entry.default
        bound = self.bound(entry, connector)
        if entry.key == "SupplyLineCurrentCapacity":
            return min(*bound, self.lowest_installation_limit)
        if isinstance(entry.default, Amps):
            return Amps(*map(min, entry.default, bound))
        if isinstance(entry.default, int):
            return min(entry.default, *bound)
        return entry.default

    def bound(self, entry: Entry, connector: int = 1) -> tuple[int, ...]:
        """The values that `entry` must not exceed: three for amperes per phase, else one or more.

        With a single supply line, its capacity replaces the installation limit (decision D34,
        manual 7.2 case 3).
        """
        above = entry.at_most
        if above == "InstallationCurrentLimit" and self.single_supply_line:
            line = self.integer("SupplyLineCurrentCapacity")
            return line, self.integer("MaximumCurrent", connector)
        if above == "OperatorCurrentLimit":
            sockets = range(1, self.facts.connectors + 1)
            return (max(self.integer(above, socket) for socket in sockets),)
        value = self.get(above, connector)
        return value if isinstance(value, Amps) else (self.integer(above, connector),)

    @property
    def single_supply_line(self) -> bool:
        """Both sockets share one supply line."""
        return self.facts.connectors > 1 and self.flag("SingleSupplyLine")

    @property
    def lowest_installation_limit(self) -> int:
        """The lowest installation limit of any socket; the default capacity of a single supply
        line."""
        sockets = range(1, max(self.facts.connectors, 1) + 1)
        return min(self.integer("InstallationCurrentLimit", socket) for socket in sockets)

    # Changed or not -------------------------------------------------------------------------

    @property
    def changed(self) -> frozenset[str]:
        """Names of the values that differ from their default."""
        return frozenset(self.stored)

    def is_changed(self, name: str) -> bool:
        """True if the value differs from its default."""
        return name in self.stored

    def with_values(self, values: Mapping[str, Value], revision: int | None = None) -> Settings:
        """A copy with the given values; None resets a value to its default."""
        stored = {**self.stored, **values}
        kept = {name: value for name, value in stored.items() if value is not None}
        return Settings(self.facts, kept, self.revision if revision is None else revision)

    # Typed access ---------------------------------------------------------------------------

    def flag(self, key: str, connector: int = 1) -> bool:
        value = self.get(key, connector)
        if not isinstance(value, bool):
            raise TypeError(f"{key} is not a switch")
        return value

    def integer(self, key: str, connector: int = 1) -> int:
        """A number; raises TypeError if unset."""
        value = self.get(key, connector)
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{key} is not a number or unset")
        return value

    def text(self, key: str, connector: int = 1) -> str:
        """A text, an address, a secret, or the slug of a choice."""
        value = self.get(key, connector)
        if not isinstance(value, str):
            raise TypeError(f"{key} is not a text")
        return str(value)

    def choice(self, key: str, kind: type[E], connector: int = 1) -> E:
        """A choice as a member of its enum."""
        value = self.get(key, connector)
        if not isinstance(value, kind):
            raise TypeError(f"{key} is not a {kind.__name__}")
        return value

    def amps(self, key: str) -> Amps:
        """Amperes per phase; raises TypeError if unset."""
        value = self.get(key)
        if not isinstance(value, Amps):
            raise TypeError(f"{key} is not set for each phase")
        return value

    def amps_or_none(self, key: str) -> Amps | None:
        """Amperes per phase, or None if unset."""
        return None if self.get(key) is None else self.amps(key)

    def items(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        if CATALOGUE.settings[key].type is not Type.LIST or not isinstance(value, tuple):
            raise TypeError(f"{key} is not a list")
        return tuple(str(item) for item in value)

    def key_bytes(self, key: str) -> bytes:
        """Bytes of a secret; empty if unset."""
        value = self.get(key)
        if not isinstance(value, bytes):
            raise TypeError(f"{key} is not a secret key")
        return value


def _site_key(settings: Settings) -> str:
    """A master generates its key at the first start; a slave gets a copy of the master's."""
    role = settings.choice("DLMRole", DlmRole)
    return settings.facts.site_key if role.is_master else ""


def in_force(wanted: Settings, started: Settings) -> Settings:
    """`wanted`, but with the settings that need a restart as they were at the last start."""
    old = {
        name: started.stored.get(name)
        for name in restart_names(wanted.facts)
        if started.stored.get(name) != wanted.stored.get(name)
    }
    return wanted.with_values(old) if old else wanted


_MADE: dict[str, Callable[[Settings], Value]] = {
    "NumberOfConnectors": lambda settings: settings.facts.connectors,
    "ConnectorSwitch3to1PhaseSupported": lambda settings: (
        Feature.PHASE_SWITCHING in settings.facts.features
    ),
    "ChargePointSerialNumber": lambda settings: settings.facts.serial_number,
    "ChargePointID": lambda settings: f"borne-{settings.facts.serial_number}".rstrip("-"),
    "DLMSiteKey": _site_key,
    "OperatorMayInstall": lambda settings: not settings.facts.installer_known,
}
"""Defaults that depend on the station's facts (decisions D33, D35)."""

DERIVED: dict[str, Callable[[Settings], bool]] = {
    "StopTransactionOnEVSideDisconnect": lambda settings: (
        settings.choice("StopTransactionMode", StopMode) is not StopMode.ONLY_RFID_REMOTE
    ),
    "AllowOfflineTxForUnknownId": lambda settings: (
        settings.choice("IfInDoubtAllowCharging", IfInDoubt) is not IfInDoubt.OFF
    ),
}
"""Settings that are computed from another one (decision D30)."""


def write_derived(settings: Settings, key: str, value: bool) -> tuple[str, Value]:
    """Name and new value of the setting behind a derived one; its old value if that already
    fits."""
    base = CATALOGUE.settings[key].derived_from
    if DERIVED[key](settings) is value:
        return base, settings[base]
    if key == "AllowOfflineTxForUnknownId":
        return base, IfInDoubt.ON if value else IfInDoubt.OFF
    return base, StopMode.NORMAL if value else StopMode.ONLY_RFID_REMOTE
