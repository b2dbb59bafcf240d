"""Restores settings from stored values, including damaged or unknown ones.

Unknown values are kept for other versions. An invalid value is replaced by its default or, for
limits, by a lower value, and reported; a restored limit is never higher than the stored one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from borne.domain.settings.addressing import SettingAddress, addresses, label_of, resolve
from borne.domain.settings.entry import Amps, Entry, HardwareFacts, Value
from borne.domain.settings.rules import conflicts
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import Malformed, from_file, to_file
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import N_, Message


@dataclass(frozen=True, slots=True)
class Restored:
    """The settings, the problems found, and the values kept for another version."""

    settings: Settings
    problems: tuple[Message, ...] = ()
    aside: Mapping[str, JsonValue] = field(default_factory=dict)


def restore(raw: Mapping[str, JsonValue], facts: HardwareFacts, revision: int) -> Restored:
    """Restore the settings of a station from stored values."""
    values: dict[str, Value] = {}
    aside: dict[str, JsonValue] = {}
    problems: list[Message] = []
    for name, stored in raw.items():
        address = resolve(name, facts)
        if address is None or address.entry.constant or address.entry.derived_from:
            aside[name] = stored
            problems.append(
                Message(
                    N_("{name} is unknown to this version; its value is kept."), {"name": name[:64]}
                )
            )
            continue
        try:
            values[address.name] = from_file(address.entry, stored)
        except Malformed as malformed:
            values[address.name] = _instead(address.entry, stored)
            problems.append(_problem(address, malformed.message))
    settings = Settings(facts).with_values(values, revision)
    settings, repairs = _repaired(settings)
    return Restored(settings, (*problems, *repairs), aside)


def _problem(address: SettingAddress, reason: Message) -> Message:
    return Message(
        N_("The stored value of {label} was not valid and is replaced. {reason}"),
        {"label": label_of(address), "reason": reason},
    )


def _instead(entry: Entry, stored: object) -> Value:
    """The replacement of an invalid value: the default or, for limits, the exceeded bound or the
    safe value."""
    if entry.safe is None:
        return None
    if isinstance(stored, int) and not isinstance(stored, bool) and entry.high is not None:
        return min(stored, entry.high) if stored > entry.high else entry.safe
    return entry.safe


def _repaired(settings: Settings) -> tuple[Settings, list[Message]]:
    """Lower limits that exceed their bound and reset values that violate a rule, upper limits
    first."""
    problems: list[Message] = []
    for _ in range(len(addresses(settings.facts))):
        found = conflicts(settings)
        name = next((name for name in found if settings.is_changed(name)), None)
        if name is None:
            problems.extend(found.values())
            return settings, problems
        address = resolve(name, settings.facts)
        if address is None:
            return settings, problems
        problems.append(_problem(address, found[name]))
        settings = settings.with_values({name: _lowered(settings, address)})
    return settings, problems


def _lowered(settings: Settings, address: SettingAddress) -> Value:
    entry, value = address.entry, settings.at(address)
    if not entry.at_most:
        return None
    bound = settings.bound(entry, address.connector)
    if isinstance(value, Amps):
        return Amps(*map(min, value, bound))
    return min(value, *bound) if isinstance(value, int) else None


def safe_values(facts: HardwareFacts) -> dict[str, Value]:
    """The limits to use after a loss of all settings: each at its lowest."""
    return {
        address.name: address.entry.safe
        for address in addresses(facts)
        if address.entry.safe is not None and address.entry.safe != address.entry.default
    }


def lowest_of(settings: Settings, others: Iterable[Settings]) -> Settings:
    """`settings` with each limit lowered to its lowest value in any of `others`. Used if the newest
    settings are lost."""
    known = [settings, *others]
    lower: dict[str, Value] = {}
    for address in addresses(settings.facts):
        entry = address.entry
        if entry.safe is None or entry.constant:
            continue
        values = [value for each in known if (value := each.at(address)) is not None]
        found = _most_cautious(entry, values)
        if found is not None and found != settings.at(address):
            lower[address.name] = found
    return settings.with_values(lower)


def _most_cautious(entry: Entry, values: Sequence[Value]) -> Value:
    amps = [value for value in values if isinstance(value, Amps)]
    if amps:
        assumes_load = isinstance(entry.safe, Amps) and entry.safe.l1 > 0
        pick = max if assumes_load else min
        return Amps(*(pick(each[phase] for each in amps) for phase in range(3)))
    numbers = [value for value in values if isinstance(value, int)]
    return min(numbers, key=lambda number: _strength(entry, number), default=None)


def _strength(entry: Entry, number: int) -> tuple[bool, int]:
    """Sort key of a limit, where "off" allows the most."""
    return entry.also.get(number) == "off", number


def stored_form(settings: Settings, aside: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The values to store: deviations from the defaults, and the values kept for another
    version."""
    values = {name: to_file(value) for name, value in settings.stored.items()}
    return {**{name: raw for name, raw in aside.items() if name not in values}, **values}
