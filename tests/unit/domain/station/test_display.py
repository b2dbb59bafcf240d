"""The two-line display: its lines in each state, and that every text fits."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.help.display_texts import TEXTS, Announcement
from borne.domain.settings.choices import DisplayLanguage
from borne.domain.station.display import WIDTH, Screen, announcement, figures, screens
from borne.domain.station.indication import PATTERNS
from borne.domain.station.status import ConnectorStatus as Status
from tests.support.cases import every_case

LANGUAGES = [language for language in DisplayLanguage if language is not DisplayLanguage.MULTI]
A = Announcement

STATES = [
    (Status.AVAILABLE, "available", False, True, A.SHOW_CARD),
    (Status.AVAILABLE, "available", False, False, A.PLUG_IN),
    (Status.AVAILABLE, "rejected", False, True, A.REFUSED),
    (Status.AVAILABLE, "checking", False, True, A.CHECKING),
    (Status.AVAILABLE, "identifying", False, True, A.SHOW_CARD),
    (Status.AVAILABLE, "updating", False, True, A.UPDATING),
    (Status.AVAILABLE, "faulted", False, True, A.FAULT),
    (Status.RESERVED, "reserved", False, True, A.RESERVED),
    (Status.PREPARING, "preparing", True, True, A.PLUGGED_SHOW_CARD),
    (Status.PREPARING, "preparing", True, False, A.ACCEPTED),
    (Status.AUTHORIZED, "authorized", False, True, A.ACCEPTED_PLUG_IN),
    (Status.AUTHORIZED, "authorized", True, True, A.ACCEPTED),
    (Status.CHARGING, "charging", True, True, A.CHARGING),
    (Status.SUSPENDED_EV, "charging", True, True, A.VEHICLE_PAUSES),
    (Status.SUSPENDED_EV, "authorized", False, True, A.ACCEPTED_PLUG_IN),
    (Status.SUSPENDED_EVSE, "charging", True, True, A.STATION_PAUSES),
    (Status.FINISHING, "finishing", True, True, A.ENDING),
    (Status.FINISHING, "available", True, True, A.UNPLUG),
    (Status.UNAVAILABLE, "unavailable", False, True, A.OUT_OF_SERVICE),
    (Status.FAULTED, "faulted", True, True, A.FAULT),
]


WITHOUT_READER = {A.SHOW_CARD: A.PLUG_IN, A.PLUGGED_SHOW_CARD: A.PLUGGED_WAIT}
"""Without a reader no card is asked for."""


@pytest.mark.parametrize(("status", "pattern", "plugged", "needs_card", "expected"), STATES)
def test_lines_by_state(
    status: Status, pattern: str, plugged: bool, needs_card: bool, expected: Announcement
) -> None:
    for reader_works in (True, False):
        found = announcement(
            status, pattern, plugged=plugged, needs_card=needs_card, reader_works=reader_works
        )
        assert found is (expected if reader_works else WITHOUT_READER.get(expected, expected))


def test_every_state_and_announcement_occurs() -> None:
    assert {row[0] for row in STATES} == set(Status)
    assert {row[4] for row in STATES} | set(WITHOUT_READER.values()) == set(Announcement)
    assert {row[1] for row in STATES} == set(PATTERNS)


def test_every_text_fits() -> None:
    with every_case() as case:
        for announced, language in product(Announcement, LANGUAGES):
            with case(f"{announced.name} in {language.value}"):
                (screen,) = screens(announced, language, power_w=22_080.0, energy_wh=1_234_567.0)
                for line in screen:
                    assert len(line) <= WIDTH
                    assert line == line.strip()
                    line.encode("latin-1")
                assert screen.first
                assert "{" not in "".join(screen)


def test_four_languages_alternate() -> None:
    assert screens(Announcement.SHOW_CARD, DisplayLanguage.MULTI) == (
        Screen("Ready", "Show your card"),
        Screen("Bereit", "Karte vorhalten"),
        Screen("Prêt", "Passez le badge"),
        Screen("Gereed", "Houd kaart voor"),
    )


def test_languages_differ() -> None:
    assert len({str(TEXTS[language]) for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("power_w", "energy_wh", "language", "text"),
    [
        (7360.0, 12_340.0, DisplayLanguage.ENGLISH, "7.4kW 12.34kWh"),
        (7360.0, 12_340.0, DisplayLanguage.FRENCH, "7,4kW 12,34kWh"),
        (11_040.0, 123_456.0, DisplayLanguage.ENGLISH, "11.0kW 123.46kWh"),
        (22_080.0, 12_345_678.0, DisplayLanguage.ENGLISH, "22.1kW 12346kWh"),
        (-5.0, -1.0, DisplayLanguage.ENGLISH, "0.0kW 0.00kWh"),
    ],
)
def test_figures_are_shown(
    power_w: float, energy_wh: float, language: DisplayLanguage, text: str
) -> None:
    assert figures(power_w, energy_wh, language) == text


@given(st.floats(-1e3, 1e5), st.floats(0, 1e9), st.sampled_from(list(DisplayLanguage)))
def test_figures_fit(power_w: float, energy_wh: float, language: DisplayLanguage) -> None:
    assert len(figures(power_w, energy_wh, language)) <= WIDTH
