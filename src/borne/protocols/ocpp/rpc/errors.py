"""Error codes of OCPP-J 1.6 (section 4.2.3) and what can become of a call."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """Spelt as in OCPP-J 1.6 table 7, misspelling included."""

    NOT_IMPLEMENTED = "NotImplemented"
    """The action is not known."""
    NOT_SUPPORTED = "NotSupported"
    """The action is known but not offered here."""
    INTERNAL_ERROR = "InternalError"
    """The action was understood and failed."""
    PROTOCOL_ERROR = "ProtocolError"
    """The frame is incomplete."""
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    """Bad syntax or an unknown field."""
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    """A field has a value that it must not have."""
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    """A field is missing, or a list too short or too long."""
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    """A field has the wrong type."""
    GENERIC_ERROR = "GenericError"


class OcppError(Exception):
    """Root of this room's exceptions."""


class RpcError(OcppError):
    """Raised by a handler (or found in a frame): answered with a CALLERROR."""

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
    """Raised by a handler that must stay silent (a rejected charge point, OCPP 1.6 section 4.2)."""


class CallFailed(OcppError):
    """A call of ours has no usable answer."""


class Unreachable(CallFailed):
    """Nobody answered."""


class ConnectionLost(Unreachable):
    """The connection is closed; the other side may or may not have acted."""


class CallTimeout(Unreachable):
    """No answer within the time allowed."""


class NotAccepted(Unreachable):
    """The central system has not accepted us: the call was not sent (OCPP 1.6 section 4.2)."""


class CallRefused(CallFailed):
    """The answer is a CALLERROR; `code` is kept as text since peers invent their own."""

    def __init__(self, code: str, description: str, details: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.details = dict(details)


class InvalidAnswer(CallFailed):
    """There is an answer that is none."""
