"""The LED rings of the pages: a style sheet generated from the table of patterns (manual section
6).

A ring has three arcs, each a third of the circle. A pattern is a stepwise animation of their
colours, so that a page blinks exactly as the station does. With reduced motion (calm display,
`prefers-reduced-motion`) only the first frame is shown.
"""

from __future__ import annotations

from borne.domain.station.indication import PATTERNS, Colour, Pattern

ARCS = (1, 2, 3)
_THIRDS = (Colour.GREEN, Colour.YELLOW, Colour.BLUE)
REST_S = 2.0
_TURN = "@keyframes led-turn { to { transform: rotate(360deg); } }"


def shown_colour(colour: Colour, arc: int) -> Colour:
    """The appearance of an arc (1 to 3) while the ring has a colour."""
    return _THIRDS[arc - 1] if colour is Colour.THREE else colour


def stylesheet() -> str:
    """The content of `led.css`."""
    rules = [_rules(pattern, f'[data-led="{name}"]') for name, pattern in PATTERNS.items()]
    pictures = [
        _rules(picture(pattern), f'.picture[data-led="{name}"]')
        for name, pattern in PATTERNS.items()
        if pattern.repeat is not None
    ]
    return "\n".join([*rules, *pictures, _TURN, ""])


def picture(pattern: Pattern) -> Pattern:
    """A finite pattern as help shows it: repeated with a pause."""
    frames = pattern.frames * (pattern.repeat or 1)
    return Pattern(f"{pattern.name}-again", (*frames, (Colour.OFF, REST_S)))


def _rules(pattern: Pattern, selector: str) -> str:
    if pattern.rotates:
        return _turning(pattern, selector)
    rules = []
    for arc in ARCS:
        first = shown_colour(pattern.frames[0][0], arc)
        blink = "" if len(pattern.frames) == 1 else f" animation: {_animation(pattern, arc)};"
        rules.append(f"{selector} .arc-{arc} {{ stroke: {_paint(first)};{blink} }}")
        if blink:
            rules.append(_keyframes(pattern, arc))
    return "\n".join(rules)


def _turning(pattern: Pattern, selector: str) -> str:
    """One of three arcs turns once in the time of all frames."""
    turn = f"led-turn {_whole_s(pattern):g}s linear infinite"
    colour = shown_colour(pattern.frames[0][0], 1)
    return (
        f"{selector} .arc-1 {{ stroke: {_paint(colour)}; }}\n"
        f"{selector} .arcs {{ animation: {turn}; }}"
    )


def _animation(pattern: Pattern, arc: int) -> str:
    count = "infinite" if pattern.repeat is None else f"{pattern.repeat} forwards"
    return f"led-{pattern.name}-{arc} {_whole_s(pattern):g}s step-end {count}"


def _keyframes(pattern: Pattern, arc: int) -> str:
    whole_s, begun_s, stops = _whole_s(pattern), 0.0, []
    for colour, seconds in pattern.frames:
        stops.append(
            f"{begun_s / whole_s * 100:.6g}% {{ stroke: {_paint(shown_colour(colour, arc))}; }}"
        )
        begun_s += seconds
    stops.append(f"to {{ stroke: {_paint(Colour.OFF)}; }}")
    return f"@keyframes led-{pattern.name}-{arc} {{ {' '.join(stops)} }}"


def _whole_s(pattern: Pattern) -> float:
    return sum(seconds for _, seconds in pattern.frames)


def _paint(colour: Colour) -> str:
    return f"var(--led-{colour.value})"
