"""Logins: random cookies, stored as hashes in memory, with idle and absolute expiry.

They survive a restart of the station if the host passes on the same `Logins`, but not a restart of
the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from borne.domain.principals import Principal, Role
from borne.foundation.events import Signal

IDLE_S = 12 * 3600.0
ABSOLUTE_S = 7 * 24 * 3600.0
MAX_LOGINS = 64
ID_BYTES = 32


class LoginWay(StrEnum):
    """How a user logged in."""

    PASSWORD = "password"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Login:
    """A logged-in browser. `key` is the hash of its cookie."""

    key: str
    principal: Principal
    way: LoginWay
    address: str
    must_change: bool
    """Only a new password may be set (decision D20)."""
    opened_s: float
    seen_s: float


class Logins:
    """All logins; at most `MAX_LOGINS`, the longest unused gives way."""

    def __init__(self, monotonic: Callable[[], float], random_id: Callable[[int], str]) -> None:
        self.ended: Signal[str] = Signal()
        self._monotonic = monotonic
        self._random_id = random_id
        self._logins: dict[str, Login] = {}

    def __len__(self) -> int:
        return len(self._logins)

    def open(
        self, principal: Principal, way: LoginWay, address: str, *, must_change: bool = False
    ) -> tuple[str, Login]:
        """Open a login; returns its cookie (only here) and the login."""
        if must_change:
            self.close_role(principal.role, only_must_change=True)
        self._expire()
        while len(self._logins) >= MAX_LOGINS:
            self.close(min(self._logins.values(), key=lambda login: login.seen_s).key)
        cookie, now_s = self._random_id(ID_BYTES), self._monotonic()
        login = Login(fingerprint(cookie), principal, way, address, must_change, now_s, now_s)
        self._logins[login.key] = login
        return cookie, login

    def find(self, cookie: str) -> Login | None:
        """The login of a cookie, marked as used; None if unknown or expired."""
        login = self._logins.get(fingerprint(cookie))
        if login is None:
            return None
        if self._expired(login):
            self.close(login.key)
            return None
        login = replace(login, seen_s=self._monotonic())
        self._logins[login.key] = login
        return login

    def alive(self, key: str) -> bool:
        """True if the login is valid; does not count as a use. For long-lived streams."""
        login = self._logins.get(key)
        return login is not None and not self._expired(login)

    def close(self, key: str) -> None:
        if self._logins.pop(key, None) is not None:
            self.ended.emit(key)

    def close_role(
        self, role: Role, *, keep: str | None = None, only_must_change: bool = False
    ) -> None:
        """End the logins of a role, except `keep`."""
        for login in tuple(self._logins.values()):
            if login.principal.role is not role or login.key == keep:
                continue
            if login.must_change or not only_must_change:
                self.close(login.key)

    def password_changed(self, key: str) -> None:
        """Clear the demand for a new password."""
        if key in self._logins:
            self._logins[key] = replace(self._logins[key], must_change=False)

    def _expire(self) -> None:
        for login in tuple(self._logins.values()):
            if self._expired(login):
                self.close(login.key)

    def _expired(self, login: Login) -> bool:
        now_s = self._monotonic()
        return now_s - login.seen_s > IDLE_S or now_s - login.opened_s > ABSOLUTE_S


def fingerprint(secret: str) -> str:
    """The SHA-256 hash under which a secret is stored; sufficient for 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
