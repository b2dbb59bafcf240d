"""Entries of a table of the description of a meter, each of its kind and within its bounds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar

from borne.foundation.messages import N_, Explained, Message

_Enum = TypeVar("_Enum", bound=StrEnum)

MAX_LENGTH = 500
"""Characters of a text."""
MAX_ENTRIES = 40
"""Of a list."""
MAX_MAGNITUDE = 12
"""Decimal digits before and behind the point."""


class Mistake(Explained):
    """`reason` in words, and the keys that lead to the wrong entry."""

    def __init__(self, reason: Message, path: tuple[str, ...] = (), line: int = 0) -> None:
        self.reason, self.path, self.line = reason, path, line
        super().__init__(
            Message(N_("Line {line}: {reason}"), {"line": line, "reason": reason})
            if line
            else reason
        )


FEW = 3
"""So many right words are listed when none is near."""


def nearest(word: str, right: Iterable[str]) -> Message:
    """The sentence about an unknown word."""
    words = list(right)
    close = difflib.get_close_matches(word[:60].lower(), words, 1, 0.5)
    if close:
        return Message(
            N_('"{word}" is not known. Is "{right}" meant?'),
            {"word": word[:60], "right": close[0]},
        )
    if len(words) <= FEW:
        return Message(
            N_('"{word}" is not known. It must be one of {words}.'),
            {"word": word[:60], "words": ", ".join(words)},
        )
    return Message(N_('"{word}" is not known.'), {"word": word[:60]})


class Entries:
    """A table. What was never asked for is an error at `finish`."""

    def __init__(self, table: dict[str, Any], path: tuple[str, ...] = ()) -> None:
        self._table = table
        self._path = path
        self._known: list[str] = []

    @property
    def names(self) -> list[str]:
        """The keys of the table."""
        return list(self._table)

    def mistake(self, reason: Message, key: str) -> Mistake:
        """The error to raise about an entry."""
        return Mistake(reason, (*self._path, key) if key else self._path)

    def finish(self) -> None:
        """Refuse entries that were not asked for."""
        for name in self._table:
            if name not in self._known:
                raise self.mistake(nearest(name, self._known), name)

    def table(self, key: str) -> Entries:
        """A table within this one, empty if it is missing."""
        return Entries(self._of_type(key, dict, {}, N_("a table")), (*self._path, key))

    def text(self, key: str, default: str) -> str:
        """A text of one line."""
        text: str = self._of_type(key, str, default, N_("a text in quotes"))
        if len(text) > MAX_LENGTH or not text.isprintable():
            raise self.mistake(
                Message(
                    N_("{key} is longer than {limit} characters, or has unprintable ones."),
                    {"key": key, "limit": MAX_LENGTH},
                ),
                key,
            )
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self._list(key)
        if not all(isinstance(text, str) and len(text) <= MAX_LENGTH for text in found):
            raise self._wrong(key, Message(N_("a list of texts")))
        return tuple(found)

    def flag(self, key: str) -> bool:
        """`true`, or `false`, which it is by default."""
        return bool(self._of_type(key, bool, False, N_("true or false")))

    def choice(self, key: str, kinds: type[_Enum], default: _Enum | None) -> _Enum:
        """One of the words of an enumeration."""
        word = self.text(key, default or "")
        if not word:
            raise self._missing(key)
        try:
            return kinds(word)
        except ValueError:
            raise self.mistake(nearest(word, [kind.value for kind in kinds]), key) from None

    def integer(
        self,
        key: str,
        default: int | None,
        low: int = 0,
        high: int = 0,
        *,
        among: Collection[int] = (),
    ) -> int:
        """A whole number from `low` to `high`, or one of `among`."""
        self._known.append(key)
        number = self._table.get(key, default)
        if number is None:
            raise self._missing(key)
        if key in self._table:
            self._check_integer(key, number, low, high, among)
        return int(number)

    def integers(
        self, key: str, low: int = 0, high: int = 0, *, among: Collection[int] = ()
    ) -> list[int]:
        """A list of whole numbers."""
        found = self._list(key)
        for number in found:
            self._check_integer(key, number, low, high, among)
        return found

    def values(self, key: str) -> tuple[int | str, ...]:
        """A list of whole numbers and texts."""
        found = self._list(key)
        if not all(isinstance(value, (int, str)) for value in found):
            raise self._wrong(key, Message(N_("a list of numbers and texts")))
        return tuple(found)

    def number(self, key: str, default: Fraction, low: Fraction, high: Fraction) -> Fraction:
        """A number, exact."""
        self._known.append(key)
        value = self._table.get(key, default)
        number = _exact(value)
        if number is None or not low <= number <= high:
            raise self._wrong(
                key,
                Message(
                    N_("a number from {low} to {high}"), {"low": float(low), "high": float(high)}
                ),
            )
        return number

    def ratio(self, key: str) -> Fraction:
        """A number or a ratio such as "1/3600", not 0; 1 if it is missing."""
        self._known.append(key)
        number = _exact(self._table.get(key, 1))
        if not number:
            raise self._wrong(key, Message(N_('a number or a ratio such as "1/3600", not 0')))
        return number

    def _list(self, key: str) -> list[Any]:
        found: list[Any] = self._of_type(key, list, [], N_("a list"))
        if len(found) > MAX_ENTRIES:
            raise self.mistake(
                Message(
                    N_("{key} has more than {limit} entries."), {"key": key, "limit": MAX_ENTRIES}
                ),
                key,
            )
        return found

    def _of_type(self, key: str, kind: type, default: object, words: str) -> Any:
        self._known.append(key)
        value = self._table.get(key, default)
        if not isinstance(value, kind):
            raise self._wrong(key, Message(words))
        return value

    def _check_integer(
        self, key: str, number: object, low: int, high: int, among: Collection[int]
    ) -> None:
        whole = isinstance(number, int) and not isinstance(number, bool)
        if among and not (whole and number in among):
            words = ", ".join(str(right) for right in among)
            raise self._wrong(key, Message(N_("one of {words}"), {"words": words}))
        if not among and not (isinstance(number, int) and whole and low <= number <= high):
            raise self._wrong(
                key, Message(N_("a whole number from {low} to {high}"), {"low": low, "high": high})
            )

    def _wrong(self, key: str, right: Message) -> Mistake:
        return self.mistake(
            Message(N_("{key} must be {right}."), {"key": key, "right": right}), key
        )

    def _missing(self, key: str) -> Mistake:
        for name in self._table:
            if name not in self._known and difflib.get_close_matches(name[:60], [key]):
                return self.mistake(nearest(name, [key]), name)
        return self.mistake(Message(N_("{key} is missing."), {"key": key}), key)


def _exact(value: object) -> Fraction | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value) if abs(value) < 10**MAX_MAGNITUDE else None
    if isinstance(value, Decimal):
        fits = value.is_finite() and abs(value.adjusted()) <= MAX_MAGNITUDE
        return Fraction(value) if fits and len(value.as_tuple().digits) <= 30 else None
    match = re.fullmatch(r"(-?\d{1,12})/(\d{1,12})", value) if isinstance(value, str) else None
    return Fraction(int(match[1]), int(match[2])) if match and int(match[2]) else None
