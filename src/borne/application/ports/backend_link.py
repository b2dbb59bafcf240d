"""The connection to the backend, for services that are created before it, or without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from borne.application.ports.backend import BackendPort
from borne.foundation.events import Signal, Unsubscribe


class Backend(BackendPort, Protocol):
    """A backend that the station starts and stops."""

    @property
    def connected(self) -> bool:
        """The link is up, whether or not the backend has accepted us."""

    def subscribe_online(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """True when the backend is connected and has accepted us, False when no longer."""

    def subscribe_link(self, listener: Callable[[], None]) -> Unsubscribe:
        """Calls `listener` when the content of `view` has changed."""

    async def run(self) -> None:
        """Stay connected."""

    async def stop(self) -> None:
        """Stop in an orderly way."""

    def abort(self) -> None:
        """Stop at once, as in a power failure."""


class BackendLink:
    """Holds the present backend, if any, for all services that need it."""

    def __init__(self) -> None:
        self.backend: Backend | None = None
        """None if no backend is configured."""
        self.online_changed: Signal[bool] = Signal()
        """True when the backend is connected and has accepted us, False when no longer."""
        self.changed: Signal[None] = Signal()
        """The content of `view` has changed."""

    def attach(self, backend: Backend) -> None:
        """Use this backend from now on."""
        self.backend = backend
        backend.subscribe_link(lambda: self.changed.emit(None))
        backend.subscribe_online(self.online_changed.emit)

    @property
    def online(self) -> bool:
        """True if the backend can be asked."""
        return self.backend is not None and self.backend.online

    @property
    def connected(self) -> bool:
        """True while connected, accepted or not."""
        return self.backend is not None and self.backend.connected
