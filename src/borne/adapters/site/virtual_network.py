"""Messages between stations on virtual time: delay, loss, reordering, links that are cut."""

from __future__ import annotations

import random
from collections.abc import Callable

from borne.adapters.site.event_heap import EventHeap
from borne.adapters.site.site_model import NetworkModel


class VirtualNetwork:
    """Carries messages between the master's station and the others."""

    def __init__(self, model: NetworkModel, heap: EventHeap, master: str) -> None:
        self.model, self._heap, self._master = model, heap, master
        self._rng = random.Random(model.seed)  # noqa: S311 -- a simulation
        self._cut: set[str] = set()

    def cut(self, station: str) -> None:
        """Cut the link of a station; of the master's: all messages are lost but its own slave's."""
        self._cut.add(station)

    def restore(self, station: str) -> None:
        """Restore a link."""
        self._cut.discard(station)

    def connected(self, station: str) -> bool:
        """True if messages between the master and a station arrive."""
        if not self._cut or station == self._master:
            return True
        return not self._cut.intersection((station, self._master))

    def carry(self, station: str, deliver: Callable[[], None]) -> None:
        """Carry a message from or to a station."""
        if station == self._master:
            self._heap.at(self._heap.now_s, deliver)
            return
        if not self.connected(station):
            return
        model, rng = self.model, self._rng
        if model.loss and rng.random() < model.loss:
            return
        delay_s = rng.uniform(0.5, 1.0) * model.delay_s if model.delay_s else 0.0
        if model.reorder and rng.random() < model.reorder:
            delay_s += model.delay_s
        self._heap.after(delay_s, lambda: deliver() if self.connected(station) else None)
