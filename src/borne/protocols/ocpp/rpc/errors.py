"""Error codes of OCPP-J 1.6 (section 4.2.3), and the outcomes of a call."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """Spelt as in OCPP-J 1.6 table 7, including its misspelling."""

    NOT_IMPLEMENTED = "NotImplemented"
    """The action is unknown."""
    NOT_SUPPORTED = "NotSupported"
    """The action is known but not supported."""
    INTERNAL_ERROR = "InternalError"
    """The action was understood and failed."""
    PROTOCOL_ERROR = "ProtocolError"
    """The frame is incomplete."""
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    """Bad syntax or an unknown field."""
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    """A field has an invalid value."""
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    """A field is missing, or a list is too short or too long."""
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    """A field has the wrong type."""
    GENERIC_ERROR = "GenericError"


class OcppError(Exception):
    """Base class of the exceptions of this package."""


class RpcError(OcppError):
    """Raised by a handler, or for an invalid frame: answered with a CALLERROR."""

    def __init__(
        self,
        code: ErrorCode,
        description: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {description}" if description else str(code))
        self.code = code
        self.description = description
        self.details = dict(details or {})


class NoAnswer(OcppError):
    """Raised by a handler that must not answer (a rejected charge point, OCPP 1.6 section 4.2)."""


class CallFailed(OcppError):
    """A call has no usable answer."""


class Unreachable(CallFailed):
    """There was no answer."""


class ConnectionLost(Unreachable):
    """The connection is closed; whether the other side has acted is unknown."""


class CallTimeout(Unreachable):
    """No answer within the time allowed."""


class NotAccepted(Unreachable):
    """The call was not sent, because the central system has not accepted the station (OCPP 1.6
    section 4.2)."""


class CallRefused(CallFailed):
    """The answer is a CALLERROR; `code` is a text, because peers invent their own codes."""

    def __init__(self, code: str, description: str, details: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.details = dict(details)


class InvalidAnswer(CallFailed):
    """The answer is invalid."""
