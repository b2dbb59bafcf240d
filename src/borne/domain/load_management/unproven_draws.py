"""What sockets of unknown rotation drew when the meter of the building was read last.

The meter includes them on a phase that is not known. While such a socket draws the same, the load
of the building and its current are right together, whatever its phase. When it draws less, others
may use what it left only after the meter has shown the fall: on two phases nothing became free.
"""

from __future__ import annotations

from collections import deque

KEPT_S = 60.0
"""Longer than a late meter needs to show a fall."""


class UnprovenDraws:
    """The recent currents of these sockets, in amps of the strongest phase."""

    def __init__(self) -> None:
        self._draws: dict[str, deque[tuple[float, float]]] = {}
        self._shown_s: float | None = None

    def note(self, participant: str, amps: float, now_s: float) -> None:
        """Record a current from now on."""
        draws = self._draws.setdefault(participant, deque())
        if draws and draws[-1][1] == amps:
            return
        draws.append((now_s, amps))
        while len(draws) > 1 and draws[1][0] <= now_s - KEPT_S:
            draws.popleft()

    def forget(self, participant: str) -> None:
        """It is gone, or its rotation is known."""
        self._draws.pop(participant, None)

    def shown(self, until_s: float | None) -> None:
        """The last reading shows the currents until that moment; None: no meter includes them."""
        self._shown_s = until_s

    def highest_a(self, participant: str, now_s: float) -> float:
        """Return the highest current since then."""
        draws, shown_s = self._draws.get(participant), self._shown_s
        if not draws or shown_s is None:
            return 0.0
        start_s = max(shown_s, now_s - KEPT_S)
        past = max((at_s for at_s, _ in draws if at_s <= start_s), default=start_s)
        return max((amps for at_s, amps in draws if at_s >= past), default=0.0)
