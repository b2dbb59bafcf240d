"""Firmware packages for tests, good ones and bad."""

from __future__ import annotations

import hashlib
import io
import tarfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def public_pem(key: Ed25519PrivateKey = KEY) -> bytes:
    """A key that stations trust."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def member(name: str, content: bytes) -> bytes:
    """One file of an archive."""
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)


def control(text: str, packing: str = "xz") -> bytes:
    """The description file of a package."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{packing}") as archive:  # type: ignore[call-overload]  # a mode made of parts
        info = tarfile.TarInfo("./control")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def package(
    version: str = "9.9.9",
    *,
    name: str = "borne",
    architecture: str = "all",
    packing: str = "xz",
    key: Ed25519PrivateKey | None = KEY,
    content: bytes = b"data",
) -> bytes:
    """A package; without a key it is not signed."""
    text = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
    plain = (
        b"!<arch>\n"
        + member("debian-binary", b"2.0\n")
        + member(f"control.tar.{packing}", control(text, packing))
        + member("data.tar.xz", content)
    )
    if key is None:
        return plain
    signature = key.sign(b"borne firmware 1\0" + hashlib.sha512(plain).digest())
    return plain + member("_borne", signature)
