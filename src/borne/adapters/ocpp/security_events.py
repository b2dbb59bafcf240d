"""Security events of failed connections (whitepaper chapter 8)."""

from __future__ import annotations

from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed
from borne.application.ports.backend import ConnectionStep
from borne.application.security.security_events import SecurityEvent, SecurityEvents

_UNAUTHORIZED = frozenset({401, 403})
_VERSIONS = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW")
_CIPHERS = ("HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "NO_CIPHERS")


def event_of(failure: ConnectFailed) -> SecurityEvent | None:
    """The security event for a failed connection, if any."""
    if failure.step is ConnectionStep.WEBSOCKET and failure.http_status in _UNAUTHORIZED:
        return SecurityEvent.FAILED_TO_AUTHENTICATE
    if failure.step is not ConnectionStep.TLS:
        return None
    reason = failure.reason.upper()
    if reason.startswith("CERTIFICATE REFUSED"):
        return SecurityEvent.INVALID_CENTRAL_SYSTEM_CERTIFICATE
    if any(word in reason for word in _VERSIONS):
        return SecurityEvent.INVALID_TLS_VERSION
    if any(word in reason for word in _CIPHERS):
        return SecurityEvent.INVALID_TLS_CIPHER_SUITE
    return None


class ConnectionEvents:
    """Records a failure when it begins, not at each attempt."""

    def __init__(self, events: SecurityEvents) -> None:
        self._events = events
        self._last: tuple[SecurityEvent, str] | None = None

    def on_connect_failed(self, failure: ConnectFailed) -> None:
        event = event_of(failure)
        noted = None if event is None else (event, failure.reason)
        if event is not None and noted != self._last:
            self._events.note_later(event, failure.reason)
        self._last = noted
