"""Settings in files: only deviations from the defaults, one file for each revision.

A save writes a new file beside the others: temporary file, fsync, rename, fsync of the folder; then
the oldest are removed. So power may go at any moment, and the newest good file is the truth. A file
is a line that describes it (format, schema, checksum) and a line of JSON.

Files that cannot be read are kept with the ending `.damaged` and told; when none is left to fall
back to, the station gets safe values and must be confirmed by a person.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from borne.adapters.storage.settings_files import Files
from borne.application.settings_ports import (
    LoadedSettings,
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
    SettingsTooNew,
)
from borne.domain.settings.messages import N_, Message

SCHEMA = 1
"""Version of the stored form."""

Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: Mapping[int, Migration] = {}
"""From a version to the next one: takes and gives `{"values", "made", "revision"}`."""

GENERATIONS = 5
_FORMAT = "borne-settings"
_TEMPORARY = "settings.tmp"
_NAME = re.compile(r"settings-(\d{10})\.json")
_MAX_SIZE = 4_000_000
_log = logging.getLogger(__name__)


class _Damaged(Exception):
    """A file that is not what was written."""


def _name(number: int) -> str:
    return f"settings-{number:010}.json"


class SettingsStore:
    """Settings in one folder of their own."""

    def __init__(
        self,
        files: Files,
        *,
        generations: int = GENERATIONS,
        schema: int = SCHEMA,
        migrations: Mapping[int, Migration] = MIGRATIONS,
    ) -> None:
        self._files = files
        self._generations = generations
        self._schema = schema
        self._migrations = migrations
        self._number = 0

    # Reading --------------------------------------------------------------------------------

    def load(self) -> LoadedSettings:
        """The newest good settings; raises SettingsTooNew and OSError (folder not readable)."""
        names = self._files.listdir()
        numbers = sorted((int(m[1]) for m in map(_NAME.fullmatch, names) if m), reverse=True)
        damaged_before = [name for name in names if name.endswith(".damaged")]
        self._number = max([*numbers, *map(_number_in, damaged_before)], default=0)
        reports: list[Message] = []
        for number in numbers:
            try:
                document = self._read(number)
            except _Damaged as damage:
                reports.append(self._put_aside(number, str(damage)))
                continue
            health = SettingsHealth.RECOVERED if reports else SettingsHealth.GOOD
            return LoadedSettings(document, health, tuple(reports))
        if reports or damaged_before:
            reports.append(
                Message(
                    N_(
                        "No stored settings can be read. The lowest limits are in force and no "
                        "car is charged until somebody has checked and confirmed the limits."
                    )
                )
            )
            document = SettingsDocument(revision=self._number)
            return LoadedSettings(document, SettingsHealth.DAMAGED, tuple(reports))
        return LoadedSettings(SettingsDocument(), SettingsHealth.FRESH)

    def _read(self, number: int) -> SettingsDocument:
        try:
            content = self._files.read(_name(number))
        except OSError as error:
            raise _Damaged(error.strerror or type(error).__name__) from error
        header, body = _split(content)
        schema = header["schema"]
        if schema > self._schema:
            raise SettingsTooNew(
                f"The settings were written by a newer version (schema {schema}, this one reads "
                f"up to {self._schema}): install that version again, or restore a backup."
            )
        if schema < self._schema:
            body = self._migrated(number, schema, content, body)
        return _document(body)

    def _migrated(
        self, number: int, schema: int, content: bytes, body: dict[str, Any]
    ) -> dict[str, Any]:
        """The body in today's form; the old file is copied first."""
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
            _log.exception("a damaged settings file could not be kept aside")
        return Message(
            N_(
                "The settings of revision {number} cannot be read ({reason}); the file is kept as "
                "{name}. Check the limits: the settings before it are in force."
            ),
            {"number": number, "reason": reason, "name": aside},
        )

    # Writing --------------------------------------------------------------------------------

    def save(self, document: SettingsDocument) -> None:
        """Commit; raises SettingsNotSaved with the old settings still in force."""
        number = self._number + 1
        try:
            self._files.write(_TEMPORARY, _content(document, self._schema))
            self._files.fsync(_TEMPORARY)
            self._files.replace(_TEMPORARY, _name(number))
            self._number = number
            self._files.fsync_dir()
        except OSError as error:
            self._withdraw(number)
            reason = error.strerror or type(error).__name__
            raise SettingsNotSaved(f"The settings could not be stored: {reason}.") from error
        self._prune(number)

    def _withdraw(self, number: int) -> None:
        """What was not acknowledged must not come back at the next start."""
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


def _number_in(name: str) -> int:
    match = _NAME.match(name)
    return int(match[1]) if match else 0


def _content(document: SettingsDocument, schema: int) -> bytes:
    body = json.dumps(
        {
            "values": dict(document.values),
            "made": dict(document.made),
            "revision": document.revision,
            "unconfirmed": document.unconfirmed,
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()
    digest = hashlib.sha256(body).hexdigest()
    header = json.dumps({"format": _FORMAT, "schema": schema, "sha256": digest})
    return header.encode() + b"\n" + body + b"\n"


def _split(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and body of a whole file; raises _Damaged."""
    if len(content) > _MAX_SIZE:
        raise _Damaged("too long")
    first, newline, rest = content.partition(b"\n")
    body = rest.removesuffix(b"\n")
    if not newline or body == rest:
        raise _Damaged("cut off")
    try:
        header = json.loads(first)
        if header["format"] != _FORMAT or not isinstance(header["schema"], int):
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
