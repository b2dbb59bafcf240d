"""A condition that counts once it has lasted, and ends once it has been absent for some time."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Persisting:
    """`raise_s` to become present, `clear_s` to end; times are monotonic seconds."""

    raise_s: float
    clear_s: float
    present: bool = False
    since_s: float | None = None
    """Time since which the condition differs from `present`."""

    @property
    def due_s(self) -> float | None:
        """When `update` must be called again even without a change."""
        if self.since_s is None:
            return None
        return self.since_s + (self.clear_s if self.present else self.raise_s)

    def update(self, condition: bool, now_s: float) -> Persisting:
        """Process the present condition."""
        if condition is self.present:
            return self if self.since_s is None else replace(self, since_s=None)
        since_s = now_s if self.since_s is None else self.since_s
        if now_s < since_s + (self.clear_s if self.present else self.raise_s):
            return replace(self, since_s=since_s)
        return replace(self, present=condition, since_s=None)
