"""The rings of the pages blink as the table of patterns says (manual section 6)."""

from __future__ import annotations

import re

import pytest

from borne.adapters.web import rings
from borne.domain.station.indication import PATTERNS, Colour, Pattern

SHEET = rings.stylesheet()
TIMES_S = [tenth / 10 + 0.05 for tenth in range(120)]


def at(selector: str, arc: int, elapsed_s: float) -> str:
    """The colour that a browser gives to an arc, by the rules of CSS animations."""
    rule = re.search(rf"^{re.escape(selector)} \.arc-{arc} {{ (.+) }}$", SHEET, re.MULTILINE)
    if rule is None:
        return "off"
    steady = re.search(r"stroke: var\(--led-(\w+)\)", rule[1])
    moving = re.search(r"animation: (\S+) (\S+)s step-end (\w+)", rule[1])
    assert steady
    if moving is None:
        return steady[1]
    name, whole_s, count = moving[1], float(moving[2]), moving[3]
    frames = re.search(rf"^@keyframes {name} {{ (.+) }}$", SHEET, re.MULTILINE)
    assert frames
    stops = re.findall(r"([\d.]+)% { stroke: var\(--led-(\w+)\); }", frames[1])
    if count != "infinite" and elapsed_s >= int(count) * whole_s:
        assert "forwards" in rule[1]
        end = re.search(r"to { stroke: var\(--led-(\w+)\); }", frames[1])
        assert end
        return end[1]
    share = elapsed_s % whole_s / whole_s * 100
    past: list[str] = [colour for percent, colour in stops if float(percent) <= share]
    return past[-1]


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda pattern: pattern.name)
@pytest.mark.parametrize("arc", rings.ARCS)
def test_each_arc_shows_what_the_table_says(pattern: Pattern, arc: int) -> None:
    if pattern.rotates:
        assert at(f'[data-led="{pattern.name}"]', 1, 0) == pattern.frames[0][0].value
        assert f'[data-led="{pattern.name}"] .arcs {{ animation: led-turn 1s linear' in SHEET
        return
    for elapsed_s in TIMES_S:
        expected = rings.shown_colour(pattern.colour_at(elapsed_s), arc)
        assert at(f'[data-led="{pattern.name}"]', arc, elapsed_s) == expected.value, elapsed_s


def test_the_refusal_animation_restarts() -> None:
    again = rings.picture(PATTERNS["rejected"])
    for elapsed_s in TIMES_S:
        expected = again.colour_at(elapsed_s).value
        shown = at('.picture[data-led="rejected"]', 1, elapsed_s)
        assert shown == ("green" if expected == Colour.THREE.value else expected)


def test_three_colours_are_a_third_of_the_ring_each() -> None:
    thirds = [rings.shown_colour(Colour.THREE, arc).value for arc in rings.ARCS]
    assert "-".join(thirds) == Colour.THREE.value
