"""What the client needs from the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from borne.application.ports.backend import BackendListener
from borne.application.ports.storage import Outbox
from borne.protocols.ocpp.messages.core import BootNotificationRequest
from borne.protocols.ocpp.rpc.handlers import Handlers


@dataclass(frozen=True, slots=True)
class StationSide:
    """Functions of the station for the client."""

    boot_content: Callable[[], BootNotificationRequest]
    """Content of BootNotification, requested for each connection."""
    handlers: Handlers
    outbox: Outbox
    listener: BackendListener
