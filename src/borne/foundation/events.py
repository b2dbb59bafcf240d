"""Typed signals between a sender and its listeners.

An exception of a listener is logged; the sender and the other listeners are not affected.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Unsubscribe = Callable[[], None]
_log = logging.getLogger(__name__)


class Signal(Generic[T]):
    """A stream of values of one type, delivered synchronously in order of subscription."""

    __slots__ = ("__weakref__", "_listeners")

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[T], None], ...] = ()

    def subscribe(self, listener: Callable[[T], None]) -> Unsubscribe:
        """Call `listener` with every value from now on; the returned function unsubscribes it."""
        self._listeners += (listener,)
        return _Subscription(self, listener)

    def notify(self, callback: Callable[[], object]) -> Unsubscribe:
        """As `subscribe`, for a callback that does not take the value."""
        return self.subscribe(_WithoutValue(callback))

    def unsubscribe(self, listener: Callable[[T], None]) -> None:
        """Without effect for a listener that is not subscribed."""
        listeners = list(self._listeners)
        if listener in listeners:
            listeners.remove(listener)
            self._listeners = tuple(listeners)

    def emit(self, value: T) -> None:
        for listener in self._listeners:
            try:
                listener(value)
            except Exception:
                _log.exception("a listener failed on %s", type(value).__name__)


class _Subscription(Generic[T]):
    """Unsubscribes when called; a third of the size of a closure."""

    __slots__ = ("_listener", "_signal")

    def __init__(self, signal: Signal[T], listener: Callable[[T], None]) -> None:
        self._signal = signal
        self._listener = listener

    def __call__(self) -> None:
        self._signal.unsubscribe(self._listener)


class _WithoutValue:
    """Calls back without the value."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback = callback

    def __call__(self, _: object) -> None:
        self._callback()
