"""Remote trigger profile (OCPP 1.6 edition 2 section 5.17)."""

from __future__ import annotations

from enum import StrEnum

from borne.protocols.ocpp.messages.base import ConnectorId, Request, Response
from borne.protocols.ocpp.messages.types import TriggerMessageStatus


class MessageTrigger(StrEnum):
    """Section 7.32."""

    BOOT_NOTIFICATION = "BootNotification"
    DIAGNOSTICS_STATUS_NOTIFICATION = "DiagnosticsStatusNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    METER_VALUES = "MeterValues"
    STATUS_NOTIFICATION = "StatusNotification"


class TriggerMessageRequest(Request):
    """Section 6.51; no connector means all."""

    requested_message: MessageTrigger
    connector_id: ConnectorId | None = None


class TriggerMessageResponse(Response):
    """Section 6.52."""

    status: TriggerMessageStatus
