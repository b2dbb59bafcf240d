"""Virtual time: what happens next."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class EventHeap:
    """Actions by time; those of one moment in the order in which they were added."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._numbers = count()
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, at_s: float, action: Callable[[], None]) -> None:
        """Do something at a moment; at once (after what is due) if it has passed."""
        heappush(self._waiting, (max(at_s, self.now_s), next(self._numbers), action))

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something after a time."""
        self.at(self.now_s + delay_s, action)

    def run(self, until_s: float, before: Callable[[float], None]) -> None:
        """Run until a moment; `before` gets the time of each action before it is done."""
        waiting = self._waiting
        while waiting and waiting[0][0] < until_s:
            at_s, _, action = heappop(waiting)
            if at_s > self.now_s:
                self.now_s = at_s
                before(at_s)
            action()
        self.now_s = until_s
        before(until_s)


class Timer:
    """An action at a moment that may move; only the last moment counts."""

    def __init__(self, heap: EventHeap, action: Callable[[], None]) -> None:
        self._heap, self._action = heap, action
        self.due_s: float | None = None
        self._queued_s: float | None = None

    def set(self, due_s: float | None) -> None:
        """Set or move the moment; None: never."""
        self.due_s = due_s
        if due_s is not None and (self._queued_s is None or due_s < self._queued_s):
            self._queue(due_s)

    def _queue(self, at_s: float) -> None:
        self._queued_s = at_s
        self._heap.at(at_s, self._fire)

    def _fire(self) -> None:
        now_s = self._heap.now_s
        if self._queued_s is None or now_s < self._queued_s:
            return  # an entry of the heap that was replaced by an earlier one
        self._queued_s = None
        due_s = self.due_s
        if due_s is None:
            return
        if due_s > now_s:
            self._queue(due_s)
            return
        self.due_s = None
        self._action()
