"""`borne settings list|get|set` as functions on a settings service; the words are plain text.

The command line uses them on a service that it opened itself under the folder lock, when no station
runs; a running station is asked over its API instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from borne.application.settings_service import ChangeResult, SettingsRejected, SettingsService
from borne.domain.principals import SYSTEM
from borne.domain.settings.addressing import Address, resolve
from borne.domain.settings.messages import N_, Message
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import Form, to_text

HIDDEN = "(set)"
"""Stands for a secret that is set."""


class BadAssignment(ValueError):
    """Not of the form KEY=VALUE; the message says so."""


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Names and values of `KEY=VALUE`; the last one wins. Raises BadAssignment."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise BadAssignment(f"{text[:80]!r} is not of the form KEY=VALUE.")
        found[name.strip()] = value
    return found


def text_of(settings: Settings, name: str) -> str:
    """The value of `name` as people type it; raises SettingsRejected for an unknown name."""
    address = resolve(name, settings.facts)
    if address is None:
        raise SettingsRejected({name: Message(N_("There is no setting of this name."))})
    return _text(settings, address)


def _text(settings: Settings, address: Address) -> str:
    value = settings.at(address)
    if address.entry.type.is_secret:
        return HIDDEN if value else ""
    return to_text(address.entry, value)


def rows(service: SettingsService, *, changed_only: bool = False) -> list[tuple[str, str, str]]:
    """Name, value and a remark (`planned`, `changed` or nothing) of every setting."""
    settings = service.settings
    found = []
    for view in service.list(SYSTEM):
        address = resolve(view.name, settings.facts)
        if address is None or (changed_only and not view.changed):
            continue
        remark = "changed" if view.changed else "" if view.active else "planned"
        found.append((view.name, _text(settings, address), remark))
    return found


def assign(service: SettingsService, assignments: Mapping[str, str]) -> ChangeResult:
    """Set all or nothing, with the rights of the machine's owner; blocks until it is stored.

    Raises SettingsRejected (one sentence for each name) and SettingsNotSaved.
    """
    return service.change_now(assignments, SYSTEM, "cli", form=Form.TEXT)
