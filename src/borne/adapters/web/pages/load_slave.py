"""What a slave shows: what its master gives, and what happens without it (manual 7.7). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from borne.adapters.web.i18n import NARROW_SPACE, Words
from borne.adapters.web.pages.meter_view import age_text
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.load_status import SlaveStatus

SILENT_S = 10.0
"""A master answers every few seconds; from then on the countdown is shown."""


@dataclass(frozen=True, slots=True)
class SlavePart:
    """The station as a slave."""

    tone: str
    icon: str
    headline: str
    granted: tuple[tuple[str, str], ...]
    contact_s: int | None
    """Since the last contact; None without any."""
    contact: str
    consequence: str
    countdown_s: int | None
    countdown: str
    """With `{n}` for the seconds."""
    after: str
    """When the countdown has ended."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the page shows at a stage, and what comes next."""

    tone: str
    headline: str
    consequence: str
    left_s: float | None = None
    countdown: str = ""
    after: str = ""


def slave_part(slave: SlaveStatus, words: Words) -> SlavePart:
    """What the master gives, and what happens without it."""
    stage = _STAGES[slave.stage](slave, words)
    granted = tuple(
        (words("Socket {n}").format(n=number), words.amps_short(value))
        for number, value in slave.granted_a
    )
    return SlavePart(
        stage.tone,
        "unplug" if stage.tone == "fault" else "share-2",
        stage.headline,
        granted,
        _whole(slave.received_s),
        words("never") if slave.received_s is None else age_text(slave.received_s, words),
        stage.consequence,
        _whole(stage.left_s),
        stage.countdown,
        stage.after,
    )


def _connected(slave: SlaveStatus, words: Words) -> _Stage:
    fallback = words.amps_short(slave.disconnected_a)
    given = " / ".join(words.number_short(amps) for _, amps in slave.granted_a)
    headline = words("Slave · {master} gives you {amps}").format(
        master=slave.master or words("The master"), amps=f"{given}{NARROW_SPACE}A" if given else "–"
    )
    consequence = words(
        "If the master is lost, each socket falls to at most {amps}; the currents are then fixed "
        "until it is back."
    ).format(amps=fallback)
    if slave.received_s is None or slave.received_s < SILENT_S:
        return _Stage("ok", headline, consequence)
    countdown = words("falls to {amps} in {n} s").replace("{amps}", fallback)
    after = words("falls to {amps} now").format(amps=fallback)
    return _Stage("warn", headline, consequence, slave.limited_in_s, countdown, after)


def _limited(slave: SlaveStatus, words: Words) -> _Stage:
    fallback = words.amps_short(slave.disconnected_a)
    return _Stage(
        "fault",
        words("The master is lost: each socket has at most {amps}").format(amps=fallback),
        words("Nothing rises until all other stations have reduced their current, too."),
        slave.static_in_s,
        words("{amps} for each socket in {n} s").replace("{amps}", fallback),
        words("{amps} for each socket now").format(amps=fallback),
    )


def _static(slave: SlaveStatus, words: Words) -> _Stage:
    if slave.received_s is None:
        headline = words("No master has answered yet: fixed currents")
    else:
        headline = words("The master is lost: fixed currents")
    consequence = words("Each socket has {amps} until the master is back; it recovers by itself.")
    fallback = words.amps_short(slave.disconnected_a)
    return _Stage("fault", headline, consequence.format(amps=fallback))


_STAGES = {
    FailSafeStage.CONNECTED: _connected,
    FailSafeStage.LIMITED: _limited,
    FailSafeStage.STATIC: _static,
}


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else max(0, round(seconds))
