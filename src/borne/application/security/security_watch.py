"""Detects security events of the station (whitepaper, chapter 8)."""

from __future__ import annotations

from collections.abc import Callable

from borne.application.maintenance.firmware_update import UpdateProgress, UpdateState
from borne.application.security.security_events import SecurityEvent, SecurityEvents
from borne.application.settings.settings_service import SettingsChange, SettingsService
from borne.domain.station.session import StopReason
from borne.foundation.clock import Clock, ClockStep, format_utc

SETTINGS = frozenset({"AuthorizationKey", "SecurityProfile", "SSLStrictnessClient"})
"""A change of these settings is an event; their values are not recorded."""


class SecurityWatch:
    """Records security events. `secure` tells whether a security profile is in use."""

    def __init__(
        self,
        events: SecurityEvents,
        settings: SettingsService,
        clock: Clock,
        secure: Callable[[], bool],
        version: str,
    ) -> None:
        self._events = events
        self._settings = settings
        self._clock = clock
        self._secure = secure
        self._version = version

    def start(self) -> None:
        self._settings.subscribe(self._on_settings_changed)
        self._clock.stepped.subscribe(self._on_clock_stepped)
        self._events.check_later()
        if self._secure():
            self._events.note_later(SecurityEvent.STARTUP)

    async def stop(self, reason: StopReason) -> None:
        """Record a deliberate restart."""
        if self._secure():
            await self._events.note(SecurityEvent.RESET_OR_REBOOT, reason.value)

    def _on_settings_changed(self, change: SettingsChange) -> None:
        found = sorted(SETTINGS & set(change.names))
        if found:
            self._events.note_later(SecurityEvent.RECONFIGURATION, ", ".join(found))

    def _on_clock_stepped(self, step: ClockStep) -> None:
        """Record that the clock was set, except when it gets its first date."""
        if not step.dated:
            detail = f"{format_utc(step.before)} to {format_utc(step.after)}"
            self._events.note_later(SecurityEvent.SETTING_SYSTEM_TIME, detail)

    def on_firmware(self, progress: UpdateProgress) -> None:
        """Record the progress of a firmware update."""
        match progress.state:
            case UpdateState.INSTALLED:
                self._events.note_later(SecurityEvent.FIRMWARE_UPDATED, self._version)
            case UpdateState.INVALID_SIGNATURE:
                self._events.note_later(SecurityEvent.INVALID_FIRMWARE_SIGNATURE)
