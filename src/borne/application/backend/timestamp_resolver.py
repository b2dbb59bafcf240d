"""Sets the dates of moments from before the date was known, once.

A boot that gets the date dates its own moments with the monotonic clock. A boot that never got it
is dated from the following one: its last moment is at the latest at the start of the next boot. So
order and durations are correct, and the time without power counts as zero. Source: OCPP 1.6 errata
3.10.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from borne.application.ports.storage import SessionJournal, StateStore
from borne.application.state.kept_state import number, of_form, stored_entries, text
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.json_value import JsonObject, JsonValue

STATE_KEY = "undated_boots"
FORM = 2
"""Form 1 was a list of id and time."""
GAP = timedelta(milliseconds=10)
"""Minimum time between two boots, because stored moments are rounded."""
MAX_BOOTS = 1000
"""Older boots are dated at the start of the oldest of these."""


class TimestampResolver:
    """Sets the dates of moments of this and earlier boots."""

    def __init__(self, journal: SessionJournal, state: StateStore, clock: Clock) -> None:
        self._journal = journal
        self._state = state
        self._clock = clock
        self._began_s = clock.monotonic()
        self._began_undated = False

    async def begin(self) -> None:
        """At a power-up, before anything is dated or sent: date earlier boots, or store that this
        boot has no date either."""
        if self._clock.trust is not ClockTrust.NONE:
            await self.date_all()
            return
        self._began_undated = True
        boots = [*await self._boots(), (self._clock.boot_id, self._began_s)]
        await self._state.put(STATE_KEY, [_to_stored(*boot) for boot in boots[-MAX_BOOTS:]])

    async def date_all(self) -> None:
        """Date everything; no effect while the date is unknown."""
        clock = self._clock
        if clock.trust is ClockTrust.NONE:
            return
        undated = await self._journal.undated()
        began = clock.date(Moment(clock.boot_id, self._began_s, None)) or clock.now()
        boots = await self._boots()
        for boot_id, wall, monotonic_s in _estimates(undated, boots, clock.boot_id, began):
            await self._journal.date(boot_id, wall, monotonic_s)
        if self._began_undated:
            # Also if nothing is stored yet, for moments whose commit is pending.
            await self._journal.date(clock.boot_id, clock.now(), clock.monotonic())
        if boots:
            await self._state.put(STATE_KEY, None)

    async def _boots(self) -> list[tuple[str, float]]:
        return (await stored_entries(self._state, STATE_KEY, _from_stored))[0]


def _to_stored(boot_id: str, began_s: float) -> JsonObject:
    return {"form": FORM, "boot_id": boot_id, "began_s": began_s}


def _from_stored(entry: JsonValue) -> tuple[str, float]:
    if isinstance(entry, list):
        boot_id, began_s = entry
    else:
        stored = of_form(entry, FORM)
        boot_id, began_s = stored["boot_id"], stored["began_s"]
    return text(boot_id), number(began_s)


def _estimates(
    undated: dict[str, float],
    boots: Sequence[tuple[str, float]],
    current: str,
    began: datetime,
) -> list[tuple[str, datetime, float]]:
    """Boot, date and monotonic time of the last moment of each earlier boot, oldest first, so that
    an interruption leaves no older boot undated; `boots` are in order with their start times."""
    ordered = [boot for boot in boots if boot[0] in undated and boot[0] != current]
    known = {boot_id for boot_id, _ in boots} | {current}
    forgotten = [(boot_id, last_s) for boot_id, last_s in undated.items() if boot_id not in known]
    found = []
    for boot_id, began_s in reversed([*forgotten, *ordered]):
        ended, last_s = began - GAP, undated[boot_id]
        found.append((boot_id, ended, last_s))
        began = ended - timedelta(seconds=max(0.0, last_s - began_s))
    return found[::-1]
