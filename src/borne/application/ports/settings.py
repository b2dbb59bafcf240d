"""Storage of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from borne.foundation.json_value import JsonValue
from borne.foundation.messages import Explained, Message


class SettingsHealth(StrEnum):
    """State of the stored settings at the start."""

    FRESH = "fresh"
    """There are none: a first start."""
    GOOD = "good"
    RECOVERED = "recovered"
    """The newest was damaged or is missing; an older one is used once a person has confirmed the
    limits. Charging is not allowed before."""
    DAMAGED = "damaged"
    """None of the stored settings is readable: safe values, and no charging until confirmed."""

    @property
    def unfit(self) -> bool:
        """True if the settings are not the last stored ones, so charging needs confirmation."""
        return self in {SettingsHealth.RECOVERED, SettingsHealth.DAMAGED}


@dataclass(frozen=True, slots=True)
class SettingsDocument:
    """The stored content: deviations from the defaults, and values generated for the station."""

    values: Mapping[str, JsonValue] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    unconfirmed: bool = False
    """Settings were lost, and the limits have not been confirmed yet."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The loaded settings, and notices for users."""

    document: SettingsDocument
    health: SettingsHealth
    reports: tuple[Message, ...] = ()
    others: tuple[SettingsDocument, ...] = ()
    """For recovered settings: the readable older revisions."""


class SettingsNotSaved(Explained):
    """The settings could not be stored and are unchanged; the message says why."""


class SettingsRepository(Protocol):
    """Durable storage of settings. Both methods block; `save` returns after the commit."""

    def load(self) -> LoadedSettings:
        """Load the newest valid settings."""

    def save(self, document: SettingsDocument) -> None:
        """Commit; raises SettingsNotSaved without any change."""
