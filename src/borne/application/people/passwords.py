"""Passwords: strength rules, hashing (scrypt, RFC 7914), and delays against guessing.

A hash takes about 100 ms of CPU and 16 MB. Hashing therefore runs in a worker thread, one at a
time, and only a few requests may wait.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from borne.foundation.addresses import client_network, is_loopback

SHORTEST = 8
LONGEST = 128
MAX_WAITING = 8
SALT_BYTES = 16

FREE_ATTEMPTS = 5
FIRST_DELAY_S = 2.0
LONGEST_DELAY_S = 900.0
FORGET_AFTER_S = 24 * 3600.0
MAX_REMEMBERED = 1024
BUDGET_ATTEMPTS = 20
BUDGET_REFILL_S = 60.0
"""All unknown addresses together: 20 attempts per role, then one per minute."""
MAX_KNOWN = 32


class Weakness(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    PRINTED = "printed_in_the_manual"
    SAME_AS_NAME = "same_as_name"
    NOT_STRONG = "not_strong"


class Busy(Exception):
    """Too many passwords are being checked at once."""


def weakness(password: str, *, name: str, printed: str, strong: bool) -> Weakness | None:
    """Why a new password is too weak; `strong` is the setting EnforceStrongPasswords."""
    if len(password) < SHORTEST:
        return Weakness.TOO_SHORT
    if len(password) > LONGEST:
        return Weakness.TOO_LONG
    if password.casefold() == printed.casefold():
        return Weakness.PRINTED
    if password.casefold() == name.casefold():
        return Weakness.SAME_AS_NAME
    kinds = (
        any(char.islower() for char in password),
        any(char.isupper() for char in password),
        any(char.isdigit() for char in password),
        any(not char.isalnum() for char in password),
    )
    return Weakness.NOT_STRONG if strong and not all(kinds) else None


@dataclass(frozen=True, slots=True)
class ScryptCost:
    """Parameters of scrypt, stored with each hash."""

    n: int = 2**14
    r: int = 8
    p: int = 5


class Hasher:
    """Creates and verifies hashes of the form `scrypt$n$r$p$salt$hash`."""

    def __init__(
        self, random_bytes: Callable[[int], bytes], cost: ScryptCost | None = None
    ) -> None:
        self._random_bytes = random_bytes
        self._cost = cost or ScryptCost()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Hash a new password; raises Busy."""
        salt, cost = self._random_bytes(SALT_BYTES), self._cost
        digest = await self._in_turn(password, salt, cost)
        return f"scrypt${cost.n}${cost.r}${cost.p}${_encode(salt)}${_encode(digest)}"

    async def verify(self, password: str, stored: str | None) -> bool:
        """Check a password. Takes as long if nothing, or an unusable hash, is stored, so that
        timing does not reveal which accounts exist. Raises Busy."""
        parts = _parts(stored)
        if parts is None:
            await self._in_turn(password, bytes(SALT_BYTES), self._cost)
            return False
        cost, salt, digest = parts
        found = await self._in_turn(password, salt, cost)
        return hmac.compare_digest(found, digest)

    async def _in_turn(self, password: str, salt: bytes, cost: ScryptCost) -> bytes:
        if self._waiting >= MAX_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._turn:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(_worker(), _scrypt, password, salt, cost)
        finally:
            self._waiting -= 1


class Attempts:
    """Delays after wrong passwords, in two ways. Per role and address: five free attempts, then a
    delay that doubles each time. Per role, for all addresses that never logged in: a common budget,
    so that many addresses cannot guess faster than one. This machine and addresses that have logged
    in before are exempt from the budget, so that unknown addresses cannot lock them out. Memory is
    bounded."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tries: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._budgets: dict[str, AttemptBudget] = {}
        self._known: dict[str, OrderedDict[str, None]] = {}

    def wait_s(self, name: str, address: str) -> float:
        """Seconds until the next attempt is allowed; 0 if now."""
        near = client_network(address)
        budget = self._budgets.get(name)
        strangers_s = budget.wait_s() if budget and self._is_unknown_address(name, address) else 0.0
        count, last_s = self._tries.get((name, near), (0, 0.0))
        if count < FREE_ATTEMPTS:
            return strangers_s
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(count - FREE_ATTEMPTS, 30), LONGEST_DELAY_S)
        return max(0.0, strangers_s, last_s + delay_s - self._monotonic())

    def count(self, name: str, address: str) -> int:
        """Count an attempt before it is checked, so that parallel attempts count too."""
        if self._is_unknown_address(name, address):
            self._budgets.setdefault(name, AttemptBudget(self._monotonic)).consume()
        now_s = self._monotonic()
        key = (name, client_network(address))
        count, last_s = self._tries.pop(key, (0, now_s))
        count = 1 if now_s - last_s > FORGET_AFTER_S else count + 1
        self._tries[key] = (count, now_s)
        while len(self._tries) > MAX_REMEMBERED:
            self._tries.popitem(last=False)
        return count

    def succeeded(self, name: str, address: str) -> None:
        """Do not count the last attempt, and remember its address."""
        budget = self._budgets.get(name)
        if budget and self._is_unknown_address(name, address):
            budget.give_back()
        near = client_network(address)
        self._tries.pop((name, near), None)
        known = self._known.setdefault(name, OrderedDict())
        known[near] = None
        known.move_to_end(near)
        while len(known) > MAX_KNOWN:
            known.popitem(last=False)

    def password_changed(self, name: str, address: str = "") -> None:
        """Forget the addresses that knew the old password, except the one that changed it."""
        known = self._known.pop(name, OrderedDict())
        if client_network(address) in known:
            self._known[name] = OrderedDict({client_network(address): None})

    def _is_unknown_address(self, name: str, address: str) -> bool:
        return not is_loopback(address) and client_network(address) not in self._known.get(name, ())


class AttemptBudget:
    """A token bucket: attempts that refill with time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = float(BUDGET_ATTEMPTS)
        self._at_s = monotonic()

    def wait_s(self) -> float:
        """Seconds until an attempt is available."""
        return max(0.0, (1.0 - self._now()) * BUDGET_REFILL_S)

    def consume(self) -> None:
        self._left = max(0.0, self._now() - 1.0)

    def give_back(self) -> None:
        """Return an attempt that was correct."""
        self._left = min(float(BUDGET_ATTEMPTS), self._now() + 1.0)

    def _now(self) -> float:
        now_s = self._monotonic()
        refilled = (now_s - self._at_s) / BUDGET_REFILL_S
        self._left = min(float(BUDGET_ATTEMPTS), self._left + refilled)
        self._at_s = now_s
        return self._left


@cache
def _worker() -> ThreadPoolExecutor:
    """A single thread for all hashes, because each thread that hashes keeps 16 MB."""
    return ThreadPoolExecutor(1, thread_name_prefix="passwords")


def _scrypt(password: str, salt: bytes, cost: ScryptCost) -> bytes:
    memory = 128 * cost.n * cost.r + 2**20
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=cost.n,
        r=cost.r,
        p=cost.p,
        maxmem=memory,
        dklen=32,
    )


def _parts(stored: str | None) -> tuple[ScryptCost, bytes, bytes] | None:
    """Cost, salt and digest of a stored hash; None if it is invalid."""
    try:
        kind, n, r, p, salt, digest = (stored or "").split("$")
        parts = ScryptCost(int(n), int(r), int(p)), _decode(salt), _decode(digest)
    except ValueError:
        return None
    return parts if kind == "scrypt" and parts[2] else None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text)
