"""Readings of the dashboard and fields of `/rest/full_state` (manual 1.3, 3; reference page).

They are not settings; they are listed here for the search.
"""

from __future__ import annotations

from borne.domain.principals import Role
from borne.domain.settings.builder import Section
from borne.domain.settings.entry import Entry, Feature, Has, Menu, Origin, SettingKind
from borne.foundation.messages import N_

_general = Section(Menu.DASHBOARD, N_("General"), role=Role.USER)
_status = Section(Menu.DASHBOARD, N_("System Status"), role=Role.USER)
_rcmb = Section(
    Menu.DASHBOARD,
    N_("System Status"),
    role=Role.USER,
    when=(Has(Feature.RCMB),),
    origin=Origin.VENDOR,
)
_rest = Section(Menu.DASHBOARD, N_("REST full_state"), role=Role.USER, origin=Origin.VENDOR)


def _reading(section: Section, key: str, label: str, help_: str, unit: str = "") -> Entry:
    return section.other(SettingKind.READING, key, label, help_, unit=unit)


REST_FIELDS = (
    "conn_state", "auth_state", "auth_uid", "time_since_charging_start", "meter_wh", "power_w",
    "voltage_v", "transaction_wh", "cp_id", "ocpp_state", "type2_state", "type2_proximity",
    "sig_current", "schuko_state", "backend_conn_state", "free_charging", "slave_state",
    "ocpp_meter_cfg", "ocpp_meter_serial", "current_a", "energy_man_current", "ambient_temp",
    "firmware_ver", "cc_serial_n", "con_cycles_schuko", "con_cycles_type2", "max_current",
    "rcmb_state", "rcmb_max_values", "rcmb_current_values", "cable_attached", "schuko_cfg",
    "rcd_state", "mcb_type2_state", "mcb_schuko_state", "cp_vendor", "errors", "cp_model",
    "display_text", "wlan_state",
)  # fmt: skip
"""Lines of `GET /rest/full_state`, in their order."""

ENTRIES = (
    _reading(
        _general,
        "reading.sessions_total",
        N_("Total charging sessions"),
        N_("Sessions since the first start."),
    ),
    _reading(
        _general,
        "reading.mean_duration",
        N_("Average duration per session"),
        N_("Average time that a car stays."),
        "min",
    ),
    _reading(
        _general,
        "reading.mean_energy",
        N_("Average kWh per session"),
        N_("Average energy of a session."),
        "kWh",
    ),
    _reading(
        _general,
        "reading.last_month",
        N_("Last month (export)"),
        N_("Sessions and energy of last month, as a table to download."),
    ),
    _reading(
        _status,
        "reading.identity",
        N_("OCPP ChargeBoxIdentity (ChargePointID)"),
        N_("Name of the station at the backend."),
    ),
    _reading(_status, "reading.ocpp_state", N_("OCPP State"), N_("Status as the backend sees it.")),
    _reading(_status, "reading.type2_state", N_("Type2 State"), N_("Car and cable at the socket.")),
    _reading(
        _status,
        "reading.signaled_current",
        N_("Signaled Current"),
        N_("Current that the car is offered now."),
        "A",
    ),
    _reading(
        _status,
        "reading.backend_state",
        N_("Connection State (Backend)"),
        N_("Whether the backend is connected, and when the next heartbeat is sent."),
    ),
    _reading(
        _status,
        "reading.modem_state",
        N_("Connection State (modem) / APN session duration"),
        N_("Whether the mobile connection is up, and since when."),
    ),
    _reading(
        _status,
        "reading.dlm",
        N_("DLM status and slave table"),
        N_("Current of each participant, on the master of a group."),
    ),
    _reading(
        _rcmb,
        "RCMB_STATE",
        N_("RDC-M (RCMB) protection state"),
        N_("State of the residual current monitor."),
    ),
    _reading(
        _rcmb,
        "RCMBTransactionMaxRMS",
        N_("RCMB maximum RMS in transaction"),
        N_("Largest alternating residual current of the session."),
        "mA",
    ),
    _reading(
        _rcmb,
        "RCMBTransactionMaxDC",
        N_("RCMB maximum DC in transaction"),
        N_("Largest direct residual current of the session."),
        "mA",
    ),
    *(
        _reading(_rest, f"rest.{name}", f"REST field {name}", N_("Line of GET /rest/full_state."))
        for name in REST_FIELDS
    ),
)
