"""Passwords: what makes one weak, how it is kept (scrypt, RFC 7914), how guessing is slowed down.

Hashing takes some 100 ms of a core and 16 MB, so it runs in a worker, one at a time, and only a
few may wait for it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from borne.foundation.addresses import neighbourhood

SHORTEST = 8
LONGEST = 128
WAITING_MOST = 8
SALT_BYTES = 16

FREE_TRIES = 5
FIRST_DELAY_S = 2.0
LONGEST_DELAY_S = 900.0
FORGET_AFTER_S = 24 * 3600.0
REMEMBERED_MOST = 1024


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
    """What is wrong with a new password; `strong` is the setting EnforceStrongPasswords."""
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
    """Parameters of scrypt; they are stored with each hash."""

    n: int = 2**14
    r: int = 8
    p: int = 5


class Hasher:
    """Makes and checks hashes `scrypt$n$r$p$salt$hash`."""

    def __init__(
        self, random_bytes: Callable[[int], bytes], cost: ScryptCost | None = None
    ) -> None:
        self._random_bytes = random_bytes
        self._cost = cost or ScryptCost()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """A new hash; raises Busy."""
        salt, cost = self._random_bytes(SALT_BYTES), self._cost
        digest = await self._in_turn(password, salt, cost)
        return f"scrypt${cost.n}${cost.r}${cost.p}${_encode(salt)}${_encode(digest)}"

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one; takes as long when nothing is stored. Raises Busy."""
        if stored is None:
            await self._in_turn(password, bytes(SALT_BYTES), self._cost)
            return False
        _, n, r, p, salt, digest = stored.split("$")
        cost = ScryptCost(int(n), int(r), int(p))
        found = await self._in_turn(password, _decode(salt), cost)
        return hmac.compare_digest(found, _decode(digest))

    async def _in_turn(self, password: str, salt: bytes, cost: ScryptCost) -> bytes:
        if self._waiting >= WAITING_MOST:
            raise Busy
        self._waiting += 1
        try:
            async with self._turn:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(None, _scrypt, password, salt, cost)
        finally:
            self._waiting -= 1


class Attempts:
    """Wrong tries by role and address: the first five are free, then each one costs twice the
    delay of the one before. Bounded; an IPv6 network of /64 counts as one address."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tries: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """Seconds until the next try is allowed; 0 when it is now."""
        count, last_s = self._tries.get((name, neighbourhood(address)), (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(count - FREE_TRIES, 30), LONGEST_DELAY_S)
        return max(0.0, last_s + delay_s - self._monotonic())

    def count(self, name: str, address: str) -> int:
        """Count a try before it is judged, so that tries at the same time cost too."""
        now_s = self._monotonic()
        key = (name, neighbourhood(address))
        count, last_s = self._tries.pop(key, (0, now_s))
        count = 1 if now_s - last_s > FORGET_AFTER_S else count + 1
        self._tries[key] = (count, now_s)
        while len(self._tries) > REMEMBERED_MOST:
            self._tries.popitem(last=False)
        return count

    def clear(self, name: str, address: str) -> None:
        """Forget the tries: the last one was right."""
        self._tries.pop((name, neighbourhood(address)), None)


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


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text)
