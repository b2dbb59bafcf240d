"""Builds the maintenance functions of a station on its data folder."""

from __future__ import annotations

from pathlib import Path

from borne.adapters.maintenance.package import SignedPackages
from borne.adapters.maintenance.transfer import Transfer
from borne.application.ports.maintenance import Installer, Maintenance, Package

KEYS_FOLDER = "firmware_keys"
"""Public keys of the manufacturer, one PEM file each; without one every package is refused."""
UPDATES_FOLDER = "updates"
KNOWN_SERVERS = "known_sftp_servers"


class FolderChecker:
    """A package checker that reads the keys at each check."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, path: Path, *, running: str) -> Package:
        """See `SignedPackages.check`."""
        files = sorted(self._folder.glob("*.pem"))
        return SignedPackages([file.read_bytes() for file in files]).check(path, running=running)


def build_maintenance(data: Path, version: str, installer: Installer | None) -> Maintenance:
    """The maintenance functions for a data folder; an installer's version precedes the
    software's."""
    return Maintenance(
        folder=data / UPDATES_FOLDER,
        transfer=Transfer(data / KNOWN_SERVERS),
        checker=FolderChecker(data / KEYS_FOLDER),
        version=installer.version if installer is not None else version,
        installer=installer,
    )
