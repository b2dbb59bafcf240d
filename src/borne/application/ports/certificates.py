"""The storage of certificates. All methods block: for worker threads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class RootUse(StrEnum):
    """Purpose of an installed root certificate, named as in the whitepaper."""

    CENTRAL_SYSTEM = "CentralSystemRootCertificate"
    MANUFACTURER = "ManufacturerRootCertificate"


class HashAlgorithm(StrEnum):
    """Hash algorithms of certificate hashes."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """Identifies a certificate, as in OCSP."""

    algorithm: HashAlgorithm
    issuer_name: str
    issuer_key: str
    serial_number: str

    def same_as(self, other: CertificateHash) -> bool:
        """Compares without letter case and leading zeros."""

        def plain(named: CertificateHash) -> tuple[str, ...]:
            serial = named.serial_number.casefold().lstrip("0")
            return (
                named.algorithm,
                named.issuer_name.casefold(),
                named.issuer_key.casefold(),
                serial,
            )

        return plain(self) == plain(other)


class BadCertificate(Exception):
    """A certificate is invalid; the message says why."""


class CertificateStore(Protocol):
    """Root certificates, and the station's own key and certificate. Keys never leave the store."""

    def put_damaged_aside(self) -> list[str]:
        """Move damaged files away before anything is read; returns their new names."""

    def lost_roots(self, use: RootUse) -> bool:
        """True if all roots for this use were damaged."""

    def roots(self, use: RootUse) -> list[str]:
        """Root certificates in PEM, oldest first."""

    def install_root(self, use: RootUse, pem: str, now: datetime) -> None:
        """Store a root; raises BadCertificate, and OSError if it cannot be stored."""

    def hashes(self, use: RootUse, algorithm: HashAlgorithm) -> list[CertificateHash]:
        """Hashes of the installed certificates."""

    def delete_root(self, named: CertificateHash) -> bool:
        """Delete a root; False if it does not exist."""

    def is_root(self, use: RootUse, named: CertificateHash) -> bool:
        """True if the certificate is installed for this use."""

    def request(self, common_name: str, organization: str) -> str:
        """Generate a key and a certificate signing request for it, in PEM."""

    def install_certificate(self, chain: str, now: datetime) -> None:
        """Install the certificate for the last request; raises BadCertificate."""

    def own(self) -> tuple[Path, Path] | None:
        """The files of the chain and its key."""

    def check_signing_certificate(self, pem: str, now: datetime) -> None:
        """Validate a certificate against the manufacturer's roots; raises BadCertificate."""

    def signature_is_valid(self, path: Path, pem: str, signature: str) -> bool:
        """True if a base64 signature of a file was made with the certificate's key."""
