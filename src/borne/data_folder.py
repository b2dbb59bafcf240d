"""Opens the data of a station for the program and the command line, with readable errors."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from borne.adapters.storage import StorageUnavailable, open_storage
from borne.adapters.storage.commissioning import Commissioning
from borne.adapters.storage.lock import FolderInUse, FolderLock
from borne.adapters.storage.settings_files import PosixFiles
from borne.adapters.storage.settings_store import SettingsStore
from borne.application.maintenance.local_commands import LocalCommands
from borne.application.people.accounts import Accounts, Rules
from borne.application.people.logins import Logins
from borne.application.ports.settings import SettingsNotSaved
from borne.application.ports.storage import Storage, StorageFailed, StorageFull
from borne.application.settings.settings_service import SettingsService
from borne.domain.settings.entry import Feature, HardwareFacts
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.json_value import JsonObject


class CannotUse(Exception):
    """The data folder or the options cannot be used; a message for users, and the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@contextlib.contextmanager
def friendly_errors(data: Path) -> Iterator[None]:
    """Convert errors of a data folder to CannotUse, except FolderInUse."""
    try:
        yield
    except FolderInUse:
        raise
    except (SettingsNotSaved, StorageUnavailable) as error:
        raise CannotUse(str(error)) from None
    except StorageFull:
        raise CannotUse(f"The data folder {data} cannot be used: the disk is full.") from None
    except StorageFailed as error:
        raise CannotUse(f"The data folder {data} cannot be used: {error}.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotUse(f"The data folder {data} cannot be used: {reason}.") from None


def simulated_facts(connectors: int = 2, *, group_link: bool = False) -> HardwareFacts:
    """Hardware of a simulated station: without modem, WLAN, USB network, ISO 15118 and phase
    switching. `group_link`: it is joined with the other stations of a site."""
    parts = {Feature.ACTUATOR, Feature.RCMB, Feature.LIGHTS}
    return HardwareFacts(
        connectors, frozenset(parts | {Feature.GROUP_LINK} if group_link else parts)
    )


def open_settings(data: Path, connectors: int = 2, *, group_link: bool = False) -> SettingsService:
    """The settings in a data folder; raises SettingsNotSaved and OSError."""
    facts = simulated_facts(connectors, group_link=group_link)
    return SettingsService.open(settings_store(data), facts)


def settings_store(data: Path) -> SettingsStore:
    """The stored settings of a data folder. Checks first whether the folder was used before,
    because opening it would hide that; a database implies that there were settings."""
    in_use = Commissioning(data).open().had_database or (data / "station.db").exists()
    return SettingsStore(PosixFiles(data / "settings"), PosixFiles(data), in_use=in_use)


async def open_accounts(
    settings: SettingsService, storage: Storage, clock: Clock, logins: Logins
) -> Accounts:
    """The accounts in an open storage, with the rules from the settings."""
    rules = Rules(
        strong=lambda: settings.settings.flag("EnforceStrongPasswords"),
        installer_known=settings.on_installer_password_set,
    )
    accounts = Accounts(storage.accounts, clock, logins, rules=rules, security=storage.security)
    await accounts.load()
    return accounts


def random_token(size: int) -> str:
    """A random secret of `size` bytes for cookies and links."""
    return secrets.token_urlsafe(size)


def run_offline(data: Path, command: str, arguments: JsonObject) -> JsonObject:
    """Run a command without a station, under the folder's lock. `notices` in the result are for the
    user. Raises FolderInUse, CannotUse, CommandRefused and CommandFailed."""
    with friendly_errors(data), FolderLock(data):
        return asyncio.run(_run(data, command, arguments))


async def _run(data: Path, command: str, arguments: JsonObject) -> JsonObject:
    """Run a command; opens the database only if the command needs it."""
    loop = asyncio.get_running_loop()
    clock = Clock(loop.time, datetime.now(UTC), ClockTrust.RTC)
    settings = await asyncio.to_thread(open_settings, data)
    notices = [str(report) for report in settings.reports]
    async with contextlib.AsyncExitStack() as opened:

        async def accounts() -> Accounts:
            storage = await open_storage(data, clock)
            opened.push_async_callback(storage.close)
            notices.extend(map(str, (*storage.remarks, *storage.notices)))
            return await open_accounts(settings, storage, clock, Logins(loop.time, random_token))

        answer = await LocalCommands(settings, accounts).run(command, arguments)
        return {**answer, "notices": notices}
