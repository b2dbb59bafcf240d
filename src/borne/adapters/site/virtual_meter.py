"""The external meter on virtual time: old values, and silence."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from math import ceil, floor

from borne.adapters.site.event_heap import EventHeap, Timer
from borne.adapters.site.site_model import MeterModel
from borne.foundation.units import ZERO, PerPhase

UNCHANGED_S = 10.0
"""Readings of an unchanged value are passed on this often: others would change nothing."""

BEFORE_S = 13.0
"""Readings of this time before another one are made up for."""

AFTER_CHANGE_S = 15.0
"""After a change, every reading is passed on for this long."""

SILENCE_S = 10.0
"""As the service of the second meter."""

MAX_HISTORY = 4096


class VirtualMeter:
    """Reads, once a period, what flowed `skew_s` before. `read` gets the time and the values, and
    None when the meter has not answered for `SILENCE_S`.

    Readings of an unchanged value are left out, but for those just before the next change.
    """

    def __init__(
        self, model: MeterModel, heap: EventHeap, read: Callable[[float, PerPhase | None], None]
    ) -> None:
        self.silent_since_s: float | None = None
        self._model, self._heap, self._read = model, heap, read
        self._times, self._values = [float("-inf")], [ZERO]
        self._polls = Timer(heap, self._poll)
        self._silences = Timer(heap, lambda: read(heap.now_s, None))
        self._read_s = 0.0
        self._polls.set(0.0)

    def flows(self, amps: PerPhase) -> None:
        """What it measures changed."""
        now_s = self._heap.now_s
        if self._times[-1] == now_s or now_s <= 0:  # before the start it was as at the start
            self._values[-1] = amps
        elif amps != self._values[-1]:
            self._times.append(now_s)
            self._values.append(amps)
            if len(self._times) > MAX_HISTORY:
                del self._times[: MAX_HISTORY // 2], self._values[: MAX_HISTORY // 2]
        if self.silent_since_s is None:
            self._set_timer()

    def switch(self, *, silent: bool) -> None:
        """Silence it, or let it answer again."""
        now_s = self._heap.now_s
        if silent and self.silent_since_s is None:
            self.silent_since_s = now_s
            self._polls.set(None)
            self._silences.set(now_s + SILENCE_S)
        elif not silent and self.silent_since_s is not None:
            self.silent_since_s = None
            self._silences.set(None)
            self._polls.set(self._next_poll_s(now_s))

    def _poll(self) -> None:
        now_s, period_s = self._heap.now_s, self._model.period_s
        for number in range(ceil(BEFORE_S / period_s), 0, -1):
            at_s = now_s - number * period_s
            if at_s > self._read_s:
                self._read(at_s, self._value_a(at_s))
        self._read_s = now_s
        self._read(now_s, self._value_a(now_s))
        self._set_timer()

    def _value_a(self, at_s: float) -> PerPhase:
        place = bisect_right(self._times, at_s - self._model.skew_s) - 1
        return self._values[max(0, place)]

    def _set_timer(self) -> None:
        """The next poll that shows something else, or the next that must be passed on."""
        shown_s = self._read_s - self._model.skew_s
        place = bisect_right(self._times, shown_s)
        if shown_s - self._times[place - 1] < AFTER_CHANGE_S:
            self._polls.set(self._next_poll_s(self._read_s))
            return
        next_s = self._read_s + max(UNCHANGED_S, self._model.period_s)
        if place < len(self._times):
            change_s = self._times[place] + self._model.skew_s
            next_s = min(next_s, self._next_poll_s(max(change_s - 1e-6, self._read_s)))
        self._polls.set(next_s)

    def _next_poll_s(self, after_s: float) -> float:
        """The first poll after a moment."""
        period_s = self._model.period_s
        return (floor(after_s / period_s + 1e-9) + 1) * period_s
