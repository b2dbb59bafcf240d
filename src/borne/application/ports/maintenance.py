"""File transfer, packages and installation, for firmware updates and diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class TransferProblem(StrEnum):
    """Why a transfer failed."""

    FAILED = "failed"
    DENIED = "denied"
    UNSUPPORTED = "unsupported"
    """The scheme or method is not supported."""
    BAD_ADDRESS = "bad_address"
    TOO_LARGE = "too_large"


class TransferFailed(Exception):
    """A transfer failed; the message is for users."""

    def __init__(self, problem: TransferProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class FileTransfer(Protocol):
    """Downloads and uploads files at addresses given by a backend."""

    def check(self, location: str) -> None:
        """Raises TransferFailed for an address that cannot be used."""

    async def download(self, location: str, target: Path, max_bytes: int) -> None:
        """Download a file; raises TransferFailed and then leaves no file."""

    async def upload(self, location: str, name: str, source: Path) -> None:
        """Upload a file into the folder `location`; raises TransferFailed."""


class PackageRefused(Exception):
    """A firmware package must not be installed; the message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A checked firmware package."""

    path: Path
    version: str


class PackageChecker(Protocol):
    """Checks firmware packages. Blocks: for a worker thread."""

    def check(self, path: Path, *, running: str) -> Package:
        """Check signature, name, architecture, and that the version is newer than the running one;
        raises PackageRefused."""


class InstallFailed(Exception):
    """A valid package could not be installed; the old software keeps running."""


class Installer(Protocol):
    """Installs a staged package; it runs after the next start."""

    @property
    def version(self) -> str:
        """Version of the running software."""

    async def install(self, package: Package) -> None:
        """Raises InstallFailed."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Everything needed for updates and diagnostics."""

    folder: Path
    """Folder for packages and archives in transfer."""
    transfer: FileTransfer
    checker: PackageChecker
    version: str
    """Of the running software."""
    installer: Installer | None = None
    """None: packages are checked and staged, but installation is reported as failed."""
