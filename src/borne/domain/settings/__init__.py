"""Settings: catalogue, immutable values, rules, access rights (manual 2 to 7, decisions D1 to
D39)."""

from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.entry import Amps, Feature, HardwareFacts
from borne.domain.settings.snapshot import Settings, UnknownSetting
from borne.foundation.messages import Message

__all__ = [
    "CATALOGUE",
    "Amps",
    "Feature",
    "HardwareFacts",
    "Message",
    "Settings",
    "UnknownSetting",
]
