"""Content of the two-line display of a socket (manual 5.3, "Language of Display").

Like the LED pattern it is derived from the state alone; the LED pattern is one of its inputs, so
that they never contradict each other.
"""

from __future__ import annotations

from typing import NamedTuple

from borne.domain.help.display_texts import FIGURES, TEXTS, Announcement
from borne.domain.settings.choices import DisplayLanguage
from borne.domain.station.status import ConnectorStatus

WIDTH = 16
IN_TURN = (
    DisplayLanguage.ENGLISH,
    DisplayLanguage.GERMAN,
    DisplayLanguage.FRENCH,
    DisplayLanguage.DUTCH,
)
"""The languages of "Multi-Language EN-DE-FR-NL"."""


class Screen(NamedTuple):
    """Two lines of at most `WIDTH` characters."""

    first: str
    second: str


def announcement(
    status: ConnectorStatus, pattern: str, *, plugged: bool, needs_card: bool, reader_works: bool
) -> Announcement:
    """The text to show; `pattern` is that of the LED ring, `needs_card`: charging is not free for
    all, `reader_works`: cards can be read. It never asks for something that is impossible."""
    match pattern:
        case "updating":
            return Announcement.UPDATING
        case "faulted":
            return Announcement.FAULT
        case "rejected":
            return Announcement.REFUSED
        case "checking":
            return Announcement.CHECKING
        case "finishing":
            return Announcement.ENDING
        case "authorized":
            return Announcement.ACCEPTED if plugged else Announcement.ACCEPTED_PLUG_IN
        case _:
            return _by_status(status, needs_card=needs_card, reader_works=reader_works)


def _by_status(status: ConnectorStatus, *, needs_card: bool, reader_works: bool) -> Announcement:
    match status:
        case ConnectorStatus.AVAILABLE:
            return Announcement.SHOW_CARD if needs_card and reader_works else Announcement.PLUG_IN
        case ConnectorStatus.RESERVED:
            return Announcement.RESERVED
        case ConnectorStatus.PREPARING:
            if needs_card and not reader_works:
                return Announcement.PLUGGED_WAIT
            return Announcement.PLUGGED_SHOW_CARD if needs_card else Announcement.ACCEPTED
        case ConnectorStatus.AUTHORIZED:
            return Announcement.ACCEPTED
        case ConnectorStatus.CHARGING:
            return Announcement.CHARGING
        case ConnectorStatus.SUSPENDED_EV:
            return Announcement.VEHICLE_PAUSES
        case ConnectorStatus.SUSPENDED_EVSE:
            return Announcement.STATION_PAUSES
        case ConnectorStatus.FINISHING:
            return Announcement.UNPLUG
        case ConnectorStatus.UNAVAILABLE:
            return Announcement.OUT_OF_SERVICE
        case ConnectorStatus.FAULTED:
            return Announcement.FAULT


def figures(power_w: float | None, energy_wh: float, language: DisplayLanguage) -> str:
    """`7.4kW 12.34kWh`; large energies lose decimals to fit the line."""
    power = "-kW" if power_w is None else f"{max(0.0, power_w) / 1000:.1f}kW"
    energy_kwh = max(0.0, energy_wh) / 1000
    lines = (f"{power} {energy_kwh:.{digits}f}kWh" for digits in (2, 1))
    line = next((line for line in lines if len(line) <= WIDTH), f"{power} {energy_kwh:.0f}kWh")
    if language is not DisplayLanguage.ENGLISH:
        line = line.replace(".", ",")
    return line[:WIDTH]


def screens(
    shown: Announcement,
    language: DisplayLanguage,
    *,
    power_w: float | None = 0.0,
    energy_wh: float = 0.0,
) -> tuple[Screen, ...]:
    """One screen for each language that the display shows in turn."""
    chosen = IN_TURN if language is DisplayLanguage.MULTI else (language,)
    return tuple(
        Screen(
            *(
                text.replace(FIGURES, figures(power_w, energy_wh, each))
                for text in TEXTS[each][shown]
            )
        )
        for each in chosen
    )
