"""Certification cases of the security whitepaper."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ocpp.v16 import call

from tests.conformance.ocpp16.rig import Rig, rig
from tests.conformance.ocpp16.test_firmware import PretendInstaller
from tests.integration.ocpp.certificates import (
    Issued,
    issue,
    make_root,
    server_context,
    sign_request,
)
from tests.support.firmware import package, public_pem
from tests.support.http_files import http_files

PASSWORD = "a password of 16"
ROOT = make_root("Backend Root")
MAKER = make_root("Maker Root")
CENTRAL, MANUFACTURER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"
EVENT, FIRMWARE = "SecurityEventNotification", "SignedFirmwareStatusNotification"


def basic(password: bytes) -> str:
    return "Basic " + base64.b64encode(b"CP-1:" + password).decode()


def with_password(**more: Any) -> dict[str, Any]:
    return {"AuthorizationKey": PASSWORD, "SecurityProfile": 1, **more}


async def install(bench: Rig, pem: str, use: str = CENTRAL) -> str:
    request = call.InstallCertificate(certificate_type=use, certificate=pem)
    return str((await bench.call(request)).status)


async def installed(bench: Rig, use: str = CENTRAL) -> list[dict[str, Any]]:
    answer = await bench.call(call.GetInstalledCertificateIds(certificate_type=use))
    assert answer.status == ("Accepted" if answer.certificate_hash_data else "NotFound")
    return list(answer.certificate_hash_data or [])


def key_bits(issued: Issued) -> bytes:
    return issued.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


async def test_TC_073_CS_change_the_password(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        first = await bench.central.wait_for_handshake(1)
        assert first.authorization == basic(PASSWORD.encode())
        new = bytes(range(200, 216))
        await bench.configure(AuthorizationKey=new.hex())
        second = await bench.central.wait_for_handshake(2)
        assert second.authorization == basic(new)
        await bench.ledger.wait_for(EVENT, type="ReconfigurationOfSecurityParameters")
        log = str(bench.station.services.backend and bench.station.services.backend.message_log())
        assert new.hex() not in log


@pytest.mark.parametrize(
    ("root", "use"),
    [
        pytest.param(MAKER, MANUFACTURER, id="TC_075_1_CS"),
        pytest.param(ROOT, CENTRAL, id="TC_075_2_CS"),
    ],
)
async def test_install_a_root(tmp_path: Path, root: Issued, use: str) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        assert await installed(bench, use) == []
        assert await install(bench, root.pem, use) == "Accepted"
        (named,) = await installed(bench, use)
        name = root.certificate.issuer.public_bytes()
        assert named == {
            "hash_algorithm": "SHA256",
            "issuer_name_hash": hashlib.sha256(name).hexdigest(),
            "issuer_key_hash": hashlib.sha256(key_bits(root)).hexdigest(),
            "serial_number": f"{root.certificate.serial_number:x}",
        }


async def test_TC_076_CS_delete_a_root(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        assert await install(bench, ROOT.pem) == "Accepted"
        (named,) = await installed(bench)
        request = call.DeleteCertificate(certificate_hash_data=named)
        assert (await bench.call(request)).status == "Accepted"
        assert await installed(bench) == []
        assert (await bench.call(request)).status == "NotFound"


async def test_TC_078_CS_an_invalid_root(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        leaf, expired = issue(ROOT), issue(ROOT, expired=True)
        for pem in ("nonsense", leaf.pem, expired.pem):
            assert await install(bench, pem) == "Rejected"
        await bench.ledger.wait_for(EVENT, 3, type="InvalidCentralSystemCertificate")
        assert await installed(bench) == []


async def test_the_number_of_roots_is_limited(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        for number in range(10):
            assert await install(bench, make_root(f"Root {number}").pem) == "Accepted"
        assert await install(bench, ROOT.pem) == "Rejected"


async def request_certificate(bench: Rig) -> str:
    trigger = call.ExtendedTriggerMessage(requested_message="SignChargePointCertificate")
    assert (await bench.call(trigger)).status == "Accepted"
    return str((await bench.ledger.wait_for("SignCertificate"))[-1]["csr"])


async def signed(bench: Rig, chain: str) -> str:
    answer = await bench.call(call.CertificateSigned(certificate_chain=chain))
    return str(answer.status)


async def test_TC_074_CS_renew_the_certificate(tmp_path: Path) -> None:
    async with rig(tmp_path, ChargePointSerialNumber="S-1", **with_password()) as bench:
        await install(bench, ROOT.pem)
        csr = await request_certificate(bench)
        chain = sign_request(ROOT, csr)
        assert "CN=S-1" in ssl_subject(chain)
        assert await signed(bench, chain) == "Accepted"
        files = [path.name for path in (tmp_path / "certificates").iterdir()]
        assert "own.pem" in files
        assert "pending.key" not in files
        own = tmp_path / "certificates" / "own.pem"
        assert own.stat().st_mode & 0o077 == 0


async def test_CpoName(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        await bench.configure(CpoName="An Operator")
        csr = await request_certificate(bench)
        assert "O=An Operator" in ssl_subject(sign_request(ROOT, csr))


def ssl_subject(pem: str) -> str:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string()


async def test_TC_077_CS_an_invalid_certificate(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        await install(bench, ROOT.pem)
        assert await signed(bench, issue(ROOT).pem) == "Rejected"  # it was not requested
        csr = await request_certificate(bench)
        stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
        for chain in (
            "nonsense",
            sign_request(make_root("Stranger"), csr),
            sign_request(ROOT, csr, days=-1),
            sign_request(ROOT, csr, key=stranger),
        ):
            assert await signed(bench, chain) == "Rejected"
        await bench.ledger.wait_for(EVENT, 5, type="InvalidChargePointCertificate")
        assert await signed(bench, sign_request(ROOT, csr)) == "Accepted"


async def test_TC_079_CS_security_log(tmp_path: Path) -> None:
    with http_files() as server:
        async with rig(tmp_path, **with_password()) as bench:
            await bench.ledger.wait_for(EVENT, type="StartupOfTheDevice")
            answer = await bench.call(
                call.GetLog(
                    log={"remote_location": f"{server.location}/logs"},
                    log_type="SecurityLog",
                    request_id=12,
                )
            )
            assert answer.status == "Accepted"
            statuses = await bench.ledger.wait_for("LogStatusNotification", 2)
            assert statuses == [
                {"status": "Uploading", "request_id": 12},
                {"status": "Uploaded", "request_id": 12},
            ]
            with ZipFile(io.BytesIO(server.files[f"/logs/{answer.filename}"])) as archive:
                lines = archive.read("security.jsonl").decode().splitlines()
            assert "StartupOfTheDevice" in {json.loads(line)["kind"] for line in lines}


def sign_firmware(content: bytes, signer: Issued) -> str:
    return base64.b64encode(signer.key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()


async def update(bench: Rig, location: str, signer: Issued, signature: str) -> str:
    request = call.SignedUpdateFirmware(
        request_id=5,
        retries=0,
        firmware={
            "location": location,
            "retrieve_date_time": datetime.now(UTC).isoformat(),
            "signing_certificate": signer.pem,
            "signature": signature,
        },
    )
    return str((await bench.call(request)).status)


@asynccontextmanager
async def updating(folder: Path) -> AsyncIterator[tuple[Rig, str, bytes]]:
    (folder / "firmware_keys").mkdir()
    (folder / "firmware_keys" / "maker.pem").write_bytes(public_pem())
    content = package("9.9.9")
    with http_files() as server:
        server.files["/good.deb"] = content
        options = {"installer": PretendInstaller()}
        async with rig(folder, options=options, **with_password()) as bench:
            assert await install(bench, MAKER.pem, MANUFACTURER) == "Accepted"
            yield bench, f"{server.location}/good.deb", content


async def test_TC_080_CS_secure_firmware_update(tmp_path: Path) -> None:
    async with updating(tmp_path) as (bench, location, content):
        signer = issue(MAKER, name="signer")
        signature = sign_firmware(content, signer)
        assert await update(bench, location, signer, signature) == "Accepted"
        await bench.ledger.wait_for(FIRMWARE, status="Installed")
        answer = bench.ledger.of(FIRMWARE)
        assert [entry["status"] for entry in answer] == [
            "Downloading",
            "Downloaded",
            "SignatureVerified",
            "Installing",
            "InstallRebooting",
            "Installed",
        ]
        assert {entry["request_id"] for entry in answer} == {5}
        await bench.ledger.wait_for(EVENT, type="FirmwareUpdated")


async def test_TC_081_CS_firmware_with_a_wrong_signature(tmp_path: Path) -> None:
    async with updating(tmp_path) as (bench, location, content):
        signer = issue(MAKER, name="signer")
        signature = sign_firmware(content + b"more", signer)
        assert await update(bench, location, signer, signature) == "Accepted"
        await bench.ledger.wait_for(FIRMWARE, status="InvalidSignature")
        await bench.ledger.wait_for(EVENT, type="InvalidFirmwareSignature")


async def test_firmware_with_an_untrusted_certificate_is_not_downloaded(tmp_path: Path) -> None:
    async with updating(tmp_path) as (bench, location, content):
        stranger = issue(ROOT, name="stranger")
        signature = sign_firmware(content, stranger)
        assert await update(bench, location, stranger, signature) == "InvalidCertificate"
        await bench.ledger.wait_for(EVENT, type="InvalidFirmwareSigningCertificate")
        assert bench.ledger.of(FIRMWARE) == []


async def test_plain_firmware_is_not_supported_with_a_security_profile(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        request = call.UpdateFirmware(location="http://x/y", retrieve_date="2026-01-01T00:00:00Z")
        with pytest.raises(Exception, match="SignedUpdateFirmware"):
            await bench.call(request)


async def set_profile(bench: Rig, profile: int) -> str:
    request = call.ChangeConfiguration(key="SecurityProfile", value=str(profile))
    return str((await bench.call(request)).status)


async def test_TC_083_CS_raise_the_profile(tmp_path: Path) -> None:
    async with rig(tmp_path, AuthorizationKey=PASSWORD) as bench:
        assert await set_profile(bench, 2) == "Rejected"  # no root yet
        assert await set_profile(bench, 1) == "Accepted"
        await bench.central.wait_for_handshake(2)
        await bench.station.until_online()
        assert await install(bench, ROOT.pem) == "Accepted"
        assert await set_profile(bench, 3) == "Rejected"  # no certificate yet
        # The backend turns to TLS on the same port.
        port = bench.central.port
        assert await set_profile(bench, 2) == "Accepted"
        await bench.central.stop()
        await bench.central.start(port, server_context(issue(ROOT), tmp_path))
        last = await bench.central.wait_for_handshake(3)
        while not last.tls:
            last = await bench.central.wait_for_handshake(len(bench.central.handshakes) + 1)
        assert last.authorization == basic(PASSWORD.encode())
        assert last.tls in {"TLSv1.2", "TLSv1.3"}


async def test_TC_084_CS_lower_the_profile(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        assert await set_profile(bench, 0) == "Rejected"


async def test_a_raised_profile_that_does_not_connect_is_reverted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("borne.application.security.security_profile.TRIAL_S", 1.0)
    async with rig(tmp_path, **with_password()) as bench:
        assert await install(bench, ROOT.pem) == "Accepted"
        assert await set_profile(bench, 2) == "Accepted"  # but the backend speaks no TLS
        await bench.central.wait_for_handshake(2)
        await bench.station.until_online()
        answer = await bench.call(call.GetConfiguration(key=["SecurityProfile"]))
        assert answer.configuration_key[0]["value"] == "1"


async def test_without_a_profile_no_security_events_are_sent(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await install(bench, "nonsense") == "Rejected"
        await bench.settled()
        assert bench.ledger.of(EVENT) == []


async def test_events_are_sent_until_they_are_answered(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        await bench.ledger.wait_for(EVENT, type="StartupOfTheDevice")
        await bench.offline()
        station = bench.station.host.station
        assert station is not None
        stored = asyncio.Event()
        station.events.noted.subscribe(lambda _: stored.set())
        await bench.station.set(SSLStrictnessClient="skip_host")
        await asyncio.wait_for(stored.wait(), 20)
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.online()
        answer = await bench.ledger.wait_for(EVENT, type="ReconfigurationOfSecurityParameters")
        assert answer[0]["tech_info"] == "SSLStrictnessClient"
        await bench.ledger.wait_for(EVENT, 2, type="StartupOfTheDevice")
