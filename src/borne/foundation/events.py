"""Typed signals: a sender that does not know its listeners.

A listener that raises is logged; it never stops the sender or the other listeners.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Unsubscribe = Callable[[], None]
_log = logging.getLogger(__name__)


class Signal(Generic[T]):
    """A stream of values of one type, delivered at once and in order of subscription."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], None]] = []

    def subscribe(self, listener: Callable[[T], None]) -> Unsubscribe:
        """Call `listener` with every value from now on; the answer ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def emit(self, value: T) -> None:
        """Hand `value` to every listener."""
        for listener in tuple(self._listeners):
            try:
                listener(value)
            except Exception:
                _log.exception("a listener failed on %s", type(value).__name__)
