"""Access requirements of routes. Each is declared with its route (`routes`) and enforced in one
place (`guard`).

A role includes the weaker ones. Finer rights (which setting, whose session) are checked in
`application/`, which gets the principal.
"""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.principals import Role


@dataclass(frozen=True, slots=True)
class Access:
    """Requirements of a route. `role` None: no login needed."""

    role: Role | None
    power: bool = True
    """Needs a running station."""
    before_change: bool = False
    """Open to a login that must set a new password first (decision D20)."""
    simulator: bool = False
    """Only with simulated hardware, and from this machine unless others are allowed."""
    open_by: str = ""
    """A setting that opens the route to everybody."""


PUBLIC = Access(None)
HOST = Access(None, power=False)
USER = Access(Role.USER)
OPERATOR = Access(Role.OPERATOR)
METRICS = Access(Role.OPERATOR, power=False)
ACCOUNT = Access(Role.USER, before_change=True)
LOGOUT = Access(Role.USER, power=False, before_change=True)
SIMULATOR = Access(Role.OPERATOR, simulator=True)
WORLD = Access(Role.OPERATOR, power=False, simulator=True)
"""The simulated world also exists while the station has no power."""
