"""The parts from which a station is built."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from borne.application.meters.meter_search import FindMeters
from borne.application.meters.meter_trial import PollMeter
from borne.application.people.accounts import Accounts
from borne.application.ports.certificates import CertificateStore
from borne.application.ports.group_link import MasterLink, SlaveLink
from borne.application.ports.hardware import Hardware
from borne.application.ports.maintenance import Maintenance
from borne.application.ports.simulator import SimulatorPort
from borne.application.ports.storage import Storage
from borne.application.services import ConnectionTrial, Restarter
from borne.application.settings.settings_service import SettingsService
from borne.domain.frames import FrameRecord
from borne.domain.station.session import StopReason
from borne.domain.station.station_status import StationStatus
from borne.foundation.clock import Clock
from borne.foundation.json_value import JsonObject


@dataclass(frozen=True, slots=True)
class StationParts:
    """Ports, stores, and functions of the host."""

    hardware: Hardware
    storage: Storage
    settings: SettingsService
    accounts: Accounts
    clock: Clock
    restarter: Restarter
    reset: Callable[[StopReason], Coroutine[Any, Any, None]]
    """Restart for a backend's Reset; the argument is the stop reason of the sessions."""
    new_id: Callable[[], str]
    maintenance: Maintenance
    certificates: CertificateStore
    status_json: Callable[[StationStatus], Mapping[str, object]]
    """Converts the status for the diagnostics."""
    frame_json: Callable[[FrameRecord], JsonObject]
    """Converts a message of the backend link for them."""
    simulator: SimulatorPort | None = None
    try_connection: ConnectionTrial | None = None
    poll_meter: PollMeter | None = None
    """Polls a meter for the live test; None where nothing can."""
    find_meters: FindMeters | None = None
    slave_link: SlaveLink | None = None
    """The way to the master of the group; None while there is no link to other stations."""
    master_link: MasterLink | None = None
    """The way to slaves in other stations; the own one needs none."""
    live_poll_s: float | None = None
    """Interval of meter readings for the live display; None reads only when needed."""
