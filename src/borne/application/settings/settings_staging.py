"""Drafts: changed settings that are not saved yet, one draft per login.

A draft survives page changes and reloads, expires 24 hours after its last change, and detects
changes of the same value by others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from borne.application.settings.settings_service import (
    ChangeResult,
    SettingsConflict,
    SettingsRejected,
    SettingsService,
)
from borne.domain.principals import Principal
from borne.domain.settings.addressing import SettingAddress, field_label_of, resolve
from borne.domain.settings.entry import Value
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import Form, Malformed, parse, to_json
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import Message

EXPIRES_S = 24 * 3600.0
MAX_SESSIONS = 64


@dataclass(frozen=True, slots=True)
class StagedItem:
    """One unsaved change with old and new value."""

    name: str
    label: Message
    secret: bool
    old: JsonValue
    new: JsonValue
    """The raw input if it is invalid; None for secrets."""
    error: Message | None
    conflict: bool
    """Another user has changed the value since; `current` is the new one."""
    current: JsonValue
    restart: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """All unsaved changes of a login."""

    items: tuple[StagedItem, ...] = ()

    @property
    def errors(self) -> int:
        """Number of changes that must be corrected before saving."""
        return sum(item.error is not None for item in self.items)

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Names that were changed by others."""
        return tuple(item.name for item in self.items if item.conflict)

    @property
    def restart_required(self) -> bool:
        """True if saving requires a restart."""
        return any(item.restart for item in self.items)


@dataclass(slots=True)
class _Staged:
    raw: object
    base: Value
    """The value in force when the change was staged."""


@dataclass(slots=True)
class _Session:
    touched_s: float
    staged: dict[str, _Staged] = field(default_factory=dict)


class SettingsStaging:
    """The drafts of all logins; bounded in number, in memory only."""

    def __init__(
        self,
        service: SettingsService,
        monotonic: Callable[[], float],
        *,
        expires_s: float = EXPIRES_S,
        max_sessions: int = MAX_SESSIONS,
    ) -> None:
        self._service = service
        self._monotonic = monotonic
        self._expires_s = expires_s
        self._max_sessions = max_sessions
        self._sessions: dict[str, _Session] = {}

    def stage(self, session: str, changes: Mapping[str, object], principal: Principal) -> Draft:
        """Add changes (name to raw value, None for the default) to the draft; a value that is
        already in force removes the change. Invalid values are kept with their error. Raises
        SettingsRejected and adds nothing if a name is unknown."""
        settings = self._service.settings
        found = {name: resolve(name, settings.facts) for name in changes}
        if missing := [name for name, address in found.items() if address is None]:
            judged = self._service.plan(dict.fromkeys(missing), principal)
            raise SettingsRejected(judged.errors)
        staged = self._touched(session).staged
        for name, address in found.items():
            if address is None:
                continue
            known = staged.get(address.name)
            base = settings.at(address) if known is None else known.base
            staged[address.name] = _Staged(changes[name], base)
            if self._is_in_force(address, changes[name], principal):
                del staged[address.name]
        return self.draft(session, principal)

    def _is_in_force(self, address: SettingAddress, raw: object, principal: Principal) -> bool:
        planned = self._service.plan({address.name: raw}, principal, Form.TEXT)
        return not planned.errors and not planned.changed

    def draft(self, session: str, principal: Principal) -> Draft:
        """The draft compared with the current settings."""
        staged = self._current(session)
        if not staged:
            return Draft()
        settings = self._service.settings
        raws = {name: item.raw for name, item in staged.items()}
        planned = self._service.plan(raws, principal, Form.TEXT)
        items = []
        for name, item in staged.items():
            address = resolve(name, settings.facts)
            if address is not None:
                error = planned.errors.get(name)
                items.append(_item(address, item, settings, planned.after, error))
        return Draft(tuple(items))

    def after(self, session: str, principal: Principal) -> Settings:
        """The settings with the draft applied, including secrets, without invalid changes. For
        tests of a connection; not for display."""
        raws = {name: item.raw for name, item in self._current(session).items()}
        planned = self._service.plan(raws, principal, Form.TEXT)
        good = {name: raw for name, raw in raws.items() if name not in planned.errors}
        return self._service.plan(good, principal, Form.TEXT).after

    def typed(self, session: str, principal: Principal) -> Settings:
        """The settings with every well-formed value of the draft, also where values do not fit to
        each other yet. They decide which fields are shown, and what a meter's test asks."""
        raws = {name: item.raw for name, item in self._current(session).items()}
        return self._service.plan(raws, principal, Form.TEXT).after

    def malformed(self, session: str) -> tuple[str, ...]:
        """Names of the draft whose values `typed` has to leave out, as they cannot be read."""
        facts, found = self._service.settings.facts, []
        for name, item in self._current(session).items():
            address = resolve(name, facts)
            if address is not None and not _is_readable(address, item.raw):
                found.append(name)
        return tuple(found)

    def undo(self, session: str, name: str, principal: Principal) -> Draft:
        """Remove one change; resolves a conflict in favour of the other user."""
        self._touched(session).staged.pop(name, None)
        return self.draft(session, principal)

    def keep_mine(self, session: str, name: str, principal: Principal) -> Draft:
        """Resolve a conflict in favour of the draft."""
        item = self._touched(session).staged.get(name)
        if item is not None:
            item.base = self._service.settings[name]
        return self.draft(session, principal)

    def reset(self, session: str) -> None:
        """Drop the draft of a login; also called at logout."""
        self._sessions.pop(session, None)

    async def save(self, session: str, principal: Principal, source: str) -> ChangeResult:
        """Apply the draft and empty it. On SettingsConflict, SettingsRejected or SettingsNotSaved
        the draft is kept."""
        draft = self.draft(session, principal)
        if draft.conflicts:
            raise SettingsConflict(draft.conflicts)
        raws = {name: item.raw for name, item in self._current(session).items()}
        result = await self._service.change(
            raws,
            principal,
            source,
            form=Form.TEXT,
            if_revision=self._service.settings.revision,
        )
        self.reset(session)
        return result

    def _current(self, session: str) -> dict[str, _Staged]:
        self._expire()
        known = self._sessions.get(session)
        return known.staged if known is not None else {}

    def _touched(self, session: str) -> _Session:
        self._expire()
        known = self._sessions.pop(session, None) or _Session(0.0)
        known.touched_s = self._monotonic()
        self._sessions[session] = known
        while len(self._sessions) > self._max_sessions:
            del self._sessions[next(iter(self._sessions))]
        return known

    def _expire(self) -> None:
        oldest = self._monotonic() - self._expires_s
        for session in [s for s, known in self._sessions.items() if known.touched_s <= oldest]:
            del self._sessions[session]


def _is_readable(address: SettingAddress, raw: object) -> bool:
    try:
        parse(address.entry, raw, Form.TEXT)
    except Malformed:
        return False
    return True


def _item(
    address: SettingAddress,
    item: _Staged,
    settings: Settings,
    after: Settings,
    error: Message | None,
) -> StagedItem:
    secret = address.entry.type.is_secret
    current = settings.at(address)
    typed = item.raw if isinstance(item.raw, bool | int | float | str | list) else None

    def shown(value: Value) -> JsonValue:
        return None if secret else to_json(value)

    return StagedItem(
        name=address.name,
        label=field_label_of(address),
        secret=secret,
        old=shown(item.base),
        new=None if secret else typed if error is not None else to_json(after.at(address)),
        error=error,
        conflict=current != item.base,
        current=shown(current),
        restart=address.entry.restart,
    )
