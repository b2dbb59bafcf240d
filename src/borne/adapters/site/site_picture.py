"""The picture of a run: for each grid phase the limit, the stations, and the building."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from borne.adapters.site.recorder import PhaseSample, Recorder
from borne.adapters.site.site_run import SiteResult
from borne.foundation.units import PHASES

WIDTH, PANEL, LEFT, TOP, GAP = 960, 150, 56, 56, 34
STYLE = (
    "text{font:12px sans-serif;fill:#333}"
    ".stations{fill:#2a78c2;fill-opacity:.55}"
    ".building{fill:none;stroke:#8a8a8a;stroke-width:1}"
    ".limit{fill:none;stroke:#c0392b;stroke-width:1.5}"
    ".axis{stroke:#999;stroke-width:1}"
)
LEGEND = "red: limit of the stations; blue: stations; grey: building"
MAX_POINTS = 1200


def picture(result: SiteResult, recorder: Recorder) -> str:
    """An SVG document."""
    samples = recorder.samples[:: max(1, len(recorder.samples) // MAX_POINTS)]
    height = TOP + len(PHASES) * (PANEL + GAP)
    name = escape(result.site.settings.name)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{name}</title><style>{STYLE}</style>",
        f'<text x="{LEFT}" y="20" font-weight="bold">{name}</text>',
        f'<text x="{LEFT}" y="38">{LEGEND}</text>',
    ]
    top_a = max(1.0, *(max(*one.limit_a, *one.stations_a) for one in samples)) if samples else 1.0
    for phase in PHASES:
        parts += _panel(samples, phase, top_a, result.simulated_s)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    samples: Sequence[PhaseSample], phase: int, top_a: float, until_s: float
) -> Iterator[str]:
    base = TOP + phase * (PANEL + GAP) + PANEL

    def x_of(at_s: float) -> float:
        return LEFT + (WIDTH - LEFT - 16) * at_s / until_s

    def line(value: Callable[[PhaseSample], float]) -> Iterator[str]:
        """The corners of a line in steps."""
        before = None
        for one in samples:
            y = base - PANEL * min(max(0.0, value(one)) / top_a, 1.0)
            if before is not None and y != before:
                yield f"{x_of(one.at_s):.1f},{before:.1f}"
            if y != before:
                yield f"{x_of(one.at_s):.1f},{y:.1f}"
            before = y
        if before is not None:
            yield f"{x_of(until_s):.1f},{before:.1f}"

    area = " ".join(line(lambda one: one.stations_a[phase]))
    yield f'<text x="8" y="{base - PANEL + 12}">L{phase + 1}</text>'
    yield f'<text x="8" y="{base - PANEL + 28}">{top_a:.0f} A</text>'
    yield (f'<polygon class="stations" points="{LEFT},{base} {area} {x_of(until_s):.1f},{base}"/>')
    for kind, value in (("building", _building), ("limit", _limit)):
        points = " ".join(line(lambda one, value=value: value(one, phase)))  # type: ignore[misc]
        yield f'<polyline class="{kind}" points="{points}"/>'
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - 16}" y1="{base}" y2="{base}"/>'
    for mark in range(9):
        at_s = until_s * mark / 8
        clock = f"{int(at_s // 3600):02}:{int(at_s % 3600 // 60):02}"
        yield f'<text x="{x_of(at_s) - 14:.0f}" y="{base + 16}">{clock}</text>'


def _building(sample: PhaseSample, phase: int) -> float:
    return sample.building_a[phase]


def _limit(sample: PhaseSample, phase: int) -> float:
    return sample.limit_a[phase]
