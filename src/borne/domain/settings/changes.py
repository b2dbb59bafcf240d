"""Validates requested changes of settings: gives the new settings, or an error per key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from borne.domain.principals import Principal, PrincipalKind
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.addressing import SettingAddress, label_of, resolve
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.entry import Entry, Type, Value
from borne.domain.settings.load_rules import role_without_link
from borne.domain.settings.rights import refusal
from borne.domain.settings.rules import conflicts, keys_of_rules_with
from borne.domain.settings.snapshot import Settings, in_force, write_derived
from borne.domain.settings.values import Form, Malformed, parse
from borne.domain.settings.visibility import missing_part
from borne.foundation.messages import N_, Message

MAX_CHANGES = 500
_LINE, _CAPACITY = "SingleSupplyLine", "SupplyLineCurrentCapacity"


@dataclass(frozen=True, slots=True)
class Plan:
    """The effect of requested changes. It must not be applied if it has errors."""

    before: Settings
    after: Settings
    asked: tuple[str, ...]
    """Requested names in the catalogue's spelling, in the order of the request."""
    errors: Mapping[str, Message] = field(default_factory=dict)

    @property
    def changed(self) -> tuple[str, ...]:
        """Names whose stored value changes."""
        names = {**self.before.stored, **self.after.stored}
        return tuple(
            name for name in names if self.before.stored.get(name) != self.after.stored.get(name)
        )

    @property
    def restart_names(self) -> tuple[str, ...]:
        """Changed names that take effect after a restart."""
        return tuple(name for name in self.changed if _needs_restart(self.after, name))


def _needs_restart(settings: Settings, name: str) -> bool:
    address = resolve(name, settings.facts)
    return address is not None and address.entry.restart


def plan(
    current: Settings,
    changes: Mapping[str, object],
    principal: Principal,
    *,
    form: Form = Form.JSON,
    active: Collection[str] = ACTIVE,
    started: Settings | None = None,
) -> Plan:
    """Validate `changes` (name to raw value; None resets to the default) as a whole.

    Checks existence, hardware, rights, whether the setting is active, its own constraints, and the
    rules between settings: with the values after a restart and with those until then. `started`
    holds the settings of the last start.
    """
    now = current if started is None else in_force(current, started)
    errors: dict[str, Message] = {}
    values: dict[str, Value] = {}
    origin: dict[str, str] = {}
    asked: list[str] = []
    if len(changes) > MAX_CHANGES:
        sentence = Message(N_("At most {high} settings at once."), {"high": MAX_CHANGES})
        return Plan(current, current, (), {next(iter(changes)): sentence})
    for name, raw in changes.items():
        address = resolve(name, current.facts, any_case=form is Form.OCPP)
        if address is None:
            errors[name[:100]] = Message(N_("There is no setting of this name."))
            continue
        asked.append(address.name)
        problem = _barred(address, principal, now, active)
        if problem is not None:
            errors[address.name] = problem
            continue
        try:
            target, value = _wanted(current, address, raw, form)
        except Malformed as malformed:
            errors[address.name] = malformed.message
            continue
        barred = role_without_link(value, current.facts) if target == "DLMRole" else None
        if barred is not None:
            errors[address.name] = barred
            continue
        if target in values and values[target] != value:
            errors[address.name] = _contradiction(current, origin[target])
            continue
        values[target], origin[target] = value, address.name
    values |= _line_begins(current, values)
    after = _without_defaults(current.with_values(values), values)
    until = after.with_values({_LINE: now.stored.get(_LINE)})
    if principal.kind is PrincipalKind.BACKEND:
        errors |= _only_raised(current, after, values)
    keys = _keys(current, values)
    for name, message in (conflicts(until, keys) | conflicts(after, keys)).items():
        blamed = origin.get(name) or _culprit(current, name, origin)
        errors.setdefault(blamed, _addressed(current, name, blamed, message))
    return Plan(current, after, tuple(asked), errors)


def _line_begins(current: Settings, values: Mapping[str, Value]) -> dict[str, Value]:
    """When the single supply line is switched on without a capacity, its capacity starts at the
    lowest installation limit (decision D34). An older, higher capacity is reset."""
    if current.flag(_LINE) or values.get(_LINE) is not True:
        return {}
    old = current.stored.get(_CAPACITY)
    lowest = current.with_values(values).lowest_installation_limit
    above = isinstance(old, int) and old > lowest
    return {_CAPACITY: None} if above and _CAPACITY not in values else {}


def _without_defaults(after: Settings, names: Collection[str]) -> Settings:
    """Remove limits that equal their default, unless the limit above has lowered that default."""
    for name in names:
        address = resolve(name, after.facts)
        if address is None or not address.entry.at_most:
            continue
        bare = after.with_values({name: None})
        if after.stored.get(name) == address.entry.default == bare.at(address):
            after = bare
    return after


def _barred(
    address: SettingAddress, principal: Principal, settings: Settings, active: Collection[str]
) -> Message | None:
    entry = address.entry
    problem = refusal(principal, entry, settings) or missing_part(entry, settings.facts)
    if problem is None and entry.key not in active:
        return Message(N_("Planned: this version does not act on it yet."))
    return problem or replaced(entry, settings)


def replaced(entry: Entry, settings: Settings) -> Message | None:
    """Why the setting has no effect with this wiring (manual 7.2, case 3); None if it has."""
    if entry.key != "InstallationCurrentLimit" or not settings.single_supply_line:
        return None
    return Message(
        N_("Both sockets share one supply line: set {label} ({key}) for the whole station."),
        {"label": Message(CATALOGUE.settings[_CAPACITY].label), "key": _CAPACITY},
    )


def _wanted(
    settings: Settings, address: SettingAddress, raw: object, form: Form
) -> tuple[str, Value]:
    """Name and value to store; the value is None if it equals the default."""
    entry = address.entry
    value = entry.default if raw is None else parse(entry, raw, form)
    if entry.derived_from:
        name, value = write_derived(settings, entry.key, value is True)
        base = resolve(name, settings.facts)
        return name, None if base is not None and value == base.entry.default else value
    if raw is None:
        return address.name, None
    if entry.at_most:
        # Whether this equals the default depends on the other changes.
        return address.name, value
    made = settings.default(entry, address.connector)
    return address.name, None if value == made else value


def _keys(settings: Settings, names: Collection[str]) -> frozenset[str]:
    found = (resolve(name, settings.facts) for name in names)
    return frozenset(address.entry.key for address in found if address is not None)


def _only_raised(before: Settings, after: Settings, names: Collection[str]) -> dict[str, Message]:
    """Errors for a backend that lowers the security profile (whitepaper, A05)."""
    errors = {}
    for name in names:
        address = resolve(name, before.facts)
        if address is None or not address.entry.backend_raises_only:
            continue
        old, new = before.at(address), after.at(address)
        if isinstance(old, int) and isinstance(new, int) and new < old:
            errors[name] = Message(N_("A backend may only raise this."))
    return errors


def _culprit(settings: Settings, name: str, origin: Mapping[str, str]) -> str:
    """The requested change that made another setting invalid."""
    address = resolve(name, settings.facts)
    partners = keys_of_rules_with(address.entry.key) if address is not None else frozenset()
    for target, asked in origin.items():
        changed = resolve(target, settings.facts)
        if changed is not None and changed.entry.key in partners:
            return asked
    return next(iter(origin.values()), name)


def _addressed(settings: Settings, name: str, blamed: str, message: Message) -> Message:
    address = resolve(name, settings.facts)
    if name == blamed or address is None or address.entry.type is Type.STATE:
        return message
    return Message(
        N_("{label} does not allow this. {reason}"), {"label": label_of(address), "reason": message}
    )


def _contradiction(settings: Settings, other: str) -> Message:
    address = resolve(other, settings.facts)
    label: object = label_of(address) if address is not None else other
    return Message(N_("This contradicts {label}, changed at the same time."), {"label": label})
