"""The sources of the limit of the whole group, each as a row with one sentence (manual 7.4).

No source that fails becomes unlimited: an input that is not known counts as active, a silent meter
leaves what its fallback leaves, a clock that is not set makes every window of the scheduler hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import reduce
from math import floor

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.load_status import SiteLimitRow
from borne.domain.load_management.scheduler import ends_at, holds, windows_of
from borne.domain.load_management.site import ScheduleWindow
from borne.domain.load_management.snapshot import RootSources
from borne.domain.load_management.topology import GRID_PHASES
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.settings.choices import DlmInput1, DlmInput2, MeterLocation, OffOn
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message
from borne.foundation.units import ZERO, PerPhase

SITE_KEYS = frozenset(
    {
        "DLMBackendLimitIsGroup",
        "DLMEVSESubDistributionLimit",
        "DLMExternalInput1Config",
        "DLMExternalInput1Limit",
        "DLMExternalInput2Config",
        "DLMExternalInput2Limit",
        "DLMExternalLoadAveraging",
        "DLMExternalLoadFallback",
        "DLMExternalLoadHeadroom",
        "DLMExternalMeterLocation",
        "DLMExternalMeterSupport",
        "DLMMainDistributionLimit",
        "DLMMaxCurrentSchedule",
        "DLMMaxCurrentScheduler",
        "DLMMeterDigitalInputConfig",
        "DLMMeterDigitalInputLimit",
        "DLMOperatorEVSESubDistributionLimit",
        "TimeZone",
    }
)
"""The settings behind the rows."""

_FUSE = N_("Fuse of the distribution board of the stations: {amps} A.")
_OPERATOR = N_("Set by the operator: {amps} A.")
_OPERATOR_CUT = N_("Set by the operator: {set} A, cut to the fuse of the board: {amps} A.")
_WINDOW = N_("Scheduler from {start} to {end}: {amps} A.")
_WINDOW_NO_CLOCK = N_("The clock is not set, so the scheduler's window counts: {amps} A.")
_INPUT = N_("External input {number} is active: {amps} A.")
_INPUT_UNKNOWN = N_("External input {number} cannot be read and counts as active: {amps} A.")
_METER_INPUT = N_("The digital input of the second meter is active: {amps} A.")
_METER_INPUT_UNKNOWN = N_(
    "The digital input of the second meter is not known and counts as active: {amps} A."
)
_MANAGER = N_("Energy manager {owner}: {amps} A.")
_MANAGER_SILENT = N_("Energy manager {owner} is silent; its fallback counts: {amps} A.")
_BACKEND = N_("Limit of the backend for the group: {amps} A.")
_LEFT = N_("Main distribution {main} A, less {headroom} A headroom and {load} A of the building.")
_DENIED = N_(
    "Main distribution {main} A, less {headroom} A headroom and {load} A that the meter shows: it "
    "does not follow the stations, so nothing is subtracted. Is the meter location right?"
)
_DOUBTED = N_("{sentence} {doubt}")
_SILENT = N_(
    "The second meter is silent: main distribution {main} A, less {headroom} A headroom and "
    "{load} A that are assumed for the building."
)
_NO_MAIN = N_("The main distribution limit is not set, so nothing is left for cars.")


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The time at the site."""

    now: datetime
    zone: tzinfo
    trusted: bool


@dataclass(frozen=True, slots=True)
class ManagerLimit:
    """A limit of an energy manager for the group. `until_s` is monotonic; None: no expiry. After it
    the fallback counts until the owner withdraws or renews."""

    amps: PerPhase
    fallback_a: PerPhase = ZERO
    until_s: float | None = None

    def expired(self, now_s: float) -> bool:
        return self.until_s is not None and now_s >= self.until_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What is known besides the settings. `load_a` is the load of the building, None while the
    meter is silent; an input is None if it cannot be read."""

    time: LocalTime
    now_s: float
    inputs: Mapping[int, bool | None]
    meter: SiteMeterStatus | None = None
    load_a: PerPhase | None = None
    denied: bool = False
    """The meter does not show what the stations draw."""
    followed: bool = False
    """It has shown their steps, perhaps late."""
    managers: Mapping[str, ManagerLimit]
    backend_a: PerPhase | None = None


def site_rows(settings: Settings, facts: SiteFacts) -> tuple[SiteLimitRow, ...]:
    """Every source that limits the group now; the lowest on each phase is effective."""
    rows = (
        *_distribution(settings),
        *_scheduler(windows_of(settings), facts.time),
        *_inputs(settings, facts.inputs),
        *_meter_input(settings, facts.meter),
        *_managers(facts),
        *_backend(settings, facts.backend_a),
        *_main(settings, facts),
    )
    return _marked(rows)


def lowest(rows: Iterable[SiteLimitRow]) -> PerPhase:
    """The limit of the group; zero without rows."""
    amps = [row.amps for row in rows]
    return reduce(PerPhase.lowest, amps) if amps else ZERO


def binding_sources(rows: Sequence[SiteLimitRow]) -> RootSources | None:
    """Return the source of the lowest row on each phase; None without rows."""
    first, second, third = (
        next((row.source for row in rows if row.effective[phase - 1]), None)
        for phase in GRID_PHASES
    )
    if first is None or second is None or third is None:
        return None
    return first, second, third


def uses_meter(settings: Settings) -> bool:
    """True if the second meter limits the group."""
    return settings.flag("DLMExternalMeterSupport")


def main_less_headroom(settings: Settings) -> PerPhase | None:
    """What building and stations may draw together; None: not set."""
    main = settings.amps_or_none("DLMMainDistributionLimit")
    if main is None:
        return None
    return PerPhase(*main).minus(PerPhase(*settings.amps("DLMExternalLoadHeadroom")))


def assumed_load(settings: Settings) -> PerPhase:
    """The load of the building while the meter is silent."""
    return PerPhase(*settings.amps("DLMExternalLoadFallback"))


def location_of(settings: Settings) -> MeterLocation:
    """Where the second meter measures."""
    return settings.choice("DLMExternalMeterLocation", MeterLocation)


def _distribution(settings: Settings) -> Iterator[SiteLimitRow]:
    fuse_a = PerPhase(*settings.amps("DLMEVSESubDistributionLimit"))
    set_a = PerPhase(*settings.amps("DLMOperatorEVSESubDistributionLimit"))
    operator_a = set_a.lowest(fuse_a)
    yield _row(LimitCause.SUB_DISTRIBUTION, fuse_a, _FUSE)
    text = _OPERATOR if operator_a == set_a else _OPERATOR_CUT
    yield _row(LimitCause.OPERATOR, operator_a, text, set=shown(set_a))


def _scheduler(windows: Sequence[ScheduleWindow], local: LocalTime) -> Iterator[SiteLimitRow]:
    for window in windows:
        if not local.trusted:
            yield _row(LimitCause.SCHEDULER, window.limit_a, _WINDOW_NO_CLOCK)
        elif holds(window, local.now, local.zone):
            row = _row(
                LimitCause.SCHEDULER,
                window.limit_a,
                _WINDOW,
                start=f"{window.start:%H:%M}",
                end=f"{window.end:%H:%M}",
            )
            yield replace(row, until=ends_at(window, local.now, local.zone))


def _inputs(settings: Settings, states: Mapping[int, bool | None]) -> Iterator[SiteLimitRow]:
    first = settings.choice("DLMExternalInput1Config", DlmInput1)
    second = settings.choice("DLMExternalInput2Config", DlmInput2)
    for number, used, inverted in (
        (1, first is not DlmInput1.DISABLE, first is DlmInput1.OPTO_1_INVERTED),
        (2, second is not DlmInput2.DISABLE, second is DlmInput2.OPTO_2_INVERTED),
    ):
        level = states.get(number)
        if used and (level is None or level is not inverted):
            amps = PerPhase(*settings.amps(f"DLMExternalInput{number}Limit"))
            text = _INPUT_UNKNOWN if level is None else _INPUT
            yield _row(LimitCause.EXTERNAL_INPUT, amps, text, number=number)


def _meter_input(settings: Settings, meter: SiteMeterStatus | None) -> Iterator[SiteLimitRow]:
    used = settings.choice("DLMMeterDigitalInputConfig", OffOn) is OffOn.ON
    if not used or not uses_meter(settings):
        return
    amps, level = PerPhase(*settings.amps("DLMMeterDigitalInputLimit")), None
    if meter is not None and meter.current_a is not None and meter.measurement is not None:
        level = meter.measurement.digital_input
    if level is not False:
        text = _METER_INPUT_UNKNOWN if level is None else _METER_INPUT
        yield _row(LimitCause.EXTERNAL_INPUT, amps, text)


def _managers(facts: SiteFacts) -> Iterator[SiteLimitRow]:
    for owner, limit in sorted(facts.managers.items()):
        silent = limit.expired(facts.now_s)
        amps, text = (limit.fallback_a, _MANAGER_SILENT) if silent else (limit.amps, _MANAGER)
        row = _row(LimitCause.ENERGY_MANAGER, amps, text, owner=owner)
        yield replace(row, fallback_a=limit.fallback_a)


def _backend(settings: Settings, amps: PerPhase | None) -> Iterator[SiteLimitRow]:
    if amps is not None and settings.flag("DLMBackendLimitIsGroup"):
        yield _row(LimitCause.OCPP_STATION, amps, _BACKEND)


def _main(settings: Settings, facts: SiteFacts) -> Iterator[SiteLimitRow]:
    if not uses_meter(settings):
        return
    main = settings.amps_or_none("DLMMainDistributionLimit")
    room_a = main_less_headroom(settings)
    if main is None or room_a is None:
        yield _row(LimitCause.EXTERNAL_LOAD_FALLBACK, ZERO, _NO_MAIN)
        return
    silent_a = room_a.minus(assumed_load(settings))
    load_a, cause, text = facts.load_a, LimitCause.EXTERNAL_LOAD, _LEFT
    if load_a is None:
        load_a = assumed_load(settings)
        cause, text = LimitCause.EXTERNAL_LOAD_FALLBACK, _SILENT
    elif facts.denied and location_of(settings) is MeterLocation.INCLUDING:
        text = _DENIED
    row = _row(
        cause,
        room_a.minus(load_a),
        text,
        main=shown(PerPhase(*main)),
        headroom=shown(PerPhase(*settings.amps("DLMExternalLoadHeadroom"))),
        load=shown(load_a),
    )
    age_s = None if facts.meter is None else facts.meter.age_s
    if not facts.followed:
        row = _doubted(row, facts.meter)
    yield replace(row, age_s=age_s, fallback_a=_not_negative(silent_a))


def _doubted(row: SiteLimitRow, meter: SiteMeterStatus | None) -> SiteLimitRow:
    if meter is None or meter.state is not SiteMeterState.DOUBTED or meter.reason is None:
        return row
    reason = Message(_DOUBTED, {"sentence": row.reason, "doubt": meter.reason})
    return replace(row, reason=reason)


def _row(source: LimitCause, amps: PerPhase, text: str, **values: object) -> SiteLimitRow:
    kept_a = _not_negative(amps)
    reason = Message(text, {"amps": shown(kept_a), **values})
    return SiteLimitRow(source=source, amps=kept_a, reason=reason)


def _not_negative(amps: PerPhase) -> PerPhase:
    """Rounded down to hundredths; what is no number allows nothing."""
    return PerPhase(*(floor(one * 100 + 1e-6) / 100 if one > 0 else 0.0 for one in amps))


def _marked(rows: Sequence[SiteLimitRow]) -> tuple[SiteLimitRow, ...]:
    """The first of the lowest rows is effective on a phase."""
    first = [min(range(len(rows)), key=lambda n: rows[n].amps[phase - 1]) for phase in GRID_PHASES]
    return tuple(
        replace(row, effective=(first[0] == n, first[1] == n, first[2] == n))
        for n, row in enumerate(rows)
    )


def shown(amps: PerPhase) -> str:
    """Amps of one number, or of each phase."""
    texts = [f"{round(one, 1):g}" for one in amps]
    return texts[0] if len(set(texts)) == 1 else "/".join(texts)
