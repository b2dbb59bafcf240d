"""Validates payloads, and maps pydantic's errors to OCPP error codes.

Source: OCPP-J 1.6 table 7. A payload with several errors gets the code that comes first in
`_SEVERITY`; the description names the field.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from borne.protocols.ocpp.messages import Action, Message, request_model, response_model
from borne.protocols.ocpp.messages.lenient import repaired
from borne.protocols.ocpp.rpc.errors import ErrorCode, InvalidAnswer, RpcError

_log = logging.getLogger(__name__)
_SEVERITY: Final = (
    ErrorCode.FORMATION_VIOLATION,
    ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
)

_CODES: Final = {
    "extra_forbidden": ErrorCode.FORMATION_VIOLATION,
    "invalid_key": ErrorCode.FORMATION_VIOLATION,
    "missing": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "too_short": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "too_long": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
}
"""For other errors: a wrong JSON type is a type violation, everything else a property violation."""


def read_request(action_name: str, payload: dict[str, Any]) -> tuple[Action, Message]:
    """Validate the request of an incoming CALL; raises RpcError with the code for the answer."""
    try:
        action = Action(action_name)
    except ValueError:
        raise RpcError(ErrorCode.NOT_IMPLEMENTED, f"unknown action {action_name[:50]!a}") from None
    try:
        return action, request_model(action).from_wire(payload)
    except ValidationError as error:
        raise _rpc_error(error) from None


def read_response(action: Action, payload: Any) -> Message:
    """Validate the answer to our own CALL: its usable part, without unknown members; raises
    InvalidAnswer if the essential part is unusable."""
    model = response_model(action)
    try:
        return model.from_wire(payload, tolerant=True)
    except ValidationError:
        pass
    better, notes = repaired(model, payload)
    try:
        response = model.from_wire(better, tolerant=True)
    except ValidationError as error:
        found = _rpc_error(error)
        raise InvalidAnswer(f"answer to {action}: {found.description}") from None
    _log.warning("unexpected answer to %s: %s", action, "; ".join(notes))
    return response


def _rpc_error(error: ValidationError) -> RpcError:
    findings = error.errors(include_url=False, include_context=False)
    coded = [(code_of(finding), finding) for finding in findings]
    code, finding = min(coded, key=lambda pair: _SEVERITY.index(pair[0]))
    path = ".".join(str(part) for part in finding["loc"])[:100]
    return RpcError(code, f"{path}: {finding['msg']}" if path else finding["msg"])


def code_of(finding: ErrorDetails) -> ErrorCode:
    """The OCPP error code for an error of pydantic."""
    kind = finding["type"]
    if kind in _CODES:
        return _CODES[kind]
    if kind == "model_type" and not finding["loc"]:
        return ErrorCode.FORMATION_VIOLATION
    if kind.endswith("_type") or (kind == "enum" and not isinstance(finding["input"], str)):
        return ErrorCode.TYPE_CONSTRAINT_VIOLATION
    return ErrorCode.PROPERTY_CONSTRAINT_VIOLATION
