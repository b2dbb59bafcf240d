"""Firmware updates ordered by a backend: download, verify, stage, install, report (OCPP 1.6 section
5.19).

An order survives restarts and starts again after a power failure. Installation waits for the end of
all sessions, and free sockets accept no new ones meanwhile. A build without an installer reports
InstallationFailed and keeps running. Further sources: section 8.1 (statuses), errata 3.47 to 3.49;
security whitepaper L01.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from borne.application.charging.connector import Connector, wait_until_idle
from borne.application.charging.station_control import StationControl
from borne.application.maintenance.transfer_orders import (
    PERMANENT_PROBLEMS,
    OrderPacing,
    max_attempts,
    pause_s,
)
from borne.application.ports.maintenance import (
    InstallFailed,
    Maintenance,
    Package,
    PackageRefused,
    TransferFailed,
)
from borne.application.ports.storage import StateStore
from borne.application.state.kept_state import mapping, number, of_form, stored_fact, text, whole
from borne.domain.station.session import StopReason
from borne.foundation.clock import Clock, format_utc, parse_utc
from borne.foundation.events import Signal
from borne.foundation.files import write_private
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.redaction import without_credentials
from borne.foundation.supervisor import Supervisor

STATE_KEY = "firmware_update"
FORM = 1
"""Version of the stored form."""
MAX_BYTES = 256 * 1024 * 1024
LONGEST_SLEEP_S = 3600.0
"""Planned dates are checked again after this time, because the clock may step."""
PACKAGE_FILE = "package.deb"
ADDRESS_FILE = "update-address"
"""An address with credentials is stored in this file, readable by its owner only and deleted with
the order. A database would keep deleted rows for a while."""
_log = logging.getLogger(__name__)


class UpdateState(StrEnum):
    """State of an update, named as in OCPP."""

    IDLE = "Idle"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOADING = "Downloading"
    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    SIGNATURE_VERIFIED = "SignatureVerified"
    INVALID_SIGNATURE = "InvalidSignature"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALLING = "Installing"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALLED = "Installed"
    INSTALLATION_FAILED = "InstallationFailed"


ENDED = frozenset(
    {
        UpdateState.IDLE,
        UpdateState.DOWNLOAD_FAILED,
        UpdateState.INVALID_SIGNATURE,
        UpdateState.INSTALLED,
        UpdateState.INSTALLATION_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class UpdateOrder:
    """An update ordered by the backend. A request id marks a signed update (whitepaper)."""

    location: str
    retrieve_at: datetime
    retries: int | None = None
    retry_interval_s: float | None = None
    request_id: int | None = None
    install_at: datetime | None = None
    certificate: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """A status to report to the backend."""

    state: UpdateState
    request_id: int | None = None

    @property
    def installing(self) -> bool:
        """Whether new software takes over at this moment; it ends with a restart, or in vain."""
        return self.state in (UpdateState.INSTALLING, UpdateState.INSTALL_REBOOTING)


class _Ended(Exception):
    """Ends the update with a final state."""

    def __init__(self, state: UpdateState) -> None:
        super().__init__(state)
        self.state = state


async def _nothing() -> None:
    """Default for a station without backend."""


VerifySignature = Callable[[Path, UpdateOrder], bool]
"""True if the signature of a signed update matches the file; blocks."""


class FirmwareUpdates:
    """One update at a time; a new order replaces the current one until its installation begins."""

    def __init__(
        self,
        maintenance: Maintenance,
        connectors: Mapping[int, Connector],
        control: StationControl,
        state: StateStore,
        clock: Clock,
        supervisor: Supervisor,
        restart: Callable[[StopReason], Coroutine[Any, Any, None]],
        verify: VerifySignature = lambda _path, _order: False,
    ) -> None:
        self.progressed: Signal[UpdateProgress] = Signal()
        self.current = UpdateProgress(UpdateState.IDLE)
        self.before_restart: Callable[[], Awaitable[None]] = _nothing
        """Returns once the backend has received all reports."""
        self._maintenance = maintenance
        self._connectors = connectors
        self._control = control
        self._state = state
        self._clock = clock
        self._supervisor = supervisor
        self._restart = restart
        self._verify = verify
        self._task: asyncio.Task[None] | None = None
        self._pacing = OrderPacing()
        self._ordering = asyncio.Lock()

    async def start(self) -> None:
        """Resume an order from before the restart, or report the result of its installation."""
        stored, _ = await stored_fact(self._state, STATE_KEY, _under_way, None)
        if stored is None:
            return
        order, wanted, apart = stored
        if wanted is None:
            await self._resume(order, apart=apart)
            return
        await self._forget()
        good = wanted == self._maintenance.version
        self._report(order, UpdateState.INSTALLED if good else UpdateState.INSTALLATION_FAILED)

    async def forget_backend(self) -> int:
        """Drop an order of the former backend, unless it is being installed. Called before
        `start`."""
        stored, _ = await stored_fact(self._state, STATE_KEY, _under_way, None)
        if stored is None or stored[1] is not None:
            return 0
        await self._forget()
        return 1

    @property
    def version(self) -> str:
        """The version of the running software."""
        return self._maintenance.version

    @property
    def running(self) -> bool:
        """True while an update is in progress."""
        return self._task is not None and not self._task.done()

    async def order(self, order: UpdateOrder) -> bool:
        """Accept an order; True if it cancelled another one."""
        async with self._ordering:
            cancelled = self.running
            if self._task is not None:
                self._task.cancel()
                self._control.accept_sessions()
            problem = self._problem(order)
            if problem is None:
                await self._remember(order)
                self._begin(order)
            else:
                await self._refuse(order, problem)
        return cancelled

    def _problem(self, order: UpdateOrder) -> str | None:
        """Why the address cannot be used; None if it can."""
        try:
            self._maintenance.transfer.check(order.location)
        except TransferFailed as error:
            return without_credentials(str(error))
        return None

    async def _refuse(self, order: UpdateOrder, problem: str) -> None:
        _log.warning("firmware download failed: %s", problem)
        await self._forget()
        self._task = self._supervisor.start("firmware update", self._report_failure(order))

    async def _report_failure(self, order: UpdateOrder) -> None:
        self._report(order, UpdateState.DOWNLOAD_FAILED)

    async def _resume(self, order: UpdateOrder, *, apart: bool) -> None:
        """Resume an order after a restart, with its separately stored address."""
        if apart:
            location = await asyncio.to_thread(_read, self._maintenance.folder / ADDRESS_FILE)
            if location is None:
                await self._refuse(order, "its address is lost")
                return
            order = replace(order, location=location)
        elif without_credentials(order.location) != order.location:
            await self._remember(order)  # version 0.1.0 stored the address with the order
        self._begin(order)

    async def _remember(self, order: UpdateOrder) -> None:
        path = self._maintenance.folder / ADDRESS_FILE
        if without_credentials(order.location) != order.location:
            await asyncio.to_thread(_write, path, order.location)
        else:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        await self._state.put(STATE_KEY, {"form": FORM, "order": _to_stored(order)})

    async def _forget(self) -> None:
        await self._state.put(STATE_KEY, None)
        path = self._maintenance.folder / ADDRESS_FILE
        await asyncio.to_thread(path.unlink, missing_ok=True)

    def _begin(self, order: UpdateOrder) -> None:
        self._task = self._supervisor.start("firmware update", self._run(order, self._task))

    async def _run(self, order: UpdateOrder, before: asyncio.Task[None] | None) -> None:
        path = self._maintenance.folder / PACKAGE_FILE
        await self._pacing.wait(before)
        before = None
        try:
            await self._wait_until(order.retrieve_at, order, UpdateState.DOWNLOAD_SCHEDULED)
            await self._download(order, path)
            package = await self._check(order, path)
            await self._install(order, package)
        except _Ended as end:
            await self._forget()
            await asyncio.to_thread(path.unlink, missing_ok=True)
            self._control.accept_sessions()
            self._report(order, end.state)

    async def _wait_until(
        self, when: datetime | None, order: UpdateOrder, meanwhile: UpdateState
    ) -> None:
        progressed = False
        while when is not None and (left_s := (when - self._clock.now()).total_seconds()) > 0:
            if order.request_id is not None and not progressed:
                self._report(order, meanwhile)
                progressed = True
            await asyncio.sleep(min(left_s, LONGEST_SLEEP_S))

    async def _download(self, order: UpdateOrder, path: Path) -> None:
        attempts = max_attempts(order.retries)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        for attempt in range(attempts):
            self._report(order, UpdateState.DOWNLOADING)
            try:
                await self._maintenance.transfer.download(order.location, path, MAX_BYTES)
            except TransferFailed as error:
                reason = without_credentials(str(error))
                _log.warning("firmware download failed, attempt %d: %s", attempt + 1, reason)
                if error.problem in PERMANENT_PROBLEMS:
                    break
            else:
                self._report(order, UpdateState.DOWNLOADED)
                return
            if attempt + 1 < attempts:
                await asyncio.sleep(pause_s(attempt, order.retry_interval_s))
        raise _Ended(UpdateState.DOWNLOAD_FAILED)

    async def _check(self, order: UpdateOrder, path: Path) -> Package:
        if order.request_id is not None:
            if not await asyncio.to_thread(self._verify, path, order):
                raise _Ended(UpdateState.INVALID_SIGNATURE)
            self._report(order, UpdateState.SIGNATURE_VERIFIED)
        maintenance = self._maintenance
        try:
            package = await asyncio.to_thread(
                maintenance.checker.check, path, running=maintenance.version
            )
        except PackageRefused as error:
            _log.warning("firmware refused: %s", error)
            self._report(order, UpdateState.INSTALLING)
            raise _Ended(UpdateState.INSTALLATION_FAILED) from None
        staged = path.with_name(f"{package.version}.deb")
        await asyncio.to_thread(path.replace, staged)
        _log.info("firmware %s is staged", package.version)
        return replace(package, path=staged)

    async def _install(self, order: UpdateOrder, package: Package) -> None:
        await self._wait_until(order.install_at, order, UpdateState.INSTALL_SCHEDULED)
        await self._wait_for_sessions()
        self._report(order, UpdateState.INSTALLING)
        installer = self._maintenance.installer
        if installer is None:
            _log.error("firmware %s is staged, but this build cannot install it", package.version)
            raise _Ended(UpdateState.INSTALLATION_FAILED)
        try:
            await installer.install(package)
        except InstallFailed as error:
            _log.error("firmware %s was not installed: %s", package.version, error)
            raise _Ended(UpdateState.INSTALLATION_FAILED) from None
        stored: JsonObject = {"form": FORM, "order": _to_stored(order)}
        await self._state.put(STATE_KEY, {**stored, "installing": package.version})
        if order.request_id is not None:
            self._report(order, UpdateState.INSTALL_REBOOTING)
        await self.before_restart()
        await self._restart(StopReason.REBOOT)

    async def _wait_for_sessions(self) -> None:
        """Block new sessions and wait for the running ones to end."""
        self._control.block_new_sessions()
        for connector in self._connectors.values():
            while connector.status.session is not None:
                await wait_until_idle(connector, LONGEST_SLEEP_S)

    def _report(self, order: UpdateOrder, state: UpdateState) -> None:
        _log.info("firmware update: %s", state)
        self.current = UpdateProgress(state, order.request_id)
        self.progressed.emit(self.current)


def _write(path: Path, location: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, location.encode())


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return None


def _to_stored(order: UpdateOrder) -> JsonObject:
    shown = without_credentials(order.location)
    return {
        "location": shown,
        "apart": shown != order.location,
        "retrieve_at": format_utc(order.retrieve_at),
        "retries": order.retries,
        "retry_interval_s": order.retry_interval_s,
        "request_id": order.request_id,
        "install_at": format_utc(order.install_at) if order.install_at else None,
        "certificate": order.certificate,
        "signature": order.signature,
    }


def _under_way(data: JsonValue) -> tuple[UpdateOrder, str | None, bool]:
    """The order, the version being installed, and whether the address is stored separately."""
    stored = of_form(data, FORM)
    order, wanted = mapping(stored["order"]), stored.get("installing")
    apart = order.get("apart") is True
    return _from_stored(order), None if wanted is None else text(wanted), apart


def _from_stored(stored: JsonObject) -> UpdateOrder:
    install_at, retries = stored["install_at"], stored["retries"]
    pause_s, request_id = stored["retry_interval_s"], stored["request_id"]
    return UpdateOrder(
        location=text(stored["location"]),
        retrieve_at=parse_utc(text(stored["retrieve_at"])),
        retries=None if retries is None else whole(retries),
        retry_interval_s=None if pause_s is None else number(pause_s),
        request_id=None if request_id is None else whole(request_id),
        install_at=parse_utc(text(install_at)) if install_at else None,
        certificate=text(stored["certificate"]),
        signature=text(stored["signature"]),
    )
