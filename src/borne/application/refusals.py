"""Refusals of the flows, and the one place where they ask for rights."""

from __future__ import annotations

from borne.domain.principals import Principal, Role
from borne.foundation.messages import N_, Explained, Message


class Refused(Explained):
    """The station will not do it now; `code` is stable, the message is for people."""

    def __init__(self, code: str, message: Message | str) -> None:
        super().__init__(message)
        self.code = code


def too_weak(role: Role, needed: Role) -> Message:
    """Why a role may not do something."""
    values = {"role": Message(role.value), "needed": Message(needed.value)}
    return Message(N_("You are {role}; this needs {needed}."), values)


def no_socket(connector: int) -> Message:
    """Why a command to a connector that is not there is refused."""
    return Message(N_("There is no socket {socket}."), {"socket": connector})


def require(principal: Principal, role: Role) -> None:
    """Refuse unless the principal has the rights of `role`: the one place where flows ask."""
    if not principal.role.includes(role):
        raise Refused("forbidden", too_weak(principal.role, role))
