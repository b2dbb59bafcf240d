"""Stores the simulated world in `world.json`, so that it survives a kill of the process.

The whole file is replaced after an action of a user. While energy flows only the counters change.
They are on the first lines, padded to a fixed length, and overwritten in place for each reading
that leaves the simulation, so that a register is never behind a reported value (decision 0121).
Nothing is synced, and errors never stop a station.
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
from borne.adapters.simulation.vehicle import error_text
from borne.adapters.simulation.world import World
from borne.foundation.events import Unsubscribe

FORMAT = "borne-world"
LARGEST_BYTES = 4_000_000
COUNTERS_BYTES = 240
"""Space for the counters of one meter."""
_log = logging.getLogger(__name__)


class _Unreadable(Exception):
    """The file cannot be used; the message says why."""


class WorldFile:
    """Stores one world and keeps the file up to date."""

    def __init__(self, path: Path, world: World) -> None:
        self._path = path
        self._world = world
        self._street: dict[str, Any] = {}
        self._counters: dict[str, dict[str, Any]] = {}
        self._shown_wh: tuple[int, ...] = ()
        """Register values of the stored counters."""
        self._file: int | None = None
        self._offset = 0
        self._failing = False
        self._subscriptions: list[Unsubscribe] = []

    def open(self, *, fresh: bool = False) -> tuple[str, ...]:
        """Restore the stored world (unless `fresh`) and store it from now on. Returns messages for
        the user if the file cannot be used or written."""
        notice = None if fresh else self._restore()
        trouble = self._write()
        self._failing = trouble is not None
        self._subscriptions = [
            self._world.changed.notify(self._on_world_changed),
            self._world.energy_read.notify(self._keep_counters),
        ]
        return tuple(filter(None, (notice, trouble)))

    def close(self) -> None:
        """Store the final state and close the file."""
        self._on_world_changed()
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

    def _on_world_changed(self) -> None:
        """Store a change of the world, if it concerns a stored value."""
        if stored_world.street(self._world) != self._street:
            self._warn_once(self._write())
        elif stored_world.counters(self._world) != self._counters:
            self._overwrite()

    def _keep_counters(self) -> None:
        """Store the counters before a reading leaves the simulation."""
        if self._shown() != self._shown_wh:
            self._overwrite()

    def _shown(self) -> tuple[int, ...]:
        world = self._world
        now_s = world.loop.time()
        return (
            *(each.read_wh(now_s) for each in stored_world.site_registers(world).values()),
            *(socket.register.read_wh(now_s) for socket in world.sockets.values()),
        )

    def _counters_line(self) -> str:
        """The present counters as a line of fixed length."""
        self._shown_wh = self._shown()
        self._counters = stored_world.counters(self._world)
        length = COUNTERS_BYTES * len(self._counters)
        return json.dumps(self._counters).ljust(length)

    def _write(self) -> str | None:
        """Replace the whole file; returns a message if that fails."""
        self._street = stored_world.street(self._world)
        head = f'{{"format": "{FORMAT}", "version": {VERSION},\n"counters": '
        tail = f',\n"street": {json.dumps(self._street, indent=1)}}}\n'
        content = f"{head}{self._counters_line()}{tail}".encode()
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
            return self._failure(error)
        if self._file is not None:
            os.close(self._file)
        self._file, self._offset = file, len(head)
        return None

    def _overwrite(self) -> None:
        """Overwrite the counters in place."""
        if self._file is None:
            self._warn_once(self._write())
            return
        try:
            os.pwrite(self._file, self._counters_line().encode(), self._offset)
        except OSError as error:
            self._warn_once(self._failure(error))

    def _failure(self, error: OSError) -> str:
        return f"The simulated world cannot be stored in {self._path}: {error.strerror}."

    def _warn_once(self, trouble: str | None) -> None:
        """Log a failure once, until writing succeeds again."""
        if trouble is not None and not self._failing:
            _log.warning("%s", trouble)
        self._failing = trouble is not None


def _read(path: Path) -> StoredWorld:
    """Read and validate the file; raises _Unreadable and OSError."""
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
        raise _Unreadable(f"damaged: {error_text(error)[:200]}") from None
