"""What people and machines may ask of a running station, as seen by web, API and CLI.

The flows implement these; routes and pages see nothing else. Every command takes the principal
that asks and refuses with `Refused` when the state of the station does not allow it.
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
    """The live state."""

    @property
    def revision(self) -> int:
        """Grows with every visible change."""

    def snapshot(self) -> StationStatus:
        """The whole state."""

    async def wait(self, after: int, timeout_s: float) -> StationStatus:
        """The state as soon as its revision is above `after`, or at the timeout."""

    def changes(self) -> AsyncIterator[StationStatus]:
        """A snapshot, then another after each change (bursts are merged)."""


class SessionsView(Protocol):
    """Sessions and their figures."""

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[Sequence[SessionRecord], int]:
        """Newest first, and how many in all. With the id of a session: those that began `before`
        it or `after` it, next to it; none when it is gone."""

    async def get(self, session_id: str) -> SessionRecord | None:
        """One session."""

    async def curve(self, session_id: str) -> Sequence[Sample]:
        """Its samples."""

    async def totals(self) -> SessionFigures:
        """All ended sessions, and those of the last calendar month."""

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> Sequence[SessionGroup]:
        """Sums over the ended sessions per socket or per card, most energy first."""

    def export(self, query: SessionQuery = ALL_SESSIONS) -> AsyncIterator[Sequence[SessionRecord]]:
        """Every session that matches, newest first, some at a time."""

    async def anonymise(
        self, principal: Principal, *, id_token: str | None = None, sessions: Sequence[str] = ()
    ) -> int:
        """Erase who charged, by token or by session; how many sessions. Raises Refused."""


class ChargingProfilesView(Protocol):
    """The charging profiles of the backend, for people who must see and clear them."""

    @property
    def entries(self) -> Sequence[Installed]:
        """All of them, in the order of their receipt."""

    async def remove(self, profile_id: int | None, principal: Principal) -> int:
        """Clear one, or all (None); how many there were. Raises Refused."""


class OcppWhitelistView(Protocol):
    """The OCPP whitelist (manual 5.4): what the backend said of cards, as it writes them."""

    def content(self) -> Sequence[CachedToken]:
        """All entries, by token."""

    async def forget(self, id_token: str, principal: Principal) -> bool:
        """Forget one; False when it was not there."""

    async def forget_all(self, principal: Principal) -> int:
        """Forget everything; how many entries there were."""


class WhitelistView(Protocol):
    """The local whitelist. Tokens are shown as the setting "RFID Tag letter case" wants it, and
    read in its byte order, in small letters and capitals."""

    def page(
        self, *, search: str = "", offset: int = 0, limit: int = 200
    ) -> tuple[Sequence[WhitelistEntry], int]:
        """By token, and how many match."""

    async def add(self, entry: WhitelistEntry, principal: Principal) -> WhitelistEntry:
        """Add or replace; raises Refused("invalid_token") in clear words."""

    async def remove(self, token: str, connector: int | None, principal: Principal) -> bool:
        """Remove one entry; False when it was not there."""

    async def rename(
        self, token: str, connector: int | None, name: str, principal: Principal
    ) -> bool:
        """Give an entry another name; False when it is not there."""

    async def remove_all(self, principal: Principal) -> int:
        """Empty the list; how many entries there were."""

    @property
    def undoable(self) -> int:
        """How many entries `undo` would bring back now."""

    async def undo(self, principal: Principal) -> int:
        """Bring the last removal back, for half a minute; how many entries."""

    async def import_text(
        self, text: str, principal: Principal, *, dry_run: bool, replace_all: bool = False
    ) -> ImportReport:
        """Read a list (table, lines, or `UID:UID_1:...`) and add it, or only tell what that would
        do. Raises Refused("unreadable"), Refused("list_full")."""

    async def export_csv(self, delimiter: str = ",") -> str:
        """The whole list as a table that `import_text` understands."""

    async def export_colons(self) -> str:
        """The whole list in the manual's form, without names: `UID:UID_1:...`."""


class TeachInView(Protocol):
    """Teach-in of the whitelist (manual 5.5): every card shown is added at once. One at a time;
    it ends 60 s after the last card unless prolonged, and 15 s after its dialogue stopped renewing
    it."""

    def start(
        self, principal: Principal, *, reader: int | None = None, bind: int | None = None
    ) -> str:
        """Begin; the lease for the other calls. Raises Refused("teach_in_running")."""

    def renew(self, lease: str) -> TeachInState:
        """The dialogue is still there. Raises Refused("teach_in_over")."""

    def prolong(self, lease: str) -> TeachInState:
        """Another 60 s from now. Raises Refused("teach_in_over")."""

    def choose(self, lease: str, *, reader: int | None, bind: int | None) -> TeachInState:
        """From now on only this reader, and entries for this connector; None: all. Raises
        Refused("teach_in_over")."""

    def finish(self, lease: str) -> Sequence[TeachInEvent]:
        """End; what was taught. Raises Refused("teach_in_over")."""

    def state(self) -> TeachInState | None:
        """The teach-in that runs, for everybody who looks."""


class MasterCardView(Protocol):
    """The card that resets forgotten passwords. One wait at a time: Refused("busy")."""

    @property
    def known(self) -> bool:
        """Whether there is a master card (setting MasterRFID)."""

    async def reset_passwords(self, timeout_s: float = 60.0) -> bool:
        """Wait for it; then the passwords of user, installer and operator are reset. False when
        it did not come. Needs no login. Raises Refused("no_master_card")."""

    async def next_card(self, timeout_s: float = 60.0) -> str | None:
        """Wait for any card, to register it as master card: its number for the setting, None
        when none came."""


class NoticesView(Protocol):
    """What people must know of the stored data: damaged, foreign, missing, put aside."""

    @property
    def entries(self) -> Sequence[Message]:
        """Oldest first; they wait until somebody takes note."""

    async def acknowledge(self, principal: Principal) -> int:
        """Somebody took note; how many there were. Raises Refused."""


class Restarter(Protocol):
    """Restart of the station's software."""

    async def restart(self, when: str, principal: Principal) -> None:
        """When: "now", or "idle" (when no session runs)."""


class Power(Protocol):
    """The mains switch of a simulated station, owned by the host."""

    async def cut(self) -> None:
        """Power is gone, without farewell."""

    async def restore(self) -> None:
        """Power is back: the station starts from what it had committed."""


ConnectionTrial = Callable[[Settings], Awaitable[Sequence[StepResult]]]
"""Tries the way to the backend with settings that are not saved yet."""


CollectLogs = Callable[[], Awaitable[Mapping[str, str]]]
"""File names and contents of all that support needs, without secrets."""


async def no_logs() -> Mapping[str, str]:
    """Nothing is kept."""
    return {}


@dataclass(frozen=True, slots=True)
class StationServices:
    """All that a running station offers to its interfaces."""

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
    """None only where there is no whitelist."""
    master_card: MasterCardView | None = None
    try_connection: ConnectionTrial | None = None
    queue: QueueReader = no_queue
    """What waits for the backend, and what was given up."""
    ocpp_whitelist: OcppWhitelistView | None = None
    charging_profiles: ChargingProfilesView | None = None
    collect_logs: CollectLogs = no_logs
    notices: NoticesView | None = None
    """None only where nothing is stored."""
