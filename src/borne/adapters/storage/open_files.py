"""Many stations in one process: an open database costs about 200 kB and three files, so those that
were not used for the longest time rest until they are needed again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

OPEN_LIMIT = 64


class Resting(Protocol):
    """What can close its files and open them again by itself."""

    def rest(self) -> None:
        """Close politely, unless it is in use."""


class OpenFiles:
    """Keeps at most `limit` databases open; share one between the storages of a process."""

    def __init__(self, limit: int = OPEN_LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._used: OrderedDict[Resting, None] = OrderedDict()

    def note(self, database: Resting) -> None:
        """It is being used; the one that was not used for the longest time may rest."""
        with self._lock:
            self._used[database] = None
            self._used.move_to_end(database)
            tired = self._used.popitem(last=False)[0] if len(self._used) > self._limit else None
        if tired is not None:
            tired.rest()

    def forget(self, database: Resting) -> None:
        """It was closed for good."""
        with self._lock:
            self._used.pop(database, None)
