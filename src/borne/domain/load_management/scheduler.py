"""Maximum Current Scheduler: limits of the group by local time (manual 7.4, decision D15)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from borne.domain.load_management.site import ScheduleWindow
from borne.domain.settings.snapshot import Settings
from borne.foundation.units import PerPhase

QUARTER = timedelta(minutes=15)
"""Time zones change their offset at full quarters of an hour."""


def windows_of(settings: Settings) -> tuple[ScheduleWindow, ...]:
    """The windows of the settings; none while the scheduler is off."""
    if not settings.flag("DLMMaxCurrentScheduler"):
        return ()
    return tuple(map(_window, settings.items("DLMMaxCurrentSchedule")))


def _window(text: str) -> ScheduleWindow:
    start, end, amps = text.split(";")
    l1, l2, l3 = map(float, amps.split(","))
    return ScheduleWindow(_time(start), _time(end), PerPhase(l1, l2, l3))


def _time(text: str) -> time:
    hours, minutes = map(int, text.split(":"))
    return time(hours % 24, minutes)


def holds(window: ScheduleWindow, now: datetime, zone: tzinfo) -> bool:
    """True if the window holds at this moment."""
    return window.holds_at(now.astimezone(zone).time())


def ends_at(window: ScheduleWindow, now: datetime, zone: tzinfo) -> datetime | None:
    """When a window that holds now ends; None: never."""
    return next((at for at in _edges((window,), now, zone) if not holds(window, at, zone)), None)


def next_look(windows: Iterable[ScheduleWindow], now: datetime, zone: tzinfo) -> datetime | None:
    """When to look at the clock again; None without windows."""
    edges = list(_edges(tuple(windows), now, zone))
    return edges[0] if edges else None


def _edges(windows: tuple[ScheduleWindow, ...], now: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The coming starts and ends of two days, and the changes of the time zone's offset."""
    today = now.astimezone(zone).date()
    found: set[datetime] = set()
    for window in windows:
        for days in range(-1, 3):
            for at in (window.start, window.end):
                local = datetime.combine(today + timedelta(days), at)
                found |= {local.replace(tzinfo=zone, fold=n).astimezone(UTC) for n in (0, 1)}
    if windows:
        found |= set(_offset_changes(now, zone))
    yield from sorted(at for at in found if at > now)


def _offset_changes(now: datetime, zone: tzinfo) -> Iterator[datetime]:
    start = now.astimezone(UTC)
    if start.astimezone(zone).utcoffset() == (start + timedelta(2)).astimezone(zone).utcoffset():
        return
    at = start.replace(minute=0, second=0, microsecond=0)
    for _ in range(4 * 49):
        before, at = at, at + QUARTER
        if before.astimezone(zone).utcoffset() != at.astimezone(zone).utcoffset():
            yield at
