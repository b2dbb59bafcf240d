"""Words that names, docstrings and comments avoid, because an engineer of the field would not guess
or use them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("src/borne", "tools", "tests")

# Word to what the code says instead.
AVOIDED = {
    "blot": "redact",
    "deaf": "ignore_until",
    "desk": "router",
    "farewell": "shutdown",
    "fate": "result",
    "forever": "unlimited",
    "heard": "received, reachable",
    "hears": "receives",
    "ladder": "steps",
    "least": "min",
    "levers": "controls",
    "mend": "repair",
    "mended": "repaired",
    "most": "max",
    "panorama": "view",
    "patience": "delay, timeout",
    "rooms": "services",
    "rung": "step",
    "said": "text, phrase",
    "spoken": "rendered",
    "tell": "report, notify",
    "tells": "reports",
    "told": "status, reading, reply",
    "whoever": "the thing itself",
    "wish": "request",
}
TAKE = re.compile(r"_*takes?(_|$)")
"""A method is named for what it does with its argument: apply, add, read, accept."""

PROSE = re.compile(r"\b(nobody|somebody|whoever|for ever|anew|brought about)\b", re.IGNORECASE)
"""In docstrings and comments of the product: name the user, the car, the caller; say "again"."""

# Names that keep such a word, and why.
PERMITTED = {
    "most_cautious": "a superlative, not a bound",
    "at_least": "a mark of the algorithm, not a bound",
    "at_most": "attribute of the catalogue: the setting that bounds this one",
    "ladder": "member of the API's answer to GET /api/v1/backend",
    "last_heard": "member of the API's answer to GET /api/v1/load",
    "least": "lower bounds of all cars, as the literature on filling calls them",
    "most": "upper bounds of all cars, as the literature on filling calls them",
    "most_serious": "a superlative, not a bound",
}


def words_of(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", name)
    return [part.lower() for part in parts]


def avoided(name: str) -> list[str]:
    """What to say instead of the avoided words of a name; tests are named by sentences, in which
    "most" and "least" are superlatives."""
    allowed = {"most", "least"} if name.startswith("test_") else set()
    return [AVOIDED[word] for word in words_of(name) if word in AVOIDED and word not in allowed]


def names_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every function, class, parameter and variable that is defined."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def avoided_in(source: str) -> list[str]:
    """Avoided words in the names of a module, as "LINE: NAME: use ..."."""
    found = []
    for line, name in names_in(source):
        if name.strip("_") in PERMITTED:
            continue
        hints = avoided(name)
        if TAKE.match(name):
            hints.append("what it does, for example apply or add")
        found += [f"{line}: {name}: use {hint}" for hint in hints]
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("told = 1", ["1: told: use status, reading, reply"]),
        (
            "def _take_change(): ...",
            ["1: _take_change: use what it does, for example apply or add"],
        ),
        ("class FarewellTimer: ...", ["1: FarewellTimer: use shutdown"]),
        ("def run(rooms): ...", ["1: rooms: use services"]),
        ("def mistake(): ...", []),
        ("def test_at_most_three(): ...", []),
        (
            "def test_the_end_is_told(): ...",
            ["1: test_the_end_is_told: use status, reading, reply"],
        ),
        ("status = 1", []),
    ],
)
def test_an_avoided_word_is_found(source: str, found: list[str]) -> None:
    assert avoided_in(source) == found


def test_names_avoid_the_words_of_the_list() -> None:
    found = {
        str(path.relative_to(ROOT)): wrong
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*.py")
        if (wrong := avoided_in(path.read_text()) + avoided_in(f"{path.stem.strip('_')} = 0"))
    }
    assert found == {}


def prose_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring and comment."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_docstrings_and_comments_avoid_the_words_of_the_list() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {wrong[0]}"
        for folder in ("src/borne", "tools")
        for path in (ROOT / folder).rglob("*.py")
        for line, text in prose_in(path.read_text())
        if (wrong := PROSE.search(text))
    ]
    assert found == []
