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

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], None]] = []

    def subscribe(self, listener: Callable[[T], None]) -> Unsubscribe:
        """Call `listener` with every value from now on; the returned function unsubscribes it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def emit(self, value: T) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(value)
            except Exception:
                _log.exception("a listener failed on %s", type(value).__name__)
