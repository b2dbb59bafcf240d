"""Reads values of a TOML file, with the line of each mistake and the nearest right word."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from math import isfinite
from typing import Any, TypeVar

from borne.foundation.units import PerPhase

HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]")
KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")
CLOCK = re.compile(r"^(\d{1,3}):(\d{2})(?::(\d{2}))?$")
DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|min|m|h|d)$")
SECONDS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MAX_ERRORS = 20
MAX_TEXT = 60
LONGEST_S = 400 * 86400.0

T = TypeVar("T")
Path = tuple[str | int, ...]
"""Keys and positions from the top of the file."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a line (from 1; 0: the file as a whole)."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


class SiteFileError(Exception):
    """The file cannot be used; one line of text for each mistake."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda one: one.line))
        super().__init__("\n".join(map(str, self.mistakes[:MAX_ERRORS])))


def seconds_of(value: object) -> float | None:
    """Seconds from a number, "07:30", "90s", "30m", "24h", "2d" or a local time; None if it is
    none of them."""
    match value:
        case bool():
            return None
        case int() | float():
            return float(value)
        case time():
            return value.hour * 3600.0 + value.minute * 60.0 + value.second
        case str():
            return _seconds_of_text(value.strip().lower())
    return None


def _seconds_of_text(text: str) -> float | None:
    if found := CLOCK.match(text):
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        return hours * 3600.0 + minutes * 60.0 + rest if minutes < 60 and rest < 60 else None
    if found := DURATION.match(text):
        return float(found[1]) * SECONDS[found[2]]
    return None


def lines_by_path(text: str) -> dict[Path, int]:
    """The line of every header and key that begins a line."""
    lines: dict[Path, int] = {}
    counts: dict[str, int] = {}
    here: Path = ()
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if depth <= 0 and (found := HEADER.match(line)):
            name = found[2]
            here = (name,)
            if found[1] == "[[":
                here = (name, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            lines.setdefault((name,), number)
            lines.setdefault(here, number)
            continue
        if depth <= 0 and (found := KEY.match(line)):
            lines.setdefault((*here, found[1]), number)
        depth += _open_brackets(line)
    return lines


def _open_brackets(line: str) -> int:
    """Brackets opened and not closed in a line, without those in texts and comments."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", line).partition("#")[0]
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


@dataclass
class Document:
    """A parsed file; collects mistakes, so that all of them are reported at once."""

    lines: Mapping[Path, int]
    mistakes: list[Mistake] = field(default_factory=list)

    def fail(self, path: Path, reason: str) -> None:
        """Note a mistake at a key, or at the nearest thing above it that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        self.mistakes.append(Mistake(self.lines.get(path, 0), reason))


def parse(text: str) -> tuple[Table, Document]:
    """Parse TOML; raises SiteFileError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise SiteFileError([Mistake(line, f"not TOML: {reason}")]) from None
    document = Document(lines_by_path(text))
    return Table(values, (), document), document


class Table:
    """Values of one table. A getter notes a mistake and returns the default."""

    def __init__(self, values: Mapping[str, Any], path: Path, document: Document) -> None:
        self._values = values
        self._path = path
        self._document = document
        self._known: list[str] = []

    def fail(self, key: str | None, reason: str) -> None:
        """Note a mistake of this table or of one of its keys."""
        self._document.fail(self._path if key is None else (*self._path, key), reason)

    def has(self, key: str) -> bool:
        """True if the file sets this key."""
        return key in self._values

    def done(self) -> None:
        """Note keys that were not read."""
        for key in self._values:
            if key not in self._known:
                self.fail(key, f"there is no {key!r} here{nearest(key, self._known)}")

    def table(self, key: str) -> Table | None:
        """A table inside; None if it is not there."""
        value = self._value(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fail(key, f"{key} must be a table: [{key}]")
            return None
        return Table(value, (*self._path, key), self._document)

    def tables(self, key: str, limit: int) -> Iterator[Table]:
        """The tables of an array."""
        value = self._value(key)
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fail(key, f"{key} must be written as [[{key}]]")
            return
        if len(value) > limit:
            self.fail(key, f"at most {limit} [[{key}]]")
            return
        for number, one in enumerate(value):
            yield Table(one, (*self._path, key, number), self._document)

    def text(self, key: str, default: str | None = None, *, limit: int = MAX_TEXT) -> str:
        """A text; needed without a default."""
        value = self._value(key)
        if value is None:
            return self._default(key, default, "")
        if not isinstance(value, str) or not value.strip() or len(value) > limit:
            self.fail(key, f"{key} must be a text of 1 to {limit} characters")
            return default or ""
        return value.strip()

    def choice(self, key: str, right: Collection[str], default: str | None = None) -> str:
        """One of several words."""
        if not self.has(key):
            self._known.append(key)
            return self._default(key, default, next(iter(right)))
        word = self.text(key, default)
        if word and word not in right:
            self.fail(key, f"{key} has no value {word!r}{nearest(word, right)}")
            return default or next(iter(right))
        return word

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fail(key, f"{key} must be true or false")
            return default
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number within bounds; needed without a default."""
        value = self._value(key)
        if value is None:
            return self._default(key, default, low)
        if not _is_number(value) or not low <= value <= high:
            self.fail(key, f"{key} must be a number from {low:g} to {high:g}")
            return low if default is None else default
        return float(value)

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within bounds; needed without a default."""
        value = self._value(key)
        if value is None:
            return self._default(key, default, low)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(key, f"{key} must be a whole number from {low} to {high}")
            return low if default is None else default
        return value

    def amps(
        self, key: str, low: float = 0.0, high: float = 10_000.0, default: PerPhase | None = None
    ) -> PerPhase:
        """Amps per phase: one number for all phases, or three; needed without a default."""
        value = self._value(key)
        if value is None:
            return self._default(key, default, PerPhase.same(low))
        each = value if isinstance(value, list) else [value] * 3
        if len(each) != 3 or not all(_is_number(one) and low <= one <= high for one in each):
            self.fail(key, f"{key} must be one number or three, from {low:g} to {high:g}")
            return default or PerPhase.same(low)
        return PerPhase(*map(float, each))

    def seconds(self, key: str, default: float | None = None) -> float:
        """A moment or a duration: seconds, "07:30", "90s", "30m", "24h", "2d"."""
        value = self._value(key)
        if value is None:
            return self._default(key, default, 0.0)
        found = seconds_of(value)
        if found is None or not isfinite(found) or not 0 <= found <= LONGEST_S:
            self.fail(key, f'{key} must be a time such as "07:30", "90s", "30m", "24h" or 3600')
            return default or 0.0
        return found

    def text_list(self, key: str, limit: int) -> tuple[str, ...] | None:
        """A list of texts, or one text; None if the key is not there."""
        value = self._value(key)
        if value is None:
            return None
        each = [value] if isinstance(value, str) else value
        if (
            not isinstance(each, list)
            or not 1 <= len(each) <= limit
            or not all(isinstance(one, str) for one in each)
        ):
            self.fail(key, f"{key} must be a list of 1 to {limit} texts")
            return None
        return tuple(each)

    def _value(self, key: str) -> Any:
        if key not in self._known:
            self._known.append(key)
        return self._values.get(key)

    def _default(self, key: str, default: T | None, stand_in: T) -> T:
        if default is None:
            self.fail(None, f"{key} is missing")
            return stand_in
        return default


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def nearest(word: str, right: Collection[str]) -> str:
    """The end of a sentence: the nearest right word, else all of them."""
    words = {one.lower(): one for one in right}
    close = difflib.get_close_matches(word[:MAX_TEXT].lower(), words, 1, 0.5)
    if close:
        return f"; did you mean {words[close[0]]!r}?"
    return f"; there are: {', '.join(right)}" if right else ""
