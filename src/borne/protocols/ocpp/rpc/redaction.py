"""Masks secrets in frames before they are logged or shown.

Raw logs settle disputes with a backend, so everything is kept except the values of secret
configuration keys, members with secret names, and credentials in URLs. The spelling of the backend
(letter case, member names, escapes, invalid JSON) does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from borne.foundation.redaction import MASK, without_credentials

MAX_TEXT_LENGTH = 8192
"""Longer frames are truncated in the log, not on the wire."""

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
"""Members that contain names, not secrets."""
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_ADDRESS_SIGNS: Final = ("@", "?", "#")
_MAX_NESTED: Final = 4
"""Nesting of JSON within texts of JSON."""


def _plain(name: str) -> str:
    """A name without differences of spelling."""
    return _LETTERS.sub("", name.casefold())


class Redactor:
    """Masks frames. `secret_keys` adds names of configuration keys to the built-in ones."""

    def __init__(self, secret_keys: Iterable[str] = ()) -> None:
        self._hints = (*_HINTS, *(_plain(key) for key in secret_keys))

    def is_secret(self, key: str) -> bool:
        """True for a configuration key with a secret value."""
        plain = _plain(key)
        return any(hint in plain for hint in self._hints)

    def clean(self, raw: str | bytes) -> str:
        """The frame as text without secrets, truncated to MAX_TEXT_LENGTH."""
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
        """Text that is not JSON is shown only if it cannot contain a secret."""
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
        # {"key": "AuthorizationKey", "value": ...}, whatever these two members are called.
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
        """Mask the text of a member, which may itself be JSON or contain a URL."""
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
        """True for password=..., or another value after the name of a secret; not for the name
        alone."""
        return self.is_secret(text) and _plain(text) not in self._hints and not text.isalnum()
