"""Principals: people by role, and machines, with one matrix of rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Roles of people, weakest first."""

    USER = "user"
    OPERATOR = "operator"
    INSTALLER = "installer"
    MANUFACTURER = "manufacturer"

    def includes(self, other: Role) -> bool:
        """True if this role has all rights of `other`."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class PrincipalKind(StrEnum):
    """A person, or the kind of machine."""

    PERSON = "person"
    API_TOKEN = "api_token"
    BACKEND = "backend"
    ENERGY_MANAGER = "energy_manager"
    SLAVE = "slave"
    USB_STICK = "usb_stick"
    CARD_READER = "card_reader"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or machine that has at most the rights of `role`; `name` is for logs."""

    kind: PrincipalKind
    role: Role
    name: str = ""


BACKEND = Principal(PrincipalKind.BACKEND, Role.OPERATOR, "backend")
SYSTEM = Principal(PrincipalKind.SYSTEM, Role.MANUFACTURER, "system")
