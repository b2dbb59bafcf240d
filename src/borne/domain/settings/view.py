"""A setting as shown by pages, API and command line; a secret is only shown as set or unset."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from borne.domain.principals import Principal
from borne.domain.settings.addressing import SettingAddress, addresses, field_label_of
from borne.domain.settings.changes import replaced
from borne.domain.settings.entry import Entry, Value
from borne.domain.settings.rights import may_read, refusal
from borne.domain.settings.snapshot import Settings, in_force
from borne.domain.settings.values import to_json
from borne.domain.settings.visibility import missing_part, visible
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import Message


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting's value as one principal sees it."""

    name: str
    entry: Entry
    connector: int
    label: Message
    value: JsonValue
    """None for secrets."""
    is_set: bool
    default: JsonValue
    changed: bool
    """Differs from the default."""
    pending_restart: bool
    visible: bool
    held: bool
    """In force until the next restart, hidden after it."""
    active: bool
    locked: Message | None
    """Why this principal cannot change it; None if it can."""
    highest: tuple[int, ...] | None
    """Its upper bound."""


def view(
    address: SettingAddress,
    settings: Settings,
    principal: Principal,
    active: Collection[str],
    at_start: Settings | None = None,
    now: Settings | None = None,
) -> SettingView:
    """The setting at `address` as `principal` sees it. `now` holds the values in force until a
    restart."""
    entry, now = address.entry, settings if now is None else now
    value = settings.at(address)
    secret = entry.type.is_secret
    locked = refusal(principal, entry, now) or missing_part(entry, settings.facts)
    started = value if at_start is None else at_start.at(address)
    return SettingView(
        name=address.name,
        entry=entry,
        connector=address.connector,
        label=field_label_of(address),
        value=None if secret else to_json(value),
        is_set=value not in (None, "", b"", ()),
        default=None if secret else to_json(_default(settings, address)),
        changed=settings.is_changed(address.name),
        pending_restart=entry.restart and started != value,
        visible=visible(entry, settings, address.connector),
        held=visible(entry, now, address.connector),
        active=entry.key in active,
        locked=locked or replaced(entry, now),
        highest=_highest(settings, now, address),
    )


def _default(settings: Settings, address: SettingAddress) -> Value:
    if address.entry.derived_from:
        return address.entry.default
    return settings.default(address.entry, address.connector)


def _highest(settings: Settings, now: Settings, address: SettingAddress) -> tuple[int, ...] | None:
    entry = address.entry
    if entry.at_most:
        later, bound = (each.bound(entry, address.connector) for each in (settings, now))
        if len(bound) == 3:
            return tuple(map(min, bound, later))
        return (min(*bound, *later),)
    return None if entry.high is None else (entry.high,)


def view_all(
    settings: Settings,
    principal: Principal,
    active: Collection[str],
    at_start: Settings | None = None,
) -> list[SettingView]:
    """All settings that the principal may see, in the order of the pages."""
    now = settings if at_start is None else in_force(settings, at_start)
    return [
        view(address, settings, principal, active, at_start, now)
        for address in addresses(settings.facts)
        if may_read(principal, address.entry, settings)
    ]
