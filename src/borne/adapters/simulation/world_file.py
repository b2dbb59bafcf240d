"""Keeps the simulated world in `world.json`, so that it survives a kill of the process.

The whole file is replaced when somebody changes the street. While energy flows only the counters
grow: they stand on the first lines, padded to a fixed length, and are overwritten in place with
every reading that leaves the world, so that a register never goes back behind what was told
(decision 0121). Nothing is synced; nothing here stops a station.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from borne.adapters.simulation import stored_world
from borne.adapters.simulation.stored_world import VERSION, StoredWorld
from borne.adapters.simulation.vehicle import sentence
from borne.adapters.simulation.world import World
from borne.foundation.events import Unsubscribe

FORMAT = "borne-world"
LARGEST_BYTES = 4_000_000
COUNTERS_BYTES = 240
"""Room for the counters of one meter."""
_log = logging.getLogger(__name__)


class _Unreadable(Exception):
    """Why a file cannot be used, in words."""


class WorldFile:
    """The file of one world."""

    def __init__(self, path: Path, world: World) -> None:
        self._path = path
        self._world = world
        self._street: dict[str, Any] = {}
        self._counters: dict[str, dict[str, Any]] = {}
        self._shown_wh: tuple[int, ...] = ()
        """What the registers of the stored counters show."""
        self._file: int | None = None
        self._offset = 0
        self._failing = False
        self._subscriptions: list[Unsubscribe] = []

    def open(self, *, fresh: bool = False) -> tuple[str, ...]:
        """Make the world what was stored (unless a fresh one is wanted) and keep it from now on;
        sentences for people when what was stored cannot be used, or nothing can be stored."""
        notice = None if fresh else self._restore()
        trouble = self._write()
        self._failing = trouble is not None
        self._subscriptions = [
            self._world.changed.subscribe(lambda _: self._follow()),
            self._world.energy_read.subscribe(lambda _: self._keep_counters()),
        ]
        return tuple(filter(None, (notice, trouble)))

    def close(self) -> None:
        """Store what is, once more."""
        self._follow()
        while self._subscriptions:
            self._subscriptions.pop()()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _restore(self) -> str | None:
        try:
            stored = _read(self._path)
        except FileNotFoundError:
            return None
        except (_Unreadable, OSError) as error:
            return self._put_aside(str(error))
        stored_world.restore(self._world, stored)
        return None

    def _put_aside(self, reason: str) -> str:
        aside = self._path.with_name(f"{self._path.name}.unread")
        with suppress(OSError):
            self._path.replace(aside)
        return (
            f"The simulated world in {self._path.name} could not be used ({reason}). It is kept as"
            f" {aside.name}, and a fresh one was started."
        )

    # Writing ------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Something in the world changed: perhaps something that is stored."""
        if stored_world.street(self._world) != self._street:
            self._complain(self._write())
        elif stored_world.counters(self._world) != self._counters:
            self._overwrite()

    def _keep_counters(self) -> None:
        """A reading leaves the world: what it told must not be lost."""
        if self._shown() != self._shown_wh:
            self._overwrite()

    def _shown(self) -> tuple[int, ...]:
        world = self._world
        now_s = world.loop.time()
        return (
            world.site_register.read_wh(now_s),
            *(socket.register.read_wh(now_s) for socket in world.sockets.values()),
        )

    def _take(self) -> str:
        """The counters as they are now, as a line of fixed length."""
        self._shown_wh = self._shown()
        self._counters = stored_world.counters(self._world)
        room = COUNTERS_BYTES * len(self._counters)
        return json.dumps(self._counters).ljust(room)

    def _write(self) -> str | None:
        """Replace the whole file; a sentence when that cannot be done."""
        self._street = stored_world.street(self._world)
        head = f'{{"format": "{FORMAT}", "version": {VERSION},\n"counters": '
        tail = f',\n"street": {json.dumps(self._street, indent=1)}}}\n'
        content = f"{head}{self._take()}{tail}".encode()
        temporary = self._path.with_name(f"{self._path.name}.tmp")
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                if os.write(file, content) < len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                temporary.replace(self._path)
            except OSError:
                os.close(file)
                raise
        except OSError as error:
            return self._trouble(error)
        if self._file is not None:
            os.close(self._file)
        self._file, self._offset = file, len(head)
        return None

    def _overwrite(self) -> None:
        """Write the counters over the old ones."""
        if self._file is None:
            self._complain(self._write())
            return
        try:
            os.pwrite(self._file, self._take().encode(), self._offset)
        except OSError as error:
            self._complain(self._trouble(error))

    def _trouble(self, error: OSError) -> str:
        return f"The simulated world cannot be kept in {self._path}: {error.strerror}."

    def _complain(self, trouble: str | None) -> None:
        """Once, until it is written again."""
        if trouble is not None and not self._failing:
            _log.warning("%s", trouble)
        self._failing = trouble is not None


def _read(path: Path) -> StoredWorld:
    """What is stored; raises _Unreadable and OSError."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise _Unreadable("too long")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise _Unreadable("damaged" if content else "empty") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _Unreadable("not a simulated world")
    version = data.get("version")
    if type(version) is not int or version < 1:
        raise _Unreadable("damaged")
    if version > VERSION:
        raise _Unreadable(f"written by a newer version: form {version}")
    try:
        return StoredWorld.model_validate(data)
    except ValidationError as error:
        raise _Unreadable(f"damaged: {sentence(error)[:200]}") from None
