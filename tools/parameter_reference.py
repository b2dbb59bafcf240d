"""Writes docs/parameters.md from the catalogue of settings.

python -m tools.parameter_reference           writes the page
python -m tools.parameter_reference --check   fails if the page is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path

from borne.domain.settings.active import ACTIVE
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.catalogue.meter_profiles import BILLING_CHOICES, SITE_CHOICES
from borne.domain.settings.entry import (
    AnyOf,
    Condition,
    Connectors,
    Entry,
    Has,
    Is,
    IsNot,
    Menu,
    MeterReachedBy,
    OcppAccess,
    SettingKind,
    SettingScope,
    Type,
)
from borne.domain.settings.values import to_text

PAGE = Path(__file__).resolve().parent.parent / "docs" / "parameters.md"

TITLES = {
    Menu.NETWORK: "Network",
    Menu.BACKEND: "Backend",
    Menu.AUTHORIZATION: "Authorization",
    Menu.WHITELISTS: "Whitelists",
    Menu.LOAD_MANAGEMENT: "Load management",
    Menu.INSTALLATION: "Installation",
    Menu.SYSTEM: "System",
}
_TYPES = {
    Type.BOOL: "`on`, `off`",
    Type.TEXT: "text",
    Type.SECRET: "secret",
    Type.SECRET_KEY: "secret, 16 to 64 bytes",
    Type.IP: "address",
    Type.LIST: "list",
    Type.STATE: "",
    Type.ACTION: "",
}
_DEFAULTS = {
    "NumberOfConnectors": "as built",
    "ConnectorSwitch3to1PhaseSupported": "as built",
    "ChargePointSerialNumber": "generated once",
    "ChargePointID": "`borne-` and the serial number",
    "DLMSiteKey": "generated once, on a master",
}
_HEAD = """# Parameters

This page is generated from the catalogue by `python -m tools.parameter_reference`; do not edit it.

Names are those of API, command line and OCPP. A setting per socket is written
`Key` for socket 1 and `Key_2` for socket 2. Choices are written by their word in API, command line
and files; a backend may write the word, the label of the page, or the number, and reads the label.
Lists are separated by commas, amperes of the phases are written `16,16,16`.

*State* tells whether this version acts on a setting: **active**, *planned* (shown, but not
changeable) or *fixed* (set by the station). *Who* is the weakest role that may change it; while
"Operator may change installation settings" is on, operators may do what installers may. *OCPP*
tells what this version lets a backend do: R read, W write; it never writes what is planned, and
what an installer may write only while operators may. ↻ means: takes effect at the next restart.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, _summary()]
    parts += [_menu(menu) for menu in TITLES]
    parts += [_meters(), _departures(), _others()]
    return "\n".join(parts)


def _summary() -> str:
    settings = CATALOGUE.settings.values()
    fixed = sum(entry.constant for entry in settings)
    active = sum(entry.key in ACTIVE for entry in settings)
    planned = len(CATALOGUE.settings) - fixed - active
    return (
        f"There are {len(CATALOGUE.settings)} settings: {active} active, {planned} planned, "
        f"{fixed} fixed.\n"
    )


def _menu(menu: Menu) -> str:
    lines = [f"## {TITLES[menu]}", ""]
    for group, entries in CATALOGUE.menu(menu).items():
        settings = [entry for entry in entries if entry.kind is SettingKind.SETTING]
        if not settings:
            continue
        lines += [f"### {TITLES[menu]}: {group}", ""]
        lines += ["| Key | Label and meaning | Values | Default | Who | OCPP | State |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_row(entry) for entry in settings]
        lines.append("")
    return "\n".join(lines)


def _row(entry: Entry) -> str:
    key = f"`{entry.key}`"
    if entry.scope is SettingScope.CONNECTOR:
        key += f"<br>`{entry.key}_2`"
    meaning = f"**{entry.label}**<br>{entry.help}"
    if entry.when:
        meaning += f"<br>*Shown if {', '.join(map(_condition, entry.when))}.*"
    cells = (
        key,
        meaning,
        _values(entry),
        _default(entry),
        "-" if entry.constant else entry.role.value,
        f"{_ocpp(entry)}{' ↻' if entry.restart else ''}",
        _state(entry),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _ocpp(entry: Entry) -> str:
    """Access that this version really grants."""
    if entry.key in ACTIVE and not entry.constant:
        return entry.ocpp.value
    return (OcppAccess.READ if entry.ocpp.readable else OcppAccess.NONE).value


def _state(entry: Entry) -> str:
    if entry.constant:
        return "fixed"
    return "**active**" if entry.key in ACTIVE else "*planned*"


def _condition(condition: Condition) -> str:
    match condition:
        case Has(feature):
            return f"the station has: {feature.value.replace('_', ' ')}"
        case Connectors(number):
            return f"it has {number} sockets"
        case Is(key, slugs):
            return f"`{key}` is {' or '.join(f'`{slug}`' for slug in slugs)}"
        case IsNot(key, slug):
            return f"`{key}` is not `{slug}`"
        case AnyOf(conditions):
            return " or ".join(map(_condition, conditions))
        case MeterReachedBy(key, ways):
            return f"the meter of `{key}` is reached by {' or '.join(ways)}"


def _values(entry: Entry) -> str:
    if entry.constant:
        return ""
    if entry.choices in (BILLING_CHOICES, SITE_CHOICES):
        return "[meter types](#meter-types)"
    if entry.choices:
        return "<br>".join(f"{c.number} `{c.slug}` {c.label}" for c in entry.choices)
    if entry.type in {Type.INT, Type.PER_PHASE}:
        return _range(entry)
    return _TYPES[entry.type]


def _range(entry: Entry) -> str:
    high = f"`{entry.at_most}`" if entry.at_most else str(entry.high)
    words = f"{entry.low} to {high}"
    for number, meaning in entry.also.items():
        words += f"; {number}: {meaning}"
    if entry.type is Type.PER_PHASE:
        words = f"three times {words}"
    return f"{words} {entry.unit}".rstrip()


def _default(entry: Entry) -> str:
    if entry.key in _DEFAULTS:
        return _DEFAULTS[entry.key]
    match entry.default:
        case None:
            return "none" if entry.type is not Type.INT else "automatic"
        case bool():
            return "`on`" if entry.default else "`off`"
        case "" | b"" | ():
            return "empty"
        case _:
            return f"`{to_text(entry, entry.default)}`"


def _meters() -> str:
    lines = ["## Meter types", "", "| Word | Label | Address and port |", "|---|---|---|"]
    for choice in BILLING_CHOICES:
        address = "yes" if choice.label.endswith("(TCP)") else "no"
        lines.append(f"| `{choice.slug}` | {choice.label} | {address} |")
    return "\n".join([*lines, ""])


def _departures() -> str:
    lines = [
        "## Defaults that differ from the manual",
        "",
        "| Key | Manual | Here |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{entry.key}` | {entry.instead_of} | {_default(entry)} |"
        for entry in CATALOGUE.settings.values()
        if entry.instead_of
    ]
    return "\n".join([*lines, ""])


def _others() -> str:
    lines = [
        "## Other entries",
        "",
        "Not settings, but found by the search; they have pages and buttons of their own.",
        "",
        "| Name | Kind | Label | Meaning | Who |",
        "|---|---|---|---|---|",
    ]
    for entry in CATALOGUE:
        if entry.kind in {
            SettingKind.ACTION,
            SettingKind.LIST,
            SettingKind.ACCOUNT,
            SettingKind.READING,
        } and not (entry.key.startswith("rest.")):
            cells = (f"`{entry.key}`", entry.kind.value, entry.label, entry.help, entry.role.value)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Write the page, or check it; returns 1 if it is out of date."""
    wanted = page()
    if "--check" in arguments:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
            print("docs/parameters.md is out of date: run python -m tools.parameter_reference")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
