"""The limit of the whole group, and its sources (manual 7.4)."""

from __future__ import annotations

from typing import Protocol

from borne.application.ports.hardware import InputPort
from borne.application.settings.running import RunningSettings
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.external_load import ExternalLoad
from borne.domain.load_management.load_status import SiteLimitRow
from borne.domain.meters.site_status import SiteMeterStatus
from borne.domain.settings.choices import MeterLocation
from borne.foundation.clock import Clock
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import N_, Message
from borne.foundation.timers import Timers
from borne.foundation.units import ZERO, PerPhase

KEYS = frozenset(
    {
        "DLMEVSESubDistributionLimit",
        "DLMOperatorEVSESubDistributionLimit",
    }
)
_SUB = N_("Fuse of the sub-distribution of the stations: {amps} A.")
_OPERATOR = N_("Set by the operator: {amps} A.")


class SiteMeter(Protocol):
    """The part of the second meter that this needs."""

    @property
    def changed(self) -> Signal[SiteMeterStatus]: ...

    @property
    def status(self) -> SiteMeterStatus: ...


class SiteLimits:
    """Watches the sources of the limit of a master's group."""

    def __init__(
        self,
        settings: RunningSettings,
        inputs: InputPort | None,
        meter: SiteMeter | None,
        clock: Clock,
    ) -> None:
        self.changed: Signal[bool] = Signal()
        """True: a limit fell; False: it rose, or only a text changed."""
        self._settings = settings
        self._inputs = inputs
        self._meter = meter
        self._clock = clock
        self._timers = Timers()
        self._unsubscribe: list[Unsubscribe] = []
        self._load = ExternalLoad()
        self._rows: tuple[SiteLimitRow, ...] = ()
        self._limit_a = ZERO

    def start(self) -> None:
        """Find the first rows, and subscribe to their sources."""
        self._unsubscribe.append(self._settings.on_change(KEYS, self._update))
        self._update()

    def abort(self) -> None:
        self._timers.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    @property
    def rows(self) -> tuple[SiteLimitRow, ...]:
        """All sources."""
        return self._rows

    @property
    def limit_a(self) -> PerPhase:
        """The lowest of all sources, in amps per grid phase."""
        return self._limit_a

    @property
    def external_a(self) -> PerPhase | None:
        """The load beside the stations that counts; None without an external meter, or while it
        is silent."""
        if self._meter is None:
            return None
        location = self._settings().choice("DLMExternalMeterLocation", MeterLocation)
        averaging_s = float(self._settings().integer("DLMExternalLoadAveraging"))
        return self._load.load_a(self._clock.monotonic(), location, averaging_s)

    def note_drawn(self, evse_a: PerPhase) -> None:
        """Record the certain sum of the stations' currents, in amps per grid phase."""
        self._load = self._load.drawn(self._clock.monotonic(), evse_a)

    def put_backend(self, amps: float | None) -> None:
        """The backend's limit of the station, which counts for the group; None withdraws it."""

    def _update(self) -> None:
        settings = self._settings()
        fuse_a = PerPhase(*settings.amps("DLMEVSESubDistributionLimit"))
        operator_a = PerPhase(*settings.amps("DLMOperatorEVSESubDistributionLimit"))
        self._rows = (
            _row(LimitCause.SUB_DISTRIBUTION, fuse_a, _SUB),
            _row(LimitCause.OPERATOR, operator_a.lowest(fuse_a), _OPERATOR),
        )
        before, self._limit_a = self._limit_a, operator_a.lowest(fuse_a)
        self.changed.emit(self._limit_a.lowest(before) != before)


def _row(source: LimitCause, amps: PerPhase, text: str) -> SiteLimitRow:
    shown = "/".join(f"{value:g}" for value in amps)
    return SiteLimitRow(source=source, amps=amps, reason=Message(text, {"amps": shown}))
