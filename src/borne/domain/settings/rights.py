"""Access rights for settings (decisions D20, D35).

People have rights by role. A backend has at most the operator's rights, on the keys that the column
`ocpp` opens. An energy manager may only change the operator's limits.
"""

from __future__ import annotations

from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.settings.entry import Entry, SettingKind
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message

ENERGY_MANAGER_KEYS = frozenset({"OperatorCurrentLimit", "DLMOperatorEVSESubDistributionLimit"})
_SINGLE_LINE = frozenset({"SingleSupplyLine", "SupplyLineCurrentCapacity"})
_SINGLE_LINE_SHOWN = _SINGLE_LINE | {"StationCurrentCapacity"}

_SET_BY = {
    Role.USER: N_("Set by a user."),
    Role.OPERATOR: N_("Set by the operator: log in as operator."),
    Role.INSTALLER: N_("Set by the installer: log in as installer."),
    Role.MANUFACTURER: N_("Set by the manufacturer: log in as manufacturer."),
}


def reader_of(entry: Entry) -> Role:
    """The minimum role that can see the entry. Operators also see, read-only, what requires a
    higher role."""
    return Role.USER if entry.role is Role.USER else Role.OPERATOR


def writer_of(entry: Entry, settings: Settings) -> Role:
    """The minimum role that may change the entry, with the current settings."""
    if entry.key in _SINGLE_LINE and not settings.flag("SingleSupplyLineInstallerAccess"):
        return Role.MANUFACTURER
    if entry.role is Role.INSTALLER and settings.flag("OperatorMayInstall"):
        return Role.OPERATOR
    return entry.role


def may_read(principal: Principal, entry: Entry, settings: Settings) -> bool:
    """True if the principal may see the entry (values of secrets are never shown)."""
    hidden = entry.key in _SINGLE_LINE_SHOWN and not settings.flag(
        "SingleSupplyLineInstallerAccess"
    )
    match principal.kind:
        case PrincipalKind.BACKEND:
            return entry.ocpp.readable
        case PrincipalKind.ENERGY_MANAGER:
            return entry.key in ENERGY_MANAGER_KEYS
        case PrincipalKind.SLAVE | PrincipalKind.CARD_READER:
            return False
        case _:
            needed = Role.MANUFACTURER if hidden else reader_of(entry)
            return principal.role.includes(needed)


def refusal(principal: Principal, entry: Entry, settings: Settings) -> Message | None:
    """Why the principal may not change the entry; None if it may."""
    if entry.kind is not SettingKind.SETTING or entry.constant:
        return Message(N_("The station sets this; it cannot be changed."))
    match principal.kind:
        case PrincipalKind.BACKEND if not entry.ocpp.writable:
            return Message(N_("A backend may not change this."))
        case PrincipalKind.BACKEND:
            allowed = Role.OPERATOR.includes(writer_of(entry, settings))
            return None if allowed else Message(N_("A backend may not change this."))
        case PrincipalKind.ENERGY_MANAGER:
            allowed = entry.key in ENERGY_MANAGER_KEYS
            return None if allowed else Message(N_("An energy manager may not change this."))
        case PrincipalKind.SLAVE | PrincipalKind.CARD_READER:
            return Message(N_("This machine may not change settings."))
        case _:
            needed = writer_of(entry, settings)
            return None if principal.role.includes(needed) else Message(_SET_BY[needed])
