"""Errors with which services refuse a request, and the check of roles."""

from __future__ import annotations

from borne.domain.principals import Principal, Role
from borne.foundation.messages import N_, Explained, Message


class Refused(Explained):
    """The station refuses the request; `code` is stable, the message is for users."""

    def __init__(self, code: str, message: Message | str) -> None:
        super().__init__(message)
        self.code = code


def too_weak(role: Role, needed: Role) -> Message:
    """The message for insufficient rights."""
    values = {"role": Message(role.value), "needed": Message(needed.value)}
    return Message(N_("You are {role}; this needs {needed}."), values)


def no_socket(connector: int) -> Message:
    """The message for a socket that does not exist."""
    return Message(N_("There is no socket {socket}."), {"socket": connector})


def require(principal: Principal, role: Role) -> None:
    """Raise Refused unless the principal has the rights of `role`."""
    if not principal.role.includes(role):
        raise Refused("forbidden", too_weak(principal.role, role))
