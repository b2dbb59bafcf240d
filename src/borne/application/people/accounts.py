"""Accounts, API tokens and one-time login links (manual 1.2, 3; decision D20).

The operator's printed password only opens the page that sets a new one. The other roles have no
password until a higher role or a command on the machine sets one.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from borne.application.people.logins import Login, Logins, LoginWay, fingerprint
from borne.application.people.passwords import (
    FREE_ATTEMPTS,
    Attempts,
    Busy,
    Hasher,
    Weakness,
    weakness,
)
from borne.application.ports.storage import AccountStore, SecurityLog, StoredToken
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from borne.foundation.addresses import is_loopback
from borne.foundation.clock import Clock, format_utc
from borne.foundation.events import Signal
from borne.foundation.scaled_loop import running_speed

__all__ = [
    "PRINTED_PASSWORD",
    "Accounts",
    "Busy",
    "LinkRefused",
    "Login",
    "Logins",
    "NotAllowed",
    "PasswordRefused",
    "TooManyTokens",
    "TryLater",
    "WrongPassword",
]

PRINTED_PASSWORD = "yellow_zone"
TEMPORARY = "temporary:"
"""Prefix of a stored hash whose owner must choose a new password at the next login."""
LINK_MINUTES = 15
MAX_TOKENS = 64
TOKEN_NAME_LONGEST = 40
TOKEN_PREFIX = "borne_"

ROLE_NAMES = {role.value: role for role in Role} | {
    "opérateur": Role.OPERATOR,
    "operateur": Role.OPERATOR,
}
"""User names; the French manual translates "operator"."""


class WrongPassword(Exception):
    """Unknown user name or wrong password."""


class TryLater(Exception):
    """Too many wrong attempts; the next one is allowed after `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many wrong attempts; try again in {wait_s:.0f} s")
        self.wait_s = wait_s


class PasswordRefused(Exception):
    """A new password is too weak."""

    def __init__(self, why: Weakness) -> None:
        super().__init__(why.value)
        self.why = why


class LinkRefused(Exception):
    """The login link is unknown, used, expired, or was opened on another machine."""


class NotAllowed(Exception):
    """The principal lacks the rights."""


class TooManyTokens(Exception):
    """The maximum number of API tokens exists already."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings for passwords, read at each use."""

    strong: Callable[[], bool] = lambda: False
    installer_known: Callable[[], Awaitable[None]] | None = None
    """Called when the installer's account has a password."""


class Accounts:
    """Passwords, tokens and links of one station. Logins are passed in because they survive a
    restart of the station."""

    def __init__(
        self,
        store: AccountStore,
        clock: Clock,
        logins: Logins,
        *,
        hasher: Hasher | None = None,
        rules: Rules | None = None,
        security: SecurityLog | None = None,
        random_id: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self.logins = logins
        self.token_removed: Signal[str] = Signal()
        """The hash of a revoked token."""
        self._store = store
        self._clock = clock
        self._hasher = hasher or Hasher(secrets.token_bytes)
        self._rules = rules or Rules()
        self._security = security
        self._random_id = random_id
        self._attempts = Attempts(clock.monotonic)
        self._tokens: dict[str, StoredToken] = {}

    async def load(self) -> None:
        """Load the API tokens; they are kept in memory, so requests need no database access."""
        self._tokens = {token.hash: token for token in await self._store.tokens()}
        if await self.has_password(Role.INSTALLER):
            await self._has_password_now(Role.INSTALLER)

    async def _has_password_now(self, role: Role) -> None:
        """Notify that the installer has a password, which restricts the operator (decision D35)."""
        if role is Role.INSTALLER and self._rules.installer_known is not None:
            await self._rules.installer_known()

    # Logins -----------------------------------------------------------------------------------

    async def login(self, name: str, password: str, address: str) -> tuple[str, Login]:
        """Check a password; returns cookie and login. Raises WrongPassword, TryLater, Busy."""
        role = ROLE_NAMES.get(name.strip().casefold())
        account = role.value if role else "?"
        wait_s = self._attempts.wait_s(account, address)
        if wait_s > 0:
            raise TryLater(wait_s)
        tries = self._attempts.count(account, address)
        must_change = await self._check(role, password)
        if role is None or must_change is None:
            if tries >= FREE_ATTEMPTS:
                await self._note("login_delayed", f"{account} from {address}, try {tries}")
            raise WrongPassword
        self._attempts.succeeded(account, address)
        return await self._open(role, LoginWay.PASSWORD, address, must_change=must_change)

    async def _check(self, role: Role | None, password: str) -> bool | None:
        """None if wrong, else whether a new password must be set first."""
        stored = await self._store.password_hash(role) if role else None
        if role is Role.OPERATOR and stored is None:
            right = fingerprint(password) == fingerprint(PRINTED_PASSWORD)
            await self._hasher.verify(password, None)
            return True if right else None
        temporary = stored is not None and stored.startswith(TEMPORARY)
        plain = stored.removeprefix(TEMPORARY) if stored else None
        return temporary if await self._hasher.verify(password, plain) else None

    async def _open(
        self, role: Role, way: LoginWay, address: str, *, must_change: bool
    ) -> tuple[str, Login]:
        principal = Principal(PrincipalKind.PERSON, role, f"{role.value} at {address}")
        await self._note("login", f"{role.value} from {address} by {way.value}")
        return self.logins.open(principal, way, address, must_change=must_change)

    def logout(self, login: Login) -> None:
        self.logins.close(login.key)

    # Passwords --------------------------------------------------------------------------------

    async def has_password(self, role: Role) -> bool:
        """True if the role has a password; the operator's printed one does not count."""
        return await self._store.password_hash(role) is not None

    async def change_password(self, login: Login, current: str, new: str) -> None:
        """Change one's own password. The current one is not required after a forced change or a
        login by link, which have proved it. Raises WrongPassword, TryLater, Busy,
        PasswordRefused."""
        role = login.principal.role
        self._judge(role, new)
        stored = await self._store.password_hash(role)
        if not login.must_change and login.way is LoginWay.PASSWORD:
            wait_s = self._attempts.wait_s(role.value, login.address)
            if wait_s > 0:
                raise TryLater(wait_s)
            self._attempts.count(role.value, login.address)
            plain = stored.removeprefix(TEMPORARY) if stored else None
            if not await self._hasher.verify(current, plain):
                raise WrongPassword
            self._attempts.succeeded(role.value, login.address)
        await self._store.set_password_hash(role, await self._hasher.hash(new))
        self._attempts.password_changed(role.value, login.address)
        await self._has_password_now(role)
        self.logins.password_changed(login.key)
        self.logins.close_role(role, keep=login.key)
        await self._note("password_changed", f"{role.value} from {login.address}")

    async def set_password(
        self, role: Role, new: str | None, by: Principal = SYSTEM, *, temporary: bool = False
    ) -> None:
        """Set the password of a weaker role (on the machine: of any role), or remove it with None.
        Raises NotAllowed, PasswordRefused, Busy."""
        if by.kind is not PrincipalKind.SYSTEM and (by.role is role or not by.role.includes(role)):
            raise NotAllowed
        hash_ = None
        if new is not None:
            self._judge(role, new)
            hash_ = (TEMPORARY if temporary else "") + await self._hasher.hash(new)
        await self._store.set_password_hash(role, hash_)
        self._attempts.password_changed(role.value)
        if hash_ is not None:
            await self._has_password_now(role)
        self.logins.close_role(role)
        await self._note("password_set", f"{role.value} by {by.name}")

    async def require_change(self, role: Role) -> None:
        """Demand a new password at the next login (setting EnforcePasswordChange)."""
        stored = await self._store.password_hash(role)
        if stored is not None and not stored.startswith(TEMPORARY):
            await self._store.set_password_hash(role, TEMPORARY + stored)

    def _judge(self, role: Role, new: str) -> None:
        why = weakness(new, name=role.value, printed=PRINTED_PASSWORD, strong=self._rules.strong())
        if why is not None:
            raise PasswordRefused(why)

    # API tokens -------------------------------------------------------------------------------

    def token(self, token: str) -> StoredToken | None:
        """The stored data of an API token; None if unknown."""
        return self._tokens.get(fingerprint(token))

    def holds(self, key: str) -> bool:
        """True if the login or token with the hash `key` is valid; does not count as a use."""
        return key in self._tokens or self.logins.alive(key)

    async def create_token(
        self, role: Role, name: str, by: Principal = SYSTEM
    ) -> tuple[StoredToken, str]:
        """Create an API token; its text is returned only here. Raises NotAllowed, TooManyTokens."""
        if not by.role.includes(role):
            raise NotAllowed
        if len(self._tokens) >= MAX_TOKENS:
            raise TooManyTokens
        token = TOKEN_PREFIX + self._random_id(32)
        hash_ = fingerprint(token)
        created = format_utc(self._clock.now())
        stored = StoredToken(hash_[:12], hash_, role, name[:TOKEN_NAME_LONGEST], created)
        await self._store.add_token(stored)
        self._tokens[hash_] = stored
        await self._note("token_created", f"{stored.token_id} {role.value} by {by.name}")
        return stored, token

    def tokens(self, by: Principal = SYSTEM) -> list[StoredToken]:
        """The tokens visible to the principal, oldest first."""
        seen = [token for token in self._tokens.values() if by.role.includes(token.role)]
        return sorted(seen, key=lambda token: (token.created_at, token.token_id))

    async def remove_token(self, token_id: str, by: Principal = SYSTEM) -> bool:
        """Revoke a token; False if the principal cannot see it."""
        stored = next((token for token in self.tokens(by) if token.token_id == token_id), None)
        if stored is None:
            return False
        await self._store.remove_token(token_id)
        self._tokens.pop(stored.hash, None)
        self.token_removed.emit(stored.hash)
        await self._note("token_removed", f"{token_id} by {by.name}")
        return True

    # One-time links ---------------------------------------------------------------------------

    async def create_link(self, role: Role) -> str:
        """The secret of a link that logs in once, on this machine, within 15 minutes of real
        time."""
        secret = self._random_id(32)
        expires = self._clock.now() + timedelta(minutes=LINK_MINUTES * running_speed())
        await self._store.add_link(fingerprint(secret), role, format_utc(expires))
        return secret

    async def use_link(self, secret: str, address: str) -> tuple[str, Login]:
        """Log in with a link. Raises LinkRefused."""
        if not is_loopback(address):
            raise LinkRefused
        role = await self._store.use_link(fingerprint(secret), format_utc(self._clock.now()))
        if role is None:
            raise LinkRefused
        return await self._open(role, LoginWay.LINK, address, must_change=False)

    async def _note(self, kind: str, detail: str) -> None:
        if self._security is not None:
            await self._security.add(kind, detail, self._clock.moment())


def token_principal(stored: StoredToken) -> Principal:
    """The principal for whom a token acts."""
    return Principal(PrincipalKind.API_TOKEN, stored.role, stored.name or stored.token_id)
