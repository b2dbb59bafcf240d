"""Full-text search in all languages, ignoring accents and letter case. Pure.

A match is ranked by its place: name, then values and headings, then help text. Within a rank, what
this version supports precedes what is planned; expert settings come last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from borne.adapters.web.i18n import OWN_NAMES, Words, available
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.entry import Entry
from borne.domain.settings.manual_words import SKIPPED, WORDS

T = TypeVar("T")
LONG_WORD = 4
"""Minimum length of a word that is also found inside another one (Strom in Ladestrom)."""
ENDING = 2
"""Number of letters at the end of a long word that may differ: plurals and endings."""
STEM = 5
NEARLY = 0.6
"""Minimum share of the words, if nothing has all of them."""
NAME, VALUE, HELP = range(3)
"""Where a word was found."""


def folded(text: str) -> str:
    """Lower case, without accents, words separated by one space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", plain.replace("œ", "oe").replace("_", " ")))


@cache
def _skipped() -> frozenset[str]:
    return frozenset(word for each in SKIPPED for word in folded(each).split())


def query_words(query: str) -> list[str]:
    """The words of a query; stop words only if there are no others."""
    words = folded(query).split()
    return [word for word in words if word not in _skipped()] or words


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query, prepared for matching."""

    begins: str
    inside: str
    """Empty: too short to be found inside others."""
    stems: tuple[str, ...]
    """Whole words that differ only in the ending."""

    @classmethod
    def of(cls, word: str) -> Word:
        """From a folded word."""
        stems = [word[:-cut] for cut in range(1, ENDING + 1)]
        return cls(
            f" {word}",
            word if len(word) >= LONG_WORD else "",
            tuple(f" {stem} " for stem in stems if len(stem) >= STEM),
        )

    def is_in(self, text: str, *, inside: bool) -> bool:
        """True if the text contains the word."""
        if self.begins in text or (inside and self.inside and self.inside in text):
            return True
        return any(map(text.__contains__, self.stems))


@dataclass(frozen=True, slots=True)
class Text:
    """The searched texts: names (each as a whole), and the words at each level."""

    names: tuple[str, ...]
    levels: tuple[str, str, str]
    shortest: int
    """Length of the shortest name."""

    @classmethod
    def of(cls, names: Iterable[str], values: Iterable[str], helps: Iterable[str]) -> Text:
        """From texts as people write them."""
        plain = tuple(dict.fromkeys(filter(None, map(folded, names))))
        levels = _joined(plain), _joined(map(folded, values)), _joined(map(folded, helps))
        return cls(plain, levels, min(map(len, plain), default=0))

    def found(self, word: Word) -> int | None:
        """The first level that contains the word."""
        for level, text in enumerate(self.levels):
            if word.is_in(text, inside=level != HELP):
                return level
        return None


def _joined(texts: Iterable[str]) -> str:
    words = dict.fromkeys(word for text in texts for word in text.split())
    return f" {' '.join(words)} "


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """An item that can be found."""

    item: T
    text: Text
    planned: bool = False
    expert: bool = False


def best_matches(candidates: Sequence[Candidate[T]], query: str) -> list[T]:
    """Matches, best first; if nothing has all words, the items with most of them."""
    words, phrase = [Word.of(word) for word in query_words(query)], folded(query)
    if not words:
        return []
    scored = [(_score(each, words, phrase), each) for each in candidates]
    whole = [(score, each) for score, each in scored if score[0] == 0]
    if whole:
        return [each.item for _, each in sorted(whole, key=lambda pair: pair[0])]
    fewest = min((score[0] for score, _ in scored), default=len(words))
    if len(words) - fewest < max(2, NEARLY * len(words)):
        return []
    return [
        each.item for score, each in sorted(scored, key=lambda pair: pair[0]) if score[0] == fewest
    ]


def _score(
    candidate: Candidate[T], words: Sequence[Word], phrase: str
) -> tuple[int, int, int, bool, int]:
    levels = [candidate.text.found(word) for word in words]
    missing = levels.count(None)
    level = max((each for each in levels if each is not None), default=HELP)
    expert = HELP if candidate.expert and level != NAME else 0
    return (
        missing,
        level + expert,
        _nearness(candidate.text.names, phrase) if level == NAME else 0,
        candidate.planned,
        candidate.text.shortest,
    )


def _nearness(names: Iterable[str], phrase: str) -> int:
    """0: equals the name; 1: a name contains the phrase; 2: only its words."""
    near = 2
    for name in names:
        if name == phrase:
            return 0
        if phrase in name:
            near = 1
    return near


# Settings -----------------------------------------------------------------------------------------


def in_all_languages(text: str) -> tuple[str, ...]:
    """A text of the program in every language."""
    return tuple(dict.fromkeys(Words(language)(text) for language in available()))


@cache
def text_of(key: str) -> Text:
    """The searchable text of a catalogue entry."""
    entry = CATALOGUE[key]
    names = [*in_all_languages(entry.label), entry.key, *WORDS.get(key, ())]
    return Text.of(names, _values(entry), in_all_languages(entry.help) if entry.help else ())


def _values(entry: Entry) -> list[str]:
    own: Mapping[str, str] = OWN_NAMES.get(entry.enum, {}) if entry.enum else {}
    return [
        *own.values(),
        *(text for choice in entry.choices for text in in_all_languages(choice.label)),
        *in_all_languages(entry.group),
    ]


def texts(label: str, also: Iterable[str] = (), helps: Iterable[str] = ()) -> Text:
    """The searchable text of another item: its name in all languages, and other names."""
    help_texts = [text for each in helps for text in in_all_languages(each)]
    return Text.of([*in_all_languages(label), *also], (), help_texts)
