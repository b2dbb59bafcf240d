"""Short ways to write charging profiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from borne.domain.smart_charging.composite import (
    Curve,
    Limit,
    PowerConversion,
    Situation,
    Window,
    connector_curve,
    for_backend,
)
from borne.domain.smart_charging.profiles import (
    Installed,
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Schedule,
    of_connector,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
SESSION = "s1"


def profile(
    purpose: Purpose,
    periods: dict[int, float],
    *,
    number: int = 1,
    level: int = 0,
    kind: ProfileKind = ProfileKind.ABSOLUTE,
    start: datetime | None = NOW,
    duration: int | None = None,
    unit: RateUnit = RateUnit.AMPERE,
    phases: int | None = None,
    **more: Any,
) -> Profile:
    if kind is ProfileKind.RELATIVE:
        start = None
    schedule = Schedule(
        unit, tuple(Period(at, limit, phases) for at, limit in periods.items()), duration, start
    )
    return Profile(number, level, purpose, kind, schedule, **more)


def installed(
    profile_: Profile, connector: int = 1, received: datetime = NOW, session: str = SESSION
) -> Installed:
    bound = session if profile_.purpose is Purpose.TRANSACTION else None
    return Installed(connector, profile_, received, bound)


def situation(
    *entries: Installed,
    started: datetime | None = NOW,
    conversion: PowerConversion = PowerConversion(),  # noqa: B008 -- immutable
) -> Situation:
    session = SESSION if started is not None else None
    return Situation(of_connector(entries, 1, session), conversion, started)


def window(seconds: float, start: datetime = NOW) -> Window:
    return Window(start, seconds, PARIS)


def steps(curve: Curve) -> dict[float, float | None]:
    """Start and value of each step, as a backend would get them."""
    return {s.start_s: None if s.limit is None else s.limit.value for s in for_backend(curve)}


def composite(
    *entries: Installed,
    seconds: float,
    local: float | None = None,
    unit: RateUnit = RateUnit.AMPERE,
    started: datetime | None = NOW,
    at: datetime = NOW,
    conversion: PowerConversion = PowerConversion(),  # noqa: B008 -- immutable
) -> dict[float, float | None]:
    limit = None if local is None else Limit(local)
    moment = situation(*entries, started=started, conversion=conversion)
    return steps(connector_curve(moment, window(seconds, at), unit, local=limit))


def after(**time: float) -> datetime:
    return NOW + timedelta(**time)
