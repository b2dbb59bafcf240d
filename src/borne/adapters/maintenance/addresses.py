"""URLs of files, as sent by a backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from borne.application.ports.maintenance import TransferFailed, TransferProblem

PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22}
IMPLICIT_FTPS_PORT = 990
LONGEST_LOCATION = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed URL."""

    scheme: str
    host: str
    port: int
    path: str
    url: str = field(repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def folder(self) -> str:
        """The path without its last part."""
        return str(PurePosixPath(self.path).parent)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name


def parse(location: str) -> Address:
    """Parse a URL; raises TransferFailed."""
    if len(location) > LONGEST_LOCATION:
        raise TransferFailed(TransferProblem.BAD_ADDRESS, "the address is too long")
    try:
        parts = urlsplit(location.strip())
        port = parts.port
    except ValueError:
        # Python's message may quote a password.
        raise TransferFailed(TransferProblem.BAD_ADDRESS, "not an address") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        known = ", ".join(PORTS)
        raise TransferFailed(
            TransferProblem.UNSUPPORTED, f"{scheme or 'no scheme'}: supported are {known}"
        )
    if not parts.hostname or any(ord(char) < 32 for char in unquote(location)):
        raise TransferFailed(TransferProblem.BAD_ADDRESS, "the address has no host")
    return Address(
        scheme,
        parts.hostname,
        port or PORTS[scheme],
        unquote(parts.path),
        location.strip(),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def in_folder(location: str, name: str) -> str:
    """The URL of a file in the folder `location`; a `location` that names a file stays
    unchanged."""
    parts = urlsplit(location.strip())
    if PurePosixPath(parts.path).suffix:
        return location.strip()
    path = f"{parts.path.rstrip('/')}/{quote(name)}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
