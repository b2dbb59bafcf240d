"""Unsaved changes of settings, per login. They are kept while the station is the same, and dropped
with the login."""

from __future__ import annotations

from borne.adapters.web.visitor import Visitor
from borne.application.services import StationServices
from borne.application.settings.settings_service import SettingsService
from borne.application.settings.settings_staging import Draft, SettingsStaging


class Staging:
    """The staging of the running station."""

    def __init__(self) -> None:
        self._of: SettingsService | None = None
        self._staging: SettingsStaging | None = None

    def of(self, services: StationServices) -> SettingsStaging:
        """The staging of this station; a new one after a restart."""
        service = services.settings
        assert isinstance(service, SettingsService)
        if self._staging is None or self._of is not service:
            self._of = service
            self._staging = SettingsStaging(service, services.clock.monotonic)
        return self._staging

    def draft(self, services: StationServices | None, who: Visitor | None) -> Draft:
        """The unsaved changes of the visitor."""
        if services is None or who is None or who.login is None:
            return Draft()
        return self.of(services).draft(who.login.key, who.principal)

    def drop(self, key: str) -> None:
        """Drop the changes of a login that ended."""
        if self._staging is not None:
            self._staging.reset(key)
