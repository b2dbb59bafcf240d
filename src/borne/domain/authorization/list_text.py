"""Import and export of the local whitelist as text (manual 5.5, decision D1).

Accepted are tables (comma, semicolon or tab; with or without a header), one entry per line, and the
manual's format with entries separated by colons. A suffix `_1`, `-1` or `#1` binds an entry to a
connector. Invalid lines are reported one by one; the valid ones are imported.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from borne.domain.authorization import cards
from borne.domain.settings.choices import LetterCase
from borne.foundation.messages import N_, Message

LONGEST_TEXT = 4_000_000
LONGEST_NAME = 60
LONGEST_CELL = 200
MAX_PROBLEMS = 1000
"""Further problems are counted but not listed."""

_POSTFIX = re.compile(r"(.+?)\s*[_#-]\s*(\d)")
_BYTES_WITH_COLONS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){3,9}")
_MAC = re.compile(r"[0-9A-F]{12}")
_DELIMITERS = (";", "\t", ",")
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_UNKNOWN_COLUMN = ""
_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("uid", "id", "token", "id_token", "idtag", "rfid", "card", "entry"), "uid"),
    **dict.fromkeys(("kind", "type"), "kind"),
    **dict.fromkeys(("connector", "socket", "evse", "charge point"), "connector"),
    **dict.fromkeys(("name", "label", "comment", "owner"), "name"),
}


class TokenKind(StrEnum):
    """Kind of a whitelist entry."""

    RFID = "RFID"
    MAC = "MAC"


@dataclass(frozen=True, slots=True)
class ListedCard:
    """An entry: the token in internal form, and the connector to which it is bound."""

    token: str
    kind: TokenKind = TokenKind.RFID
    connector: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """An invalid line, with a message for users."""

    line: int
    text: str
    message: Message


@dataclass(frozen=True, slots=True)
class ReadList:
    """A parsed list. Of repeated entries the last one counts."""

    entries: Sequence[ListedCard]
    problems: Sequence[BadLine]
    bad: int
    """Number of invalid lines; `problems` lists the first of them."""
    repeated: int


def parse_token(text: str, spelling: LetterCase) -> tuple[str, TokenKind]:
    """The internal form of a card number in `spelling`, or of a MAC address; raises BadCard."""
    digits = "".join(char for char in text.upper() if char.isalnum())
    if _MAC.fullmatch(digits) and re.fullmatch(r"[\s:.\-0-9A-Fa-f]+", text):
        return digits, TokenKind.MAC
    token = cards.parse(text, spelling)
    if cards.is_random(token):
        raise cards.RandomCard(N_("This card has a different number at every reading."))
    return token, TokenKind.RFID


def spell_token(token: str, kind: str, spelling: LetterCase) -> str:
    """A stored token as shown to users: a card number in the configured spelling, a MAC as
    stored."""
    return token if kind == TokenKind.MAC else cards.spell(token, spelling)


def split_postfix(text: str) -> tuple[str, int | None]:
    """Number and connector of `UID_1`, `UID-1` or `UID#1`."""
    found = _POSTFIX.fullmatch(text.strip())
    if found is None:
        return text.strip(), None
    return found[1], int(found[2])


def read_list(text: str, spelling: LetterCase, connectors: int = 2) -> ReadList:
    """Parse a whole list. Raises BadCard if it is too long."""
    if len(text) > LONGEST_TEXT:
        limit = {"limit": LONGEST_TEXT // 1_000_000}
        raise cards.BadCard(Message(N_("The list is longer than {limit} MB."), limit))
    reading = _Reading(spelling, connectors)
    for line, cells in _rows(text.removeprefix("\ufeff")):
        reading.add(line, cells)
    return reading.result()


class _Reading:
    """Collects entries and problems."""

    def __init__(self, spelling: LetterCase, connectors: int) -> None:
        self._spelling = spelling
        self._connectors = connectors
        self._columns: Sequence[str] | None = None
        self._first = True
        self._entries: dict[tuple[str, int | None], ListedCard] = {}
        self._problems: list[BadLine] = []
        self._bad = 0
        self._good = 0

    def add(self, line: int, cells: Sequence[str]) -> None:
        if self._first:
            self._first = False
            names = [_COLUMNS.get(cell.strip().casefold(), _UNKNOWN_COLUMN) for cell in cells]
            if "uid" in names and not any(map(_is_number, cells)):
                self._columns = names
                return
        try:
            entry = self._entry(self._named(cells))
        except cards.BadCard as error:
            self._bad += 1
            if len(self._problems) < MAX_PROBLEMS:
                shown = ",".join(cells)[:LONGEST_NAME]
                self._problems.append(BadLine(line, shown, error.message))
            return
        self._good += 1
        self._entries[entry.token, entry.connector] = entry

    def result(self) -> ReadList:
        entries = tuple(self._entries.values())
        return ReadList(entries, tuple(self._problems), self._bad, self._good - len(entries))

    def _named(self, cells: Sequence[str]) -> Mapping[str, str]:
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise cards.BadCard(N_("This line is too long."))
        if self._columns is not None:
            pairs = zip(self._columns, cells, strict=False)
            return {column: cell.strip() for column, cell in pairs if column}
        named = {"uid": cells[0].strip()}
        for cell in map(str.strip, cells[1:]):
            if cell.upper() in set(TokenKind):
                named["kind"] = cell
            elif cell.isdigit() and "connector" not in named:
                named["connector"] = cell
            elif cell and "name" not in named:
                named["name"] = cell
        return named

    def _entry(self, named: Mapping[str, str]) -> ListedCard:
        number, bound = split_postfix(named.get("uid", ""))
        column = named.get("connector", "")
        if column and bound is None:
            if not (column.isascii() and column.isdigit() and len(column) < 4):
                raise cards.BadCard(Message(N_("{token} is not a socket."), {"token": column}))
            bound = int(column) or None
        if bound is not None and not 1 <= bound <= self._connectors:
            raise cards.BadCard(Message(N_("There is no socket {socket}."), {"socket": bound}))
        token, kind = parse_token(number, self._spelling)
        wanted = named.get("kind", "").upper()
        if wanted and wanted != kind:
            values = {"token": number, "what": wanted}
            raise cards.BadCard(Message(N_("{token} is not of the kind {what}."), values))
        name = _unguarded(named.get("name", ""))
        if len(name) > LONGEST_NAME:
            limit = {"limit": LONGEST_NAME}
            raise cards.BadCard(Message(N_("A name has {limit} characters at most."), limit))
        return ListedCard(token, kind, bound, "".join(c if c.isprintable() else " " for c in name))


def _is_number(cell: str) -> bool:
    try:
        parse_token(split_postfix(cell)[0], LetterCase.UPPER)
    except cards.BadCard:
        return False
    return True


def _rows(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    lines = _LINES.findall(text)
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    if not head.count(delimiter):
        yield from _plain(lines)
        return
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        values = {"line": reader.line_num, "reason": str(error)}
        raise cards.BadCard(Message(N_("Line {line} cannot be read: {reason}."), values)) from None


def _plain(lines: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """One entry per line, or several separated by colons."""
    for number, line in enumerate(lines, 1):
        bare, _ = split_postfix(line)
        parts = [line] if _BYTES_WITH_COLONS.fullmatch(bare) else line.split(":")
        for part in parts:
            if part.strip():
                yield number, [part]


class _Text:
    """A file-like object for `csv.writer`."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def write(self, piece: str) -> None:
        self.pieces.append(piece)


def write_csv(
    entries: Iterable[tuple[ListedCard, str, str]], spelling: LetterCase, delimiter: str = ","
) -> str:
    """A table of (entry, added at, last used at) that `read_list` accepts."""
    text = _Text()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(("uid", "kind", "connector", "name", "added_at", "last_used_at"))
    for entry, added_at, used_at in entries:
        uid = spell_token(entry.token, entry.kind, spelling)
        socket = "" if entry.connector is None else entry.connector
        writer.writerow((uid, entry.kind.value, socket, _guarded(entry.name), added_at, used_at))
    return "".join(text.pieces)


def write_colons(entries: Iterable[ListedCard], spelling: LetterCase) -> str:
    """The manual's format: `UID:UID_1:...`."""
    return ":".join(
        spell_token(entry.token, entry.kind, spelling)
        + ("" if entry.connector is None else f"_{entry.connector}")
        for entry in entries
    )


def _guarded(name: str) -> str:
    """A name with a quote in front if a spreadsheet would treat it as a formula."""
    return f"'{name}" if name.startswith(_FORMULA_STARTS) else name


def _unguarded(name: str) -> str:
    return name[1:] if name.startswith("'") and name[1:].startswith(_FORMULA_STARTS) else name
