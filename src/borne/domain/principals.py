"""Who asks: people by role, and the machines around a station (one matrix of rights)."""

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
        """Whether this role may do all that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class PrincipalKind(StrEnum):
    """People, or which machine."""

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
    """Somebody with the rights of `role` at most; `name` is for logs."""

    kind: PrincipalKind
    role: Role
    name: str = ""


BACKEND = Principal(PrincipalKind.BACKEND, Role.OPERATOR, "backend")
SYSTEM = Principal(PrincipalKind.SYSTEM, Role.MANUFACTURER, "system")
