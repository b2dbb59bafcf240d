"""Why a Modbus request gave no value. `str()` of each is one sentence for users."""

from __future__ import annotations

from enum import IntEnum


class ExceptionCode(IntEnum):
    """Exception codes of the Modbus Application Protocol 1.1b3, section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    DEVICE_BUSY = 6
    NEGATIVE_ACKNOWLEDGE = 7
    MEMORY_PARITY_ERROR = 8
    GATEWAY_PATH_UNAVAILABLE = 10
    GATEWAY_TARGET_SILENT = 11


_MEANINGS = {
    ExceptionCode.ILLEGAL_FUNCTION: "it does not know this function",
    ExceptionCode.ILLEGAL_ADDRESS: "it does not have this register",
    ExceptionCode.ILLEGAL_VALUE: "it does not accept this value or number of registers",
    ExceptionCode.DEVICE_FAILURE: "it has failed",
    ExceptionCode.ACKNOWLEDGE: "it needs more time",
    ExceptionCode.DEVICE_BUSY: "it is busy",
    ExceptionCode.NEGATIVE_ACKNOWLEDGE: "it cannot do this",
    ExceptionCode.MEMORY_PARITY_ERROR: "its memory has an error",
    ExceptionCode.GATEWAY_PATH_UNAVAILABLE: "the gateway has no path to it",
    ExceptionCode.GATEWAY_TARGET_SILENT: "the gateway got no answer from it",
}


class ModbusFailure(Exception):
    """A request gave no value."""


class Unreachable(ModbusFailure):
    """There is no connection, or no such serial port."""


class QueueFull(ModbusFailure):
    """Too many requests wait for this port."""


class NoAnswer(ModbusFailure):
    """The device did not answer in time, in any attempt; or its next attempt is not due yet."""


class WrongAnswer(ModbusFailure):
    """What came was no answer to the request: wrong checksum, unit, function or length."""


class ExceptionAnswer(ModbusFailure):
    """The device refused the request; `code` is its reason, see ExceptionCode."""

    def __init__(self, unit: int, code: int) -> None:
        self.unit = unit
        self.code = code
        meaning = "it gives no known reason"
        if code in _MEANINGS:
            meaning = _MEANINGS[ExceptionCode(code)]
        super().__init__(f"Unit {unit} refused the request: {meaning} (exception {code}).")
