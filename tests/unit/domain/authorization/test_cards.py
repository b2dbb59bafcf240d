"""Spellings of card numbers (manual 5.3), decision D1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.authorization.cards import BadCard, is_random, normalise, parse, spell
from borne.domain.settings.choices import LetterCase

MANUAL_5_3 = {
    LetterCase.LOWER: "0a0e9b83",
    LetterCase.UPPER: "0A0E9B83",
    LetterCase.LOWER_INVERTED: "839b0e0a",
    LetterCase.UPPER_INVERTED: "839B0E0A",
}


@pytest.mark.parametrize(("spelling", "text"), MANUAL_5_3.items())
def test_manual_5_3(spelling: LetterCase, text: str) -> None:
    assert spell("0A0E9B83", spelling) == text
    assert parse(text, spelling) == "0A0E9B83"


@pytest.mark.parametrize("spelling", LetterCase)
@given(st.sampled_from([4, 7, 10]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_every_spelling_can_be_read_back(spelling: LetterCase, uid: bytes) -> None:
    normal = uid.hex().upper()
    assert parse(spell(normal, spelling), spelling) == normal


@pytest.mark.parametrize(
    "text",
    ["04567DAA5F3580", "04567daa5f3580", "04:56:7D:AA:5F:35:80", " 04-56-7d-aa-5f-35-80 ",
     "04 56 7D AA 5F 35 80", "04.56.7D.AA.5F.35.80"],
)  # fmt: skip
def test_spaces_case_and_separators_are_accepted(text: str) -> None:
    assert normalise(text) == "04567DAA5F3580"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Enter a card number"),
        ("  ", "Enter a card number"),
        ("0A0E9B8", "8, 14 or 20 digits"),
        ("0A0E9B8300", "8, 14 or 20 digits"),
        ("0A0E9B8G", "only the digits"),
        ("0A0E9B83; DROP", "only the digits"),
        ("é" * 8, "only the digits"),
        ("A" * 100_000, "8, 14 or 20 digits"),
    ],
)
def test_an_invalid_number_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadCard, match=says):
        normalise(text)


@pytest.mark.parametrize(
    ("uid", "random"),
    [("08A1B2C3", True), ("0801020304050607080A", False), ("04567DAA5F3580", False),
     ("0A0E9B83", False), ("08567DAA5F3580", False)],
)  # fmt: skip
def test_random_numbers_are_recognised(uid: str, random: bool) -> None:
    assert is_random(uid) is random
