"""Stores certificates in the data folder. Private keys are only readable by the station's user.

At a start, files are only read. `checks` is imported when a certificate must be validated, because
it loads the cryptography library.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from pathlib import Path

from borne.application.ports.certificates import (
    BadCertificate,
    CertificateHash,
    HashAlgorithm,
    RootUse,
)
from borne.foundation.files import put_aside, sync_folder, write_private

FOLDER = "certificates"
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_SEQUENCE = 0x30
KEPT = timedelta(days=31)
"""An old certificate of the station is kept for this time (whitepaper A02.FR.10)."""


class FileCertificates:
    """Stores certificates in files, as `CertificateStore`."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def put_damaged_aside(self) -> list[str]:
        """Move damaged files away; returns their new names. Checks only the outer structure,
        without `checks`."""
        if not self._folder.exists():
            return []
        if not self._folder.is_dir():
            return [put_aside(self._folder).name]
        kept = [path for use in RootUse for path in (self._folder / use.value).glob("*.pem")]
        own = self._folder / "own.pem"
        damaged = [path for path in (*kept, own) if path.exists() and not _is_certificate(path)]
        return [put_aside(path).name for path in damaged]

    def lost_roots(self, use: RootUse) -> bool:
        """True if all roots for this use were damaged."""
        damaged = [*(self._folder / use.value).glob("*-damaged-*")]
        damaged += self._folder.parent.glob(f"{FOLDER}-damaged-*")
        return bool(damaged) and not self._root_files(use)

    def roots(self, use: RootUse) -> list[str]:
        """Root certificates in PEM, oldest first."""
        return [path.read_text() for path in self._root_files(use)]

    def install_root(self, use: RootUse, pem: str, now: datetime) -> None:
        """Store a root; raises BadCertificate and OSError."""
        from borne.adapters.certificates import checks

        root = checks.check_root(pem, now)
        name = checks.name_of(root, HashAlgorithm.SHA256)
        stem = f"{name.issuer_key[:16]}-{name.serial_number[:40]}"
        _write(self._folder / use.value / f"{stem}.pem", checks.pem_of([root]))

    def hashes(self, use: RootUse, algorithm: HashAlgorithm) -> list[CertificateHash]:
        from borne.adapters.certificates import checks

        return [checks.name_in(path.read_text(), algorithm) for path in self._root_files(use)]

    def delete_root(self, named: CertificateHash) -> bool:
        """Delete a root; False if it does not exist."""
        from borne.adapters.certificates import checks

        for use in RootUse:
            for path in self._root_files(use):
                if checks.name_in(path.read_text(), named.algorithm).same_as(named):
                    path.unlink()
                    sync_folder(path.parent)
                    return True
        return False

    def is_root(self, use: RootUse, named: CertificateHash) -> bool:
        """True if the certificate is installed for this use."""
        return any(found.same_as(named) for found in self.hashes(use, named.algorithm))

    def request(self, common_name: str, organization: str) -> str:
        """Generate a key and a certificate signing request for it."""
        from borne.adapters.certificates import checks

        key = checks.new_key()
        _write(self._folder / "pending.key", key)
        return checks.signing_request(key, common_name, organization)

    def install_certificate(self, chain: str, now: datetime) -> None:
        """Install the certificate for the last request; raises BadCertificate."""
        from borne.adapters.certificates import checks

        certificates = checks.read_chain(chain)
        pending = self._folder / "pending.key"
        if not pending.is_file():
            raise BadCertificate("No certificate was requested.")
        key = pending.read_bytes()
        if not checks.same_key(certificates[0], key):
            raise BadCertificate("The certificate is for another key.")
        trusted = [checks.read_one(pem) for pem in self.roots(RootUse.CENTRAL_SYSTEM)]
        checks.check_chain(certificates, trusted, now)
        self._put_aside(now)
        # In one file, so that chain and key always belong together.
        _write(self._folder / "own.pem", checks.pem_of(certificates) + key)
        pending.unlink()

    def own(self) -> tuple[Path, Path] | None:
        """The files of the chain and its key."""
        path = self._folder / "own.pem"
        return (path, path) if path.is_file() else None

    def check_signing_certificate(self, pem: str, now: datetime) -> None:
        """Validate a certificate against the manufacturer's roots; raises BadCertificate."""
        from borne.adapters.certificates import checks

        trusted = [checks.read_one(root) for root in self.roots(RootUse.MANUFACTURER)]
        checks.check_chain(checks.read_chain(pem), trusted, now)

    def signature_is_valid(self, path: Path, pem: str, signature: str) -> bool:
        """True if a base64 signature of a file was made with the certificate's key."""
        from borne.adapters.certificates import checks

        try:
            certificate = checks.read_chain(pem)[0]
        except BadCertificate:
            return False
        return checks.signature_is_valid(path, certificate, signature)

    def _root_files(self, use: RootUse) -> list[Path]:
        found = (self._folder / use.value).glob("*.pem")
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _put_aside(self, now: datetime) -> None:
        from borne.adapters.certificates import checks

        for old in self._folder.glob("own-*.pem"):
            if datetime.fromtimestamp(old.stat().st_mtime, now.tzinfo) < now - KEPT:
                old.unlink()
        current = self._folder / "own.pem"
        if current.is_file():
            serial = checks.read_one(current.read_text()).serial_number
            _write(self._folder / f"own-{serial:x}.pem", current.read_bytes())


def _is_certificate(path: Path) -> bool:
    """True if the file is PEM whose content has the length in its header."""
    try:
        content = path.read_text("ascii")
        body = content.split(_BEGIN, 1)[1].split(_END, 1)[0]
        der = base64.b64decode("".join(body.split()), validate=True)
    except (OSError, ValueError, IndexError):
        return False
    if len(der) < 2 or der[0] != _SEQUENCE:
        return False
    extra = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + extra]) if extra else der[1]
    return len(der) == 2 + extra + length


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, content)
