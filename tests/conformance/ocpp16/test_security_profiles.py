"""Certification cases of the security profiles, with real certificates on real sockets: who is let
in, who is refused, and what the backend learns of it (security whitepaper A00, A02, chapter 8).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ocpp.v16 import call

from tests.conformance.ocpp16.rig import rig
from tests.conformance.ocpp16.test_security import (
    EVENT,
    PASSWORD,
    ROOT,
    basic,
    install,
    request_certificate,
    signed,
    with_password,
)
from tests.integration.ocpp.certificates import issue, make_root, server_context, sign_request
from tests.support.central_system import CentralSystem
from tests.support.running_station import RunningStation, running_station

BYTES = bytes(range(200, 216))
"""A password that is no UTF-8."""
GOOD = issue(ROOT)


async def prepare(folder: Path, *, own_certificate: bool = False) -> str:
    """A station that knows the backend's root, and has a certificate; its request for that."""
    async with rig(folder, ChargePointSerialNumber="S-1", **with_password()) as bench:
        assert await install(bench, ROOT.pem) == "Accepted"
        if not own_certificate:
            return ""
        csr = await request_certificate(bench)
        assert await signed(bench, sign_request(ROOT, csr)) == "Accepted"
        return csr


@asynccontextmanager
async def backend(tls: ssl.SSLContext) -> AsyncIterator[CentralSystem]:
    central = CentralSystem()
    await central.start(tls=tls)
    try:
        yield central
    finally:
        await central.stop()


@asynccontextmanager
async def dialling(
    folder: Path, central: CentralSystem, profile: int
) -> AsyncIterator[RunningStation]:
    url = central.url.replace("ws://", "wss://")
    async with running_station(
        folder, WebSocketsBackendURL=url, SecurityProfile=profile
    ) as station:
        yield station


def asking_for_certificates(folder: Path) -> ssl.SSLContext:
    context = server_context(GOOD, folder)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ROOT.pem)
    return context


async def change_key(bench: Any, value: str) -> str:
    request = call.ChangeConfiguration(key="AuthorizationKey", value=value)
    return str((await bench.call(request)).status)


async def test_TC_085_CS_basic_authentication(tmp_path: Path) -> None:
    """Profile 1: the identity and the decoded key, which has 16 to 20 bytes of any kind."""
    async with rig(tmp_path, **with_password()) as bench:
        first = await bench.central.wait_for_handshake(1)
        assert first.authorization == basic(PASSWORD.encode())
        for bad in ("00" * 15, "00" * 21, "0" * 33, "not hexadecimal at all"):
            assert await change_key(bench, bad) == "Rejected", bad
        for count, good in enumerate((BYTES, bytes(20)), start=2):
            assert await change_key(bench, good.hex()) == "Accepted"
            assert (await bench.central.wait_for_handshake(count)).authorization == basic(good)
        answer = await bench.call(call.GetConfiguration(key=["AuthorizationKey"]))
        assert "value" not in answer.configuration_key[0]


async def test_a_refused_password_is_reported_after_the_next_connection(tmp_path: Path) -> None:
    async with rig(tmp_path, **with_password()) as bench:
        await bench.offline()
        bench.central.refuse = HTTPStatus.UNAUTHORIZED
        await bench.station.simulator.set_link("backend", up=True, mode=None)
        await bench.station.until_backend(lambda view: "401" in view.last_error)
        bench.central.refuse = None
        await bench.online()
        await bench.ledger.wait_for(EVENT, type="FailedToAuthenticateAtCentralSystem")


async def test_TC_086_CS_tls_with_basic_authentication(tmp_path: Path) -> None:
    """Profile 2."""
    await prepare(tmp_path / "station")
    async with (
        backend(server_context(GOOD, tmp_path)) as central,
        dialling(tmp_path / "station", central, 2) as station,
    ):
        await station.until_online()
        shaken = await central.wait_for_handshake(1)
        assert (shaken.tls, shaken.certificate) == ("TLSv1.3", {})
        assert shaken.authorization == basic(PASSWORD.encode())


SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": True,
    "ECDHE-ECDSA-AES256-GCM-SHA384": True,
    "ECDHE-ECDSA-AES128-SHA": False,
    "ECDHE-ECDSA-AES256-SHA384": False,
}
"""Of TLS 1.2: those of the whitepaper that fit an elliptic key, and such as it does not allow."""


def only_suite(suite: str) -> Callable[[Path], ssl.SSLContext]:
    def make(folder: Path) -> ssl.SSLContext:
        context = server_context(GOOD, folder)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suite)
        return context

    return make


@pytest.mark.parametrize("suite", [suite for suite, good in SUITES.items() if good])
async def test_TC_086_CS_suites_of_tls_1_2(tmp_path: Path, suite: str) -> None:
    await prepare(tmp_path / "station")
    async with (
        backend(only_suite(suite)(tmp_path)) as central,
        dialling(tmp_path / "station", central, 2) as station,
    ):
        await station.until_online()
        assert (await central.wait_for_handshake(1)).tls == "TLSv1.2"


def old_tls(folder: Path) -> ssl.SSLContext:
    context = server_context(GOOD, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


REFUSED: dict[str, Callable[[Path], ssl.SSLContext]] = {
    "expired": lambda folder: server_context(issue(ROOT, expired=True), folder),
    "another host": lambda folder: server_context(issue(ROOT, "192.0.2.1"), folder),
    "unknown authority": lambda folder: server_context(issue(make_root("Stranger")), folder),
}
NOT_AGREED: dict[str, tuple[Callable[[Path], ssl.SSLContext], str]] = {
    "TLS 1.1": (old_tls, "InvalidTLSVersion")
} | {
    suite: (only_suite(suite), "InvalidTLSCipherSuite")
    for suite, good in SUITES.items()
    if not good
}


async def refused(station: RunningStation) -> None:
    """The least strict setting does not weaken a profile."""
    await station.set(SSLStrictnessClient="encrypt_only")
    await station.until_backend(lambda view: view.last_error.startswith("tls: "))


async def wait_for_event(station: RunningStation, central: CentralSystem, event: str) -> None:
    """The true backend, now reachable, gets a report about the false one."""
    await station.simulator.set_link("backend", up=True, mode=None)
    await station.until_online()
    (answer,) = await central.ledger.wait_for(EVENT, type=event)
    assert answer["tech_info"]


@pytest.mark.parametrize("kind", REFUSED)
async def test_TC_086_CS_a_certificate_that_is_refused(tmp_path: Path, kind: str) -> None:
    """Such a backend gets no message and no password."""
    await prepare(tmp_path / "station")
    async with (
        backend(REFUSED[kind](tmp_path)) as central,
        dialling(tmp_path / "station", central, 2) as station,
    ):
        await refused(station)
        assert central.handshakes == []
        await central.stop()
        await central.start(tls=server_context(GOOD, tmp_path))
        await wait_for_event(station, central, "InvalidCentralSystemCertificate")


def shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    """A server that says why it does not agree, as asyncio's does not; until it is closed."""
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        with suppress(OSError), accepted:
            context.wrap_socket(accepted, server_side=True).close()


@asynccontextmanager
async def disagreeing(context: ssl.SSLContext) -> AsyncIterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(asyncio.to_thread(shake_hands, listening, context))
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        await serving


@pytest.mark.parametrize("kind", NOT_AGREED)
async def test_TC_086_CS_without_a_common_tls_setting_it_is_refused(
    tmp_path: Path, kind: str
) -> None:
    await prepare(tmp_path / "station")
    context, event = NOT_AGREED[kind]
    central = CentralSystem()
    async with disagreeing(context(tmp_path)) as central.port, AsyncExitStack() as stack:
        station = await stack.enter_async_context(dialling(tmp_path / "station", central, 2))
        await refused(station)
        callbacks = stack.pop_all()
    async with callbacks:
        await central.start(tls=server_context(GOOD, tmp_path))
        callbacks.push_async_callback(central.stop)
        await wait_for_event(station, central, event)


async def test_TC_087_CS_tls_with_a_certificate_of_the_station(tmp_path: Path) -> None:
    """Profile 3: a certificate that the backend signed over OCPP, and no password."""
    csr = x509.load_pem_x509_csr(
        (await prepare(tmp_path / "station", own_certificate=True)).encode()
    )
    key = csr.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    assert key.key_size >= (224 if isinstance(key, ec.EllipticCurvePublicKey) else 2048)
    async with (
        backend(asking_for_certificates(tmp_path)) as central,
        dialling(tmp_path / "station", central, 3) as station,
    ):
        await station.until_online()
        shaken = await central.wait_for_handshake(1)
        assert shaken.authorization == ""
        assert shaken.tls in {"TLSv1.2", "TLSv1.3"}
        subject = {key: value for ((key, value),) in shaken.certificate["subject"]}
        assert subject["commonName"] == "S-1"


async def test_TC_087_CS_without_a_certificate_the_connection_fails(tmp_path: Path) -> None:
    """A backend of profile 3 has no use for a password."""
    await prepare(tmp_path / "station")
    async with (
        backend(asking_for_certificates(tmp_path)) as central,
        dialling(tmp_path / "station", central, 2) as station,
    ):
        await station.until_backend(lambda view: view.last_error != "")
        assert not station.services.backend.online  # type: ignore[union-attr]  # it has one
        assert central.handshakes == []


@pytest.mark.parametrize("asked", ["0", "1", "01", " 1 ", "-1", "4", "", "one", "9" * 400])
async def test_a_profile_that_is_not_higher_than_the_one_in_use_is_refused(
    tmp_path: Path, asked: str
) -> None:
    """A05.FR.01: lower or equal."""
    async with rig(tmp_path, **with_password()) as bench:
        request = call.ChangeConfiguration(key="SecurityProfile", value=asked)
        assert (await bench.call(request)).status == "Rejected"
        answer = await bench.call(call.GetConfiguration(key=["SecurityProfile"]))
        assert answer.configuration_key[0]["value"] == "1"
        assert len(bench.central.handshakes) == 1
