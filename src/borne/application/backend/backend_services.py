"""The services for a backend, as its connection uses them."""

from __future__ import annotations

from dataclasses import dataclass

from borne.application.authorization.local_list import LocalList
from borne.application.authorization.reservations import Reservations
from borne.application.backend.backend_commands import BackendCommands
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.maintenance.firmware_update import FirmwareUpdates
from borne.application.maintenance.log_upload import LogUploads
from borne.application.security.certificates import Certificates
from borne.application.security.security_events import SecurityEvents


@dataclass(frozen=True, slots=True)
class BackendServices:
    """A service for each part of the protocol."""

    commands: BackendCommands
    local_list: LocalList
    reservations: Reservations
    profiles: ChargingProfiles
    firmware: FirmwareUpdates
    logs: LogUploads
    events: SecurityEvents
    certificates: Certificates
