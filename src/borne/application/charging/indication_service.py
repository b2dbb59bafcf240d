"""Shows the state of every connector on its LED ring (manual 6)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from borne.application.charging.connector import Connector
from borne.application.ports.hardware import IndicatorPort
from borne.application.settings.running import RunningSettings
from borne.domain.authorization.outcome import CardOutcome
from borne.domain.station.indication import PATTERNS, pattern_for
from borne.foundation.events import Signal
from borne.foundation.timers import Timers

IDENTIFY_S = 30.0
LIGHT_KEYS = frozenset({"BlinkRepeat", "LightIntensity", "ShowBackendDisconnectAsError"})


class IndicationService:
    """One pattern for each connector."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        indicator: IndicatorPort,
        settings: RunningSettings,
    ) -> None:
        self.changed: Signal[int] = Signal()
        self._connectors = connectors
        self._indicator = indicator
        self._settings = settings
        self._updating = False
        self._shown: dict[int, str] = {}
        self._rejected = Timers()
        self._identifying = Timers()

    def start(self) -> None:
        self._settings.on_change(LIGHT_KEYS, self._on_settings_changed)
        self._dim()
        for connector in self._connectors.values():
            connector.changed.subscribe(self._refresh)
            self._refresh(connector)

    def shown(self, connector: int) -> str:
        """Name of the pattern shown at a connector."""
        return self._shown.get(connector, "")

    def abort(self) -> None:
        self._rejected.stop()
        self._identifying.stop()

    def identify(self) -> None:
        """Blink white for half a minute, so that a person finds the station."""
        self._identifying.plan("end", IDENTIFY_S, self._refresh_all)
        self._refresh_all()

    def show_update(self, *, active: bool) -> None:
        """Whether new software is being installed (up to 10 min)."""
        self._updating = active
        self._refresh_all()

    def on_card_outcome(self, outcome: CardOutcome) -> None:
        """Blink for a refused card, `BlinkRepeat` times (manual 6: five)."""
        blinks = self._settings().integer("BlinkRepeat")
        if outcome.accepted or blinks == 0:
            return
        duration_s = blinks * PATTERNS["rejected"].period_s
        for connector in map(self._connectors.__getitem__, outcome.connectors):
            if connector.id in self._rejected:
                self._rejected.cancel(connector.id)
                self._refresh(connector)
            self._rejected.plan(connector.id, duration_s, partial(self._refresh, connector))
            self._refresh(connector)

    def _on_settings_changed(self) -> None:
        self._dim()
        self._refresh_all()

    def _dim(self) -> None:
        self._indicator.dim(self._settings().integer("LightIntensity"))

    def _refresh_all(self) -> None:
        for connector in self._connectors.values():
            self._refresh(connector)

    def _refresh(self, connector: Connector) -> None:
        number = connector.id
        pattern = pattern_for(
            connector.status,
            rejected=number in self._rejected,
            updating=self._updating,
            identifying="end" in self._identifying,
            backend_matters=self._settings().flag("ShowBackendDisconnectAsError"),
        )
        if pattern != self._shown.get(number):
            self._shown[number] = pattern
            self._indicator.show(number, pattern)
            self.changed.emit(number)
