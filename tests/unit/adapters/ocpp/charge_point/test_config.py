"""URLs, proxies, credentials (OCPP-J 1.6 section 3.1, security whitepaper section 2.3)."""

from __future__ import annotations

import base64

import pytest

from borne.adapters.ocpp.charge_point.config import (
    ConfigError,
    ConnectionConfig,
    basic_authorization,
    endpoint_url,
    proxy_url,
)


@pytest.mark.parametrize(
    ("url", "identity", "dialled"),
    [
        ("ws://example.org", "A1", "ws://example.org/A1"),
        ("ws://example.org/", "A1", "ws://example.org/A1"),
        ("wss://example.org:8443/ocpp/", "A1", "wss://example.org:8443/ocpp/A1"),
        (" ws://[::1]:9000/x ", "A1", "ws://[::1]:9000/x/A1"),
        ("wss://example.org/o?token=5", "A1", "wss://example.org/o/A1?token=5"),
        ("ws://example.org", "RDAM|12/3 ü", "ws://example.org/RDAM%7C12%2F3%20%C3%BC"),
    ],
)
def test_the_identity_is_the_last_segment(url: str, identity: str, dialled: str) -> None:
    assert endpoint_url(url, identity) == dialled


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("", "A1"),
        ("example.org", "A1"),
        ("http://example.org", "A1"),
        ("ws://", "A1"),
        ("ws://example.org:99999", "A1"),
        ("ws://example.org:0", "A1"),
        ("ws://user:secret@example.org", "A1"),
        ("ws://example.org/#part", "A1"),
        ("ws://[::1", "A1"),
        ("ws://example.org", ""),
    ],
)
def test_an_invalid_url_is_refused_with_a_sentence(url: str, identity: str) -> None:
    with pytest.raises(ConfigError) as problem:
        endpoint_url(url, identity)
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        (None, None),
        ("", None),
        (" ", None),
        ("proxy:3128", "http://proxy:3128"),
        ("http://u:p@proxy:3128", "http://u:p@proxy:3128"),
        ("https://proxy", "https://proxy"),
    ],
)
def test_a_proxy_has_host_and_port(proxy: str | None, url: str | None) -> None:
    assert proxy_url(proxy) == url


@pytest.mark.parametrize("proxy", ["socks5://proxy:1", "http://"])
def test_other_proxies_are_refused(proxy: str) -> None:
    with pytest.raises(ConfigError):
        proxy_url(proxy)


@pytest.mark.parametrize("password", [bytes(range(8)) + b"\xff" * 12, b"Password", "ü".encode()])
def test_any_bytes_may_be_the_password(password: bytes) -> None:
    """OCTT TC_073, TC_085."""
    header = basic_authorization("A1", password)
    assert base64.b64decode(header.removeprefix("Basic ")) == b"A1:" + password


def test_a_printed_configuration_shows_no_password() -> None:
    config = ConnectionConfig("ws://x", "A1", b"secret", proxy="http://u:secret@proxy:1")
    assert "secret" not in repr(config)
