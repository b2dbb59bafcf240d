"""Accounts of people, API tokens and one-time login links (manual 1.2, 3; decision D20).

The operator's printed password opens only the page that sets a new one; the other roles have no
password until one is set by a higher role or on the machine.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from borne.application.people.logins import Login, Logins, LoginWay, fingerprint
from borne.application.people.passwords import (
    FREE_TRIES,
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
"""Marks a stored hash whose owner must choose a new password at the next login."""
LINK_MINUTES = 15
MAX_TOKENS = 64
TOKEN_NAME_LONGEST = 40
TOKEN_PREFIX = "borne_"

ROLE_NAMES = {role.value: role for role in Role} | {
    "opérateur": Role.OPERATOR,
    "operateur": Role.OPERATOR,
}
"""User names; the manual's French text writes the operator's translated."""


class WrongPassword(Exception):
    """Name and password do not belong together."""


class TryLater(Exception):
    """Too many wrong tries; the next is allowed after `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many wrong tries; try again in {wait_s:.0f} s")
        self.wait_s = wait_s


class PasswordRefused(Exception):
    """A new password is too weak."""

    def __init__(self, why: Weakness) -> None:
        super().__init__(why.value)
        self.why = why


class LinkRefused(Exception):
    """A login link that is unknown, used, expired or opened from another machine."""


class NotAllowed(Exception):
    """The rights of the principal do not suffice."""


class TooManyTokens(Exception):
    """There are as many API tokens as there may be."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that govern passwords, asked each time."""

    strong: Callable[[], bool] = lambda: False
    installer_known: Callable[[], Awaitable[None]] | None = None
    """Hears that the installer's account has a password."""


class Accounts:
    """Passwords, tokens and links of one station. Logins are handed in: they outlive a restart."""

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
        """The hash of a token that was taken back."""
        self._store = store
        self._clock = clock
        self._hasher = hasher or Hasher(secrets.token_bytes)
        self._rules = rules or Rules()
        self._security = security
        self._random_id = random_id
        self._attempts = Attempts(clock.monotonic)
        self._tokens: dict[str, StoredToken] = {}

    async def load(self) -> None:
        """Read the API tokens; they are checked in memory, also while power is cut."""
        self._tokens = {token.hash: token for token in await self._store.tokens()}
        if await self.has_password(Role.INSTALLER):
            await self._has_password_now(Role.INSTALLER)

    async def _has_password_now(self, role: Role) -> None:
        """What the operator may do on the installation depends on it (decision D35)."""
        if role is Role.INSTALLER and self._rules.installer_known is not None:
            await self._rules.installer_known()

    # Logins -----------------------------------------------------------------------------------

    async def login(self, name: str, password: str, address: str) -> tuple[str, Login]:
        """Check a password: the cookie and its login. Raises WrongPassword, TryLater, Busy."""
        role = ROLE_NAMES.get(name.strip().casefold())
        account = role.value if role else "?"
        wait_s = self._attempts.wait_s(account, address)
        if wait_s > 0:
            raise TryLater(wait_s)
        tries = self._attempts.count(account, address)
        must_change = await self._check(role, password)
        if role is None or must_change is None:
            if tries >= FREE_TRIES:
                await self._note("login_delayed", f"{account} from {address}, try {tries}")
            raise WrongPassword
        self._attempts.succeeded(account, address)
        return await self._open(role, LoginWay.PASSWORD, address, must_change=must_change)

    async def _check(self, role: Role | None, password: str) -> bool | None:
        """None: wrong; else whether a new password must be set first."""
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
        """Whether somebody can log in as that role; the operator's printed one does not count."""
        return await self._store.password_hash(role) is not None

    async def change_password(self, login: Login, current: str, new: str) -> None:
        """Set one's own password. The current one is needed unless the way in already proved
        it: a forced change, or a link made on the machine. Raises WrongPassword, TryLater, Busy,
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
        """Set, or remove with None, the password of a weaker role, or of any role on the machine.
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
        """A new password must be chosen at the next login (setting EnforcePasswordChange)."""
        stored = await self._store.password_hash(role)
        if stored is not None and not stored.startswith(TEMPORARY):
            await self._store.set_password_hash(role, TEMPORARY + stored)

    def _judge(self, role: Role, new: str) -> None:
        why = weakness(new, name=role.value, printed=PRINTED_PASSWORD, strong=self._rules.strong())
        if why is not None:
            raise PasswordRefused(why)

    # API tokens -------------------------------------------------------------------------------

    def token(self, token: str) -> StoredToken | None:
        """What is stored of this API token; None when it is unknown."""
        return self._tokens.get(fingerprint(token))

    def holds(self, key: str) -> bool:
        """Whether the login or token whose hash is `key` is still valid, without using it."""
        return key in self._tokens or self.logins.alive(key)

    async def create_token(
        self, role: Role, name: str, by: Principal = SYSTEM
    ) -> tuple[StoredToken, str]:
        """A new API token, told once. Raises NotAllowed, TooManyTokens."""
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
        """The tokens that the principal may see, oldest first."""
        seen = [token for token in self._tokens.values() if by.role.includes(token.role)]
        return sorted(seen, key=lambda token: (token.created_at, token.token_id))

    async def remove_token(self, token_id: str, by: Principal = SYSTEM) -> bool:
        """Take a token back; False when unknown to the principal."""
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
        """The secret of a link that logs in once, from this machine, within 15 minutes."""
        secret = self._random_id(32)
        expires = self._clock.now() + timedelta(minutes=LINK_MINUTES)
        await self._store.add_link(fingerprint(secret), role, format_utc(expires))
        return secret

    async def use_link(self, secret: str, address: str) -> tuple[str, Login]:
        """Log in by a link. Raises LinkRefused."""
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
    """On whose behalf a token speaks."""
    return Principal(PrincipalKind.API_TOKEN, stored.role, stored.name or stored.token_id)
