"""Converts settings and certificates to the configuration of the client.

Sources: manual 4; security whitepaper A00 (profiles). From profile 2 on, the connection uses TLS
with all checks, whatever the URL and the strictness; in profile 3 a certificate replaces the
password.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig, ConnectionConfig
from borne.adapters.ocpp.charge_point.tls import TlsConfig, TlsLevel
from borne.application.security.certificates import Material
from borne.domain.settings.snapshot import Settings

BACKEND_KEYS = frozenset(
    {
        "AuthorizationKey",
        "ForceHeartbeat",
        "HeartbeatInterval",
        "SSLStrictnessClient",
        "SecurityProfile",
        "TransactionMessageAttempts",
        "TransactionMessageRetryInterval",
        "WebSocketPingInterval",
    }
)
"""Settings that a running client applies."""
NO_MATERIAL = Material()


def backend_config(
    settings: Settings, connectors: Sequence[int], material: Material = NO_MATERIAL
) -> BackendConfig:
    """The client's configuration from the settings of the backend menu."""
    timeout_s = float(settings.integer("BackendConnectionTimeout"))
    connection = ConnectionConfig(
        url=settings.text("WebSocketsBackendURL"),
        identity=settings.text("ChargePointID"),
        proxy=settings.text("WebSocketsProxy") or None,
        connect_timeout_s=timeout_s,
    )
    return BackendConfig(
        connection=secured(connection, settings, material),
        connectors=tuple(connectors),
        call_timeout_s=timeout_s,
        ping_interval_s=float(settings.integer("WebSocketPingInterval")),
        heartbeat_interval_s=float(settings.integer("HeartbeatInterval")),
        force_heartbeat=settings.flag("ForceHeartbeat"),
        transaction_message_attempts=settings.integer("TransactionMessageAttempts"),
        transaction_message_retry_interval_s=float(
            settings.integer("TransactionMessageRetryInterval")
        ),
    )


def secured(
    connection: ConnectionConfig, settings: Settings, material: Material
) -> ConnectionConfig:
    """The connection with password, certificates and checks of the security profile."""
    profile = settings.integer("SecurityProfile")
    level = TlsLevel(settings.text("SSLStrictnessClient"))
    own = material.own if profile == 3 else None
    revision = f"{profile}:{material.revision if own else 0}"
    tls = TlsConfig(
        level=TlsLevel.NORMAL if profile >= 2 else level,
        trusted_roots_pem=material.roots_pem,
        system_roots=profile < 2,
        certificate_file=own[0] if own else None,
        key_file=own[1] if own else None,
        revision=revision,
    )
    password = None if profile == 3 else settings.key_bytes("AuthorizationKey") or None
    url = connection.url
    if profile >= 2 and url.startswith("ws://"):
        url = "wss://" + url.removeprefix("ws://")
    return replace(connection, url=url, password=password, tls=tls)


class LiveSettings:
    """Applies settings to a running client. Changes that need a new connection wait until a pending
    answer has been sent."""

    def __init__(self, client: ChargePointClient, material: Material, url: str) -> None:
        self._client = client
        self._material = material
        self._url = url
        """The URL of the start; a new one needs a restart."""
        self._settings: Settings | None = None
        self._held = 0

    def on_settings_changed(self, settings: Settings) -> None:
        self._settings = settings
        self._apply()

    def on_material_changed(self, material: Material, settings: Settings) -> None:
        self._material = material
        self.on_settings_changed(settings)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """An answer is being prepared; if that succeeds, `release` must be called after it was
        sent."""
        self._held += 1
        try:
            yield
        except BaseException:
            await self.release()
            raise

    async def release(self) -> None:
        """Apply waiting changes, after the answer was sent."""
        self._held -= 1
        self._apply()

    def _apply(self) -> None:
        settings, now = self._settings, self._client.config
        if settings is None:
            return
        new = backend_config(settings, now.connectors, self._material)
        config = replace(
            now,
            ping_interval_s=new.ping_interval_s,
            heartbeat_interval_s=new.heartbeat_interval_s,
            force_heartbeat=new.force_heartbeat,
            transaction_message_attempts=new.transaction_message_attempts,
            transaction_message_retry_interval_s=new.transaction_message_retry_interval_s,
        )
        if self._held == 0:
            base = replace(now.connection, url=self._url)
            config = replace(config, connection=secured(base, settings, self._material))
        if config != now:
            self._client.configure(config)
