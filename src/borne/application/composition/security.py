"""The services for certificates, security events and profiles, and passwords."""

from __future__ import annotations

from borne.application.composition.parts import StationParts
from borne.application.people.password_rule import PasswordRule
from borne.application.security.certificates import Certificates
from borne.application.security.security_events import SecurityEvents
from borne.application.security.security_profile import KEY, SecurityProfiles
from borne.application.security.security_watch import SecurityWatch
from borne.foundation.supervisor import Supervisor


class Security:
    """The services for security."""

    def __init__(self, parts: StationParts, supervisor: Supervisor) -> None:
        clock, storage, settings = parts.clock, parts.storage, parts.settings.running
        self.events = SecurityEvents(storage.security, storage.state, clock, supervisor)
        self.certificates = Certificates(parts.certificates, self.events, settings, clock)
        self.profile = SecurityProfiles(
            parts.settings, lambda: self.certificates.material, storage.state, supervisor
        )
        self.watch = SecurityWatch(
            self.events,
            parts.settings,
            clock,
            lambda: settings().integer(KEY) > 0,
            parts.maintenance.version,
        )
        self.password_rule = PasswordRule(parts.accounts, settings, supervisor)
