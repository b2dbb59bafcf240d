"""Presets: the settings required by providers of backends (manual 1.3), loaded from data files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Preset:
    """The settings of one provider. Values are in the form of the API."""

    key: str
    name: str
    source: str
    settings: Mapping[str, str]
    mobile: Mapping[str, str]
    """Additional settings for the mobile network."""
    notes: Sequence[str] = field(default=())

    def changes(self, *, mobile: bool) -> dict[str, str]:
        """The settings to stage, for the mobile network or for Ethernet."""
        if mobile:
            return {"ConnectionType": "gsm", **self.mobile, **self.settings}
        return {"ConnectionType": "ethernet", **self.settings}


@cache
def presets() -> tuple[Preset, ...]:
    """All presets of the software, by name."""
    folder = files("borne.presets")
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".json"))
    read = (
        Preset(entry.name.removesuffix(".json"), **json.loads(entry.read_text("utf-8")))
        for entry in found
    )
    return tuple(sorted(read, key=lambda preset: preset.name.casefold()))
