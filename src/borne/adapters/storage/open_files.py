"""Many stations in one process: an open database takes about 300 kB and three files, so those that
were not used for the longest time are closed until they are needed again.

See `docs/decisions/0174-open-databases-of-many-stations.md`.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

FIRST_LIMIT = 32
"""Enough for those that start at the same time."""
OFTEN = 3
SOON_S = 300.0
"""A database that is opened again so often within that time stays open (a start alone needs it once
or twice); one that was not used for so long may be closed, whatever the limit is."""
_FILES_EACH = 3
_BYTES_EACH = 300_000


class Resting(Protocol):
    """An object that can close its files and reopen them by itself."""

    def rest(self) -> None:
        """Close the files unless they are in use."""


def max_open_files() -> int:
    """How many databases the process can keep open with half of the files that it may open, and an
    eighth of the memory that is free now."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    by_files = files // 2 // _FILES_EACH if files != resource.RLIM_INFINITY else 10**6
    return max(FIRST_LIMIT, min(by_files, memory // 8 // _BYTES_EACH))


class OpenFiles:
    """Keeps the frequently used databases open, at most `max_open`; share one instance between the
    storages of a process."""

    def __init__(
        self,
        max_open: int | None = None,
        *,
        first: int = FIRST_LIMIT,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max = max_open_files() if max_open is None else max_open
        self.limit = min(first, self._max)
        """Current limit of open databases."""
        self._now_s = now_s
        self._lock = threading.Lock()
        self._used: OrderedDict[Resting, float] = OrderedDict()
        self._missed: dict[Resting, tuple[float, int]] = {}
        """Of closed ones: since when, and how often they were opened again."""

    def note(self, database: Resting) -> None:
        """Note a use; those that were not used for the longest time may be closed."""
        with self._lock:
            now_s = self._now_s()
            if database not in self._used and database in self._missed:
                self._miss(database, now_s)
            self._used[database] = now_s
            self._used.move_to_end(database)
            tired = self._tired(now_s)
        for each in tired:
            each.rest()

    def _miss(self, database: Resting, now_s: float) -> None:
        since_s, times = self._missed[database]
        if now_s - since_s >= SOON_S:
            since_s, times = now_s, 0
        self._missed[database] = since_s, times + 1
        if times + 1 >= OFTEN:
            del self._missed[database]
            self.limit = min(self.limit + 1, self._max)

    def _tired(self, now_s: float) -> list[Resting]:
        tired = []
        while len(self._used) > self.limit:
            database, _ = self._used.popitem(last=False)
            self._missed.setdefault(database, (now_s, 0))
            tired.append(database)
        while len(self._used) > FIRST_LIMIT:
            database, used_s = next(iter(self._used.items()))
            if now_s - used_s < SOON_S:
                break
            del self._used[database]
            self.limit = max(FIRST_LIMIT, self.limit - 1)
            tired.append(database)
        return tired

    def forget(self, database: Resting) -> None:
        """Remove a database that was closed permanently."""
        with self._lock:
            self._used.pop(database, None)
            self._missed.pop(database, None)
