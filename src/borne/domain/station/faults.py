"""The catalogue of faults (manual section 9) and their effects.

The order is part of the contract: a row's number is its vendor code (`E01`...) and its bit in the
Modbus error registers. Rows 1 to 16 are those of the manual, the others are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.foundation.messages import N_


class Fault(StrEnum):
    """Identifier of a fault; also the name of its help page."""

    RESIDUAL_CURRENT = "residual-current"
    VEHICLE_SIGNAL = "vehicle-signal"
    DIODE_CHECK = "diode-check"
    MCB_TYPE2 = "mcb-type2"
    MCB_DOMESTIC = "mcb-schuko"
    RCD_TRIPPED = "rcd-tripped"
    RCD_METER_LOSS = "rcd-meter-loss"
    SURGE_PROTECTION = "spd"
    CONTACTOR_WELDED = "contactor-welded"
    BACKEND_OFFLINE = "backend-offline"
    PLUG_LOCK = "plug-lock"
    LOCK_STUCK = "lock-stuck"
    LOCK_MISSING = "lock-missing"
    METER_BILLING = "meter-ocpp"
    METER_EXTERNAL = "meter-external"
    CARD_READER = "rfid-reader"
    CONTACTOR_OPEN = "contactor-open"
    OVER_CURRENT = "over-current"
    OVER_TEMPERATURE = "over-temperature"
    PHASE_LOSS = "phase-loss"
    OVER_VOLTAGE = "over-voltage"
    BOARD_LOST = "board-lost"
    METER_IMPLAUSIBLE = "meter-implausible"
    CABLE_CHANGED = "cable-changed"
    CABLE_INVALID = "cable-invalid"
    SELF_TEST = "rcm-self-test"
    STORAGE_FULL = "storage-full"
    SETTINGS_DAMAGED = "settings-damaged"
    OTHER = "other"
    VENTILATION = "ventilation-needed"
    STORAGE_DAMAGED = "storage-damaged"


LOCK_FAULTS = frozenset({Fault.PLUG_LOCK, Fault.LOCK_STUCK, Fault.LOCK_MISSING})


class FaultScope(StrEnum):
    """What a fault concerns."""

    CONNECTOR = "connector"
    STATION = "station"


class Clears(StrEnum):
    """What clears a fault once its cause has disappeared."""

    BY_ITSELF = "by_itself"
    UNPLUG = "unplug"
    UNPLUG_OR_DELAY = "unplug_or_delay"
    UNLOCK_OR_RESET = "unlock_or_reset"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """Effects of a fault on vehicle, backend and users.

    `stops` ends the transaction; `blocks` prevents the socket from supplying current and shows it
    as Faulted; with neither, the fault is a warning.
    """

    fault: Fault
    code_15: str
    code_16: str
    activation: str
    resolution: str
    stops: bool
    blocks: bool
    scope: FaultScope = FaultScope.CONNECTOR
    clears: Clears = Clears.BY_ITSELF


def _row(
    fault: Fault,
    codes: str,
    activation: str,
    resolution: str,
    *,
    stops: bool,
    blocks: bool | None = None,
    scope: FaultScope = FaultScope.CONNECTOR,
    clears: Clears = Clears.BY_ITSELF,
) -> FaultKind:
    code_15, _, code_16 = codes.partition("/")
    blocked = stops if blocks is None else blocks
    return FaultKind(
        fault, code_15, code_16 or code_15, activation, resolution, stops, blocked, scope, clears
    )


_ROWS = (
    _row(
        Fault.RESIDUAL_CURRENT,
        "GroundFailure",
        N_("Residual current detected via sensor"),
        N_("Residual current situation resolved"),
        stops=True,
        clears=Clears.UNPLUG_OR_DELAY,
    ),
    _row(
        Fault.VEHICLE_SIGNAL,
        "Mode3Error/EVCommunicationError",
        N_("Vehicle signals error"),
        N_("Vehicle error resolved"),
        stops=False,
        blocks=True,
    ),
    _row(
        Fault.DIODE_CHECK,
        "Mode3Error/EVCommunicationError",
        N_("Vehicle diode check failed - tamper detection"),
        N_("Vehicle with diode problem disconnected"),
        stops=True,
        clears=Clears.UNPLUG,
    ),
    _row(
        Fault.MCB_TYPE2,
        "OverCurrentFailure",
        N_("MCB of type 2 socket triggered"),
        N_("MCB type 2 reconnected"),
        stops=True,
    ),
    _row(
        Fault.MCB_DOMESTIC,
        "OverCurrentFailure",
        N_("MCB of domestic socket triggered"),
        N_("MCB domestic socket reconnected"),
        stops=True,
    ),
    _row(
        Fault.RCD_TRIPPED,
        "GroundFailure",
        N_("RCD triggered"),
        N_("RCD reconnected"),
        stops=True,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.RCD_METER_LOSS,
        "GroundFailure",
        N_("RCD may be triggered (meter without power)"),
        N_("RCD may be reconnected (meter recovered)"),
        stops=True,
    ),
    _row(
        Fault.SURGE_PROTECTION,
        "OtherError",
        N_("Surge protection device triggered, replace it"),
        N_("Surge protection device in order"),
        stops=False,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.CONTACTOR_WELDED,
        "PowerSwitchFailure",
        N_("Contactor welded"),
        N_("Contactor weld resolved"),
        stops=True,
    ),
    _row(
        Fault.BACKEND_OFFLINE,
        "OtherError",
        N_("Backend disconnected"),
        N_("Backend connected"),
        stops=False,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.PLUG_LOCK,
        "ConnectorLockFailure",
        N_("Plug lock failed"),
        N_("Plug lock in order"),
        stops=False,
        blocks=True,
        clears=Clears.UNPLUG,
    ),
    _row(
        Fault.LOCK_STUCK,
        "ConnectorLockFailure",
        N_("Type 2 actuator stuck, cannot unlock"),
        N_("Type 2 lock actuator recovered"),
        stops=True,
        clears=Clears.UNLOCK_OR_RESET,
    ),
    _row(
        Fault.LOCK_MISSING,
        "ConnectorLockFailure",
        N_("Type 2 lock actuator cannot be detected"),
        N_("Type 2 lock actuator detected"),
        stops=True,
        clears=Clears.RESET,
    ),
    _row(
        Fault.METER_BILLING,
        "PowerMeterFailure",
        N_("OCPP meter not communicating"),
        N_("OCPP meter communication recovered"),
        stops=True,
    ),
    _row(
        Fault.METER_EXTERNAL,
        "PowerMeterFailure",
        N_("External meter not communicating"),
        N_("External meter communication recovered"),
        stops=False,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.CARD_READER,
        "ReaderFailure",
        N_("RFID reader not communicating"),
        N_("RFID reader recovered"),
        stops=False,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.CONTACTOR_OPEN,
        "PowerSwitchFailure",
        N_("Contactor does not close"),
        N_("Contactor works again"),
        stops=True,
        clears=Clears.UNPLUG,
    ),
    _row(
        Fault.OVER_CURRENT,
        "OverCurrentFailure",
        N_("Vehicle draws more than it was offered"),
        N_("Vehicle keeps to its limit"),
        stops=False,
        blocks=True,
        clears=Clears.UNPLUG_OR_DELAY,
    ),
    _row(
        Fault.OVER_TEMPERATURE,
        "OtherError/HighTemperature",
        N_("Controller too hot"),
        N_("Controller has cooled down"),
        stops=True,
    ),
    _row(
        Fault.PHASE_LOSS,
        "OtherError/UnderVoltage",
        N_("Supply phase missing or too low"),
        N_("Supply phases in order"),
        stops=True,
    ),
    _row(
        Fault.OVER_VOLTAGE,
        "OtherError/OverVoltage",
        N_("Supply voltage too high"),
        N_("Supply voltage in order"),
        stops=True,
    ),
    _row(
        Fault.BOARD_LOST,
        "OtherError/InternalError",
        N_("Charge controller board does not answer"),
        N_("Charge controller board is back"),
        stops=True,
    ),
    _row(
        Fault.METER_IMPLAUSIBLE,
        "PowerMeterFailure",
        N_("OCPP meter gives impossible values"),
        N_("OCPP meter gives plausible values"),
        stops=True,
        clears=Clears.UNPLUG,
    ),
    _row(
        Fault.CABLE_CHANGED,
        "OtherError",
        N_("Cable coding changed while charging"),
        N_("Cable unplugged"),
        stops=True,
        clears=Clears.UNPLUG,
    ),
    _row(
        Fault.CABLE_INVALID,
        "ConnectorLockFailure",
        N_("Cable coding cannot be read"),
        N_("Cable in order"),
        stops=False,
        blocks=True,
    ),
    _row(
        Fault.SELF_TEST,
        "GroundFailure",
        N_("Self-test of the residual current sensor failed"),
        N_("Self-test of the residual current sensor passed"),
        stops=True,
        clears=Clears.RESET,
    ),
    _row(
        Fault.STORAGE_FULL,
        "OtherError/InternalError",
        N_("Storage full, no new session can be recorded"),
        N_("Storage has room again"),
        stops=False,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.SETTINGS_DAMAGED,
        "OtherError/InternalError",
        N_("Settings damaged, confirm them before charging"),
        N_("Settings confirmed"),
        stops=False,
        blocks=True,
        scope=FaultScope.STATION,
    ),
    _row(
        Fault.OTHER,
        "OtherError",
        N_("Other error"),
        N_("Other error resolved"),
        stops=True,
    ),
    _row(
        Fault.VENTILATION,
        "Mode3Error/EVCommunicationError",
        N_("Vehicle needs ventilation, there is none"),
        N_("Vehicle needs no ventilation any more"),
        stops=False,
    ),
    _row(
        Fault.STORAGE_DAMAGED,
        "OtherError/InternalError",
        N_("Stored data was damaged or missing"),
        N_("Somebody took note of the damaged data"),
        stops=False,
        scope=FaultScope.STATION,
    ),
)

CATALOGUE = {kind.fault: kind for kind in _ROWS}


def vendor_code(fault: Fault) -> str:
    """Short code of a fault for `vendorErrorCode` (decision D19)."""
    return f"E{list(CATALOGUE).index(fault) + 1:02d}"


STOPPING = frozenset(fault for fault, kind in CATALOGUE.items() if kind.stops)
BLOCKING = frozenset(fault for fault, kind in CATALOGUE.items() if kind.blocks)


def stopping(faults: frozenset[Fault]) -> frozenset[Fault]:
    """The faults that end a transaction."""
    return faults & STOPPING


def blocking(faults: frozenset[Fault]) -> frozenset[Fault]:
    """The faults that prevent the socket from supplying current."""
    return faults & BLOCKING


def most_serious(faults: frozenset[Fault]) -> Fault | None:
    """The fault to report first: stopping before blocking before warnings, then in the order of the
    table."""
    order = list(CATALOGUE)
    ranked = sorted(
        faults,
        key=lambda fault: (
            not CATALOGUE[fault].stops,
            not CATALOGUE[fault].blocks,
            order.index(fault),
        ),
    )
    return ranked[0] if ranked else None
