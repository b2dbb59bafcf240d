"""The visitor of a request; separate from the guard, because state and pages use it too."""

from __future__ import annotations

from dataclasses import dataclass

from borne.application.people.logins import Login
from borne.domain.principals import Principal, Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """The sender of a request. A machine with a token has no login."""

    principal: Principal
    login: Login | None
    key: str
    """The hash of the cookie or token; open streams of the visitor end with it."""

    @property
    def role(self) -> Role:
        """Role of the principal."""
        return self.principal.role
