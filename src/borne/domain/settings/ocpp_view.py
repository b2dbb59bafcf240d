"""Settings as OCPP configuration keys (OCPP 1.6, 5.8 and 9; decisions D2, D3, D21, D30, D32)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from borne.domain.principals import BACKEND
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.addressing import SettingAddress, addresses, resolve
from borne.domain.settings.choices import PhaseRotation
from borne.domain.settings.entry import OcppAccess
from borne.domain.settings.rights import refusal
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import to_ocpp
from borne.domain.settings.visibility import missing_part

MAX_VALUE = 500
"""Maximum length of a value (CiString500), unless the operator allows longer ones (D21)."""


class ConfigurationStatus(StrEnum):
    """Status in ChangeConfiguration.conf."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    REBOOT_REQUIRED = "RebootRequired"
    NOT_SUPPORTED = "NotSupported"


@dataclass(frozen=True, slots=True)
class ConfigurationKey:
    """One key of GetConfiguration.conf; `value` is None for write-only keys."""

    key: str
    readonly: bool
    value: str | None


def find(settings: Settings, name: str) -> SettingAddress | None:
    """The value that a backend calls `name`, in any letter case; None if there is none."""
    address = resolve(name, settings.facts, any_case=True)
    if address is None or address.entry.ocpp is OcppAccess.NONE:
        return None
    return address


def configuration(
    settings: Settings, names: Sequence[str] = (), active: Collection[str] = ACTIVE
) -> tuple[list[ConfigurationKey], list[str]]:
    """The requested keys (all readable ones if none is named), and the unknown names."""
    if not names:
        readable = (a for a in addresses(settings.facts) if a.entry.ocpp.readable)
        return [_key(settings, address, active) for address in readable], []
    found: dict[str, ConfigurationKey] = {}
    unknown: list[str] = []
    for name in names:
        address = find(settings, name)
        if address is None:
            unknown.append(name)
        else:
            found.setdefault(address.name, _key(settings, address, active))
    return list(found.values()), unknown


def _key(settings: Settings, address: SettingAddress, active: Collection[str]) -> ConfigurationKey:
    entry = address.entry
    readonly = (
        entry.key not in active
        or refusal(BACKEND, entry, settings) is not None
        or missing_part(entry, settings.facts) is not None
    )
    if not entry.ocpp.readable:
        return ConfigurationKey(address.name, readonly, None)
    value = _value(settings, address)
    if not settings.flag("AllowLongGetConfigurationKeys"):
        value = value[:MAX_VALUE]
    return ConfigurationKey(address.name, readonly, value)


def _value(settings: Settings, address: SettingAddress) -> str:
    if address.name == "ConnectorPhaseRotation":
        sockets = range(1, settings.facts.connectors + 1)
        rotations = [f"{n}.{_rotation(settings, n)}" for n in sockets]
        return ",".join(("0.RST", *rotations))
    return to_ocpp(address.entry, settings.at(address))


def _rotation(settings: Settings, connector: int) -> str:
    """The word of OCPP 1.6, 9.1.8."""
    rotation = settings.choice("ConnectorPhaseRotation", PhaseRotation, connector)
    return "Unknown" if rotation is PhaseRotation.UNKNOWN else rotation.value.upper()
