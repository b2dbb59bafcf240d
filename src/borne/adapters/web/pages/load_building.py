"""The group on the dashboard: one line, and the load of the main distribution. Pure."""

from __future__ import annotations

from borne.adapters.web.i18n import NO_BREAK, Words
from borne.adapters.web.pages.load_slave import slave_part
from borne.adapters.web.pages.load_view import headline
from borne.adapters.web.pages.present import BAR_WIDTH, LIMIT_AT, OVER_A, Bar, Segment
from borne.domain.load_management.load_status import LoadStatus, Trust
from borne.domain.settings.choices import DlmRole
from borne.foundation.units import ZERO, PerPhase


def building_bars(status: LoadStatus, main_a: PerPhase, words: Words) -> tuple[Bar, ...]:
    """The main distribution on each phase: the building, the stations, and the main limit; nothing
    while the building is not measured."""
    if status.external_a is None:
        return ()
    drawn = drawn_a(status)
    return tuple(
        _main_bar(f"N{number}", max(0.0, building), stations, main, words)
        for number, building, stations, main in zip(
            (1, 2, 3), status.external_a, drawn, main_a, strict=True
        )
    )


def drawn_a(status: LoadStatus) -> PerPhase:
    """What the stations draw; of a silent or unmeasured one what it may draw."""
    total = ZERO
    for row in status.participants:
        known = row.trust is Trust.REPORTED and row.measured_a is not None
        total = total.plus(row.measured_grid_a if known else row.grid_a)
    return total


def _main_bar(name: str, building: float, stations: float, main: float, words: Words) -> Bar:
    total = building + stations
    scale = BAR_WIDTH * LIMIT_AT / max(main, total * LIMIT_AT, 1.0)
    text = words("{total} of {limit}").format(total=words.amps(total), limit=words.amps_short(main))
    parts = (("building", 0.0, building), ("socket-1", building, stations))
    return Bar(
        name,
        tuple(
            Segment(kind, round(x * scale, 1), round(width * scale, 1))
            for kind, x, width in parts
            if width * scale >= 0.1
        ),
        round(main * scale, 1),
        f"{words.number(total, 1)} / {words.amps_short(main)}".replace(" ", NO_BREAK),
        f"{name}: {text}",
        total > main + OVER_A,
    )


def group_line(status: LoadStatus, words: Words) -> str:
    """One line about the group, for the dashboard; empty while load management is off."""
    if status.role is DlmRole.DISABLED:
        return ""
    if status.slave is not None and not status.role.is_master:
        return slave_part(status.slave, words).headline
    return headline(status, words)
