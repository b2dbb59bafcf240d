"""One pydantic model per OCPP 1.6 message, for all transports (J and S) and both directions.

Each feature profile has a module, imported when needed: `registry` lists all without importing any.
Fields are snake_case in Python and camelCase on the wire.
"""

from borne.protocols.ocpp.messages.base import Message
from borne.protocols.ocpp.messages.registry import (
    Action,
    ActionSpec,
    FeatureProfile,
    Initiator,
    action_of,
    request_model,
    response_model,
    spec_of,
)

__all__ = [
    "Action",
    "ActionSpec",
    "FeatureProfile",
    "Initiator",
    "Message",
    "action_of",
    "request_model",
    "response_model",
    "spec_of",
]
