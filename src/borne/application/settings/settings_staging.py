"""Changes collected before they are saved, one set for each login session (interface 4.9).

A set survives page changes and reloads, expires 24 hours after its last change, and notices when
somebody else changes the same value meanwhile.
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
from borne.domain.settings.addressing import Address, field_label_of, resolve
from borne.domain.settings.entry import Value
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import Form, Json, to_json
from borne.foundation.messages import Message

EXPIRES_S = 24 * 3600.0
MAX_SESSIONS = 64


@dataclass(frozen=True, slots=True)
class StagedItem:
    """One unsaved change, old to new."""

    name: str
    label: Message
    secret: bool
    old: Json
    new: Json
    """As typed while it is not valid; None for secrets."""
    error: Message | None
    conflict: bool
    """Somebody else changed it since; `current` is theirs."""
    current: Json
    restart: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """All unsaved changes of a session."""

    items: tuple[StagedItem, ...] = ()

    @property
    def errors(self) -> int:
        """How many need attention before they can be saved."""
        return sum(item.error is not None for item in self.items)

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Names that somebody else changed meanwhile."""
        return tuple(item.name for item in self.items if item.conflict)

    @property
    def restart_required(self) -> bool:
        """Saving would ask for a restart."""
        return any(item.restart for item in self.items)


@dataclass(slots=True)
class _Staged:
    raw: object
    base: Value
    """What was in force when it was staged."""


@dataclass(slots=True)
class _Session:
    touched_s: float
    staged: dict[str, _Staged] = field(default_factory=dict)


class SettingsStaging:
    """Unsaved changes of all sessions; lost with the process, bounded in number."""

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
        """Add to the set (name to raw value, None for the default); a value that is in force
        already leaves it. What is not valid stays, with its error. Raises SettingsRejected, with
        nothing added, for names that do not exist."""
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

    def _is_in_force(self, address: Address, raw: object, principal: Principal) -> bool:
        planned = self._service.plan({address.name: raw}, principal, Form.TEXT)
        return not planned.errors and not planned.changed

    def draft(self, session: str, principal: Principal) -> Draft:
        """The set as it stands against the settings in force."""
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
        """The settings as they would be, secrets included; changes that are not valid are left
        out. It is for trying, not for showing."""
        raws = {name: item.raw for name, item in self._current(session).items()}
        planned = self._service.plan(raws, principal, Form.TEXT)
        good = {name: raw for name, raw in raws.items() if name not in planned.errors}
        return self._service.plan(good, principal, Form.TEXT).after

    def undo(self, session: str, name: str, principal: Principal) -> Draft:
        """Drop one change; "use theirs" in a conflict."""
        self._touched(session).staged.pop(name, None)
        return self.draft(session, principal)

    def keep_mine(self, session: str, name: str, principal: Principal) -> Draft:
        """Settle a conflict: what is in force now is known and shall be replaced."""
        item = self._touched(session).staged.get(name)
        if item is not None:
            item.base = self._service.settings[name]
        return self.draft(session, principal)

    def reset(self, session: str) -> None:
        """Drop all changes of the session; also at logout."""
        self._sessions.pop(session, None)

    async def save(self, session: str, principal: Principal, source: str) -> ChangeResult:
        """Apply the set and empty it. Raises SettingsConflict and SettingsRejected with the set
        unchanged, SettingsNotSaved likewise."""
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


def _item(
    address: Address, item: _Staged, settings: Settings, after: Settings, error: Message | None
) -> StagedItem:
    secret = address.entry.type.is_secret
    current = settings.at(address)
    typed = item.raw if isinstance(item.raw, bool | int | float | str | list) else None

    def shown(value: Value) -> Json:
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
