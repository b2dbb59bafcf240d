"""Files over HTTP(S), FTP(S) and SFTP, against real servers."""

from __future__ import annotations

import ssl
from pathlib import Path

import asyncssh
import pytest

from borne.adapters.maintenance.addresses import in_folder
from borne.adapters.maintenance.transfer import Transfer, tls_context
from borne.application.ports.maintenance import TransferFailed, TransferProblem
from tests.integration.ocpp.certificates import issue, make_root, server_context
from tests.support.ftp_server import ftp_server
from tests.support.http_files import http_files
from tests.support.sftp_server import sftp_server

CONTENT = bytes(range(256)) * 3000
ROOT = make_root()


def trusting() -> ssl.SSLContext:
    return tls_context(ROOT.pem)


NOWHERE = Path("/nonexistent/known_servers")
TRANSFER = Transfer(NOWHERE, trusting)


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    return server_context(issue(ROOT), tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


async def problem(
    location: str, target: Path, most: int = 10**9, transfer: Transfer = TRANSFER
) -> TransferProblem:
    with pytest.raises(TransferFailed) as caught:
        await transfer.download(location, target, most)
    assert not list(target.parent.glob(target.name))
    return caught.value.problem


@pytest.mark.parametrize("secure", [False, True])
async def test_http(tmp_path: Path, source: Path, certified: ssl.SSLContext, secure: bool) -> None:
    with http_files(certified if secure else None) as server:
        await TRANSFER.upload(f"{server.location}/logs", "a b.zip", source)
        assert server.files["/logs/a%20b.zip"] == CONTENT
        await TRANSFER.download(f"{server.location}/logs/a%20b.zip", tmp_path / "got", 10**9)
        assert (tmp_path / "got").read_bytes() == CONTENT


async def test_http_problems(tmp_path: Path) -> None:
    target = tmp_path / "got"
    with http_files() as server:
        server.files["/big"] = CONTENT
        assert await problem(f"{server.location}/none", target) is TransferProblem.FAILED
        assert await problem(f"{server.location}/denied", target) is TransferProblem.DENIED
        assert await problem(f"{server.location}/big", target, 100) is TransferProblem.TOO_LARGE
        gone = server.location
    assert await problem(f"{gone}/big", target) is TransferProblem.FAILED


async def test_http_post_where_put_is_refused(source: Path) -> None:
    with http_files() as server:
        server.refused.add("PUT")
        await TRANSFER.upload(server.location, "x", source)
        assert server.files["/x"] == CONTENT


async def test_http_account(source: Path) -> None:
    with http_files() as server:
        location = server.location.replace("://", "://me:secret@")
        await TRANSFER.upload(location, "x", source)
        assert server.authorizations == ["Basic bWU6c2VjcmV0"]


@pytest.mark.parametrize("secure", [False, True])
async def test_ftp(tmp_path: Path, source: Path, certified: ssl.SSLContext, secure: bool) -> None:
    async with ftp_server(certified if secure else None) as server:
        await TRANSFER.upload(f"{server.location}/logs/today", "x.zip", source)
        assert server.files == {"/logs/today/x.zip": CONTENT}
        assert ("AUTH" in server.commands) is secure
        await TRANSFER.download(f"{server.location}/logs/today/x.zip", tmp_path / "got", 10**9)
        assert (tmp_path / "got").read_bytes() == CONTENT


async def test_ftp_problems(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "got"
    async with ftp_server() as server:
        server.files["/big"] = CONTENT
        assert await problem(f"{server.location}/none", target) is TransferProblem.DENIED
        stranger = server.location.replace("s3cret", "wrong")
        assert await problem(f"{stranger}/big", target) is TransferProblem.DENIED
        assert await problem(f"{server.location}/big", target, 100) is TransferProblem.TOO_LARGE
        with pytest.raises(TransferFailed) as caught:
            await TRANSFER.upload(f"{server.location}/readonly", "x", source)
        assert caught.value.problem is TransferProblem.DENIED
    assert await problem("ftp://127.0.0.1:9/x", target) is TransferProblem.FAILED


def learnt(known: Path) -> list[str]:
    """The keys, which only the owner may change."""
    if not known.exists():
        return []
    assert known.stat().st_mode & 0o077 == 0
    return known.read_text().splitlines()


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return tmp_path / "known_servers"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    (tmp_path / "remote" / "logs").mkdir(parents=True)
    (tmp_path / "remote" / "readonly").mkdir()
    return tmp_path / "remote"


async def test_sftp(tmp_path: Path, source: Path, known: Path, remote: Path) -> None:
    transfer = Transfer(known)
    async with sftp_server(remote) as server:
        await transfer.upload(f"{server.location}/logs", "x.zip", source)
        assert (remote / "logs" / "x.zip").read_bytes() == CONTENT
        await transfer.download(f"{server.location}/logs/x.zip", tmp_path / "got", 10**9)
        assert (tmp_path / "got").read_bytes() == CONTENT


async def test_sftp_problems(tmp_path: Path, source: Path, known: Path, remote: Path) -> None:
    transfer, target = Transfer(known), tmp_path / "got"
    (remote / "big").write_bytes(CONTENT)
    async with sftp_server(remote) as server:

        async def met(location: str, most: int = 10**9) -> TransferProblem:
            return await problem(location, target, most, transfer)

        assert await met(f"{server.location}/none") is TransferProblem.FAILED
        stranger = server.location.replace("s3cret", "wrong")
        assert await met(f"{stranger}/big") is TransferProblem.DENIED
        assert await met(f"{server.location}/big", 100) is TransferProblem.TOO_LARGE
        with pytest.raises(TransferFailed) as caught:
            await transfer.upload(f"{server.location}/readonly", "x", source)
        assert caught.value.problem is TransferProblem.DENIED
    assert await met(f"{server.location}/big") is TransferProblem.FAILED


async def test_an_sftp_server_with_another_key_gets_no_password(
    tmp_path: Path, known: Path, remote: Path
) -> None:
    (remote / "x").write_bytes(CONTENT)
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with sftp_server(remote, key) as server:
        await Transfer(known).download(f"{server.location}/x", tmp_path / "got", 10**9)
        port = server.port
    async with sftp_server(remote, port=port) as impostor:
        met = await problem(f"{impostor.location}/x", tmp_path / "no", transfer=Transfer(known))
        assert met is TransferProblem.FAILED
        assert impostor.logins == []
    async with sftp_server(remote, key, port) as server:
        await Transfer(known).download(f"{server.location}/x", tmp_path / "again", 10**9)
    assert len(learnt(known)) == 1


async def test_the_key_of_a_server_that_refuses_the_login_is_not_stored(
    tmp_path: Path, known: Path, remote: Path
) -> None:
    async with sftp_server(remote) as server:
        stranger = server.location.replace("s3cret", "wrong")
        await problem(f"{stranger}/x", tmp_path / "no", transfer=Transfer(known))
    assert learnt(known) == []


async def test_an_unknown_server_gets_no_upload(
    tmp_path: Path, source: Path, certified: ssl.SSLContext
) -> None:
    wary = Transfer(NOWHERE)
    with http_files(certified) as server, pytest.raises(TransferFailed):
        await wary.upload(server.location, "x", source)
    async with ftp_server(certified) as ftp:
        with pytest.raises(TransferFailed):
            await wary.upload(ftp.location, "x", source)
        assert ftp.files == {}
        assert "PASS" not in ftp.commands


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("", TransferProblem.UNSUPPORTED),
        ("file:///etc/passwd", TransferProblem.UNSUPPORTED),
        ("gopher://host/x", TransferProblem.UNSUPPORTED),
        ("http:///x", TransferProblem.BAD_ADDRESS),
        ("http://[::1/x", TransferProblem.BAD_ADDRESS),
        ("ftp://host/a%0d%0aDELE%20b", TransferProblem.BAD_ADDRESS),
        ("ftp://host:99999/x", TransferProblem.BAD_ADDRESS),
    ],
)
async def test_addresses_are_checked(
    tmp_path: Path, location: str, expected: TransferProblem
) -> None:
    assert await problem(location, tmp_path / "got") is expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://h/logs", "http://h/logs/x.zip"),
        ("http://h/logs/?key=1", "http://h/logs/x.zip?key=1"),
        ("http://h", "http://h/x.zip"),
        ("http://h/logs/given.zip", "http://h/logs/given.zip"),
    ],
)
def test_the_address_of_a_file_in_a_folder(location: str, expected: str) -> None:
    assert in_folder(location, "x.zip") == expected
