"""Languages: the choice for a visitor, its catalogue, and its number formats."""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from fastapi import Request

from borne.domain.settings.choices import DisplayLanguage, Language
from borne.foundation.messages import N_

DOMAIN = "borne"
LOCALES = Path(__file__).parents[2] / "locales"
COOKIE = "borne_language"
DEFAULT = "en"
NAMES = {"en": "English", "fr": "Français", "de": "Deutsch", "nl": "Nederlands"}
OWN_NAMES: Mapping[type[StrEnum], Mapping[str, str]] = {
    Language: NAMES,
    DisplayLanguage: {
        DisplayLanguage.ENGLISH: NAMES["en"],
        DisplayLanguage.GERMAN: NAMES["de"],
        DisplayLanguage.FRENCH: NAMES["fr"],
        DisplayLanguage.DUTCH: NAMES["nl"],
        DisplayLanguage.ITALIAN: "Italiano",
        DisplayLanguage.SPANISH: "Español",
        DisplayLanguage.FINNISH: "Suomi",
        DisplayLanguage.SWEDISH: "Svenska",
        DisplayLanguage.NORWEGIAN: "Norsk",
        DisplayLanguage.DANISH: "Dansk",
    },
}
"""Name of each language in itself, for the list of languages."""
NARROW_SPACE = "\u202f"
NO_BREAK = "\u00a0"
_BEFORE_UNIT = re.compile(
    r"(?<=[\d}]) (?=(?:kWh|Wh|kW|W|mA|A|V|Hz|°C|ms|s|min|h|d|kB|MB|GB|%)(?!\w))"
)


@cache
def available() -> tuple[str, ...]:
    """English and all languages with a compiled catalogue."""
    found = [code for code in NAMES if (LOCALES / code / "LC_MESSAGES" / "borne.mo").is_file()]
    return tuple(dict.fromkeys([DEFAULT, *found]))


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The translations of a language; empty for English."""
    return gettext.translation(DOMAIN, LOCALES, [language], fallback=True)


@lru_cache(maxsize=4096)
def translated(language: str, text: str) -> str:
    """The text in a language; a number and its unit stay on one line."""
    return _BEFORE_UNIT.sub(NARROW_SPACE, catalogue(language).gettext(text))


SEPARATORS = {
    "en": (".", ","),
    "fr": (",", NARROW_SPACE),
    "de": (",", "."),
    "nl": (",", "."),
}
"""Separators of decimals and thousands, from CLDR; a test compares them."""


DATES = {"en": "%Y-%m-%d", "fr": "%d/%m/%Y", "de": "%d.%m.%Y", "nl": "%d-%m-%Y"}
"""Date formats; English uses ISO 8601, which is unambiguous."""


def list_separator(language: str) -> str:
    """Column separator of CSV files, as expected by spreadsheets in the language."""
    return ";" if SEPARATORS.get(language, SEPARATORS[DEFAULT])[0] == "," else ","


@dataclass(frozen=True, slots=True)
class Words:
    """Translations and number formats for one visitor."""

    language: str

    def __call__(self, text: str) -> str:
        return translated(self.language, text) if text else ""

    def plural(self, one: str, many: str, number: int) -> str:
        """Translate with the plural rule of the language; `{n}` is the number."""
        text = catalogue(self.language).ngettext(one, many, number)
        return _BEFORE_UNIT.sub(NARROW_SPACE, text).format(n=number)

    def number(self, value: float, digits: int = 0) -> str:
        """A number in the format of the language."""
        decimal, group = SEPARATORS.get(self.language, SEPARATORS[DEFAULT])
        whole, _, fraction = f"{value:,.{digits}f}".partition(".")
        whole = whole.replace(",", group)
        return f"{whole}{decimal}{fraction}" if fraction else whole

    def number_short(self, value: float) -> str:
        """`13` or `12.5`: a decimal only if needed."""
        return self.number(value, 0 if abs(value - round(value)) < 0.05 else 1)

    def amps(self, value: float | None) -> str:
        """`15.9 A`."""
        return "–" if value is None else f"{self.number(value, 1)}{NARROW_SPACE}A"

    def amps_short(self, value: float | None) -> str:
        """`13 A`, with a decimal only if needed."""
        return "–" if value is None else f"{self.number_short(value)}{NARROW_SPACE}A"

    def currents(self, values: Sequence[float] | None) -> str:
        """`13 / 13 / 12.5 A`, per phase."""
        if not values:
            return "–"
        return f"{NO_BREAK}/{NO_BREAK}".join(map(self.number_short, values)) + f"{NARROW_SPACE}A"

    def power(self, watts: float | None) -> str:
        """`850 W`, `7.4 kW`."""
        if watts is None:
            return "–"
        if abs(watts) < 999.5:
            return f"{self.number(watts)}{NARROW_SPACE}W"
        return f"{self.number(watts / 1000, 1)}{NARROW_SPACE}kW"

    def energy(self, watt_hours: float | None) -> str:
        """`12.34 kWh`."""
        if watt_hours is None:
            return "–"
        return f"{self.number(watt_hours / 1000, 2)}{NARROW_SPACE}kWh"

    def date(self, when: datetime) -> str:
        """`2026-11-22`."""
        return when.strftime(DATES.get(self.language, DATES[DEFAULT]))

    def moment(self, when: datetime) -> str:
        """`2026-11-22 10:00`."""
        return f"{self.date(when)} {when:%H:%M}"

    def duration(self, seconds: float | None) -> str:
        """`42 min`, `1 h 41`, `3 d 4 h`."""
        if seconds is None:
            return "–"
        minutes = int(max(0.0, seconds) // 60)
        hours, days = minutes // 60, minutes // 1440
        if days:
            text = self(N_("{days} d {hours} h")).format(days=days, hours=hours % 24)
        elif hours:
            text = self(N_("{hours} h {minutes}")).format(
                hours=hours, minutes=f"{minutes % 60:02d}"
            )
        else:
            text = self(N_("{minutes} min")).format(minutes=minutes)
        return text.replace(" ", NO_BREAK)


def negotiate(request: Request, station_language: str = DEFAULT) -> str:
    """The visitor's choice; else the station's (setting WebUILanguage) unless it is English; else
    the preference of the browser."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in available():
        return chosen
    if station_language != DEFAULT and station_language in available():
        return station_language
    for part in request.headers.get("accept-language", "")[:200].split(","):
        language = part.partition(";")[0].strip().lower()[:2]
        if language in available():
            return language
    return DEFAULT
