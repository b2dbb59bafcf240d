"""The way to the backend, for services that exist before there is one, or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from borne.application.ports.backend import BackendPort
from borne.foundation.events import Signal, Unsubscribe


class Backend(BackendPort, Protocol):
    """A connection to a backend with a life of its own."""

    @property
    def connected(self) -> bool:
        """The link is up, whether or not the backend has accepted us."""

    def subscribe_online(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """True when the backend is connected and has accepted us, False when no longer."""

    def subscribe_link(self, listener: Callable[[], None]) -> Unsubscribe:
        """Told when what `view` shows has changed."""

    async def run(self) -> None:
        """Stay connected."""

    async def stop(self) -> None:
        """Say goodbye."""

    def abort(self) -> None:
        """Power cut."""


class BackendLink:
    """Whoever needs the backend holds this and looks at `backend` when it needs it."""

    def __init__(self) -> None:
        self.backend: Backend | None = None
        """None while none is configured."""
        self.online_changed: Signal[bool] = Signal()
        """True when the backend is connected and has accepted us, False when no longer."""
        self.changed: Signal[None] = Signal()
        """What `view` shows is different."""

    def attach(self, backend: Backend) -> None:
        """There is a backend: from now on it is asked, and learns what happens."""
        self.backend = backend
        backend.subscribe_link(lambda: self.changed.emit(None))
        backend.subscribe_online(self.online_changed.emit)

    @property
    def online(self) -> bool:
        """Whether the backend can be asked."""
        return self.backend is not None and self.backend.online

    @property
    def connected(self) -> bool:
        """Whether the connection stands, accepted or not."""
        return self.backend is not None and self.backend.connected
