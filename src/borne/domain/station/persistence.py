"""A condition counts when it has held for a while, and is over when it was gone for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Persisting:
    """`raise_s` to begin, `clear_s` to end; times are monotonic seconds."""

    raise_s: float
    clear_s: float
    present: bool = False
    since_s: float | None = None
    """Since when the condition contradicts `present`."""

    @property
    def due_s(self) -> float | None:
        """When `see` must be called again though nothing changed."""
        if self.since_s is None:
            return None
        return self.since_s + (self.clear_s if self.present else self.raise_s)

    def see(self, condition: bool, now_s: float) -> Persisting:
        """The condition as it is now."""
        if condition is self.present:
            return self if self.since_s is None else replace(self, since_s=None)
        since_s = now_s if self.since_s is None else self.since_s
        if now_s < since_s + (self.clear_s if self.present else self.raise_s):
            return replace(self, since_s=since_s)
        return replace(self, present=condition, since_s=None)
