"""The accounts of the meters, in a file with two slots that are written alternately.

It is written with every changed reading, about once a second while energy flows, so a kill loses no
more than that: the page cache outlives the process. It is synced less often to spare the flash; a
power cut loses the time since the last sync. The file has its full size from the beginning and is
overwritten in place, so a full disk does not matter. An incompletely written slot has a wrong
checksum, and the other slot is used. Decision 0126.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from borne.adapters.storage.moments import from_us, to_us
from borne.domain.station.metering import Account, Verdict
from borne.foundation.clock import Moment
from borne.foundation.files import sync_folder

SLOT_BYTES = 16384
"""Enough for sixty meters."""
PAGE_BYTES = 4096
DURABLE_S = 5.0
"""The most that a power cut loses; shorter would wear the flash."""
_log = logging.getLogger(__name__)


class MeterFile:
    """See `ports.MeterStore`."""

    def __init__(self, path: Path, executor: Executor, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._executor = executor
        self._monotonic = monotonic
        self._accounts: dict[int, Account] = {}
        self._number = 0
        self._file: int | None = None
        self._synced_s = float("-inf")
        self._failing = False
        self._gone = False
        self._urgent = False
        self._planned = False
        self._writing: asyncio.Future[None] | None = None
        self._first: dict[int, Account] | None = None
        self._lock = threading.Lock()

    async def load(self) -> Mapping[int, Account]:
        """Return the accounts by connector; empty when nothing can be read."""
        first, self._first = self._first, None
        if first is None:
            loop = asyncio.get_running_loop()
            first = await loop.run_in_executor(self._executor, self._read)
        self._accounts = first
        return dict(self._accounts)

    def read_first(self) -> None:
        """Read the accounts for the first `load`; called by the job that opens the storage."""
        self._first = self._read()

    def keep(self, connector: int, account: Account, *, urgent: bool = False) -> None:
        """Store an account soon. Accounts that arrive during a write are written with the next
        one."""
        if self._gone:
            return
        self._accounts[connector] = account
        self._urgent |= urgent
        if not self._planned:
            self._planned = True
            self._write_soon()

    async def close(self) -> None:
        """Finish the writes requested before; the file is synced when it returns."""
        if self._gone:
            return
        if self._writing is not None:
            await asyncio.wait({self._writing})
        self._gone = True
        if self._accounts:
            await asyncio.get_running_loop().run_in_executor(
                self._executor, self._write, dict(self._accounts), True
            )
        self._end()

    def abort(self) -> None:
        """Stop as in a power cut: waiting accounts are not written."""
        self._gone = True
        self._end()

    def _end(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _write_soon(self) -> None:
        now_s = self._monotonic()
        durable = self._urgent or now_s >= self._synced_s + DURABLE_S
        if durable:
            self._synced_s, self._urgent = now_s, False
        asked = dict(self._accounts)
        try:
            self._writing = asyncio.get_running_loop().run_in_executor(
                self._executor, self._write, asked, durable
            )
        except RuntimeError:
            self._planned = False  # the executor has ended: so has the station
            return
        self._writing.add_done_callback(lambda _: self._written(asked))

    def _written(self, asked: Mapping[int, Account]) -> None:
        if not self._gone and (self._urgent or asked != self._accounts):
            self._write_soon()
        else:
            self._planned = False

    # In the executor ------------------------------------------------------------------------

    def _read(self) -> dict[int, Account]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._complain(error)
            return {}
        slots = [content[:SLOT_BYTES], content[SLOT_BYTES : 2 * SLOT_BYTES]]
        found = [slot for slot in map(_decoded, slots) if slot is not None]
        if not found:
            _log.warning("the stored accounts of the meters cannot be read: %s", self._path)
            return {}
        self._number, accounts = max(found, key=lambda slot: slot[0])
        return accounts

    def _write(self, accounts: Mapping[int, Account], durable: bool) -> None:
        with self._lock:
            try:
                self._put(accounts, durable)
            except OSError as error:
                self._complain(error)
            else:
                self._failing = False

    def _put(self, accounts: Mapping[int, Account], durable: bool) -> None:
        made = False
        if self._file is None:
            self._file, made = self._opened()
        self._number += 1
        slot = _encoded(self._number, accounts)
        os.pwrite(self._file, slot, self._number % 2 * SLOT_BYTES)
        if made:
            os.fsync(self._file)
            sync_folder(self._path.parent)
        elif durable:
            os.fdatasync(self._file)

    def _opened(self) -> tuple[int, bool]:
        """Return the opened file, and True if it was created now."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            made = os.fstat(file).st_size < 2 * SLOT_BYTES
            if made:
                # Page by page: what is written at once is one large page of the cache, and Linux
                # counts the whole of it as written whenever a slot is.
                for offset in range(0, 2 * SLOT_BYTES, PAGE_BYTES):
                    os.pwrite(file, bytes(PAGE_BYTES), offset)
        except OSError:
            os.close(file)
            with suppress(OSError):
                self._path.unlink()
            raise
        return file, made

    def _complain(self, error: OSError) -> None:
        if not self._failing:
            _log.warning("the accounts of the meters are not kept: %s", error)
        self._failing = True


def _encoded(number: int, accounts: Mapping[int, Account]) -> bytes:
    data = {
        "number": number,
        "meters": {str(connector): _json(account) for connector, account in accounts.items()},
    }
    text = json.dumps(data, separators=(",", ":")).encode()
    line = b"%08x %s\n" % (zlib.crc32(text), text)
    if len(line) > SLOT_BYTES:
        raise OSError(f"{len(accounts)} meters do not fit in the file")
    return line


def _decoded(slot: bytes) -> tuple[int, dict[int, Account]] | None:
    checksum, _, rest = slot.partition(b" ")
    text, newline, _ = rest.partition(b"\n")  # what follows is older
    try:
        if not newline or int(checksum, 16) != zlib.crc32(text):
            return None
        data = json.loads(text)
        meters = {int(key): _account(value) for key, value in data["meters"].items()}
        return int(data["number"]), meters
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _json(account: Account) -> dict[str, Any]:
    at = account.at
    return {
        "serial_number": account.serial_number,
        "register_wh": account.register_wh,
        "line_wh": account.line_wh,
        "at": [at.boot_id, at.monotonic_s, None if at.wall is None else to_us(at.wall)],
        "power_w": account.power_w,
        "session": account.session_id,
        "doubts": sorted(account.doubts),
        "surplus_wh": account.surplus_wh,
        "deficit_wh": account.deficit_wh,
    }


def _account(data: Mapping[str, Any]) -> Account:
    boot_id, monotonic_s, wall_us = data["at"]
    wall: datetime | None = None if wall_us is None else from_us(wall_us)
    return Account(
        serial_number=str(data["serial_number"]),
        register_wh=int(data["register_wh"]),
        line_wh=int(data["line_wh"]),
        at=Moment(str(boot_id), float(monotonic_s), wall),
        power_w=float(data["power_w"]),
        session_id=str(data["session"]),
        doubts=frozenset(Verdict(word) for word in data["doubts"]),
        surplus_wh=float(data["surplus_wh"]),
        deficit_wh=float(data["deficit_wh"]),
    )
