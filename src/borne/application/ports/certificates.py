"""What the certificates of a station need from the world. All methods block: for worker threads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class RootUse(StrEnum):
    """What an installed root is for; names of the whitepaper."""

    CENTRAL_SYSTEM = "CentralSystemRootCertificate"
    MANUFACTURER = "ManufacturerRootCertificate"


class HashAlgorithm(StrEnum):
    """For the hashes that name a certificate."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """Names a certificate, as in OCSP."""

    algorithm: HashAlgorithm
    issuer_name: str
    issuer_key: str
    serial_number: str

    def same_as(self, other: CertificateHash) -> bool:
        """Hexadecimal digits have no case, and a number no leading zeros."""

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
    """A certificate that must not be used, in a sentence."""


class CertificateStore(Protocol):
    """Roots, and the station's own key and certificate. Keys never leave it."""

    def put_damaged_aside(self) -> list[str]:
        """Move away what is no certificate, before anything is read; names of the files."""

    def lost_roots(self, use: RootUse) -> bool:
        """Whether there were roots of this use that were damaged, and none is left."""

    def roots(self, use: RootUse) -> list[str]:
        """PEM, oldest first."""

    def install_root(self, use: RootUse, pem: str, now: datetime) -> None:
        """Keep a root; raises BadCertificate, and OSError when it cannot be stored."""

    def hashes(self, use: RootUse, algorithm: HashAlgorithm) -> list[CertificateHash]:
        """What is installed."""

    def delete_root(self, named: CertificateHash) -> bool:
        """Remove a root; False when there is none of that name."""

    def is_root(self, use: RootUse, named: CertificateHash) -> bool:
        """Whether it is installed for this use."""

    def request(self, common_name: str, organization: str) -> str:
        """Make a key and a request for its certificate, in PEM."""

    def install_certificate(self, chain: str, now: datetime) -> None:
        """Use the certificate of the last request; raises BadCertificate."""

    def own(self) -> tuple[Path, Path] | None:
        """Files of the chain and its key."""

    def check_signing_certificate(self, pem: str, now: datetime) -> None:
        """Whether the maker's root vouches for it; raises BadCertificate."""

    def signature_is_valid(self, path: Path, pem: str, signature: str) -> bool:
        """Whether a base64 signature over a file is by the key of this certificate."""
