"""What firmware updates and diagnostics need from the world, as narrow protocols."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class TransferProblem(StrEnum):
    """Why a file did not get through."""

    FAILED = "failed"
    DENIED = "denied"
    UNSUPPORTED = "unsupported"
    """The scheme, or the way of sending, is not offered."""
    BAD_ADDRESS = "bad_address"
    TOO_LARGE = "too_large"


class TransferFailed(Exception):
    """A file did not get through; the message is for people."""

    def __init__(self, problem: TransferProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class FileTransfer(Protocol):
    """Fetches and leaves files at addresses that a backend names."""

    def check(self, location: str) -> None:
        """Whether an address could work at all; raises TransferFailed when it never can."""

    async def download(self, location: str, target: Path, max_bytes: int) -> None:
        """Fetch a file; raises TransferFailed, and leaves nothing then."""

    async def upload(self, location: str, name: str, source: Path) -> None:
        """Leave a file in the folder `location`; raises TransferFailed."""


class PackageRefused(Exception):
    """A firmware package that must not be installed, in a sentence."""


@dataclass(frozen=True, slots=True)
class Package:
    """A checked firmware package."""

    path: Path
    version: str


class PackageChecker(Protocol):
    """Knows which packages may be installed. Blocks: for a worker thread."""

    def check(self, path: Path, *, running: str) -> Package:
        """Signature, name, architecture, and a version above the running one; raises
        PackageRefused."""


class InstallFailed(Exception):
    """The package is sound, but was not installed; the old one runs on."""


class Installer(Protocol):
    """Puts a staged package in place; it runs after the next start."""

    @property
    def version(self) -> str:
        """Of the software that runs now."""

    async def install(self, package: Package) -> None:
        """Raises InstallFailed."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Everything that updates and diagnostics work with."""

    folder: Path
    """For packages and archives on their way."""
    transfer: FileTransfer
    checker: PackageChecker
    version: str
    """Of the running software."""
    installer: Installer | None = None
    """None: packages are checked and staged, and installing is told as failed."""
