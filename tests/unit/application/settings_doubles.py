"""A settings store in memory, and principals, for tests of the settings service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from borne.application.ports.settings import (
    LoadedSettings,
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
)
from borne.application.settings.settings_service import SettingsService
from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.settings import CATALOGUE, HardwareFacts

ALL = frozenset(CATALOGUE.settings)
OPERATOR = Principal(PrincipalKind.PERSON, Role.OPERATOR, "operator")
INSTALLER = Principal(PrincipalKind.PERSON, Role.INSTALLER, "installer")
USER = Principal(PrincipalKind.PERSON, Role.USER, "user")


@dataclass
class MemoryRepository:
    """Keeps every document that was saved; full when set so."""

    loaded: LoadedSettings = field(
        default_factory=lambda: LoadedSettings(SettingsDocument(), SettingsHealth.FRESH)
    )
    saved: list[SettingsDocument] = field(default_factory=list)
    full: bool = False

    def load(self) -> LoadedSettings:
        if self.saved:
            return LoadedSettings(self.saved[-1], SettingsHealth.GOOD)
        return self.loaded

    def save(self, document: SettingsDocument) -> None:
        if self.full:
            raise SettingsNotSaved("The settings could not be stored: No space left on device.")
        self.saved.append(document)


def open_service(
    repository: MemoryRepository | None = None,
    facts: HardwareFacts | None = None,
    **how: Any,
) -> SettingsService:
    """A service where every setting is active and serial numbers are foreseeable."""
    return SettingsService.open(
        repository or MemoryRepository(),
        facts,
        **{"active": ALL, "token_hex": lambda size: "ab" * size, **how},
    )
