"""The types of meters that can be simulated, by the labels of the settings."""

from __future__ import annotations

from borne.adapters.simulation.meter_setup import CannotServe
from borne.domain.settings.catalogue.meter_profiles import METERS
from borne.domain.settings.meter_names import find_meter_type, nearest_labels
from borne.foundation.messages import N_, Message

USER_DEFINED = "user_defined"
SIMULATED = {meter.slug: meter.label for meter in METERS if meter.slug != USER_DEFINED}


class UnknownType(CannotServe):
    """There is no such type of meter, or it is not simulated."""


def meter_type(text: str) -> str:
    """The slug of a label or slug. Raises UnknownType with the nearest label."""
    found = find_meter_type(text)
    if found is not None and found.slug in SIMULATED:
        return found.slug
    near = [label for label in nearest_labels(text) if label in SIMULATED.values()]
    if found is not None or not near:
        raise UnknownType(Message(N_("There is no simulated meter {type}."), {"type": text}))
    values = {"type": text, "near": near[0]}
    raise UnknownType(Message(N_("There is no meter type {type}. Is it {near}?"), values))
