"""How late the meter of the building is, kept over a restart (decision 0216)."""

from __future__ import annotations

from dataclasses import dataclass

from borne.application.ports.storage import StateStore
from borne.application.state.kept_state import of_form, stored_fact, text, whole
from borne.domain.load_management.meter_skew import MeterSkew
from borne.foundation.json_value import JsonValue

STATE_KEY = "load_management_meter_skew"
FORM = 1


@dataclass(frozen=True, slots=True)
class LearntSkew:
    """The skew of one meter, between two values in seconds."""

    meter: str
    """Model and serial number; another meter is another matter."""
    first_s: int
    last_s: int

    @property
    def skew(self) -> MeterSkew:
        """What a master knows with it. Raises ValueError."""
        return MeterSkew.remembered(self.first_s, self.last_s)


async def load_learnt_skew(state: StateStore) -> LearntSkew | None:
    """Return what is stored; what cannot be read is put aside with a notice."""
    found, _ = await stored_fact(state, STATE_KEY, _from_stored, None)
    return found


async def store_learnt_skew(state: StateStore, learnt: LearntSkew) -> None:
    """Replace what is stored. Raises StorageFailed."""
    await state.put(
        STATE_KEY,
        {
            "form": FORM,
            "meter": learnt.meter,
            "first_s": learnt.first_s,
            "last_s": learnt.last_s,
        },
    )


def _from_stored(value: JsonValue) -> LearntSkew | None:
    stored = of_form(value, FORM)
    learnt = LearntSkew(text(stored["meter"]), whole(stored["first_s"]), whole(stored["last_s"]))
    _ = learnt.skew  # an impossible one is not readable
    return learnt
