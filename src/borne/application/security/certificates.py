"""Certificates managed by a backend: roots, and the station's own (security whitepaper A02, A03,
M03 to M05)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from borne.application.ports.certificates import (
    BadCertificate,
    CertificateHash,
    CertificateStore,
    HashAlgorithm,
    RootUse,
)
from borne.application.security.security_events import SecurityEvent, SecurityEvents
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.messages import N_, Message

_BAD = (BadCertificate, ValueError, TypeError)
"""Exceptions that a malformed certificate raises while it is read."""
_log = logging.getLogger(__name__)


UNUSABLE = "damaged"
"""Replaces the installed roots if all are damaged: no connection, rather than one that trusts the
system's roots."""
_DAMAGED = N_(
    "A certificate could not be read; it was moved to {name}. Install it again: what needs it does "
    "not work until then."
)


@dataclass(frozen=True, slots=True)
class Material:
    """The certificates for a connection."""

    roots_pem: str = ""
    """Trusted roots of the backend in PEM; empty for the system's roots."""
    own: tuple[Path, Path] | None = None
    revision: int = 0
    """Incremented at each change."""


class Certificates:
    """Installs, lists and deletes certificates for the backend, and checks signatures."""

    def __init__(
        self,
        store: CertificateStore,
        events: SecurityEvents,
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self.changed: Signal[Material] = Signal()
        self.material = Material()
        self._store = store
        self._events = events
        self._settings = settings
        self._clock = clock
        self._changing = asyncio.Lock()

    async def start(self) -> list[Message]:
        """Load the certificates; returns notices for users."""
        damaged, self.material = await asyncio.to_thread(self._load)
        return [Message(_DAMAGED, {"name": name}) for name in damaged]

    async def install(self, use: RootUse, pem: str) -> str:
        """InstallCertificate: Accepted, Rejected or Failed."""
        async with self._changing:
            installed = await asyncio.to_thread(self._count)
            if installed >= self._settings().integer("CertificateStoreMaxLength"):
                return "Rejected"
            try:
                await asyncio.to_thread(self._store.install_root, use, pem, self._clock.now())
            except _BAD as error:
                _log.warning("a root certificate was refused: %s", error)
                if use is RootUse.CENTRAL_SYSTEM:
                    event = SecurityEvent.INVALID_CENTRAL_SYSTEM_CERTIFICATE
                    await self._events.note(event, str(error))
                return "Rejected"
            except OSError as error:
                _log.error("a root certificate could not be stored: %s", error)
                return "Failed"
        await self._note_change(f"{use} installed")
        return "Accepted"

    async def ids(self, use: RootUse) -> list[CertificateHash]:
        """GetInstalledCertificateIds."""
        return await asyncio.to_thread(self._store.hashes, use, HashAlgorithm.SHA256)

    async def delete(self, named: CertificateHash) -> str:
        """DeleteCertificate: Accepted, NotFound, or Failed for a root that is in use."""
        async with self._changing:
            if await asyncio.to_thread(self._needed, named):
                return "Failed"
            try:
                found = await asyncio.to_thread(self._store.delete_root, named)
            except OSError as error:
                _log.error("a root certificate could not be deleted: %s", error)
                return "Failed"
        if not found:
            return "NotFound"
        await self._note_change("root certificate deleted")
        return "Accepted"

    async def request(self) -> str:
        """A certificate signing request for the station, in PEM."""
        settings = self._settings()
        serial, organization = settings.text("ChargePointSerialNumber"), settings.text("CpoName")
        async with self._changing:
            return await asyncio.to_thread(self._store.request, serial, organization)

    async def install_chain(self, chain: str) -> bool:
        """CertificateSigned; False if the certificate is invalid."""
        too_long = len(chain) > self._settings().integer("CertificateSignedMaxChainSize")
        async with self._changing:
            try:
                if too_long:
                    raise BadCertificate("The chain is too long.")
                await asyncio.to_thread(self._store.install_certificate, chain, self._clock.now())
            except _BAD as error:
                _log.warning("a certificate of the station was rejected: %s", error)
                event = SecurityEvent.INVALID_CHARGE_POINT_CERTIFICATE
                await self._events.note(event, str(error))
                return False
        await self._note_change("own certificate renewed")
        return True

    async def signing_problem(self, pem: str) -> str | None:
        """Why firmware signed with this certificate is rejected; None if it is accepted."""
        try:
            await asyncio.to_thread(self._store.check_signing_certificate, pem, self._clock.now())
        except _BAD as error:
            event = SecurityEvent.INVALID_FIRMWARE_CERTIFICATE
            await self._events.note(event, str(error))
            return str(error)
        return None

    def signature_is_valid(self, path: Path, pem: str, signature: str) -> bool:
        """True if the signature of a file was made with the key of this certificate; blocks."""
        return self._store.signature_is_valid(path, pem, signature)

    async def _note_change(self, detail: str) -> None:
        await self._events.note(SecurityEvent.RECONFIGURATION, detail)
        self.material = await asyncio.to_thread(self._read)
        self.changed.emit(self.material)

    def _load(self) -> tuple[list[str], Material]:
        return self._store.put_damaged_aside(), self._read()

    def _read(self) -> Material:
        roots = "".join(self._store.roots(RootUse.CENTRAL_SYSTEM))
        if not roots and self._store.lost_roots(RootUse.CENTRAL_SYSTEM):
            roots = UNUSABLE
        return Material(roots, self._store.own(), self.material.revision + 1)

    def _count(self) -> int:
        return sum(len(self._store.roots(use)) for use in RootUse)

    def _needed(self, named: CertificateHash) -> bool:
        """True for the only root of a backend whose security profile requires one."""
        only = len(self._store.roots(RootUse.CENTRAL_SYSTEM)) == 1
        trusted = self._settings().integer("SecurityProfile") >= 2
        return only and trusted and self._store.is_root(RootUse.CENTRAL_SYSTEM, named)
