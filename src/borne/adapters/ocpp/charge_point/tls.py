"""TLS of the client: the five levels of strictness of manual section 4.

Source: manual 4 ("SSL strictness as client"), OCPP 1.6 security whitepaper section 2 (TLS 1.2 or
newer, AEAD suites, no compression).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_IGNORE_VALIDITY_DATES = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module lacks."""

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""For TLS 1.2: the suites required by the whitepaper, and better ones."""


class TlsLevel(StrEnum):
    """Weakest first. All levels encrypt."""

    ENCRYPT_ONLY = "encrypt_only"
    """No authentication: the server's identity is not checked."""
    ALLOW_EXPIRED_SKIP_HOST = "allow_expired_skip_host"
    SKIP_HOST = "skip_host"
    ALLOW_EXPIRED = "allow_expired"
    """Chain and host are checked, dates are not; also for a station without a clock."""
    NORMAL = "normal"

    @property
    def checks_chain(self) -> bool:
        """The certificate must chain to a trusted root."""
        return self is not TlsLevel.ENCRYPT_ONLY

    @property
    def checks_dates(self) -> bool:
        """The certificate must be valid today."""
        return self in {TlsLevel.SKIP_HOST, TlsLevel.NORMAL}

    @property
    def checks_host(self) -> bool:
        """The certificate must match the host name."""
        return self in {TlsLevel.ALLOW_EXPIRED, TlsLevel.NORMAL}


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Trusted certificates, and our own."""

    level: TlsLevel = TlsLevel.NORMAL
    trusted_roots_pem: str = ""
    """Root certificates of the operator; empty for the system's."""
    certificate_file: Path | None = None
    """Our chain (security profile 3), with `key_file`."""
    key_file: Path | None = None
    system_roots: bool = False
    """Trust the system's root certificates as well."""
    revision: str = ""
    """A change forces a new connection even if all else is equal."""


def client_context(config: TlsConfig) -> ssl.SSLContext:
    """Create the SSL context; blocks for some milliseconds (reads files).

    Raises ssl.SSLError or OSError for unusable certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION
    context.check_hostname = config.level.checks_host
    context.verify_mode = ssl.CERT_REQUIRED if config.level.checks_chain else ssl.CERT_NONE
    if not config.level.checks_dates:
        context.verify_flags |= _IGNORE_VALIDITY_DATES
    if config.level.checks_chain:
        if config.trusted_roots_pem:
            context.load_verify_locations(cadata=config.trusted_roots_pem)
        if config.system_roots or not config.trusted_roots_pem:
            context.load_default_certs()
    if config.certificate_file is not None:
        context.load_cert_chain(config.certificate_file, config.key_file)
    return context
