"""Tells the backend the status of every connector, and of the station as connector 0.

Sources: OCPP 1.6 chapter 4.9 and errata 3.20; MinimumStatusDuration of chapter 9; manual 4 (which
notifications are sent, "Preparing until state C"), decision D31; free charging mode 1 sends
nothing (manual 5.2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from borne.application.connector_runner import ConnectorRunner
from borne.application.fault_service import FaultChange, FaultService
from borne.application.ports import BackendPort, ConnectorStatus
from borne.application.station_control import StationControl
from borne.application.station_settings import free_mode
from borne.domain.authorization.free_charging import RULES
from borne.domain.settings.snapshot import Settings
from borne.domain.station.board import BoardReport, TemperatureReport
from borne.domain.station.faults import CATALOGUE, Fault, most_serious, vendor_code
from borne.domain.station.status import OCPP_16, connector_status
from borne.domain.station.status import ConnectorStatus as State
from borne.foundation.clock import Clock, Moment

INFO_LENGTH = 50
"""OCPP 1.6: `info` of StatusNotification."""
TEMPERATURE_STEP_K = 10.0
"""The backend hears of the controller's temperature when it has changed by so much."""
EV_SIDE_DISCONNECTED = "EV side disconnected"


@dataclass(frozen=True, slots=True)
class _Told:
    """All that a StatusNotification says, but for the time."""

    status: str
    error: str = "NoError"
    info: str = ""
    vendor: str = ""

    def repeats(self, before: _Told) -> bool:
        """Nothing new; a resolution text that is gone again is not worth a message."""
        quiet = self.error == before.error == "NoError" and self.info == ""
        left = quiet and before.info != EV_SIDE_DISCONNECTED
        return self == before or (left and self.status == before.status)


class BackendReporter:
    """Turns changes of state into the current status of each connector."""

    def __init__(
        self,
        runners: Mapping[int, ConnectorRunner],
        faults: FaultService,
        control: StationControl,
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self.backend: BackendPort | None = None
        self._runners = runners
        self._faults = faults
        self._control = control
        self._settings = settings
        self._clock = clock
        self._told: dict[int, _Told] = {}
        self._told_c: dict[int, float] = {}
        self._waiting: dict[int, tuple[_Told, asyncio.TimerHandle]] = {}

    def start(self) -> None:
        """Follow the connectors and the faults."""
        for runner in self._runners.values():
            runner.changed.subscribe(self._take_change)
            runner.board.subscribe(partial(self._take_report, runner))
        self._faults.changed.subscribe(self._take_fault)
        self._control.station_changed.subscribe(lambda _: self._take_station())
        self._take_station()
        for runner in self._runners.values():
            self._take_change(runner)

    def _take_report(self, runner: ConnectorRunner, report: BoardReport) -> None:
        """Informative: nothing is wrong, but somebody may want to know."""
        if not isinstance(report, TemperatureReport):
            return
        told_c = self._told_c.get(runner.connector)
        if told_c is not None and abs(report.board_c - told_c) < TEMPERATURE_STEP_K:
            return
        self._told_c[runner.connector] = report.board_c
        before = self._told.get(runner.connector)
        wanted = self._settings().flag("SendInformativeStatusNotifications")
        # The first reading is no news.
        if told_c is not None and wanted and before is not None and before.error == "NoError":
            info = f"Controller temperature {report.board_c:.0f} °C"
            self._send(runner.connector, replace(before, info=info), self._clock.moment())

    def abort(self) -> None:
        """Power cut."""
        for _, timer in self._waiting.values():
            timer.cancel()

    def _take_fault(self, change: FaultChange) -> None:
        info = "" if change.active else CATALOGUE[change.fault].resolution
        if change.connector == 0:
            self._take_station(info)
            return
        self._take_change(self._runners[change.connector], info)

    def _take_station(self, info: str = "") -> None:
        faults = frozenset(active.fault for active in self._faults.active(0))
        blocked = any(CATALOGUE[fault].blocks for fault in faults)
        status = "Available" if self._control.station_operative else "Unavailable"
        self._report(0, "Faulted" if blocked else status, faults, info)

    def _take_change(self, runner: ConnectorRunner, info: str = "") -> None:
        state, session = connector_status(runner.state), runner.state.session
        status = OCPP_16[state]
        if state is State.SUSPENDED_EV and session is not None:
            if not runner.state.connected:
                info = info or EV_SIDE_DISCONNECTED
            elif not session.asked:
                early = self._settings().flag("PreparingUntilStateC")
                status = "Preparing" if early else "Charging"
        self._report(runner.connector, status, runner.state.faults, info)

    def _report(
        self, connector: int, status: str, faults: frozenset[Fault], info: str = ""
    ) -> None:
        told = self._worded(connector, status, faults, info)
        before = self._told.get(connector)
        waiting = self._waiting.get(connector)
        if waiting is not None:
            if told.repeats(waiting[0]):
                return
            waiting[1].cancel()
            del self._waiting[connector]
        if before is not None and told.repeats(before):
            return
        moment = self._clock.moment()
        wait_s = self._settings().integer("MinimumStatusDuration")
        if before is None or told.status in (before.status, "Faulted") or wait_s == 0:
            self._tell(connector, told, moment)
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(wait_s, self._tell, connector, told, moment)
        self._waiting[connector] = (told, timer)

    def _worded(self, connector: int, status: str, faults: frozenset[Fault], info: str) -> _Told:
        error, vendor = "NoError", ""
        headline = most_serious(faults)
        if headline is not None and self._settings().flag("SendErrorStatusNotifications"):
            error = self._faults.error_code(headline, connector)
            info, vendor = CATALOGUE[headline].activation, vendor_code(headline)
        elif status == "Faulted":
            error = "OtherError"
        return _Told(status, error, info[:INFO_LENGTH], vendor)

    def _tell(self, connector: int, told: _Told, since: Moment) -> None:
        self._waiting.pop(connector, None)
        self._told[connector] = told
        self._send(connector, told, since)

    def _send(self, connector: int, told: _Told, since: Moment) -> None:
        mode = free_mode(self._settings())
        silent = mode is not None and not RULES[mode].reports_status
        if self.backend is not None and not silent:
            words = (told.status, told.error, told.info, told.vendor)
            self.backend.report_status(ConnectorStatus(connector, *words, since))
