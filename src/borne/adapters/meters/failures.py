"""Why a meter gives no measurement, in words that tell what to check."""

from __future__ import annotations

from borne.application.ports.hardware import MeterSilent
from borne.foundation.messages import N_, Message
from borne.protocols.modbus.endpoint import Endpoint, SerialEndpoint
from borne.protocols.modbus.failures import (
    ExceptionAnswer,
    ExceptionCode,
    ModbusFailure,
    NoAnswer,
    Unreachable,
    WrongAnswer,
)

UNREACHABLE = N_(
    "{where} cannot be reached: is the address right, the meter switched on, and Modbus TCP "
    "enabled in it?"
)
NO_PORT = N_("The serial port {where} cannot be opened: is the adapter plugged in?")
NO_ANSWER = N_("Unit {unit} at {where} does not answer: are unit id and wiring right?")
NO_ANSWER_ON_LINE = N_(
    "Unit {unit} on {where} does not answer: are unit id, baud rate, parity and the two wires "
    "right?"
)
WRONG_ANSWER = N_("{where} sends what is no answer of a meter: is it another device or framing?")
WRONG_ON_LINE = N_("The answers on {where} are damaged: are baud rate and parity right?")
REFUSED = N_(
    "Unit {unit} at {where} does not have the registers of this type: is it another type of meter?"
)
BUSY = N_("Unit {unit} at {where} refuses to answer at present (exception {code}).")
NOT_BEHIND = N_("The gateway {where} does not find unit {unit}: are unit id and wiring right?")
TOO_SLOW = N_("The answers of unit {unit} at {where} took more than {seconds} s.")
STOPPED = N_("The meter is not polled at present.")
OVERLOADED = N_("Too many requests wait for {where}.")

_UNKNOWN_REGISTER = {
    ExceptionCode.ILLEGAL_FUNCTION,
    ExceptionCode.ILLEGAL_ADDRESS,
    ExceptionCode.ILLEGAL_VALUE,
}
_BEHIND_GATEWAY = {
    ExceptionCode.GATEWAY_PATH_UNAVAILABLE,
    ExceptionCode.GATEWAY_TARGET_SILENT,
}


class NoMeasurement(MeterSilent):
    """A poll without a measurement; `message` says why."""

    @property
    def is_other_type(self) -> bool:
        """The device answers, but does not have the registers of this type."""
        return self.message.template == REFUSED


def explain(failure: ModbusFailure, endpoint: Endpoint, unit: int) -> Message:
    """What to check after a failed request."""
    values = {"where": str(endpoint), "unit": unit}
    on_line = isinstance(endpoint, SerialEndpoint)
    match failure:
        case Unreachable():
            return Message(NO_PORT if on_line else UNREACHABLE, values)
        case NoAnswer():
            return Message(NO_ANSWER_ON_LINE if on_line else NO_ANSWER, values)
        case WrongAnswer():
            return Message(WRONG_ON_LINE if on_line else WRONG_ANSWER, values)
        case ExceptionAnswer(code=code) if code in _UNKNOWN_REGISTER:
            return Message(REFUSED, values)
        case ExceptionAnswer(code=code) if code in _BEHIND_GATEWAY:
            return Message(NOT_BEHIND, values)
        case ExceptionAnswer(code=code):
            return Message(BUSY, values | {"code": code})
        case _:
            return Message(OVERLOADED, values)
