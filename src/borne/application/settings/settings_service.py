"""The settings of a running station: reading, atomic changes, notifications.

A change is acknowledged after its commit only. Rules and rights are in `domain.settings`; storage
is behind `SettingsRepository`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import zoneinfo
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from borne.application.ports.settings import (
    LoadedSettings,
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
    SettingsRepository,
)
from borne.application.settings.running import RunningSettings
from borne.domain.principals import SYSTEM, Principal, PrincipalKind
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.addressing import restart_names
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.changes import Plan, plan
from borne.domain.settings.entry import HardwareFacts
from borne.domain.settings.restore import lowest_of, restore, safe_values, stored_form
from borne.domain.settings.rights import writer_of
from borne.domain.settings.snapshot import Settings, in_force
from borne.domain.settings.values import Form
from borne.domain.settings.view import SettingView, view_all
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import N_, Explained, Message

_log = logging.getLogger(__name__)
INSTALLER_KNOWN = "installer_known"
ALSO_COMPARED = frozenset({"SingleSupplyLine", "PhasesConnected", "ConnectorPhaseRotation"})
"""Shown beside the limits when these must be confirmed."""
T = TypeVar("T")
RunBlocking = Callable[[Callable[[], None]], Awaitable[None]]


class SettingsRejected(Exception):
    """No change was applied; `errors` has a message for each rejected name."""

    def __init__(self, errors: Mapping[str, Message]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors.items()))
        self.errors = errors


class MayNotConfirm(Explained):
    """The limits must be confirmed by a person with sufficient rights."""


class SettingsConflict(Exception):
    """`names` were changed by another user since the given revision or since they were staged."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(f"changed meanwhile: {', '.join(names)}")
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A committed change, for subscribers."""

    before: Settings
    after: Settings
    names: tuple[str, ...]
    principal: Principal
    source: str


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The result of an accepted change."""

    applied: tuple[str, ...]
    restart_required: tuple[str, ...]
    revision: int

    def to_json(self) -> dict[str, list[str]]:
        """The response of `PATCH /api/v1/settings`."""
        return {"applied": list(self.applied), "restart_required": list(self.restart_required)}


def time_zone_exists(name: str) -> bool:
    """True if the time zone database has this name."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


async def _in_thread(work: Callable[[], None]) -> None:
    await asyncio.to_thread(work)


class SettingsService:
    """Owns the settings. Create it with `open`."""

    def __init__(
        self,
        repository: SettingsRepository,
        settings: Settings,
        *,
        found: LoadedSettings,
        reports: tuple[Message, ...],
        aside: Mapping[str, JsonValue],
        made: Mapping[str, str],
        active: Collection[str],
        run_blocking: RunBlocking,
    ) -> None:
        self._repository = repository
        self._settings = settings
        self._at_start = settings
        self.running = RunningSettings(settings)
        """The settings in force, for the services of the station."""
        self._health = found.health
        self._unconfirmed = found.document.unconfirmed or found.health.unfit
        self._reports = reports
        self._aside = aside
        self._made = dict(made)
        self._active = active
        self._run_blocking = run_blocking
        self._lock = asyncio.Lock()
        self._running: list[asyncio.Task[object]] = []
        self._closed = False
        self._changes: Signal[SettingsChange] = Signal()
        self.confirmed: Signal[Principal] = Signal()
        """A person has confirmed the limits; charging is allowed from now on."""

    @classmethod
    def open(
        cls,
        repository: SettingsRepository,
        facts: HardwareFacts | None = None,
        *,
        active: Collection[str] = ACTIVE,
        token_hex: Callable[[int], str] = secrets.token_hex,
        run_blocking: RunBlocking = _in_thread,
    ) -> SettingsService:
        """Load the stored settings and, at a first start, generate serial number and site key.

        Blocks; raises SettingsNotSaved.
        """
        loaded = repository.load()
        document = loaded.document
        made = {"serial_number": token_hex(6), "site_key": token_hex(32)} | dict(document.made)
        known = replace(
            facts or HardwareFacts(),
            serial_number=made["serial_number"],
            site_key=made["site_key"],
            installer_known=INSTALLER_KNOWN in made,
        )
        restored = restore(document.values, known, document.revision)
        service = cls(
            repository,
            _careful(restored.settings, loaded, known),
            found=loaded,
            reports=(*loaded.reports, *restored.problems),
            aside=restored.aside,
            made=made,
            active=active,
            run_blocking=run_blocking,
        )
        service._keep_what_was_found(is_new=dict(document.made) != made)
        return service

    def _keep_what_was_found(self, *, is_new: bool) -> None:
        """Store generated values, and that the limits need confirmation, so that both survive a
        restart."""
        if not (is_new or self._health.unfit):
            return
        try:
            self._repository.save(self._document(self._settings))
        except SettingsNotSaved:
            if is_new:
                raise
            # The next start will detect the damage again.
            _log.exception("the request to confirm the limits could not be stored")

    def _document(self, settings: Settings, *, confirmed: bool = False) -> SettingsDocument:
        return SettingsDocument(
            stored_form(settings, self._aside),
            dict(self._made),
            settings.revision,
            unconfirmed=self._unconfirmed and not confirmed,
        )

    # Reading --------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The stored settings (immutable)."""
        return self._settings

    @property
    def in_force(self) -> Settings:
        """`settings`, but with those that need a restart as they were at the last start."""
        return self.running()

    @property
    def active(self) -> Collection[str]:
        """Keys of implemented settings; the others are planned."""
        return self._active

    @property
    def health(self) -> SettingsHealth:
        """The state of the stored settings at the start."""
        return self._health

    @property
    def charging_allowed(self) -> bool:
        """False if settings were lost and the limits have not been confirmed yet."""
        return not self._unconfirmed

    @property
    def reports(self) -> tuple[Message, ...]:
        """Problems with the stored settings, for users."""
        return self._reports

    def list(self, principal: Principal) -> list[SettingView]:
        """The settings that the principal may see, in the order of the pages; secrets without
        values."""
        return view_all(self._settings, principal, self._active, self._at_start)

    @property
    def pending_restart(self) -> tuple[str, ...]:
        """Names of changed settings that take effect after a restart."""
        return tuple(
            name
            for name in restart_names(self._settings.facts)
            if self._settings[name] != self._at_start[name]
        )

    def mark_started(self) -> None:
        """Record that the station has started with the current settings."""
        self._at_start = self._settings
        self.running.replace(self._settings)

    def subscribe(self, listener: Callable[[SettingsChange], None]) -> Unsubscribe:
        """Call `listener` on the event loop after each committed change."""
        return self._changes.subscribe(listener)

    # Changing -------------------------------------------------------------------------------

    def plan(
        self, changes: Mapping[str, object], principal: Principal, form: Form = Form.JSON
    ) -> Plan:
        """Validate changes without applying them."""
        planned = plan(
            self._settings,
            changes,
            principal,
            form=form,
            active=self._active,
            started=self._at_start,
        )
        zone = planned.after.text("TimeZone")
        if "TimeZone" in planned.changed and not time_zone_exists(zone):
            unknown = Message(N_("There is no time zone {name}."), {"name": zone})
            return replace(planned, errors={**planned.errors, "TimeZone": unknown})
        return planned

    async def change(
        self,
        changes: Mapping[str, object],
        principal: Principal,
        source: str,
        *,
        form: Form = Form.JSON,
        if_revision: int | None = None,
    ) -> ChangeResult:
        """Apply all of `changes` (name to raw value, None for the default) or none.

        Returns after the commit. Raises SettingsRejected, SettingsNotSaved and, if the settings are
        not at `if_revision`, SettingsConflict.
        """
        return await self._finish(
            self._change(changes, principal, source, form=form, if_revision=if_revision)
        )

    async def _change(
        self,
        changes: Mapping[str, object],
        principal: Principal,
        source: str,
        *,
        form: Form,
        if_revision: int | None,
    ) -> ChangeResult:
        async with self._lock:
            if if_revision is not None and if_revision != self._settings.revision:
                raise SettingsConflict(changes)
            planned = self._accepted(changes, principal, form)
            if planned.changed:
                document = self._document(_next(planned))
                await self._run_blocking(lambda: self._repository.save(document))
            return self._applied(planned, principal, source)

    async def hold(self, changes: Mapping[str, object], principal: Principal, source: str) -> None:
        """Like `change`, but without storing: for a source that repeats its values after each
        start. The revision stays the same; the next stored change stores these values too. Raises
        SettingsRejected."""
        async with self._lock:
            planned = self._accepted(changes, principal, Form.JSON)
            if planned.changed:
                after = planned.after
                held = Settings(after.facts, after.stored, planned.before.revision)
                self._publish(planned.changed, held, principal, source)

    async def _finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Complete `work` even if the caller is cancelled, so that stored settings are also in
        force."""
        if self._closed:
            work.close()
            raise SettingsNotSaved(N_("The station is stopping."))
        task = asyncio.get_running_loop().create_task(work)
        self._running.append(task)
        task.add_done_callback(self._running.remove)
        task.add_done_callback(_retrieve)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Refuse new changes and wait for a running one."""
        self._closed = True
        await asyncio.gather(*self._running, return_exceptions=True)

    def change_now(
        self,
        changes: Mapping[str, object],
        principal: Principal,
        source: str,
        *,
        form: Form = Form.TEXT,
    ) -> ChangeResult:
        """Like `change`, but blocking: for the command line, and before the loop runs."""
        planned = self._accepted(changes, principal, form)
        if planned.changed:
            self._repository.save(self._document(_next(planned)))
        return self._applied(planned, principal, source)

    def _accepted(self, changes: Mapping[str, object], principal: Principal, form: Form) -> Plan:
        planned = self.plan(changes, principal, form)
        if planned.errors:
            raise SettingsRejected(planned.errors)
        return planned

    def _applied(self, planned: Plan, principal: Principal, source: str) -> ChangeResult:
        changed = planned.changed
        if changed:
            self._publish(changed, _next(planned), principal, source)
        pending = set(self.pending_restart)
        # A setting that is requested again before the restart is still pending.
        named = dict.fromkeys((*planned.restart_names, *planned.asked))
        restart = tuple(name for name in named if name in pending)
        return ChangeResult(planned.asked, restart, self._settings.revision)

    def _publish(
        self, changed: tuple[str, ...], after: Settings, principal: Principal, source: str
    ) -> None:
        before, self._settings = self._settings, after
        _log.info("settings changed by %s: %s", source, ", ".join(changed))
        self.running.replace(in_force(after, self._at_start))
        self._changes.emit(SettingsChange(before, after, changed, principal, source))

    async def on_installer_password_set(self) -> None:
        """Reserve the installation settings for the installer once that account has a password
        (decision D35). Does not fail: if it cannot be stored now, the next start repeats it."""
        if INSTALLER_KNOWN not in self._made:
            await self._finish(self._reserve_installation())

    async def _reserve_installation(self) -> None:
        async with self._lock:
            self._made[INSTALLER_KNOWN] = "yes"
            before = self._settings
            facts = replace(before.facts, installer_known=True)
            self._settings = Settings(facts, before.stored, before.revision)
            self._at_start = Settings(facts, self._at_start.stored, self._at_start.revision)
            self.running.replace(in_force(self._settings, self._at_start))
            document = self._document(self._settings)
            try:
                await self._run_blocking(lambda: self._repository.save(document))
            except SettingsNotSaved:
                _log.exception("the flag of the installer's password could not be stored")
            name = "OperatorMayInstall"
            if before.flag(name) is not self._settings.flag(name):
                change = SettingsChange(before, self._settings, (name,), SYSTEM, "installer")
                self._changes.emit(change)

    def limits_to_confirm(self, principal: Principal) -> Sequence[SettingView]:
        """The settings in force that a person must compare with the installation."""
        return [
            view
            for view in self.list(principal)
            if view.active and (view.entry.safe is not None or view.entry.key in ALSO_COMPARED)
        ]

    async def confirm_limits(self, principal: Principal, if_revision: int | None = None) -> None:
        """Confirm the limits of a station that lost its settings, which allows charging.

        Raises MayNotConfirm for machines and for roles that may not set the installation limit,
        SettingsConflict if the settings are not at `if_revision`.
        """
        person = principal.kind in {PrincipalKind.PERSON, PrincipalKind.SYSTEM}
        needed = writer_of(CATALOGUE.settings["InstallationCurrentLimit"], self._settings)
        if not (person and principal.role.includes(needed)):
            template = N_("Only people from {role} upwards may confirm the limits.")
            raise MayNotConfirm(Message(template, {"role": Message(needed.value)}))
        await self._finish(self._confirm(principal, if_revision))

    async def _confirm(self, principal: Principal, if_revision: int | None) -> None:
        async with self._lock:
            if if_revision is not None and if_revision != self._settings.revision:
                raise SettingsConflict(())
            if self._unconfirmed:
                document = self._document(self._settings, confirmed=True)
                await self._run_blocking(lambda: self._repository.save(document))
                self._unconfirmed = False
                self.confirmed.emit(principal)


def _careful(settings: Settings, loaded: LoadedSettings, facts: HardwareFacts) -> Settings:
    """After a loss, use the lowest limits of all readable revisions, or the safe values."""
    match loaded.health:
        case SettingsHealth.DAMAGED:
            return settings.with_values(safe_values(facts))
        case SettingsHealth.RECOVERED:
            others = [restore(other.values, facts, other.revision) for other in loaded.others]
            return lowest_of(settings, [other.settings for other in others])
        case _:
            return settings


def _retrieve(task: asyncio.Task[object]) -> None:
    """Retrieve the exception of a task whose caller was cancelled, to avoid asyncio's warning."""
    if not task.cancelled():
        task.exception()


def _next(planned: Plan) -> Settings:
    after = planned.after
    return Settings(after.facts, after.stored, planned.before.revision + 1)
