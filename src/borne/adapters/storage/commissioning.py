"""What a station must not forget when its database is lost: that it was commissioned, who it is,
and whose accounts are closed to the printed password. A small file of its own beside the database.

See `docs/decisions/0156-storage-second-place.md`. Everything here blocks.
"""

from __future__ import annotations

import fnmatch
import json
import logging
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from borne.foundation import files
from borne.foundation.files import write_private
from borne.foundation.messages import N_, Message

FILE = "commissioned.json"
FORM = 1
LARGEST_BYTES = 64 * 1024
_FORMAT = "borne-commissioned"
_TRACES = (
    "station.db",
    "station.db-wal",
    "curves.db",
    "decisions*.jsonl",
    "known_sftp_servers",
    "settings.newest",
    "*-damaged-*",
    "*-foreign-*",
    "*-newer-*",
    "station-schema-*",
)
"""Files that only a station that has run leaves in its folder."""
_FOLDERS = frozenset({"certificates", "messages", "settings"})
"""Folders that show the same when they are not empty."""
_TRACE = re.compile("|".join(map(fnmatch.translate, _TRACES)))
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """The content of the file."""

    station: str = ""
    """Name of this station in its database; empty before the first database."""
    passwords: frozenset[str] | None = frozenset()
    """Roles with a password. None: not known, because the file was lost or is younger than the
    station."""
    aside: str = ""
    """Name of a file of this kind that could not be read and was moved away, until that is
    reported."""

    @property
    def had_database(self) -> bool:
        """True if a missing database is a loss."""
        return self.station != "" or self.passwords is None

    @property
    def closed(self) -> frozenset[str]:
        """Roles that must not log in with the printed password, or without one."""
        return frozenset({"operator"}) if self.passwords is None else self.passwords


class Commissioning:
    """The file in a data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.facts = Facts()

    def is_new(self) -> bool:
        """True if the folder holds no files of a station."""
        return not self._path.exists() and not self._used()

    def _used(self) -> bool:
        folder = self._path.parent
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        inside = (folder / name for name in _FOLDERS & names)
        return any(map(_TRACE.fullmatch, names)) or any(
            any(path.iterdir()) for path in inside if path.is_dir()
        )

    def open(self) -> Facts:
        """Read the file, or make it before anything else is stored in a new folder: so a folder
        without it is older than the file, or the file was removed. One that cannot be read is put
        aside."""
        try:
            self.facts = _facts(_content(self._path))
        except FileNotFoundError:
            self.save(Facts(passwords=None) if self._used() else Facts())
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            _log.error("%s cannot be read: %s", FILE, error)
            self.save(Facts(passwords=None, aside=self._put_aside()))
        return self.facts

    def _put_aside(self) -> str:
        try:
            return files.put_aside(self._path).name
        except OSError as error:
            _log.error("%s could not be moved away: %s", FILE, error)
            return FILE

    def notices(self, *, known: bool) -> list[Message]:
        """Messages for people about the file itself. `known`: the database knows the station."""
        if self.facts.aside:
            return [Message(_DAMAGED, {"file": FILE, "target": self.facts.aside})]
        lost = known and not self.facts.station and self.facts.passwords is None
        return [Message(_MISSING, {"file": FILE})] if lost else []

    def save(self, facts: Facts) -> None:
        """A failing disk is logged and does not keep the station from running."""
        self.facts = facts
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, _text(facts))
        except OSError as error:
            _log.error("%s could not be written: %s", FILE, error)

    def note(self, **changes: Any) -> None:
        """Store the changes, if there are any."""
        changed = replace(self.facts, **changes)
        if changed != self.facts:
            self.save(changed)

    def password(self, role: str, *, known: bool) -> None:
        """Store whether a role has a password."""
        roles = self.facts.passwords or frozenset()
        self.note(passwords=roles | {role} if known else roles - {role})


_DAMAGED = N_(
    "The file {file} could not be read. It was moved to {target}, and a new one was started."
)
_MISSING = N_("The file {file} was missing, and a new one was started.")


def _content(path: Path) -> Any:
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError("too long")
    return json.loads(content.decode())


def _text(facts: Facts) -> bytes:
    content: dict[str, Any] = {
        "format": _FORMAT,
        "form": FORM,
        "station": facts.station,
        "passwords": None if facts.passwords is None else sorted(facts.passwords),
        "aside": facts.aside,
    }
    content["check"] = _check(content)
    return (json.dumps(content, indent=1) + "\n").encode()


def _check(content: dict[str, Any]) -> str:
    """A damaged name would make our own database a foreign one, a damaged role would open its
    account. Neither can be recognised by its form."""
    rest = {name: value for name, value in content.items() if name != "check"}
    return f"{zlib.crc32(json.dumps(rest, sort_keys=True).encode()):08x}"


def _facts(content: Any) -> Facts:
    """Parse the content, in this form or a later one with the same members."""
    if content["format"] != _FORMAT:
        raise ValueError("another file")
    if content["check"] != _check(content):
        raise ValueError("the check sum is wrong")
    station, roles, aside = content["station"], content["passwords"], content.get("aside", "")
    if not isinstance(station, str) or not isinstance(aside, str):
        raise TypeError("names are text")
    if roles is None:
        return Facts(station, None, aside)
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise TypeError("roles are a list of text")
    return Facts(station, frozenset(roles), aside)
