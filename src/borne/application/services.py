"""The services of a running station for web, API and command line.

Routes and pages depend on these protocols only. Every command gets the principal that requests it,
and raises `Refused` if the state of the station does not allow it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from borne.application.authorization.teach_in import TeachInEvent, TeachInState
from borne.application.authorization.whitelist import ImportReport
from borne.application.backend.queue_view import QueueReader, no_queue
from borne.application.charging.station_control import StationControl
from borne.application.people.accounts import Accounts
from borne.application.ports.backend import BackendPort, StepResult
from borne.application.ports.simulator import SimulatorPort
from borne.application.ports.storage import (
    ALL_SESSIONS,
    CachedToken,
    SessionFigures,
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    WhitelistEntry,
)
from borne.application.settings.settings_service import SettingsService
from borne.domain.principals import Principal
from borne.domain.settings.snapshot import Settings
from borne.domain.smart_charging.profiles import Installed
from borne.domain.station.session import Sample, SessionRecord
from borne.domain.station.station_status import StationStatus
from borne.foundation.clock import Clock
from borne.foundation.messages import Message


class StatusView(Protocol):
    """The live status."""

    @property
    def revision(self) -> int:
        """Incremented with every visible change."""

    def snapshot(self) -> StationStatus:
        """The current status."""

    async def wait(self, after: int, timeout_s: float) -> StationStatus:
        """The status once its revision exceeds `after`, or at the timeout."""

    def changes(self) -> AsyncIterator[StationStatus]:
        """The current status, then the status after each change (bursts are merged)."""


class SessionsView(Protocol):
    """Sessions and statistics."""

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[Sequence[SessionRecord], int]:
        """A page of sessions, newest first, and the total count. With a session id in `before` or
        `after`: the sessions next to it that began before or after it; none if the session is
        gone."""

    async def get(self, session_id: str) -> SessionRecord | None:
        """One session; None if it is unknown."""

    async def curve(self, session_id: str) -> Sequence[Sample]:
        """The samples of a session."""

    async def totals(self) -> SessionFigures:
        """Figures of all ended sessions, and of those of the last calendar month."""

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> Sequence[SessionGroup]:
        """Sums over the ended sessions per socket or card, by energy, highest first."""

    def export(self, query: SessionQuery = ALL_SESSIONS) -> AsyncIterator[Sequence[SessionRecord]]:
        """All matching sessions, newest first, in batches."""

    async def anonymise(
        self, principal: Principal, *, id_token: str | None = None, sessions: Sequence[str] = ()
    ) -> int:
        """Remove the identity from sessions, by token or by session id; returns their number.
        Raises Refused."""


class ChargingProfilesView(Protocol):
    """The charging profiles of the backend, for viewing and clearing."""

    @property
    def entries(self) -> Sequence[Installed]:
        """All profiles, in order of receipt."""

    async def remove(self, profile_id: int | None, principal: Principal) -> int:
        """Clear one profile, or all (None); returns their number. Raises Refused."""


class OcppWhitelistView(Protocol):
    """The OCPP whitelist (manual 5.4): the backend's answers about cards, in its spelling."""

    def content(self) -> Sequence[CachedToken]:
        """All entries, by token."""

    async def forget(self, id_token: str, principal: Principal) -> bool:
        """Remove one entry; False if it was unknown."""

    async def forget_all(self, principal: Principal) -> int:
        """Remove all entries; returns their number."""


class WhitelistView(Protocol):
    """The local whitelist. Tokens are shown in the spelling of the setting "RFID Tag letter case",
    and parsed in its byte order, ignoring case."""

    def page(
        self, *, search: str = "", offset: int = 0, limit: int = 200
    ) -> tuple[Sequence[WhitelistEntry], int]:
        """Entries by token, and the number of matches."""

    async def add(self, entry: WhitelistEntry, principal: Principal) -> WhitelistEntry:
        """Add or replace an entry; raises Refused("invalid_token") with an explanation."""

    async def remove(self, token: str, connector: int | None, principal: Principal) -> bool:
        """Remove one entry; False if it was unknown."""

    async def rename(
        self, token: str, connector: int | None, name: str, principal: Principal
    ) -> bool:
        """Rename an entry; False if it is unknown."""

    async def remove_all(self, principal: Principal) -> int:
        """Empty the list; returns the number of entries."""

    @property
    def undoable(self) -> int:
        """Number of entries that `undo` would restore now."""

    async def undo(self, principal: Principal) -> int:
        """Restore the last removal, possible for half a minute; returns the number of entries."""

    async def import_text(
        self, text: str, principal: Principal, *, dry_run: bool, replace_all: bool = False
    ) -> ImportReport:
        """Import a list (table, lines, or `UID:UID_1:...`), or only report the effect (`dry_run`).
        Raises Refused("unreadable"), Refused("list_full")."""

    async def export_csv(self, delimiter: str = ",") -> str:
        """The whole list as a table that `import_text` accepts."""

    async def export_colons(self) -> str:
        """The whole list in the manual's format, without names: `UID:UID_1:...`."""


class TeachInView(Protocol):
    """Teach-in of the whitelist (manual 5.5): every card shown is added. Only one at a time. It
    ends 60 s after the last card unless prolonged, and 15 s after its dialogue last renewed it."""

    def start(
        self, principal: Principal, *, reader: int | None = None, bind: int | None = None
    ) -> str:
        """Start; returns the lease for the other calls. Raises Refused("teach_in_running")."""

    def renew(self, lease: str) -> TeachInState:
        """Keep the teach-in alive while its dialogue is open. Raises Refused("teach_in_over")."""

    def prolong(self, lease: str) -> TeachInState:
        """Continue for another 60 s. Raises Refused("teach_in_over")."""

    def choose(self, lease: str, *, reader: int | None, bind: int | None) -> TeachInState:
        """Restrict to one reader, and bind new entries to one connector; None: no restriction.
        Raises Refused("teach_in_over")."""

    def finish(self, lease: str) -> Sequence[TeachInEvent]:
        """End; returns the events. Raises Refused("teach_in_over")."""

    def state(self) -> TeachInState | None:
        """The running teach-in, for all viewers."""


class MasterCardView(Protocol):
    """The card that resets forgotten passwords. A second wait raises Refused("busy")."""

    @property
    def known(self) -> bool:
        """True if a master card is set (setting MasterRFID)."""

    async def reset_passwords(self, timeout_s: float = 60.0) -> bool:
        """Wait for the master card, then reset the passwords of user, installer and operator. False
        at the timeout. Needs no login. Raises Refused("no_master_card")."""

    async def next_card(self, timeout_s: float = 60.0) -> str | None:
        """Wait for any card, to register it as master card: its number for the setting, or None at
        the timeout."""


class NoticesView(Protocol):
    """Notices about stored data that was damaged, foreign, missing or put aside."""

    @property
    def entries(self) -> Sequence[Message]:
        """Unacknowledged notices, oldest first."""

    async def acknowledge(self, principal: Principal) -> int:
        """Acknowledge all notices; returns their number. Raises Refused."""


class Restarter(Protocol):
    """Restarts the station's software."""

    async def restart(self, when: str, principal: Principal) -> None:
        """Restart "now", or when "idle" (no session is running)."""


class Power(Protocol):
    """The power supply of a simulated station, controlled by the host."""

    async def cut(self) -> None:
        """Cut the power: the station is aborted."""

    async def restore(self) -> None:
        """Restore the power: the station starts from its committed data."""


ConnectionTrial = Callable[[Settings], Awaitable[Sequence[StepResult]]]
"""Tests the connection to the backend with settings that are not saved yet."""


CollectLogs = Callable[[], Awaitable[Mapping[str, str]]]
"""File names and contents of the diagnostics, without secrets."""


async def no_logs() -> Mapping[str, str]:
    """Default without diagnostics."""
    return {}


@dataclass(frozen=True, slots=True)
class StationServices:
    """The services of a running station that are available to interfaces."""

    clock: Clock
    status: StatusView
    control: StationControl
    sessions: SessionsView
    whitelist: WhitelistView
    restarter: Restarter
    settings: SettingsService
    accounts: Accounts
    backend: BackendPort | None
    simulator: SimulatorPort | None
    teach_in: TeachInView | None = None
    """None only without a whitelist."""
    master_card: MasterCardView | None = None
    try_connection: ConnectionTrial | None = None
    queue: QueueReader = no_queue
    """Messages waiting for the backend, and those given up."""
    ocpp_whitelist: OcppWhitelistView | None = None
    charging_profiles: ChargingProfilesView | None = None
    collect_logs: CollectLogs = no_logs
    notices: NoticesView | None = None
    """None only without storage."""
