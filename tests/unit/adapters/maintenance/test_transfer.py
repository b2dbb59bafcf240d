"""Files over HTTP(S) and FTP(S), against real servers."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from borne.adapters.maintenance.addresses import in_folder
from borne.adapters.maintenance.transfer import Transfer, tls_context
from borne.application.maintenance_ports import TransferFailed, TransferProblem
from tests.integration.ocpp.certificates import issue, make_root, server_context
from tests.support.ftp_server import ftp_server
from tests.support.http_files import http_files

CONTENT = bytes(range(256)) * 3000
ROOT = make_root()


def trusting() -> ssl.SSLContext:
    return tls_context(ROOT.pem)


TRANSFER = Transfer(trusting)


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    return server_context(issue(ROOT), tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


async def problem(location: str, target: Path, most: int = 10**9) -> TransferProblem:
    with pytest.raises(TransferFailed) as caught:
        await TRANSFER.download(location, target, most)
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


async def test_a_server_that_is_not_known_gets_nothing(
    tmp_path: Path, source: Path, certified: ssl.SSLContext
) -> None:
    wary = Transfer()
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
        ("sftp://host/x", TransferProblem.UNSUPPORTED),
        ("http:///x", TransferProblem.BAD_ADDRESS),
        ("http://[::1/x", TransferProblem.BAD_ADDRESS),
        ("ftp://host/a%0d%0aDELE%20b", TransferProblem.BAD_ADDRESS),
        ("ftp://host:99999/x", TransferProblem.BAD_ADDRESS),
    ],
)
async def test_addresses(tmp_path: Path, location: str, expected: TransferProblem) -> None:
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
def test_the_file_in_the_folder(location: str, expected: str) -> None:
    assert in_folder(location, "x.zip") == expected
