"""Settings in files: only deviations from the defaults, one file for each revision.

A save writes a new file beside the others: temporary file, fsync, rename, fsync of the folder; then
the oldest are removed. So power may fail at any moment: the newest readable file holds the
settings. A file is a line that describes it (format, schema, checksum) and a line of JSON.

A mark outside that folder stores the newest revision, its checksum and the station, so that a
missing, exchanged or foreign file is detected. It is written after the file: after a power cut it
may be one revision behind, and never ahead.

Files that cannot be read are kept with the ending `.damaged` and reported. Whenever what is found
is not what was stored last, a person must confirm the limits before anybody charges: the lost
revision may have held lower ones.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from borne.adapters.storage.settings_files import Files
from borne.application.ports.settings import (
    LoadedSettings,
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
)
from borne.foundation.messages import N_, Message

SCHEMA = 1
"""Version of the stored form."""

Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: Mapping[int, Migration] = {}
"""Converts one version to the next: from and to `{"values", "made", "revision"}`."""

GENERATIONS = 5
_FORMAT = "borne-settings"
_TEMPORARY = "settings.tmp"
MARK = "settings.newest"
_MARK_FORMAT = "borne-settings-newest"
_NAME = re.compile(r"settings-(\d{10})\.json")
_MAX_SIZE = 4_000_000
_log = logging.getLogger(__name__)


_CONFIRM = N_("No car is charged until the limits have been checked and confirmed.")


class _Damaged(Exception):
    """The content of a file is not what was written."""


def _name(number: int) -> str:
    return f"settings-{number:010}.json"


@dataclass(frozen=True, slots=True)
class _Mark:
    """The revision that was stored last."""

    number: int = 0
    sha256: str = ""
    """Checksum of the whole file; empty while not known."""
    serial_number: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A readable revision."""

    number: int
    document: SettingsDocument
    marked: bool
    """True if a mark existed when it was written."""


class SettingsStore:
    """Settings in a folder of their own; the mark is in the folder `beside`."""

    def __init__(
        self,
        files: Files,
        beside: Files | None = None,
        *,
        in_use: bool = False,
        generations: int = GENERATIONS,
        schema: int = SCHEMA,
        migrations: Mapping[int, Migration] = MIGRATIONS,
    ) -> None:
        """`in_use`: the station has run before, so missing settings are a loss."""
        self._files = files
        self._beside = beside
        self._in_use = in_use
        self._generations = generations
        self._schema = schema
        self._migrations = migrations
        self._number = 0

    # Reading --------------------------------------------------------------------------------

    def load(self) -> LoadedSettings:
        """Return the newest good settings; raises OSError when the folder is not readable."""
        names = self._files.listdir()
        numbers = sorted((int(m[1]) for m in map(_NAME.fullmatch, names) if m), reverse=True)
        aside = [_number_in(name) for name in names if name.endswith(".damaged")]
        mark = self._mark()
        marked = mark or _Mark()
        self._number = max([*numbers, *aside, marked.number])
        found, reports = self._newest(numbers, marked)
        if found is None:
            return self._nothing(marked, reports, lost=bool(reports or aside))
        reports += self._missing(found, mark, [number for number in aside if number > found.number])
        older = [number for number in numbers if number < found.number]
        others = self._readable(older, marked) if reports or not found.marked else []
        if not found.marked and any(o.revision > found.document.revision for o in others):
            reports.append(Message(N_("Stored settings are not in their order.")))
        if not reports:
            return LoadedSettings(found.document, SettingsHealth.GOOD)
        reports.append(Message(_CONFIRM))
        return LoadedSettings(
            found.document, SettingsHealth.RECOVERED, tuple(reports), tuple(others)
        )

    def _newest(self, numbers: Sequence[int], mark: _Mark) -> tuple[_Found | None, list[Message]]:
        """The newest readable revision; newer ones are put aside and reported."""
        reports: list[Message] = []
        for number in numbers:
            try:
                return self._read(number, mark), reports
            except _Damaged as damage:
                reports.append(self._put_aside(number, str(damage)))
        return None, reports

    def _nothing(self, mark: _Mark, reports: list[Message], *, lost: bool) -> LoadedSettings:
        """Return defaults: it is the first start, or all settings are lost."""
        if not lost and mark.number == 0 and not self._in_use:
            return LoadedSettings(SettingsDocument(), SettingsHealth.FRESH)
        reports.append(
            Message(
                N_(
                    "No stored settings can be read. The lowest limits are in force and no car "
                    "is charged until the limits have been checked and confirmed."
                )
            )
        )
        made = {"serial_number": mark.serial_number} if mark.serial_number else {}
        document = SettingsDocument(made=made, revision=self._number)
        return LoadedSettings(document, SettingsHealth.DAMAGED, tuple(reports))

    def _missing(self, found: _Found, mark: _Mark | None, aside: Sequence[int]) -> list[Message]:
        """Return messages for evidence that `found` was not stored last."""
        if mark is None and found.marked:
            return [Message(N_("It is not known which stored settings are the newest."))]
        newest = max([mark.number if mark is not None else 0, *aside])
        if newest <= found.number:
            return []
        lost = Message(N_("The settings of revision {number} are missing."), {"number": newest})
        return [lost]

    def _readable(self, numbers: Sequence[int], mark: _Mark) -> list[SettingsDocument]:
        """Return older revisions that are readable."""
        documents = []
        for number in numbers:
            try:
                documents.append(self._read(number, mark).document)
            except _Damaged:
                _log.warning("%s cannot be read either", _name(number))
        return documents

    def _read(self, number: int, mark: _Mark) -> _Found:
        try:
            content = self._files.read(_name(number))
        except OSError as error:
            raise _Damaged(error.strerror or type(error).__name__) from error
        header, body = _split(content)
        schema = header["schema"]
        if schema > self._schema and body.get("schema") == schema:
            raise _Damaged(f"written by a newer version, schema {schema}")
        if body.get("schema", schema) != schema or schema > self._schema:
            raise _Damaged("not a settings file")
        if body.get("number", number) != number:
            raise _Damaged("it is another revision")
        if schema < self._schema:
            body = self._migrated(number, schema, content, body)
        document = _document(body)
        serial_number = document.made.get("serial_number", "")
        if mark.serial_number and serial_number and serial_number != mark.serial_number:
            raise _Damaged("it is of another station")
        if number == mark.number and mark.sha256 not in ("", hashlib.sha256(content).hexdigest()):
            raise _Damaged("it is not what was stored")
        return _Found(number, document, body.get("marked") is True)

    def _migrated(
        self, number: int, schema: int, content: bytes, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Convert the body to the current form; the old file is copied first."""
        copy = f"settings-{number:010}.schema{schema}.bak"
        self._files.write(copy, content)
        self._files.fsync(copy)
        self._files.fsync_dir()
        for version in range(schema, self._schema):
            step = self._migrations.get(version)
            if step is None:
                raise _Damaged(f"schema {schema} is too old")
            body = step(body)
        return body

    def _put_aside(self, number: int, reason: str) -> Message:
        aside = f"{_name(number)}.damaged"
        try:
            self._files.replace(_name(number), aside)
            self._files.fsync_dir()
        except OSError:
            _log.exception("a damaged settings file could not be moved away")
        return Message(
            N_(
                "The settings of revision {number} cannot be read ({reason}); the file is kept as "
                "{name}. Check the limits: the settings before it are in force."
            ),
            {"number": number, "reason": reason, "name": aside},
        )

    # Writing --------------------------------------------------------------------------------

    def save(self, document: SettingsDocument) -> None:
        """Store a revision durably; raises SettingsNotSaved, with the old settings still in use."""
        number = self._number + 1
        content = _content(document, self._schema, number, marked=self._beside is not None)
        serial_number = document.made.get("serial_number", "")
        try:
            self._begin_mark(serial_number)
            self._files.write(_TEMPORARY, content)
            self._files.fsync(_TEMPORARY)
            self._files.replace(_TEMPORARY, _name(number))
            self._number = number
            self._files.fsync_dir()
        except OSError as error:
            self._withdraw(number)
            reason = error.strerror or type(error).__name__
            message = Message(N_("The settings could not be stored: {reason}."), {"reason": reason})
            raise SettingsNotSaved(message) from error
        try:
            digest = hashlib.sha256(content).hexdigest()
            self._put_mark(_Mark(number, digest, serial_number))
        except OSError:
            # The settings are stored; a mark that is one revision behind hides none that is in use.
            _log.warning("the mark of the newest settings could not be stored", exc_info=True)
        self._prune(number)

    def _withdraw(self, number: int) -> None:
        """Remove an unacknowledged revision, so that the next start does not use it."""
        for name in (_TEMPORARY, _name(number)):
            try:
                self._files.remove(name)
            except OSError:
                _log.warning("%s could not be removed", name)

    def _prune(self, newest: int) -> None:
        try:
            for name in self._files.listdir():
                match = _NAME.fullmatch(name)
                if match and int(match[1]) <= newest - self._generations:
                    self._files.remove(name)
        except OSError:
            _log.warning("old settings could not be removed", exc_info=True)

    # Mark -----------------------------------------------------------------------------------

    def _mark(self) -> _Mark | None:
        """Return the mark; None when it is missing or not valid."""
        if self._beside is None:
            return None
        try:
            _, body = _split(self._beside.read(MARK), _MARK_FORMAT)
            return _Mark(int(body["number"]), str(body["sha256"]), str(body["serial_number"]))
        except (OSError, _Damaged, KeyError, TypeError, ValueError):
            return None

    def _begin_mark(self, serial_number: str) -> None:
        """Write the mark before the first revision that relies on it."""
        if self._beside is not None and self._mark() is None:
            self._put_mark(_Mark(self._number, "", serial_number))

    def _put_mark(self, mark: _Mark) -> None:
        if self._beside is None:
            return
        self._beside.write(f"{MARK}.tmp", _framed(asdict(mark), _MARK_FORMAT, SCHEMA))
        self._beside.fsync(f"{MARK}.tmp")
        self._beside.replace(f"{MARK}.tmp", MARK)
        self._beside.fsync_dir()


def _number_in(name: str) -> int:
    match = _NAME.match(name)
    return int(match[1]) if match else 0


def _content(document: SettingsDocument, schema: int, number: int, *, marked: bool) -> bytes:
    """Build the file content. Number and schema are part of the body so that the checksum covers
    them."""
    body = {
        "values": dict(document.values),
        "made": dict(document.made),
        "revision": document.revision,
        "unconfirmed": document.unconfirmed,
        "number": number,
        "schema": schema,
        "marked": marked,
    }
    return _framed(body, _FORMAT, schema)


def _framed(body: Mapping[str, Any], format_: str, schema: int) -> bytes:
    content = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    header = json.dumps({"format": format_, "schema": schema, "sha256": digest})
    return header.encode() + b"\n" + content + b"\n"


def _split(content: bytes, format_: str = _FORMAT) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a file into header and body; raises _Damaged."""
    if len(content) > _MAX_SIZE:
        raise _Damaged("too long")
    first, newline, rest = content.partition(b"\n")
    body = rest.removesuffix(b"\n")
    if not newline or body == rest:
        raise _Damaged("cut off")
    try:
        header = json.loads(first)
        if header["format"] != format_ or not isinstance(header["schema"], int):
            raise _Damaged("not a settings file")
        if hashlib.sha256(body).hexdigest() != header["sha256"]:
            raise _Damaged("wrong checksum")
        data = json.loads(body)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _Damaged("not a settings file") from error
    if not isinstance(data, dict):
        raise _Damaged("not a settings file")
    return header, data


def _document(body: dict[str, Any]) -> SettingsDocument:
    values, made, revision = body.get("values"), body.get("made"), body.get("revision")
    if not (isinstance(values, dict) and isinstance(made, dict) and isinstance(revision, int)):
        raise _Damaged("not a settings file")
    texts = {key: value for key, value in made.items() if isinstance(value, str)}
    unconfirmed = body.get("unconfirmed", False) is not False
    return SettingsDocument(values, texts, revision, unconfirmed)
