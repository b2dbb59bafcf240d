"""Log uploads ordered by a backend: collected, packed, uploaded.

Sources: OCPP 1.6 section 5.9, errata 3.31 and 3.50; security whitepaper N01.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from borne.application.maintenance.transfer_orders import (
    PERMANENT_PROBLEMS,
    OrderPacing,
    max_attempts,
    pause_s,
)
from borne.application.ports.maintenance import Maintenance, TransferFailed, TransferProblem
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.redaction import without_credentials
from borne.foundation.supervisor import Supervisor

_log = logging.getLogger(__name__)


class LogKind(StrEnum):
    """Contents of the archive."""

    DIAGNOSTICS = "diagnostics"
    SECURITY = "security"


class UploadState(StrEnum):
    """State of an upload, named as in the whitepaper."""

    IDLE = "Idle"
    UPLOADING = "Uploading"
    UPLOADED = "Uploaded"
    FAILED = "UploadFailure"
    DENIED = "PermissionDenied"
    UNSUPPORTED = "NotSupportedOperation"
    BAD = "BadMessage"


_STATES = {
    TransferProblem.DENIED: UploadState.DENIED,
    TransferProblem.UNSUPPORTED: UploadState.UNSUPPORTED,
    TransferProblem.BAD_ADDRESS: UploadState.BAD,
}


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """An upload ordered by the backend. A request id marks a GetLog (whitepaper)."""

    kind: LogKind
    location: str
    since: datetime | None = None
    until: datetime | None = None
    retries: int | None = None
    retry_interval_s: float | None = None
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """A status to report to the backend."""

    state: UploadState
    request_id: int | None = None


Collect = Callable[[LogKind, datetime | None, datetime | None], Awaitable[Mapping[str, str]]]
"""File names and contents of a log."""


class LogUploads:
    """One upload at a time; a new order replaces the current one."""

    def __init__(
        self,
        maintenance: Maintenance,
        collect: Collect,
        identity: Callable[[], str],
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self.progressed: Signal[UploadProgress] = Signal()
        self.current = UploadProgress(UploadState.IDLE)
        self._maintenance = maintenance
        self._collect = collect
        self._identity = identity
        self._clock = clock
        self._supervisor = supervisor
        self._task: asyncio.Task[None] | None = None
        self._pacing = OrderPacing()

    @property
    def running(self) -> bool:
        """True while an upload is in progress."""
        return self._task is not None and not self._task.done()

    def order(self, order: UploadOrder) -> tuple[str, bool]:
        """Accept an order; returns the name of the future file, and whether another upload was
        cancelled."""
        cancelled = self.running
        if self._task is not None:
            self._task.cancel()
        name = self._name(order.kind)
        self._task = self._supervisor.start("log upload", self._run(order, name, self._task))
        return name, cancelled

    def _name(self, kind: LogKind) -> str:
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in self._identity())
        at = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        return f"{safe[:60]}-{kind}-{at}.zip"

    async def _run(self, order: UploadOrder, name: str, before: asyncio.Task[None] | None) -> None:
        path = self._maintenance.folder / name
        await self._pacing.wait(before)
        before = None
        self._report(order, UploadState.UPLOADING)
        try:
            files = await self._collect(order.kind, order.since, order.until)
            await asyncio.to_thread(pack, path, files)
            state = await self._upload(order, name, path)
        except OSError as error:
            _log.warning("logs could not be packed: %s", error)
            state = UploadState.FAILED
        finally:
            await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))
        self._report(order, state)

    async def _upload(self, order: UploadOrder, name: str, path: Path) -> UploadState:
        attempts = max_attempts(order.retries)
        state = UploadState.FAILED
        for attempt in range(attempts):
            try:
                await self._maintenance.transfer.upload(order.location, name, path)
            except TransferFailed as error:
                reason = without_credentials(str(error))
                _log.warning("logs not uploaded, attempt %d: %s", attempt + 1, reason)
                state = _STATES.get(error.problem, UploadState.FAILED)
                if error.problem in PERMANENT_PROBLEMS:
                    break
            else:
                return UploadState.UPLOADED
            if attempt + 1 < attempts:
                await asyncio.sleep(pause_s(attempt, order.retry_interval_s))
        return state

    def _report(self, order: UploadOrder, state: UploadState) -> None:
        _log.info("upload of %s: %s", order.kind, state)
        self.current = UploadProgress(state, order.request_id)
        self.progressed.emit(self.current)


def packed(files: Mapping[str, str]) -> bytes:
    """A ZIP archive in memory; blocks."""
    content = BytesIO()
    _write(content, files)
    return content.getvalue()


def pack(path: Path, files: Mapping[str, str]) -> None:
    """Write a ZIP archive; blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, files)


def _write(target: Path | BytesIO, files: Mapping[str, str]) -> None:
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
