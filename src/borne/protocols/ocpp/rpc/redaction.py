"""Takes secrets out of frames before anybody sees them: the one place where that happens.

A raw log is what settles arguments with a backend, so everything stays but the values of secret
configuration keys, members with the name of a secret, and the credentials inside addresses. How a
backend writes them (letter case, names of members, escapes, a frame that is no JSON) does not
matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from borne.foundation.redaction import MASK, without_credentials

MAX_TEXT_LENGTH = 8192
"""Longer frames are cut in the log, not on the wire."""

_HINTS: Final = (
    "authorizationkey",
    "authkey",
    "apikey",
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "privatekey",
    "credential",
    "bearer",
    "token",
)
_NAMES_ONLY: Final = frozenset({"key", "unknownkey", "vendorid", "messageid", "readonly"})
"""Members that hold names, no secrets."""
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_ADDRESS_SIGNS: Final = ("@", "?", "#")
_MAX_NESTED: Final = 4
"""Texts that are JSON inside texts that are JSON ..."""


def _plain(name: str) -> str:
    """A name without what spellings differ in."""
    return _LETTERS.sub("", name.casefold())


class Redactor:
    """Masks frames. `secret_keys` adds names of configuration keys to those that are obvious."""

    def __init__(self, secret_keys: Iterable[str] = ()) -> None:
        self._hints = (*_HINTS, *(_plain(key) for key in secret_keys))

    def is_secret(self, key: str) -> bool:
        """True for a configuration key whose value nobody may read."""
        plain = _plain(key)
        return any(hint in plain for hint in self._hints)

    def clean(self, raw: str | bytes) -> str:
        """The frame as text without secrets, at most MAX_TEXT_LENGTH characters of it."""
        text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
        if text and self._suspicious(text):
            text = self._masked(text)
        if len(text) > MAX_TEXT_LENGTH:
            text = f"{text[:MAX_TEXT_LENGTH]}... ({len(text)} characters)"
        return text

    def _suspicious(self, text: str) -> bool:
        signs = "\\u" in text or any(sign in text for sign in _ADDRESS_SIGNS)
        return signs or self.is_secret(text)

    def _masked(self, text: str) -> str:
        try:
            data = json.loads(text, strict=False)
            masked = self._mask(data)
        except (ValueError, RecursionError):
            return self._withheld(text)
        if masked == data:
            return text
        return json.dumps(masked, separators=(",", ":"), ensure_ascii=False)

    def _withheld(self, text: str) -> str:
        """What is no JSON is shown only when nothing in it can be a secret."""
        plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")
        if self.is_secret(plain):
            return f"({len(text)} characters withheld)"
        clean = without_credentials(plain)
        return text if clean == plain else clean

    def _mask(self, data: Any, name: str = "", depth: int = 0) -> Any:
        match data:
            case dict():
                return self._mask_members(data, depth)
            case list():
                return [self._mask(item, name, depth) for item in data]
            case str() if name not in _NAMES_ONLY:
                return self._mask_text(data, depth)
        return data

    def _mask_members(self, data: dict[Any, Any], depth: int) -> dict[Any, Any]:
        members = {member: _plain(str(member)) for member in data}
        # {"key": "AuthorizationKey", "value": ...}, whatever the two are called.
        of_secret = any(
            plain == "key" and self._names_secret(data[member]) for member, plain in members.items()
        )
        masked: dict[Any, Any] = {}
        for member, value in data.items():
            plain = members[member]
            hidden = of_secret or (self.is_secret(plain) and plain not in _NAMES_ONLY)
            if hidden and plain not in _NAMES_ONLY and value is not None:
                masked[member] = MASK
            else:
                masked[member] = self._mask(value, plain, depth)
        return masked

    def _names_secret(self, value: Any) -> bool:
        named = value if isinstance(value, list) else [value]
        return any(isinstance(each, str) and self.is_secret(each) for each in named)

    def _mask_text(self, text: str, depth: int) -> str:
        """A text of any member: perhaps JSON itself, perhaps with an address in it."""
        if depth < _MAX_NESTED and text.lstrip()[:1] in ("{", "["):
            try:
                inner = json.loads(text, strict=False)
                masked = self._mask(inner, "", depth + 1)
            except (ValueError, RecursionError):
                pass
            else:
                if masked == inner:
                    return text
                return json.dumps(masked, separators=(",", ":"), ensure_ascii=False)
        return MASK if self._contains_secret(text) else without_credentials(text)

    def _contains_secret(self, text: str) -> bool:
        """password=..., and whatever follows the name of a secret. A bare name is none."""
        return self.is_secret(text) and _plain(text) not in self._hints and not text.isalnum()
