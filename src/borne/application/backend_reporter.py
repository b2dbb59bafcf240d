"""Tells the backend the status of every connector, and of the station as connector 0.

Sources: OCPP 1.6 chapter 4.9; manual 4 (which notifications are sent, "Preparing until state C"),
decision D31; free charging mode 1 sends nothing (manual 5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from borne.application.connector_runner import ConnectorRunner
from borne.application.fault_service import FaultChange, FaultService
from borne.application.ports import BackendPort, ConnectorStatus
from borne.application.station_settings import free_mode
from borne.domain.authorization.free_charging import RULES
from borne.domain.settings.snapshot import Settings
from borne.domain.station.faults import CATALOGUE, Fault, most_serious, vendor_code
from borne.domain.station.status import OCPP_16, connector_status
from borne.domain.station.status import ConnectorStatus as State
from borne.foundation.clock import Clock

INFO_LENGTH = 50
"""OCPP 1.6: `info` of StatusNotification."""


class BackendReporter:
    """Turns changes of state into the current status of each connector."""

    def __init__(
        self,
        runners: Mapping[int, ConnectorRunner],
        faults: FaultService,
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self.backend: BackendPort | None = None
        self._runners = runners
        self._faults = faults
        self._settings = settings
        self._clock = clock
        self._told: dict[int, tuple[str, str, str, str]] = {}

    def start(self) -> None:
        """Follow the connectors and the faults."""
        for runner in self._runners.values():
            runner.changed.subscribe(self._take_change)
        self._faults.changed.subscribe(self._take_fault)
        self.report_all()

    def report_all(self) -> None:
        """The status of the station and of every connector."""
        self._report(0, self._station_status(), self._faults_of(0))
        for runner in self._runners.values():
            self._take_change(runner)

    def current(self, connector: int) -> ConnectorStatus:
        """The status of a connector now, for a backend that asks (TriggerMessage)."""
        status, error, info, vendor = self._told.get(connector, ("Available", "NoError", "", ""))
        return ConnectorStatus(connector, status, error, info, vendor, self._clock.moment())

    def _take_fault(self, change: FaultChange) -> None:
        if change.connector == 0:
            self._report(0, self._station_status(), self._faults_of(0))
            return
        info = "" if change.active else CATALOGUE[change.fault].resolution
        self._take_change(self._runners[change.connector], info)

    def _take_change(self, runner: ConnectorRunner, info: str = "") -> None:
        status = self._ocpp_status(runner)
        self._report(runner.connector, status, runner.state.faults, info)

    def _ocpp_status(self, runner: ConnectorRunner) -> str:
        state = connector_status(runner.state)
        session = runner.state.session
        if state is State.SUSPENDED_EV and session is not None and not session.asked:
            early = self._settings().flag("PreparingUntilStateC")
            return "Preparing" if early else "Charging"
        return OCPP_16[state]

    def _station_status(self) -> str:
        blocked = any(CATALOGUE[fault].blocks for fault in self._faults_of(0))
        return "Faulted" if blocked else "Available"

    def _faults_of(self, connector: int) -> frozenset[Fault]:
        return frozenset(active.fault for active in self._faults.active(connector))

    def _report(
        self, connector: int, status: str, faults: frozenset[Fault], info: str = ""
    ) -> None:
        error, vendor = "NoError", ""
        headline = most_serious(faults)
        if headline is not None and self._settings().flag("SendErrorStatusNotifications"):
            kind = CATALOGUE[headline]
            error = self._faults.error_code(headline, connector)
            info, vendor = kind.activation, vendor_code(headline)
        elif status == "Faulted":
            error = "OtherError"
        told = (status, error, info[:INFO_LENGTH], vendor)
        before = self._told.get(connector)
        if told == before or (before is not None and _only_info_left(told, before)):
            return
        self._told[connector] = told
        mode = free_mode(self._settings())
        silent = mode is not None and not RULES[mode].reports_status
        if self.backend is not None and not silent:
            report = ConnectorStatus(connector, *told, self._clock.moment())
            self.backend.report_status(report)


def _only_info_left(told: tuple[str, str, str, str], before: tuple[str, str, str, str]) -> bool:
    """A resolution text that is gone again is not worth a message."""
    return told[0] == before[0] and told[1] == before[1] == "NoError" and told[2] == ""
