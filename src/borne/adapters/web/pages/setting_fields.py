"""Form fields made from catalogue entries. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from borne.adapters.web.i18n import NARROW_SPACE, NO_BREAK, OWN_NAMES, Words
from borne.adapters.web.pages.meter_view import SECTION
from borne.application.settings.settings_staging import Draft, StagedItem
from borne.domain.settings.entry import Choice, Entry, Format, Menu, Type
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.view import SettingView
from borne.domain.settings.visibility import visible
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import N_

MENUS: dict[Menu, tuple[str, str, str]] = {
    Menu.NETWORK: (N_("Network"), "network", N_("Interfaces: mobile, LAN, WLAN, USB")),
    Menu.BACKEND: (N_("Backend"), "cloud", N_("OCPP connection and its parameters, e-mail")),
    Menu.AUTHORIZATION: (N_("Authorization"), "key-round", N_("Who may charge: free, cards, cars")),
    Menu.WHITELISTS: (
        N_("Whitelists"),
        "id-card",
        N_("Cards and cars that may always charge, and the backend's answers about others"),
    ),
    Menu.LOAD_MANAGEMENT: (
        N_("Load management"),
        "share-2",
        N_("Limits of the operator, group, meters, energy managers"),
    ),
    Menu.INSTALLATION: (
        N_("Installation"),
        "wrench",
        N_("Supply, phases, meters, protection: set once by the electrician"),
    ),
    Menu.SYSTEM: (N_("System"), "server", N_("Name, language, time, security")),
}
"""Label, icon and description of each menu."""
MAX_SEGMENTS = 4
UNIT_WORDS = {"day": N_("days"), "byte": N_("bytes")}
"""Units that are words; the others are symbols, the same in all languages."""
HIDDEN = "••••••"


@dataclass(frozen=True, slots=True)
class Option:
    """A value to choose."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A setting on a page. `value` is shown in the control: the staged value, if any."""

    name: str
    id: str
    label: str
    help: str
    control: str
    value: str
    phases: tuple[str, ...]
    options: tuple[Option, ...]
    unit: str
    range: str
    low: int | None
    high: int | None
    max_length: int
    input_mode: str
    error: str
    warning: str
    locked: str
    active: bool
    changed: bool
    staged: bool
    pending: bool
    restart: bool
    is_set: bool
    default: str
    key_note: str


@dataclass(frozen=True, slots=True)
class Group:
    """A section of a page."""

    id: str
    section: str
    """Its name in the catalogue, for what a page adds to it."""
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the unsaved changes."""

    name: str
    label: str
    old: str
    new: str
    error: str
    conflict: str
    restart: bool
    url: str


def field_of(view: SettingView, item: StagedItem | None, words: Words, warning: str = "") -> Field:
    """The field of a setting with its staged change."""
    entry = view.entry
    value: JsonValue = view.value if item is None else item.new
    high = max(view.highest) if view.highest else None
    return Field(
        name=view.name,
        id=field_id(view.name),
        label=view.label.render(words),
        help=words(entry.help),
        control=control_of(entry),
        value=_text(value),
        phases=_three(value) if entry.type is Type.PER_PHASE else (),
        options=_options(entry, value, words),
        unit=_unit_text(entry, words),
        range=_range(entry, high, words),
        low=None if entry.also else entry.low,
        high=high,
        max_length=entry.max_length,
        input_mode=_input_mode(entry),
        error=item.error.render(words) if item is not None and item.error else "",
        warning=warning,
        locked=view.locked.render(words) if view.locked else "",
        active=view.active,
        changed=view.changed,
        staged=item is not None,
        pending=view.pending_restart,
        restart=entry.restart,
        is_set=view.is_set,
        default=value_text(entry, view.default, words),
        key_note=_key_note(view.name, entry, words),
    )


def control_of(entry: Entry) -> str:
    """The kind of control for the setting."""
    match entry.type:
        case Type.BOOL:
            return "switch"
        case Type.INT:
            return "number"
        case Type.CHOICE:
            return "segments" if len(entry.choices) <= MAX_SEGMENTS else "select"
        case Type.PER_PHASE:
            return "phases"
        case Type.LIST:
            return "list"
        case Type.SECRET | Type.SECRET_KEY:
            return "secret"
        case _:
            return "text"


def _input_mode(entry: Entry) -> str:
    if entry.type is Type.IP or entry.format in {Format.IP, Format.NETMASK}:
        return "decimal"
    if entry.format in {Format.WEB_SOCKET_URL, Format.HTTP_URL}:
        return "url"
    return "email" if entry.format is Format.EMAIL else "text"


def _text(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case list():
            return "\n".join(str(item) for item in value)
        case _:
            return str(value)


def _three(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, list) and len(value) == 3:
        return tuple(str(item) for item in value)
    if isinstance(value, str) and value:
        return tuple([*value.split(","), "", "", ""][:3])
    return ("", "", "")


def _options(entry: Entry, value: JsonValue, words: Words) -> tuple[Option, ...]:
    return tuple(
        Option(choice.slug, choice_label(entry, choice, words), choice.slug == value)
        for choice in entry.choices
    )


def choice_label(entry: Entry, choice: Choice, words: Words) -> str:
    """The label of a choice."""
    own = OWN_NAMES.get(entry.enum, {}) if entry.enum else {}
    return own.get(choice.slug) or words(choice.label)


def _unit_text(entry: Entry, words: Words) -> str:
    """The unit for display: symbols stay, words are translated."""
    name = UNIT_WORDS.get(entry.unit)
    return words(name) if name else entry.unit


def _after_number(entry: Entry, words: Words) -> str:
    return f"{NARROW_SPACE}{_unit_text(entry, words)}" if entry.unit else ""


def _range(entry: Entry, high: int | None, words: Words) -> str:
    if entry.type not in {Type.INT, Type.PER_PHASE} or (entry.low is None and high is None):
        return ""
    unit = _after_number(entry, words)
    if entry.low is None:
        text = words("at most {high}{unit}").format(high=high, unit=unit)
    elif high is None or high >= 10**9:
        text = words("at least {low}{unit}").format(low=entry.low, unit=unit)
    else:
        text = f"{entry.low}{NO_BREAK}–{NO_BREAK}{high}{unit}"
    for number, meaning in entry.also.items():
        text += words(", or {number} ({meaning})").format(number=number, meaning=words(meaning))
    return text


def _key_note(name: str, entry: Entry, words: Words) -> str:
    match entry.ocpp.value:
        case "RW":
            return words("{key} · OCPP: read and write").format(key=name)
        case "R":
            return words("{key} · OCPP: read").format(key=name)
        case "W":
            return words("{key} · OCPP: write").format(key=name)
        case _:
            return name


def field_id(name: str) -> str:
    """The anchor of a field."""
    return f"s-{name}"


def value_text(entry: Entry, value: JsonValue, words: Words) -> str:
    """A value, formatted."""
    match value:
        case None | "" | []:
            return words("not set")
        case bool():
            return words("On") if value else words("Off")
        case list():
            joined = (f"{NO_BREAK}/{NO_BREAK}" if entry.type is Type.PER_PHASE else ", ").join(
                map(str, value)
            )
            return joined + _after_number(entry, words)
        case _:
            for choice in entry.choices:
                if choice.slug == value:
                    return choice_label(entry, choice, words)
            return f"{value}{_after_number(entry, words)}"


def groups(
    views: Sequence[SettingView],
    draft: Draft,
    after: Settings,
    show: str,
    words: Words,
    warnings: Mapping[str, str],
) -> list[Group]:
    """The sections of a page. `show`: "" (supported and applicable), "changed", "planned".
    `warnings` are shown beside the settings of these names."""
    items = {item.name: item for item in draft.items}
    sections: dict[str, list[Field]] = {}
    for view in _meters_together(views):
        item = items.get(view.name)
        if not _wanted(view, item, after, show):
            continue
        field = field_of(view, item, words, warnings.get(view.name, ""))
        sections.setdefault(view.entry.group, []).append(field)
    return [
        Group(f"g-{number}", name, words(name), tuple(fields))
        for number, (name, fields) in enumerate(sections.items(), 1)
    ]


def _meters_together(views: Sequence[SettingView]) -> list[SettingView]:
    """All settings of the meter of socket 1 before those of socket 2: type and address of a meter
    are one thing."""
    own = [view for view in views if view.entry.group == SECTION]
    ordered = iter(sorted(own, key=lambda view: view.connector))
    return [next(ordered) if view.entry.group == SECTION else view for view in views]


def _wanted(view: SettingView, item: StagedItem | None, after: Settings, show: str) -> bool:
    if item is not None and item.error is not None:
        return True
    match show:
        case "changed":
            return view.changed or item is not None
        case "planned":
            return not view.active
        case _:
            until_restart = view.held and not view.visible
            shown = until_restart or visible(view.entry, after, view.connector)
            return view.active and shown


def changes(draft: Draft, entries: Mapping[str, Entry], words: Words) -> list[Change]:
    """The unsaved changes, from old to new value."""
    return [_change(item, entries[item.name], words) for item in draft.items]


def _change(item: StagedItem, entry: Entry, words: Words) -> Change:
    conflict = ""
    if item.conflict:
        now = HIDDEN if item.secret else value_text(entry, item.current, words)
        conflict = words("Another user changed it meanwhile; it is now {value}.").format(value=now)
    return Change(
        item.name,
        item.label.render(words),
        HIDDEN if item.secret else value_text(entry, item.old, words),
        HIDDEN if item.secret else value_text(entry, item.new, words),
        item.error.render(words) if item.error else "",
        conflict,
        item.restart,
        f"/settings/{entry.menu.value}#{field_id(item.name)}",
    )
