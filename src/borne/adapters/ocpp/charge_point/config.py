"""The client's configuration of the backend. Replaceable at run time."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from borne.adapters.ocpp.charge_point.tls import TlsConfig

SUB_PROTOCOL: Final = "ocpp1.6"
MAX_FRAME_BYTES: Final = 512 * 1024
"""A full SendLocalList or a schedule of 1440 periods needs about 100 kB."""


class ConfigError(ValueError):
    """A setting cannot work; the message is for users."""


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """Parameters of a connection; a change requires a reconnection."""

    url: str
    identity: str
    password: bytes | None = field(default=None, repr=False)
    """HTTP basic authentication (user = identity), as bytes."""
    proxy: str | None = field(default=None, repr=False)
    """`host:port` or `http://[user:password@]host:port`."""
    tls: TlsConfig = field(default_factory=TlsConfig)
    connect_timeout_s: float = 60.0
    """For all steps from DNS to WebSocket (manual 4, backend connection timeout)."""
    pong_timeout_s: float = 20.0
    """Without a pong within this time the connection counts as dead."""
    compression: bool = False
    """Offer permessage-deflate: saves data, costs about 100 kB of memory per connection."""
    max_frame_bytes: int = MAX_FRAME_BYTES


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """The connection, and parameters of the protocol."""

    connection: ConnectionConfig
    connectors: tuple[int, ...] = (1, 2)
    call_timeout_s: float = 60.0
    ping_interval_s: float = 60.0
    """WebSocketPingInterval; 0 = off."""
    heartbeat_interval_s: float = 300.0
    """HeartbeatInterval; replaced by the BootNotification answer."""
    force_heartbeat: bool = True
    """Send heartbeats even if other messages show that the connection works."""
    transaction_message_attempts: int = 3
    transaction_message_retry_interval_s: float = 60.0
    drain_pause_s: float = 0.05
    """Pause between queued messages, so that a long queue does not block others."""
    longest_reconnect_pause_s: float = 120.0


def endpoint_url(url: str, identity: str) -> str:
    """`<base>/<percent-encoded identity>` (OCPP-J 1.6 section 3.1.1); raises ConfigError."""
    if not identity:
        raise ConfigError("the ChargeBoxIdentity is empty")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"the backend URL is not valid: {error}") from None
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError("the backend URL must start with ws:// or wss:// and name a host")
    if parts.username is not None:
        raise ConfigError("credentials do not belong in the backend URL")
    if parts.fragment or port == 0:
        raise ConfigError("the backend URL is not valid")
    path = f"{parts.path.rstrip('/')}/{quote(identity, safe='')}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def proxy_url(proxy: str | None) -> str | None:
    """The proxy as a URL; `host:port` implies HTTP. Raises ConfigError."""
    if not proxy or not proxy.strip():
        return None
    text = proxy.strip()
    if "://" not in text:
        text = f"http://{text}"
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("the proxy must be host:port or an http:// URL")
    return text


def basic_authorization(identity: str, password: bytes) -> str:
    """Header value; the password may be any bytes (security whitepaper section 2.3)."""
    token = base64.b64encode(identity.encode() + b":" + password).decode("ascii")
    return f"Basic {token}"
