"""The catalogue of faults against the table of manual 9."""

from __future__ import annotations

import pytest

from borne.domain.station.faults import (
    CATALOGUE,
    Fault,
    FaultScope,
    blocking,
    most_serious,
    stopping,
    vendor_code,
)

MANUAL_9 = [
    ("groundFailure", Fault.RESIDUAL_CURRENT, True),
    ("mode3Error", Fault.VEHICLE_SIGNAL, False),
    ("mode3Error", Fault.DIODE_CHECK, True),
    ("overCurrentFailure", Fault.MCB_TYPE2, True),
    ("overCurrentFailure", Fault.MCB_DOMESTIC, True),
    ("groundFailure", Fault.RCD_TRIPPED, True),
    ("groundFailure", Fault.RCD_METER_LOSS, True),
    ("otherError", Fault.SURGE_PROTECTION, False),
    ("powerSwitchFailure", Fault.CONTACTOR_WELDED, True),
    ("otherError", Fault.BACKEND_OFFLINE, False),
    ("connectorLockFailure", Fault.PLUG_LOCK, False),
    ("connectorLockFailure", Fault.LOCK_STUCK, True),
    ("connectorLockFailure", Fault.LOCK_MISSING, True),
    ("powerMeterFailure", Fault.METER_BILLING, True),
    ("powerMeterFailure", Fault.METER_EXTERNAL, False),
    ("readerFailure", Fault.CARD_READER, False),
]
OCPP_16_CODES = {
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "LocalListConflict",
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
OCPP_15_CODES = {
    "ConnectorLockFailure",
    "GroundFailure",
    "HighTemperature",
    "Mode3Error",
    "OtherError",
    "OverCurrentFailure",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "ResetFailure",
    "UnderVoltage",
    "WeakSignal",
}


@pytest.mark.parametrize(("code", "fault", "stops"), MANUAL_9)
def test_manual_9(code: str, fault: Fault, stops: bool) -> None:
    kind = CATALOGUE[fault]
    assert kind.code_15.casefold() == code.casefold()
    assert kind.stops is stops


def test_the_rows_of_the_manual_come_first_in_order() -> None:
    """The number of a row is its vendor code (D19) and its Modbus bit (D11)."""
    assert list(CATALOGUE)[: len(MANUAL_9)] == [fault for _, fault, _ in MANUAL_9]
    assert vendor_code(Fault.RESIDUAL_CURRENT) == "E01"
    assert vendor_code(Fault.CARD_READER) == "E16"
    assert vendor_code(Fault.OTHER) == "E29"


def test_every_fault_has_a_row_with_texts() -> None:
    assert set(CATALOGUE) == set(Fault)
    for kind in CATALOGUE.values():
        assert kind.activation
        assert kind.resolution
        assert len(kind.activation) <= 50, "info of StatusNotification has 50 characters"
        assert len(kind.resolution) <= 50
        assert kind.code_16 in OCPP_16_CODES
        assert kind.code_15 in OCPP_15_CODES


def test_the_most_serious_fault_comes_first() -> None:
    assert most_serious(frozenset()) is None
    order = [Fault.CONTACTOR_WELDED, Fault.OTHER, Fault.VEHICLE_SIGNAL, Fault.SURGE_PROTECTION]
    for index, fault in enumerate(order):
        assert most_serious(frozenset(order[index:])) is fault


def test_faults_that_stop_and_block() -> None:
    some = frozenset({Fault.RCD_TRIPPED, Fault.VEHICLE_SIGNAL, Fault.SURGE_PROTECTION})
    assert stopping(some) == {Fault.RCD_TRIPPED}
    assert blocking(some) == {Fault.RCD_TRIPPED, Fault.VEHICLE_SIGNAL}
    assert CATALOGUE[Fault.RCD_TRIPPED].scope is FaultScope.STATION
