"""Validation and hashes of certificates (security whitepaper M03 to M05, A02, L01)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from borne.application.ports.certificates import BadCertificate, CertificateHash, HashAlgorithm

_HASHES: dict[HashAlgorithm, hashes.HashAlgorithm] = {
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}
MAX_CERTIFICATES = 10
RSA_BITS, EC_BITS = 2048, 224
"""Shorter keys are rejected (whitepaper A00.FR.508)."""


def read_chain(pem: str) -> list[x509.Certificate]:
    """Parse a PEM text, leaf first; raises BadCertificate."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnicodeEncodeError) as error:
        raise BadCertificate("This is not a certificate.") from error
    if len(found) > MAX_CERTIFICATES:
        raise BadCertificate("The chain is too long.")
    return found


def read_one(pem: str) -> x509.Certificate:
    """The first certificate of an already validated text."""
    return x509.load_pem_x509_certificates(pem.encode())[0]


def pem_of(chain: Sequence[x509.Certificate]) -> bytes:
    """The chain in PEM."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)


def check_valid(certificate: x509.Certificate, now: datetime) -> None:
    """Raises BadCertificate unless the certificate is valid now and has a sufficiently long key."""
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadCertificate("The certificate is not valid now.")
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        raise BadCertificate("The key is too short.")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < EC_BITS:
        raise BadCertificate("The key is too short.")


def check_root(pem: str, now: datetime) -> x509.Certificate:
    """Validate a CA certificate; raises BadCertificate."""
    chain = read_chain(pem)
    if len(chain) != 1:
        raise BadCertificate("Exactly one certificate is needed.")
    (root,) = chain
    check_valid(root, now)
    if not _may_sign(root):
        raise BadCertificate("The certificate may not sign others.")
    if root.issuer == root.subject and not issued(root, root):
        raise BadCertificate("The signature of the certificate is wrong.")
    return root


def check_chain(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> None:
    """Raises BadCertificate unless all certificates are valid, each is signed by the next, and the
    last by a root."""
    for certificate in chain:
        check_valid(certificate, now)
    for certificate, issuer in pairwise(chain):
        if not _may_sign(issuer) or not issued(certificate, issuer):
            raise BadCertificate("The chain is broken.")
    last = chain[-1]
    if not any(issued(last, root) or last == root for root in roots):
        raise BadCertificate("No trusted root has signed the certificate.")


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """True if the issuer's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return found.value.ca


def name_of(
    certificate: x509.Certificate, algorithm: HashAlgorithm, issuer: x509.Certificate | None = None
) -> CertificateHash:
    """The hashes that identify a certificate; a root is its own issuer."""
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(certificate, issuer or certificate, _HASHES[algorithm])
        .build()
    )
    return CertificateHash(
        algorithm,
        request.issuer_name_hash.hex(),
        request.issuer_key_hash.hex(),
        f"{certificate.serial_number:x}",
    )


def name_in(pem: str, algorithm: HashAlgorithm) -> CertificateHash:
    """The hashes that identify the root in an already validated text."""
    return name_of(read_one(pem), algorithm)


def new_key() -> bytes:
    """Generate a private key on the curve P-256, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadCertificate("The key is of another type.")
    return key


def signing_request(key_pem: bytes, common_name: str, organization: str) -> str:
    """A certificate signing request (A02) with the serial number as common name."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])]
    if organization:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return builder.sign(_key(key_pem), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def same_key(certificate: x509.Certificate, key_pem: bytes) -> bool:
    """True if the certificate belongs to the key; raises BadCertificate for a key of another
    type."""

    def plain(public: object) -> bytes:
        return public.public_bytes(  # type: ignore[attr-defined, no-any-return]  # any public key
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )

    return plain(certificate.public_key()) == plain(_key(key_pem).public_key())


def signature_is_valid(path: Path, certificate: x509.Certificate, signature: str) -> bool:
    """Verify a base64 signature over the SHA-256 of a file: ECDSA, or RSA with PSS or PKCS 1.5."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    hashed = Prehashed(hashes.SHA256())
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(raw, digest, ec.ECDSA(hashed))
            return True
        if isinstance(key, rsa.RSAPublicKey):
            return _rsa_fits(key, raw, digest, hashed)
    except InvalidSignature:
        return False
    return False


def _rsa_fits(key: rsa.RSAPublicKey, raw: bytes, digest: bytes, hashed: Prehashed) -> bool:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    for way in (pss, padding.PKCS1v15()):
        try:
            key.verify(raw, digest, way, hashed)
        except InvalidSignature:
            continue
        return True
    return False
