"""What pages show of the meter at the supply of the building (manual 7.4.2). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.meter_view import age_text, currents_text, signed_text, values_of
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.foundation.messages import N_


@dataclass(frozen=True, slots=True)
class SiteMeterCard:
    """The second meter for people who look."""

    icon: str
    tone: str
    state: str
    phases: tuple[tuple[str, str], ...]
    """Name and current of each phase; empty without an answer yet."""
    old: bool
    """The currents are the last ones before the silence."""
    age_s: int | None
    age: str
    freshness: str
    """How old a present value is at most: pages are not redrawn with every poll."""
    meter: str
    reason: str
    assumed: str
    exchanged: bool
    """Another meter answers, which an operator may accept."""


_SITE: Mapping[SiteMeterState, tuple[str, str, str]] = {
    SiteMeterState.OK: ("circle-check", "ok", N_("measured")),
    SiteMeterState.DOUBTED: ("triangle-alert", "warn", N_("in doubt")),
    SiteMeterState.SILENT: ("octagon-alert", "fault", N_("not communicating")),
}
FRESH_S = 10
ALL_A = 9999.0
"""A fallback that leaves nothing for cars."""


def site_card(status: SiteMeterStatus, words: Words, *, master: bool) -> SiteMeterCard | None:
    """What the page shows of the second meter; None if none is set. `master`: load management
    counts with it."""
    if status.state is SiteMeterState.ABSENT:
        return None
    icon, tone, state = _SITE[status.state]
    last = status.measurement
    phases = last.current_a if last is not None else ()
    known = (status.model, status.serial_number)
    return SiteMeterCard(
        icon,
        tone,
        words(state),
        tuple((f"L{number}", signed_text(amps, words)) for number, amps in enumerate(phases, 1)),
        status.state is SiteMeterState.SILENT,
        None if status.age_s is None else round(status.age_s),
        age_text(status.age_s, words),
        _freshness(status.age_s, words),
        " · ".join(text for text in known if text),
        status.reason.render(words) if status.reason else "",
        _assumed(status, words) if master else "",
        bool(status.accepted_serial_number),
    )


def _freshness(age_s: float | None, words: Words) -> str:
    """A meter that is polled has become silent at that age; one that reports changes has not."""
    if age_s is None:
        return ""
    if age_s < FRESH_S:
        return words("less than {n} s ago").format(n=FRESH_S)
    return words("unchanged for {age}").format(age=age_text(age_s, words))


def _assumed(status: SiteMeterStatus, words: Words) -> str:
    """What load management counts with instead of the measured currents."""
    if status.state is SiteMeterState.DOUBTED and status.current_a is not None:
        text = words("Load management counts with {currents}.")
        return text.format(currents=currents_text(status.current_a, words))
    if status.state is not SiteMeterState.SILENT:
        return ""
    if min(status.fallback_a) >= ALL_A:
        return words("Until it answers, load management leaves nothing for cars.")
    text = words("Until it answers, load management assumes {currents} for the building.")
    return text.format(currents=currents_text(status.fallback_a, words))


def site_facts(status: SiteMeterStatus, words: Words) -> tuple[tuple[str, str], ...]:
    """All values of the second meter, for the technical details."""
    last = status.measurement
    if last is None:
        return ()
    values = values_of(last, status.age_s, words)
    rows = [(row.name, f"{row.voltage}, {row.current}, {row.power}") for row in values.rows]
    return ((words("Model"), status.model or "–"), *rows, *values.facts)
