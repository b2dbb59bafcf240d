"""Firmware packages: Debian archives signed by the manufacturer, verified before use.

The archive's last member `_borne` is an Ed25519 signature over the SHA-512 of all preceding bytes
(installers of the distribution ignore members whose name starts with an underscore). No code of a
package is executed here, and only its description is unpacked (decision D25).
"""

from __future__ import annotations

import hashlib
import io
import lzma
import platform
import re
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from borne.application.ports.maintenance import Package, PackageRefused

MAGIC = b"!<arch>\n"
HEADER_BYTES = 60
SIGNATURE_MEMBER = "_borne"
SIGNATURE_BYTES = 64
CONTEXT = b"borne firmware 1\0"
MAX_DESCRIPTION_BYTES = 1024 * 1024
MAX_MEMBERS = 16
NAME = "borne"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:[-~+].*)?")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str
    offset: int
    size: int


class SignedPackages:
    """Checks packages, as `PackageChecker`. `keys` are Ed25519 public keys in PEM."""

    def __init__(self, keys: Sequence[bytes], architecture: str | None = None) -> None:
        self._keys = tuple(keys)
        self._architecture = architecture or debian_architecture(platform.machine())

    def check(self, path: Path, *, running: str) -> Package:
        """Verify signature and description; raises PackageRefused."""
        try:
            with path.open("rb") as file:
                members = read_members(file)
                self._check_signature(file, members)
                description = _description(file, members)
        except OSError as error:
            raise PackageRefused(f"The package cannot be read: {error.strerror}.") from None
        return Package(path, self._check_description(description, running))

    def _check_signature(self, file: BinaryIO, members: Sequence[Member]) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        last = members[-1]
        if last.name != SIGNATURE_MEMBER or last.size != SIGNATURE_BYTES:
            raise PackageRefused("The package is not signed.")
        if any(member.name == SIGNATURE_MEMBER for member in members[:-1]):
            raise PackageRefused("The package has two signatures.")
        file.seek(last.offset)
        signature = file.read(SIGNATURE_BYTES)
        signed = CONTEXT + digest(file, last.offset - HEADER_BYTES)
        for pem in self._keys:
            key = load_pem_public_key(pem)
            if not isinstance(key, Ed25519PublicKey):
                continue
            try:
                key.verify(signature, signed)
            except InvalidSignature:
                continue
            return
        raise PackageRefused("The package is not signed by a key that this station trusts.")

    def _check_description(self, description: dict[str, str], running: str) -> str:
        if description.get("Package") != NAME:
            raise PackageRefused("The package is for another product.")
        if description.get("Architecture") not in ("all", self._architecture):
            raise PackageRefused("The package is for another type of processor.")
        version = description.get("Version", "")
        if order(version) <= order(running):
            raise PackageRefused(f"Version {version} is not newer than {running}.")
        return version


def order(version: str) -> tuple[int, ...]:
    """A version like 1.2.3 as a tuple for comparison; raises PackageRefused for other forms."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise PackageRefused(f"{version[:40]!r} is not a version.")
    return tuple(int(part) for part in found.groups())


def digest(file: BinaryIO, count: int) -> bytes:
    """SHA-512 of the first `count` bytes."""
    file.seek(0)
    hashed = hashlib.sha512()
    left = count
    while left > 0 and (block := file.read(min(left, 1024 * 1024))):
        hashed.update(block)
        left -= len(block)
    return hashed.digest()


def read_members(file: BinaryIO) -> list[Member]:
    """All members of an archive; raises PackageRefused unless they fill the whole file."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise PackageRefused("The file is not a package.")
    found: list[Member] = []
    offset = len(MAGIC)
    while offset < size and len(found) < MAX_MEMBERS:
        file.seek(offset)
        header = file.read(HEADER_BYTES)
        length = header[48:58].strip()
        if len(header) < HEADER_BYTES or header[58:] != b"`\n" or not length.isdigit():
            raise PackageRefused("The package is damaged.")
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        member = Member(name, offset + HEADER_BYTES, int(length))
        offset = member.offset + member.size + member.size % 2
        found.append(member)
    if not found or not size <= offset <= size + 1:
        raise PackageRefused("The package is damaged.")
    return found


def _description(file: BinaryIO, members: Sequence[Member]) -> dict[str, str]:
    member = next((m for m in members if m.name.startswith("control.tar")), None)
    if member is None or member.size > MAX_DESCRIPTION_BYTES:
        raise PackageRefused("The package has no description.")
    file.seek(member.offset)
    packed = file.read(member.size)
    try:
        plain = _unpacked(member.name, packed)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            names = {name.removeprefix("./"): name for name in archive.getnames()}
            inner = archive.extractfile(names["control"])
            text = inner.read().decode() if inner else ""
    except (tarfile.TarError, zlib.error, lzma.LZMAError, KeyError, UnicodeDecodeError) as error:
        raise PackageRefused("The description of the package is damaged.") from error
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith(" "))
    return {name: value.strip() for name, _, value in lines}


def _unpacked(name: str, packed: bytes) -> bytes:
    """Decompress at most MAX_DESCRIPTION_BYTES."""
    match name.rpartition(".")[2]:
        case "tar":
            return packed
        case "gz":
            return zlib.decompressobj(31).decompress(packed, MAX_DESCRIPTION_BYTES)
        case "xz":
            return lzma.LZMADecompressor().decompress(packed, MAX_DESCRIPTION_BYTES)
    raise PackageRefused("The description of the package is packed in an unknown way.")


def debian_architecture(machine: str) -> str:
    """The processor's name in Debian."""
    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}
    return names.get(machine.lower(), machine.lower())
