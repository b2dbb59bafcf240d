"""Which firmware packages are good: signature, product, processor, version; nothing is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from borne.adapters.maintenance.package import SignedPackages
from borne.application.ports.maintenance import PackageRefused
from tests.support.firmware import KEY, OTHER_KEY, member, package, public_pem

CHECKER = SignedPackages([public_pem(OTHER_KEY), public_pem(KEY)], "arm64")


def check(folder: Path, content: bytes, running: str = "1.2.3") -> str:
    path = folder / "package.deb"
    path.write_bytes(content)
    return CHECKER.check(path, running=running).version


@pytest.mark.parametrize("packing", ["xz", "gz"])
def test_a_valid_package_is_accepted(tmp_path: Path, packing: str) -> None:
    assert check(tmp_path, package("1.2.4", packing=packing, architecture="arm64")) == "1.2.4"


STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a package"),
        (b"!<arch>\n", "damaged"),
        (package(key=None), "not signed"),
        (package(key=STRANGER), "trusts"),
        (package(name="other"), "another product"),
        (package(architecture="amd64"), "processor"),
        (package("1.2.3"), "not newer"),
        (package("1.2.2"), "not newer"),
        (package("1.2"), "not a version"),
        (package() + b"more", "damaged"),
        (package() + member("extra", b"12"), "not signed"),
        (package()[:-10], "damaged"),
    ],
)
def test_invalid_packages_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(PackageRefused, match=words):
        check(tmp_path, content)


GOOD = package()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(GOOD) - 1), change=st.integers(1, 255))
def test_any_changed_byte_is_refused(tmp_path: Path, position: int, change: int) -> None:
    wrong = bytearray(GOOD)
    wrong[position] ^= change
    try:
        version = check(tmp_path, bytes(wrong))
    except PackageRefused:
        return
    # Only what the archive says beside its contents of the signature itself may change.
    assert version == "9.9.9"
    assert position >= len(GOOD) - 64 - 60


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_file_is_handled(tmp_path: Path, content: bytes) -> None:
    for raw in (content, b"!<arch>\n" + content):
        with pytest.raises(PackageRefused):
            check(tmp_path, raw)
