"""Reports the status of every connector, and of the station as connector 0, to the backend.

Sources: OCPP 1.6 chapter 4.9 and errata 3.20; MinimumStatusDuration of chapter 9; manual 4 (which
notifications are sent, "Preparing until state C"), decision D31; free charging mode 1 sends nothing
(manual 5.2). Decisions 0135 (order) and 0136 (a vehicle that does not ask for energy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from borne.application.charging.connector import Connector
from borne.application.charging.fault_service import FaultChange, FaultService
from borne.application.charging.station_control import StationControl
from borne.application.ports.backend import NO_ERROR, StatusReport
from borne.application.ports.backend_link import BackendLink
from borne.application.settings.running import RunningSettings
from borne.application.settings.station_settings import FREE_KEYS, free_mode
from borne.domain.authorization.free_charging import RULES
from borne.domain.station.board import BoardReport, TemperatureReport
from borne.domain.station.connector_state import Phase
from borne.domain.station.faults import CATALOGUE, Fault, most_serious, vendor_code
from borne.domain.station.status import (
    BACKEND_STATUS,
    IN_TRANSACTION,
    BackendStatus,
    ConnectorStatus,
    status_in_between,
)
from borne.foundation.clock import Clock, Moment
from borne.foundation.timers import Timers

INFO_LENGTH = 50
"""OCPP 1.6: `info` of StatusNotification."""
TEMPERATURE_STEP_K = 10.0
"""The controller's temperature is reported after a change of this size."""
EV_SIDE_DISCONNECTED = "EV side disconnected"
LIST_CONFLICT = "LocalListConflict"
REPORTING_KEYS = FREE_KEYS | {
    "MinimumStatusDuration",
    "PreparingUntilStateC",
    "SendErrorStatusNotifications",
}
_ENDING = frozenset({Phase.STOPPING, Phase.CLOSING})


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of a StatusNotification without the time."""

    status: BackendStatus
    error: str = NO_ERROR
    info: str = ""
    vendor: str = ""

    def repeats(self, before: _Content) -> bool:
        """True if nothing is new; the removal of a resolution text is not reported."""
        quiet = self.error == before.error == NO_ERROR and self.info == ""
        left = quiet and before.info != EV_SIDE_DISCONNECTED
        return self == before or (left and self.status is before.status)


class BackendReporter:
    """Derives the present status of each connector from its state."""

    _in_session: frozenset[int] = frozenset()

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        faults: FaultService,
        control: StationControl,
        settings: RunningSettings,
        clock: Clock,
        link: BackendLink,
    ) -> None:
        self._link = link
        self._connectors = connectors
        self._faults = faults
        self._control = control
        self._settings = settings
        self._clock = clock
        self._sent: dict[int, _Content] = {}
        self._reported_c: dict[int, float] = {}
        self._reported_faults: dict[int, set[Fault]] = {
            number: set() for number in (0, *connectors)
        }
        """Faults that were reported to the backend: only these are reported as recovered."""
        self._waiting: dict[int, tuple[_Content, Moment]] = {}
        self._timers = Timers()
        self._list_conflict = False
        self._silent = False

    def start(self) -> None:
        """Subscribe to connectors and faults."""
        self._silent = self._is_silent()
        for connector in self._connectors.values():
            connector.changed.subscribe(self._on_connector_changed)
            connector.subscribe_reports(partial(self._on_board_report, connector))
        self._faults.changed.subscribe(self._on_fault_changed)
        self._control.station_changed.notify(self._report_station)
        self._settings.on_change(REPORTING_KEYS, self._on_settings_changed)
        self._refresh()

    def _on_settings_changed(self) -> None:
        """Report what the changed settings reveal or hide."""
        silent, self._silent = self._silent, self._is_silent()
        if silent and not self._silent:
            for connector, content in self._sent.items():
                self._send(connector, content, self._clock.moment())
        self._refresh()

    def settle(self, connector: int | None = None) -> None:
        """Report present statuses now, without the delay of MinimumStatusDuration."""
        for number in tuple(self._waiting) if connector is None else (connector,):
            waiting = self._waiting.get(number)
            if waiting is not None:
                self._send_in_order(number, *waiting)

    def on_list_conflict(self, conflict: bool) -> None:
        """An answer of the backend contradicts its local list, or a new list came (OCPP 3.5.2)."""
        if conflict is not self._list_conflict:
            self._list_conflict = conflict
            self._report_station()

    def abort(self) -> None:
        self._timers.stop()

    # What happens ----------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._report_station()
        for connector in self._connectors.values():
            self._on_connector_changed(connector)

    def _on_board_report(self, connector: Connector, report: BoardReport) -> None:
        """Report informative events of the board that are not faults."""
        if not isinstance(report, TemperatureReport):
            return
        reported_c = self._reported_c.get(connector.id)
        if reported_c is not None and abs(report.board_c - reported_c) < TEMPERATURE_STEP_K:
            return
        self._reported_c[connector.id] = report.board_c
        before = self._sent.get(connector.id)
        wanted = self._settings().flag("SendInformativeStatusNotifications")
        # The first reading is not a change.
        if reported_c is not None and wanted and before is not None and before.error == NO_ERROR:
            info = f"Controller temperature {report.board_c:.0f} °C"
            self._send(connector.id, replace(before, info=info), self._clock.moment())

    def _on_fault_changed(self, change: FaultChange) -> None:
        known = self._reported_faults[change.connector]
        recovers = not change.active and change.fault in known
        info = CATALOGUE[change.fault].resolution if recovers else ""
        if not change.active:
            known.discard(change.fault)
        if change.connector == 0:
            self._report_station(info)
            return
        self._on_connector_changed(self._connectors[change.connector], info)

    def _report_station(self, info: str = "") -> None:
        faults = frozenset(active.fault for active in self._faults.active(0))
        blocked = any(CATALOGUE[fault].blocks for fault in faults)
        operative = self._control.station_operative
        status = BackendStatus.AVAILABLE if operative else BackendStatus.UNAVAILABLE
        self._report(0, BackendStatus.FAULTED if blocked else status, faults, info)

    def _on_connector_changed(self, connector: Connector, info: str = "") -> None:
        number, session, faults = connector.id, connector.status.session, connector.status.faults
        status = self._status(connector)
        if session is not None and session.session_id:
            self._in_session |= {number}
        elif session is None and number in self._in_session:
            self._in_session -= {number}
            before = self._latest(number)
            ended = before is not None and before.status in IN_TRANSACTION
            if ended and status is BackendStatus.AVAILABLE:
                # The end of a transaction is reported even if the status is very short.
                self._report(number, BackendStatus.FINISHING, faults)
        if status is BackendStatus.SUSPENDED_EV and not connector.status.connected:
            info = info or EV_SIDE_DISCONNECTED
        self._report(number, status, faults, info)

    def _status(self, connector: Connector) -> BackendStatus:
        state, session = connector.status.state, connector.status.session
        if session is None or state is ConnectorStatus.FAULTED:
            return BACKEND_STATUS[state]
        if session.phase in _ENDING:
            # The transaction, and its status, continue until its end is committed.
            before = self._latest(connector.id)
            if before is not None and before.status in (*IN_TRANSACTION, BackendStatus.PREPARING):
                return before.status
            return BackendStatus.SUSPENDED_EVSE
        ready = state in (ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV)
        waits = ready and connector.status.connected
        if waits and not session.asked and self._settings().flag("PreparingUntilStateC"):
            return BackendStatus.PREPARING
        return BACKEND_STATUS[state]

    def _latest(self, connector: int) -> _Content | None:
        """The last content that was sent or waits to be sent."""
        waiting = self._waiting.get(connector)
        return waiting[0] if waiting is not None else self._sent.get(connector)

    # What is said ----------------------------------------------------------------------------

    def _report(
        self, connector: int, status: BackendStatus, faults: frozenset[Fault], info: str = ""
    ) -> None:
        content = self._content(connector, status, faults, info)
        before = self._sent.get(connector)
        waiting = self._waiting.get(connector)
        if waiting is not None:
            if content.repeats(waiting[0]):
                return
            self._stop_waiting(connector)
        if before is not None and content.repeats(before):
            return
        moment = self._clock.moment()
        wait_s = self._settings().integer("MinimumStatusDuration")
        if (
            before is None
            or content.status in (before.status, BackendStatus.FAULTED)
            or wait_s == 0
        ):
            self._send_in_order(connector, content, moment)
            return
        self._waiting[connector] = (content, moment)
        send = partial(self._send_in_order, connector, content, moment)
        self._timers.plan(connector, wait_s, send)

    def _stop_waiting(self, connector: int) -> None:
        self._waiting.pop(connector, None)
        self._timers.cancel(connector)

    def _content(
        self, connector: int, status: BackendStatus, faults: frozenset[Fault], info: str
    ) -> _Content:
        """With "Send error" off, no new faults are reported; those already reported recover."""
        error, vendor = NO_ERROR, ""
        wanted = self._settings().flag("SendErrorStatusNotifications")
        headline = most_serious(faults if wanted else faults & self._reported_faults[connector])
        if headline is not None:
            error = self._faults.error_code(headline, connector)
            info, vendor = CATALOGUE[headline].activation, vendor_code(headline)
        elif status is BackendStatus.FAULTED:
            error = "OtherError"
        elif connector == 0 and self._list_conflict and wanted:
            error = LIST_CONFLICT
        return _Content(status, error, info[:INFO_LENGTH], vendor)

    def _send_in_order(self, connector: int, content: _Content, since: Moment) -> None:
        self._stop_waiting(connector)
        found, before = self._connectors.get(connector), self._sent.get(connector)
        if found is not None and before is not None:
            plugged = found.status.connected
            between = status_in_between(before.status, content.status, plugged=plugged)
            if between is not None:
                self._send(connector, _Content(between), since)
        self._sent[connector] = content
        self._note_faults(connector, content)
        self._send(connector, content, since)

    def _note_faults(self, connector: int, content: _Content) -> None:
        self._reported_faults[connector] |= {
            f for f in CATALOGUE if vendor_code(f) == content.vendor
        }

    def _is_silent(self) -> bool:
        mode = free_mode(self._settings())
        return mode is not None and not RULES[mode].reports_status

    def _send(self, connector: int, content: _Content, since: Moment) -> None:
        backend = self._link.backend
        if backend is not None and not self._silent:
            news = content.error == NO_ERROR and content.info not in ("", EV_SIDE_DISCONNECTED)
            report = StatusReport(
                connector,
                content.status,
                since,
                content.error,
                content.info,
                content.vendor,
                info_is_news=news,
            )
            backend.report_status(report)
