"""The stored identity of the second meter."""

from __future__ import annotations

from borne.application.ports.storage import StateStore
from borne.application.state.kept_state import of_form, stored_fact, text
from borne.domain.meters.identity import KnownMeter
from borne.foundation.json_value import JsonObject, JsonValue

STATE_KEY = "second_meter"
FORM = 1


async def load_known_meter(state: StateStore) -> KnownMeter | None:
    """The meter that is believed; None before the first one."""
    found, _ = await stored_fact(state, STATE_KEY, _from_stored, None)
    return found


async def store_known_meter(state: StateStore, meter: KnownMeter) -> None:
    """Raises StorageFailed."""
    stored: JsonObject = {
        "form": FORM,
        "type": meter.type,
        "place": meter.place,
        "serial_number": meter.serial_number,
    }
    await state.put(STATE_KEY, stored)


def _from_stored(value: JsonValue) -> KnownMeter | None:
    stored = of_form(value, FORM)
    return KnownMeter(text(stored["type"]), text(stored["place"]), text(stored["serial_number"]))
