"""Catalogue of causes that can be simulated: physical defects, never the faults themselves.

Each row names the fault (manual section 9 and ours) that the station should detect. A cause at a
socket applies to all sockets if none is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from borne.adapters.simulation import fault_controls as controls
from borne.adapters.simulation.fault_controls import Control, Defect, Extent, Part, Value
from borne.adapters.simulation.outlet import HALF_PLUGGED_OHM, Socket
from borne.adapters.simulation.vehicle import error_text
from borne.adapters.simulation.world import LinkMode, World
from borne.application.ports.simulator import CauseValue, CauseView
from borne.domain.station.board import Contact
from borne.domain.station.faults import Fault, FaultScope
from borne.domain.station.pilot import CABLE_OHM
from borne.foundation.messages import N_


@dataclass(frozen=True, slots=True)
class Cause:
    """A defect that can be simulated; `provokes` is the fault that the station should detect, if
    any."""

    cause: str
    label: str
    scope: FaultScope
    provokes: Fault | None
    control: Control
    value: Value | None = None


def _row(
    cause: str, label: str, provokes: Fault | None, control: Control, value: Value | None = None
) -> Cause:
    return Cause(cause, label, FaultScope.CONNECTOR, provokes, control, value)


def _station(cause: str, label: str, provokes: Fault | None, control: Control) -> Cause:
    return Cause(cause, label, FaultScope.STATION, provokes, control)


_ROWS = (
    _row(
        "residual-current",
        N_("Current leaks to earth"),
        Fault.RESIDUAL_CURRENT,
        Defect(controls.leak, lambda defects: defects.leak_dc_ma + defects.leak_ac_ma > 0),
        controls.LEAK,
    ),
    _row(
        "rcm-self-test",
        N_("Residual current sensor defective"),
        Fault.SELF_TEST,
        controls.flag("monitor_defective"),
    ),
    _row(
        "vehicle-signal",
        N_("Control pilot shorted to earth"),
        Fault.VEHICLE_SIGNAL,
        controls.wire("shorted_to_earth"),
    ),
    _row("pilot-open", N_("Control pilot interrupted"), None, controls.wire("open")),
    _row(
        "diode-check",
        N_("Vehicle's diode bridged"),
        Fault.DIODE_CHECK,
        controls.flag("diode_bridged"),
    ),
    _row(
        "mcb-type2",
        N_("MCB of the socket off"),
        Fault.MCB_TYPE2,
        controls.contact_of(Contact.MCB_TYPE2),
    ),
    _row(
        "mcb-schuko",
        N_("MCB of the domestic socket off"),
        Fault.MCB_DOMESTIC,
        controls.contact_of(Contact.MCB_DOMESTIC),
    ),
    _station("rcd-tripped", N_("RCD off"), Fault.RCD_TRIPPED, controls.contact_of(Contact.RCD)),
    _row(
        "rcd-meter-loss",
        N_("No voltage at socket and meter"),
        Fault.RCD_METER_LOSS,
        controls.flag("supply_lost"),
    ),
    _station(
        "spd",
        N_("Surge protection used up"),
        Fault.SURGE_PROTECTION,
        controls.contact_of(Contact.SPD),
    ),
    _row(
        "contactor-welded",
        N_("Contacts welded together"),
        Fault.CONTACTOR_WELDED,
        Part(
            lambda _, socket, active, __: socket.contactor.weld(active),
            lambda _, socket: socket.contactor.welded,
        ),
    ),
    _row(
        "contactor-open",
        N_("Contactor coil broken"),
        Fault.CONTACTOR_OPEN,
        Part(
            lambda _, socket, active, __: socket.contactor.break_(active),
            lambda _, socket: socket.contactor.broken,
        ),
    ),
    _row("plug-lock", N_("Plug not fully in"), Fault.PLUG_LOCK, controls.flag("plug_not_in")),
    _row(
        "lock-stuck",
        N_("Lock actuator stuck"),
        Fault.LOCK_STUCK,
        Part(
            lambda _, socket, active, __: setattr(socket.lock, "stuck", active),
            lambda _, socket: socket.lock.stuck,
        ),
    ),
    _row(
        "lock-missing",
        N_("Lock actuator disconnected"),
        Fault.LOCK_MISSING,
        Part(
            lambda _, socket, active, __: setattr(socket.lock, "absent", active),
            lambda _, socket: socket.lock.absent,
        ),
    ),
    _row(
        "cable-changed",
        N_("Cable coding changes"),
        Fault.CABLE_CHANGED,
        Part(
            controls.change_cable,
            lambda _, socket: socket.defects.proximity_ohm in CABLE_OHM.values(),
        ),
    ),
    _row(
        "cable-invalid",
        N_("Cable coding unreadable"),
        Fault.CABLE_INVALID,
        controls.proximity(HALF_PLUGGED_OHM),
    ),
    _row("proximity-short", N_("Proximity shorted"), Fault.CABLE_INVALID, controls.proximity(0.0)),
    _row(
        "meter-ocpp",
        N_("Billing meter unplugged"),
        Fault.METER_BILLING,
        controls.flag("meter_silent"),
    ),
    _row(
        "meter-backwards",
        N_("Billing meter jumps back"),
        Fault.METER_IMPLAUSIBLE,
        controls.tamper("meter-backwards", controls.wh_or(1_000), controls.backwards),
        controls.wh_value(1_000),
    ),
    _row(
        "meter-jump",
        N_("Billing meter jumps ahead"),
        Fault.METER_IMPLAUSIBLE,
        controls.tamper("meter-jump", controls.wh_or(5_000_000), controls.step),
        controls.wh_value(5_000_000),
    ),
    _row(
        "meter-step",
        N_("Billing meter steps up or down"),
        Fault.METER_IMPLAUSIBLE,
        controls.tamper("meter-step", lambda extent: extent.step_wh, controls.step),
        controls.STEP,
    ),
    _row(
        "meter-replaced",
        N_("Billing meter replaced"),
        Fault.METER_IMPLAUSIBLE,
        controls.tamper("meter-replaced", controls.wh_or(0), controls.exchange_meter),
        controls.wh_value(0),
    ),
    _row(
        "meter-exchanged",
        N_("Billing meter exchanged"),
        Fault.METER_IMPLAUSIBLE,
        controls.tamper("meter-exchanged", controls.wh_or(0), controls.exchange_meter),
        controls.wh_value(0),
    ),
    _row(
        "meter-frozen",
        N_("Billing meter's register stands still"),
        Fault.METER_IMPLAUSIBLE,
        controls.flag("meter_frozen"),
    ),
    _row(
        "meter-factor",
        N_("Billing meter counts a multiple"),
        Fault.METER_IMPLAUSIBLE,
        Defect(controls.factor, lambda defects: defects.meter_factor is not None),
        controls.FACTOR,
    ),
    _row(
        "meter-nan",
        N_('Billing meter reports "not a number"'),
        Fault.METER_BILLING,
        Defect(controls.not_a_number, lambda defects: defects.meter_nan is not None),
        controls.QUANTITY,
    ),
    _row(
        "meter-garbage",
        N_("Billing meter's answers are garbled"),
        Fault.METER_BILLING,
        controls.flag("meter_garbage"),
    ),
    _row(
        "meter-polled",
        N_("Billing meter answers only when asked"),
        None,
        controls.flag("meter_polled"),
    ),
    _station(
        "meter-external",
        N_("External meter unreachable"),
        Fault.METER_EXTERNAL,
        controls.links(LinkMode.BLACKHOLE, "external-meter"),
    ),
    _station(
        "rfid-reader",
        N_("Card reader unplugged"),
        Fault.CARD_READER,
        Part(
            lambda world, _, active, __: world.set_reader(not active),
            lambda world, _: not world.reader_alive,
        ),
    ),
    _row(
        "over-temperature",
        N_("Board too hot"),
        Fault.OVER_TEMPERATURE,
        Part(controls.heat, lambda _, socket: socket.temperature_c > controls.HOT_C),
        controls.BOARD,
    ),
    _row(
        "phase-loss",
        N_("A phase is lost"),
        Fault.PHASE_LOSS,
        Defect(controls.lose_phase, lambda defects: bool(defects.lost_phases)),
        controls.PHASE,
    ),
    _row(
        "under-voltage",
        N_("Voltage too low"),
        Fault.PHASE_LOSS,
        controls.voltage(100.0, high=False),
        controls.volts_value(100.0),
    ),
    _row(
        "over-voltage",
        N_("Voltage too high (PEN broken)"),
        Fault.OVER_VOLTAGE,
        controls.voltage(265.0, high=True),
        controls.volts_value(265.0),
    ),
    _row(
        "over-current",
        N_("Car draws more than offered"),
        Fault.OVER_CURRENT,
        Defect(controls.rogue, lambda defects: defects.rogue_a is not None),
        controls.CURRENT,
    ),
    _row(
        "car-pulses",
        N_("Car draws in pulses"),
        Fault.OVER_CURRENT,
        Defect(controls.pulsate, lambda defects: defects.pulses is not None),
        controls.PULSES,
    ),
    _row(
        "brown-out",
        N_("Board loses its supply for a moment"),
        None,
        Part(controls.brown_out, lambda _, __: False),
    ),
    _row(
        "board-lost", N_("Board does not answer"), Fault.BOARD_LOST, controls.flag("board_silent")
    ),
    _station(
        "backend-offline",
        N_("Backend unreachable"),
        Fault.BACKEND_OFFLINE,
        controls.links(LinkMode.RESET, "backend"),
    ),
    _station(
        "master-lost", N_("Master unreachable"), None, controls.links(LinkMode.BLACKHOLE, "master")
    ),
    _station(
        "usb-link",
        N_("USB cable to the master unplugged"),
        None,
        controls.links(LinkMode.BLACKHOLE, "usb"),
    ),
    _station(
        "network-lost",
        N_("Network cable unplugged"),
        Fault.BACKEND_OFFLINE,
        controls.links(LinkMode.BLACKHOLE, "backend", "master", "external-meter"),
    ),
    _station(
        "disk-full",
        N_("Disk of the station full"),
        Fault.STORAGE_FULL,
        Part(
            lambda world, _, active, __: world.set_disk_full(active),
            lambda world, _: world.disk_full,
        ),
    ),
    _station(
        "clock-lost",
        N_("Clock battery empty: no date after the next power cut"),
        None,
        Part(
            lambda world, _, active, __: setattr(world, "clock_battery", not active),
            lambda world, _: not world.clock_battery,
        ),
    ),
)

CATALOGUE: Mapping[str, Cause] = {row.cause: row for row in _ROWS}
OTHER = "other"
"""`other:CODE` is a fault that the board reports with its own error code."""
OTHER_LABEL = N_("Any other fault that a board reports")
ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "Mode3Error",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)
"""Error codes of OCPP 1.5 and 1.6 (7.6), without NoError."""


def set_cause(
    world: World, cause: Cause, sockets: list[Socket], active: bool, extent: Extent
) -> None:
    """Set or clear a cause at these sockets."""
    for socket in sockets:
        cause.control.apply(world, socket, active, extent)
        socket.settle()
    world.touch()


def set_other(world: World, error_code: str, sockets: list[Socket], active: bool) -> None:
    """Set or clear a fault with the board's own error code."""
    for socket in sockets:
        codes = socket.defects.other
        socket.defects.other = codes | {error_code} if active else codes - {error_code}
        socket.settle()
    world.touch()


def extent_of(cause: Cause, extent: Mapping[str, object] | None, value: object) -> Extent:
    """The severity of a cause, from its value or from the members of an extent; None for the
    default. Raises ValueError with a message for users."""
    members = dict(extent or {})
    if value is not None:
        if cause.value is None:
            raise ValueError(f"{cause.cause} does not take a value")
        members[cause.value.member] = value
    try:
        return Extent.model_validate(members)
    except ValidationError as error:
        words = error_text(error)
        if cause.value is not None and value is not None:
            words = words.replace(cause.value.member, "value", 1)
        raise ValueError(words) from error


def _described(value: Value) -> CauseValue:
    return {
        "unit": value.unit,
        "default": value.default,
        "minimum": value.minimum,
        "maximum": value.maximum,
        "choices": list(value.choices),
    }


def causes(world: World) -> list[CauseView]:
    """All causes with their state, for page and API."""
    sockets = world.sockets.values()
    rows: list[CauseView] = [
        {
            "id": row.cause,
            "label": row.label,
            "scope": row.scope.value,
            "provokes": row.provokes.value if row.provokes else None,
            "value": None if row.value is None else _described(row.value),
            "connectors": (on := [s.number for s in sockets if row.control.active(world, s)]),
            "active": bool(on),
        }
        for row in CATALOGUE.values()
    ]
    codes = sorted(set().union(*(socket.defects.other for socket in sockets)))
    rows.append(
        {
            "id": OTHER,
            "label": OTHER_LABEL,
            "scope": FaultScope.CONNECTOR.value,
            "provokes": Fault.OTHER.value,
            "connectors": [socket.number for socket in sockets if socket.defects.other],
            "active": bool(codes),
            "error_codes": codes,
        }
    )
    return rows
