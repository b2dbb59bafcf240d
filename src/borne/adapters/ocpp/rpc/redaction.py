"""Takes secrets out of frames before anybody sees them: the one place where that happens.

A raw log is what settles arguments with a backend, so everything stays but the values of secret
configuration keys and the credentials inside URLs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

MASK = "***"
MAX_TEXT_LENGTH = 8192
"""Longer frames are cut in the log, not on the wire."""

_HINTS = ("authorizationkey", "passw", "secret", "privatekey", "token")
_URL_CREDENTIALS = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*:\\?/\\?/)[^/@\s\"<>\\]*@")


class Redactor:
    """Masks frames. `secret_keys` adds names of configuration keys to those that are obvious."""

    def __init__(self, secret_keys: Iterable[str] = ()) -> None:
        self._hints = (*_HINTS, *(key.lower() for key in secret_keys))

    def is_secret(self, key: str) -> bool:
        """True for a configuration key whose value nobody may read."""
        lowered = key.lower()
        return any(hint in lowered for hint in self._hints)

    def clean(self, raw: str | bytes) -> str:
        """The frame as text without secrets, at most MAX_TEXT_LENGTH characters of it."""
        text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
        if self.is_secret(text) or "\\u" in text:
            text = self._masked(text)
        if "@" in text:
            text = _URL_CREDENTIALS.sub(rf"\1{MASK}@", text)
        if len(text) > MAX_TEXT_LENGTH:
            text = f"{text[:MAX_TEXT_LENGTH]}... ({len(text)} characters)"
        return text

    def _masked(self, text: str) -> str:
        try:
            data = json.loads(text)
            masked = self._mask(data)
        except (ValueError, RecursionError):
            return f"({len(text)} characters withheld)" if self.is_secret(text) else text
        if masked == data:
            return text
        return json.dumps(masked, separators=(",", ":"), ensure_ascii=False)

    def _mask(self, data: Any, name: str = "") -> Any:
        match data:
            case {"key": str(key), "value": _} if self.is_secret(key):
                return {**data, "value": MASK}
            case dict():
                return {field: self._mask(value, field) for field, value in data.items()}
            case list():
                return [self._mask(item, name) for item in data]
            case str() if name == "data" and self.is_secret(data):
                return MASK
        return data
