"""`GET /rest/full_state`: the state of a socket in the format of older controllers, one `key:value`
per line, for home automation that reads it.

Keys, order and words are those seen on such controllers. A key without a reading on this station
has an empty value.
"""

from __future__ import annotations

from datetime import datetime

from borne.domain.settings.catalogue.readings import REST_FIELDS
from borne.domain.settings.choices import OptoInput
from borne.domain.settings.snapshot import Settings
from borne.domain.station.faults import Fault
from borne.domain.station.station_status import SocketStatus, StationStatus
from borne.domain.station.status import ConnectorStatus

VEHICLE = ("B", "C", "D")
"""States of the control pilot in which a vehicle is plugged."""
BACKEND = {"connected": "connected", "off": "disabled"}
"""The other states of the link are "pending"."""
OCPP = {
    ConnectorStatus.SUSPENDED_EV: "suspendedev",
    ConnectorStatus.SUSPENDED_EVSE: "suspendedevse",
    ConnectorStatus.AUTHORIZED: "preparing",
}


def full_state(
    status: StationStatus, connector: int, settings: Settings, version: str, *, stranger: bool
) -> str:
    """The lines of a socket. Without login (RestStateOpen) no card is shown. Raises KeyError for an
    unknown socket."""
    socket = status.socket(connector)
    values = (
        _vehicle(status, socket)
        | _energy(socket)
        | _protection(status, socket, settings)
        | _station(status, connector, settings)
        | {"firmware_ver": version}
    )
    if stranger:
        del values["auth_uid"]
    return "".join(f"{name}:{_one_line(values.get(name, ''))}\n" for name in REST_FIELDS)


def _one_line(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _vehicle(status: StationStatus, socket: SocketStatus) -> dict[str, object]:
    session, state = socket.session, socket.state
    authorized = session is not None or state is ConnectorStatus.AUTHORIZED
    return {
        "conn_state": _connection(state, socket.pilot),
        "auth_state": f"{'' if authorized else 'not_'}authorized_for_charging",
        "auth_uid": session.identity.masked if session else "",
        "time_since_charging_start": _seconds(status.time, session.started_at if session else None),
        "ocpp_state": OCPP.get(state, state.value),
        "type2_state": socket.pilot[:1].lower(),
        "type2_proximity": "no_cable" if socket.cable_a is None else "cable_attached",
        "sig_current": f"{max(socket.offered_a):g}",
        "display_text": " ".join(socket.display[0]) if socket.display else "",
    }


def _connection(state: ConnectorStatus, pilot: str) -> str:
    if state is ConnectorStatus.FAULTED:
        return "vehicle_connector_error"
    if state is ConnectorStatus.CHARGING:
        return "vehicle_charging_type2"
    return "vehicle_connected_type2" if pilot.startswith(VEHICLE) else "no_vehicle_connected"


def _seconds(now: datetime, began: datetime | None) -> int:
    return 0 if began is None else max(0, round((now - began).total_seconds()))


def _energy(socket: SocketStatus) -> dict[str, object]:
    return {
        "meter_wh": socket.register_wh,
        "power_w": "" if socket.power_w is None else socket.power_w,
        "transaction_wh": socket.session.energy_wh if socket.session else 0,
        "current_a": ",".join(f"{amps:.2f}" for amps in socket.measured_a or ()),
    }


def _protection(
    status: StationStatus, socket: SocketStatus, settings: Settings
) -> dict[str, object]:
    faults = [active.fault for active in (*status.faults, *socket.faults)]

    def state(fault: Fault) -> str:
        return "triggered" if fault in faults else "okay"

    def contact(key: str, fault: Fault) -> str:
        unused = settings[key] == OptoInput.DISABLE
        return OptoInput.DISABLE if unused else state(fault)

    return {
        "rcmb_state": state(Fault.RESIDUAL_CURRENT),
        "rcd_state": contact("RCDInput", Fault.RCD_TRIPPED),
        "mcb_type2_state": contact("MCBType2Input", Fault.MCB_TYPE2),
        "mcb_schuko_state": contact("MCBDomesticInput", Fault.MCB_DOMESTIC),
        "errors": ",".join(faults) or "no_errors",
    }


def _station(status: StationStatus, connector: int, settings: Settings) -> dict[str, object]:
    def on(key: str) -> str:
        return "on" if settings.flag(key, connector) else "off"

    return {
        "cp_id": settings.text("ChargePointID"),
        "backend_conn_state": BACKEND.get(status.backend.link, "pending"),
        "free_charging": on("FreeCharging"),
        "ocpp_meter_cfg": settings["MeterConfig", connector],
        "max_current": settings.integer("MaximumCurrent", connector),
        "cc_serial_n": settings.text("ChargePointSerialNumber"),
        "cp_vendor": settings.text("ChargePointVendor"),
        "cp_model": settings.text("ChargePointModel"),
        "cable_attached": on("CableAttached"),
        "schuko_cfg": settings["SchukoConfig", connector],
    }
