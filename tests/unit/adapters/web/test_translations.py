"""The catalogues of the languages: whole, and true to the English texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from borne.adapters.web.i18n import NAMES, Words, available
from borne.adapters.web.search import folded
from borne.adapters.web.states import LOOKS
from borne.domain.principals import Role
from borne.domain.settings import CATALOGUE
from borne.domain.settings.entry import Entry
from tests.support.cases import every_case
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import text_of
from tools import locales

MADE = locales.template()
CATALOGUES = {path.parents[1].name: found for path, found in locales.catalogues().items()}
FIELDS = re.compile(r"{\w*}")
UNMARKED = re.compile(r"words_for\(\w+\)\(\s*[\"']")
GLOSSARY = Path(locales.__file__).parents[1] / "docs" / "glossary.md"
COLUMNS = {"de": 3, "fr": 4, "nl": 5}
GLOSSARY_TERMS = ("backend", "card", "contactor", "session", "setting", "socket", "station")
OTHER_MEANING = re.compile(
    r"SIM card|the card asks|Ethernet socket|(household|domestic) socket|mobile session|APN",
    re.IGNORECASE,
)
"""Texts in which a term means something else."""
NARROW = "\u202f"
NO_BREAK = "\u00a0"


def texts(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(map(str, message.id))


def translations(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """English and translation; of plurals each form with the English one that has the number."""
    for message in catalog:
        if not message.id:
            continue
        if isinstance(message.string, tuple | list):
            one, many = texts(message)
            yield one, message.string[0]
            yield from ((many, string) for string in message.string[1:])
        else:
            yield texts(message)[0], message.string or ""


def choice_labels(entry: Entry) -> Iterator[str]:
    return (choice.label for choice in entry.choices)


@cache
def stem_of(term: str, language: str) -> str:
    """The first word of the glossary's translation, without an ending that may change."""
    rows = (line.split("|") for line in GLOSSARY.read_text().splitlines() if line.startswith("|"))
    word = next(row[COLUMNS[language]] for row in rows if row[1].strip() == term)
    first = folded(word.split()[0])
    return first[: max(5, len(first) - 3)]


def test_there_is_a_catalogue_for_every_language() -> None:
    assert set(CATALOGUES) | {"en"} == set(NAMES) == set(available())


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_text_of_the_program_is_translated(language: str) -> None:
    """After a new text: `python -m tools.locales`, then fill in what it lists."""
    whole = locales.merged(MADE, CATALOGUES[language], language)
    assert locales.untranslated(whole) == []


def test_texts_for_the_translator_of_a_request_are_marked() -> None:
    """`words_for(request)("…")` is not seen by the extraction: the text needs `N_`."""
    pages = sorted(Path(locales.ROOT, "src/borne/adapters/web").rglob("*.py"))
    calls = [found for page in pages for found in UNMARKED.findall(page.read_text())]
    assert UNMARKED.findall('words_for(request)("Noted.")')
    assert calls == []


@pytest.mark.parametrize("language", CATALOGUES)
def test_translations_keep_the_fields_of_the_text(language: str) -> None:
    for english, translated in translations(CATALOGUES[language]):
        if translated:
            assert set(FIELDS.findall(translated)) == set(FIELDS.findall(english)), english


@pytest.mark.parametrize("language", CATALOGUES)
def test_translations_use_the_words_of_the_glossary(language: str) -> None:
    """Only labels differ, which have the words of the manual."""
    labels = {label for entry in CATALOGUE for label in (entry.label, *choice_labels(entry))}
    with every_case() as case:
        for english, translated in translations(CATALOGUES[language]):
            plain = FIELDS.sub("", english)
            if english in labels or OTHER_MEANING.search(plain):
                continue
            for term in GLOSSARY_TERMS:
                if re.search(rf"\b{term}s?\b", plain, re.IGNORECASE):
                    with case(f"{term}: {english}"):
                        assert stem_of(term, language) in folded(translated)


@pytest.mark.parametrize("language", CATALOGUES)
def test_translations_keep_the_final_punctuation(language: str) -> None:
    """A translated sentence ends as the English one, a label without a full stop."""
    for english, translated in translations(CATALOGUES[language]):
        if translated:
            assert translated == translated.strip(), english
            assert english.endswith("…") is translated.endswith("…"), english
            assert english.endswith("?") is translated.endswith("?"), english


def test_french_signs_do_not_stand_alone_in_a_line() -> None:
    for english, translated in translations(CATALOGUES["fr"]):
        assert not re.search(r"(?<! ) [:;!?»]", translated), english
        assert "« " not in translated, english


# What the tables of the interface fix -------------------------------------------------------------

SENTENCES = [
    ("available", "Libre", "Frei", "Vrij"),
    ("reserved", "Réservée", "Reserviert", "Gereserveerd"),
    (
        "finishing",
        "Fin de la charge précédente",
        "Vorheriger Ladevorgang wird beendet",
        "Vorige laadsessie wordt beëindigd",
    ),
    (
        "checking",
        "Vérification du badge …",
        "Karte wird geprüft …",
        "Kaart wordt gecontroleerd …",
    ),
    ("authorized", "Accepté : branchez", "Akzeptiert: einstecken", "Geaccepteerd: inpluggen"),
    (
        "suspended_ev",
        "Véhicule plein ou en attente",
        "Auto ist voll oder wartet",
        "Auto is vol of wacht",
    ),
    ("suspended_evse", "En attente de puissance", "Wartet auf Leistung", "Wacht op vermogen"),
    ("rejected", "Badge refusé", "Karte abgelehnt", "Kaart geweigerd"),
    ("faulted", "Hors service", "Außer Betrieb", "Buiten gebruik"),
    (
        "updating",
        "Mise à jour, jusqu'à 10 min",
        "Aktualisierung, bis 10 min",
        "Update bezig, tot 10 min",
    ),
    ("unavailable", "Mise hors service", "Außer Betrieb genommen", "Buiten dienst gesteld"),
    ("offline", "Sans contact", "Keine Verbindung", "Geen contact"),
]


@pytest.mark.parametrize(("state", "fr", "de", "nl"), SENTENCES)
def test_states_are_translated(state: str, fr: str, de: str, nl: str) -> None:
    english = LOOKS[state].sentence
    for language, expected in (("fr", fr), ("de", de), ("nl", nl)):
        assert Words(language)(english).replace(NO_BREAK, " ").replace(NARROW, " ") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [("fr", "Charge à 7,4"), ("de", "Lädt mit 7,4"), ("nl", "Laadt met 7,4")],
)
def test_the_charging_sentence_contains_the_power(language: str, expected: str) -> None:
    words = Words(language)
    sentence = words("Charging at {power}").format(power=words.power(7400))
    assert sentence == f"{expected}{NARROW}kW"


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("de", 0, "0 Einträge"),
        ("de", 1, "1 Eintrag"),
        ("fr", 0, "0 entrée"),
        ("fr", 1, "1 entrée"),
        ("fr", 2, "2 entrées"),
        ("nl", 1, "1 regel"),
        ("nl", 5, "5 regels"),
    ],
)
def test_plurals_follow_the_rule_of_the_language(language: str, number: int, expected: str) -> None:
    assert Words(language).plural("{n} entry", "{n} entries", number) == expected


# Who gets which language --------------------------------------------------------------------------


@pytest.fixture
async def person(browser: Clients) -> Client:
    return await browser(Role.MANUFACTURER)


@pytest.mark.parametrize(
    ("language", "free"), [("en", "Free"), ("fr", "Libre"), ("de", "Frei"), ("nl", "Vrij")]
)
async def test_a_language_is_chosen_and_kept(language: str, free: str, person: Client) -> None:
    await person.post("/preferences", data={"language": language, "next": "/account"})
    html = (await person.get("/")).text
    assert f'<html lang="{language}"' in html
    assert f" {free} " in text_of(html)


async def test_the_login_page_uses_the_language_of_the_browser(anyone: Client) -> None:
    headers = {"accept": "text/html", "accept-language": "nl-BE, fr;q=0.8"}
    html = (await anyone.get("/login", headers=headers)).text
    assert "Aanmelden" in html
    assert 'lang="nl"' in html


async def test_the_language_of_the_station_is_used(person: Client) -> None:
    data = {"_menu": "system", "_show": "", "WebUILanguage": "fr"}
    await person.post("/settings/stage", data=data, headers={"hx-request": "true"})
    await person.post("/settings/save", data={"_menu": ""}, headers={"hx-request": "true"})
    assert '<html lang="fr"' in (await person.get("/")).text
