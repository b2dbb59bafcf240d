"""Whitelists as text (manual 5.5, decision D1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.authorization.cards import BadCard
from borne.domain.authorization.list_text import (
    LONGEST_TEXT,
    ListedCard,
    TokenKind,
    read_list,
    spell_token,
    split_postfix,
    write_colons,
    write_csv,
)
from borne.domain.settings.choices import LetterCase

UPPER = LetterCase.UPPER
CARD, OTHER, MAC = "04567DAA5F3580", "0A0E9B83", "0018E6A1B201"


@pytest.mark.parametrize(
    ("text", "number", "connector"),
    [
        (CARD, CARD, None),
        (f"{CARD}_1", CARD, 1),
        (f"{CARD}-2", CARD, 2),
        (f"{CARD}#1", CARD, 1),
        (f" {CARD} # 2 ", CARD, 2),
        ("04-56-7D-AA", "04-56-7D-AA", None),
        ("04-56-7D-AA-2", "04-56-7D-AA", 2),
        ("04-56-7D-11", "04-56-7D-11", None),
    ],
)
def test_the_postfix_names_the_connector(text: str, number: str, connector: int | None) -> None:
    assert split_postfix(text) == (number, connector)


ONE = [ListedCard(CARD)]
BOTH = [ListedCard(CARD), ListedCard(OTHER, connector=2)]
LISTS = [
    ("", []),
    (CARD, ONE),
    (CARD.lower(), ONE),
    ("04:56:7D:AA:5F:35:80", ONE),
    (f"{CARD}:{OTHER}_2", BOTH),
    (f"{CARD}:{OTHER}_2:\n", BOTH),
    (f"{CARD}\n\n{OTHER}#2\n", BOTH),
    (f"04:56:7D:AA:5F:35:80\n{OTHER}-2", BOTH),
    (f"uid,connector\n{CARD},\n{OTHER},2\n", BOTH),
    (f"\ufeffUID;Socket\r\n{CARD};\r\n{OTHER};2\r\n", BOTH),
    (f"id\ttype\n{CARD}\tRFID\n{OTHER}_2\tRFID\n", BOTH),
    (f"{CARD},RFID\n{OTHER},2\n", BOTH),
    (f"{CARD},Anna\n", [ListedCard(CARD, name="Anna")]),
    (f'name,uid\n"Anna, van",{CARD}\n', [ListedCard(CARD, name="Anna, van")]),
    (f"name,uid,color\nAnna,{CARD},red\n", [ListedCard(CARD, name="Anna")]),
    ("00:18:E6:A1:B2:01", [ListedCard(MAC, TokenKind.MAC)]),
    (f"{MAC}_1", [ListedCard(MAC, TokenKind.MAC, 1)]),
]


@pytest.mark.parametrize(("text", "entries"), LISTS)
def test_lists_are_read_in_every_form(text: str, entries: list[ListedCard]) -> None:
    read = read_list(text, UPPER)
    assert list(read.entries) == entries
    assert read.problems == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("XYZ", "A card number has only the digits 0-9 and the letters A-F."),
        ("0456", "A card number has 8, 14 or 20 digits (4, 7 or 10 bytes)."),
        (f"{CARD}_3", "There is no socket 3."),
        (f"{CARD},x3", None),
        ("08AABBCC", "This card has a different number at every reading."),
        (f"{CARD},MAC", f"{CARD} is not of the kind MAC."),
        (f"{CARD},{'n' * 61}", "A name has 60 characters at most."),
        (f"{CARD},{'n' * 201}", "This line is too long."),
    ],
)
def test_bad_lines_are_reported_with_their_number(line: str, message: str | None) -> None:
    read = read_list(f"{OTHER},Bob\n{line}\n", UPPER)
    problems = [(problem.line, str(problem.message)) for problem in read.problems]
    assert problems == ([] if message is None else [(2, message)])
    assert read.bad == len(problems)
    assert read.entries[0] == ListedCard(OTHER, name="Bob")


def test_an_unknown_socket_is_reported() -> None:
    read = read_list(f"uid,connector\n{CARD},left\n{CARD},9999\n", UPPER)
    assert [str(problem.message) for problem in read.problems] == [
        "left is not a socket.",
        "9999 is not a socket.",
    ]


def test_the_last_of_equal_entries_counts() -> None:
    read = read_list(f"{CARD},Anna\n{CARD},Bob\n{CARD},1,Eve\n", UPPER)
    assert list(read.entries) == [
        ListedCard(CARD, name="Bob"),
        ListedCard(CARD, connector=1, name="Eve"),
    ]
    assert read.repeated == 1


def test_numbers_are_read_and_written_as_the_setting_spells_them() -> None:
    read = read_list("839b0e0a:0018e6a1b201", LetterCase.LOWER_INVERTED)
    assert [entry.token for entry in read.entries] == [OTHER, MAC]
    assert write_colons(read.entries, LetterCase.LOWER_INVERTED) == f"839b0e0a:{MAC}"
    assert spell_token(OTHER, "RFID", LetterCase.LOWER) == OTHER.lower()


def test_names_are_never_written_as_spreadsheet_formulas() -> None:
    entry = ListedCard(CARD, name="=1+1")
    text = write_csv([(entry, "", "")], UPPER)
    assert ",'=1+1," in text
    assert list(read_list(text, UPPER).entries) == [entry]


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadCard, match="longer than 4 MB"):
        read_list("0" * (LONGEST_TEXT + 1), UPPER)


def test_the_first_problems_are_listed_and_all_are_counted() -> None:
    read = read_list("XX\n" * 1500, UPPER)
    assert (read.bad, len(read.problems)) == (1500, 1000)


tokens = st.sampled_from([4, 7, 10]).flatmap(
    lambda size: st.binary(min_size=size, max_size=size).map(lambda raw: raw.hex().upper())
)
entries = st.builds(
    ListedCard,
    token=tokens.filter(lambda token: not (len(token) == 8 and token.startswith("08"))),
    connector=st.sampled_from([None, 1, 2]),
    name=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20).filter(
        lambda name: not name.startswith("'")
    ),
)


@given(
    st.lists(entries, unique_by=lambda entry: (entry.token, entry.connector)),
    st.sampled_from([UPPER, LetterCase.LOWER, LetterCase.LOWER_INVERTED]),
    st.sampled_from([",", ";"]),
)
def test_a_written_list_can_be_read(
    listed: list[ListedCard], spelling: LetterCase, delimiter: str
) -> None:
    text = write_csv([(entry, "", "") for entry in listed], spelling, delimiter)
    assert list(read_list(text, spelling).entries) == listed
    nameless = [ListedCard(entry.token, entry.kind, entry.connector) for entry in listed]
    assert list(read_list(write_colons(nameless, spelling), spelling).entries) == nameless


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read = read_list(text, UPPER)
    assert all(len(entry.token) in (8, 12, 14, 20) for entry in read.entries)
