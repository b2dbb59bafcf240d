"""The names used in a journal of decisions, by form.

A journal may be older than the software that replays it. The present form uses the current names of
the types. Each older form lists the names that differ, so that its lines are read, and the
resulting states compared, with the names of that time. Renaming, adding or removing something that
a test finds here requires a new form.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from borne.domain import vehicle
from borne.domain.station import (
    board,
    connector_events,
    connector_state,
    faults,
    lock,
    modes,
    session,
)
from borne.foundation.codec import Codec, StoredNames

FIRST_FORM = 1
"""Of journals whose lines name none."""
FORM = 2
"""That is written."""
_MODULES = (board, connector_events, connector_state, faults, lock, session, vehicle, modes)
_OLD_NAMES = {
    1: StoredNames(
        types={"GroupReported": "GroupTold"},
        members={
            "ConnectorState": {
                "cable_held_for": "kept_for",
                "ignore_pilot_until_s": "deaf_until_s",
                "ignored_pilot": "heard",
            }
        },
    )
}

CODECS: Mapping[int, Codec] = MappingProxyType(
    {form: Codec(_MODULES, names) for form, names in _OLD_NAMES.items()} | {FORM: Codec(_MODULES)}
)
