"""What the settings service needs from storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from borne.foundation.json_value import JsonValue
from borne.foundation.messages import Explained, Message


class SettingsHealth(StrEnum):
    """How the stored settings were found."""

    FRESH = "fresh"
    """There were none: a first start."""
    GOOD = "good"
    RECOVERED = "recovered"
    """The newest was damaged or is missing; what an older one holds counts once a person has
    confirmed the limits, and nobody charges before."""
    DAMAGED = "damaged"
    """There were some and none can be read: safe values, and no charging until confirmed."""

    @property
    def unfit(self) -> bool:
        """Not what was stored last: nobody may charge on it unseen."""
        return self in {SettingsHealth.RECOVERED, SettingsHealth.DAMAGED}


@dataclass(frozen=True, slots=True)
class SettingsDocument:
    """What is stored: deviations from the defaults, and what was made once for the station."""

    values: Mapping[str, JsonValue] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    unconfirmed: bool = False
    """The settings, or their newest revision, were lost and nobody has checked the limits yet."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """What was found, and what people must know about it."""

    document: SettingsDocument
    health: SettingsHealth
    reports: tuple[Message, ...] = ()
    others: tuple[SettingsDocument, ...] = ()
    """Of recovered settings: the older revisions that can be read."""


class SettingsNotSaved(Explained):
    """Nothing was changed because it could not be stored; the message says why."""


class SettingsRepository(Protocol):
    """Durable settings. Both calls block; `save` returns after the commit."""

    def load(self) -> LoadedSettings:
        """The newest good settings."""

    def save(self, document: SettingsDocument) -> None:
        """Commit; raises SettingsNotSaved with nothing changed."""
