"""Who visits; apart from the guard, because state and pages speak of visitors too."""

from __future__ import annotations

from dataclasses import dataclass

from borne.application.people.logins import Login
from borne.domain.principals import Principal, Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. Machines with a token have no login."""

    principal: Principal
    login: Login | None
    key: str
    """The hash of the cookie or token: what is open for the visitor ends with it."""

    @property
    def role(self) -> Role:
        """Short for the principal's."""
        return self.principal.role
