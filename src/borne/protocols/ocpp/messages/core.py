"""Core profile (OCPP 1.6 edition 2 sections 4, 5, 6, 7)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from borne.protocols.ocpp.messages.base import (
    Boolean,
    CiString20,
    CiString25,
    CiString50,
    CiString255,
    CiString500,
    ConnectorId,
    DateTime,
    IdToken,
    Integer,
    Message,
    Request,
    Response,
    Text,
)
from borne.protocols.ocpp.messages.types import (
    AcceptedOrRejected,
    ChargingProfile,
    IdTagInfo,
)


class RegistrationStatus(StrEnum):
    """Section 7.38."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class AvailabilityType(StrEnum):
    """Section 7.4."""

    INOPERATIVE = "Inoperative"
    OPERATIVE = "Operative"


class AvailabilityStatus(StrEnum):
    """Section 7.3."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    SCHEDULED = "Scheduled"


class ConfigurationStatus(StrEnum):
    """Section 7.22."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    REBOOT_REQUIRED = "RebootRequired"
    NOT_SUPPORTED = "NotSupported"


class DataTransferStatus(StrEnum):
    """Section 7.23."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_MESSAGE_ID = "UnknownMessageId"
    UNKNOWN_VENDOR_ID = "UnknownVendorId"


class ResetType(StrEnum):
    """Section 7.42."""

    HARD = "Hard"
    SOFT = "Soft"


class UnlockStatus(StrEnum):
    """Section 7.46."""

    UNLOCKED = "Unlocked"
    UNLOCK_FAILED = "UnlockFailed"
    NOT_SUPPORTED = "NotSupported"


class ChargePointStatus(StrEnum):
    """Section 7.7."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ChargePointErrorCode(StrEnum):
    """Section 7.6."""

    CONNECTOR_LOCK_FAILURE = "ConnectorLockFailure"
    EV_COMMUNICATION_ERROR = "EVCommunicationError"
    GROUND_FAILURE = "GroundFailure"
    HIGH_TEMPERATURE = "HighTemperature"
    INTERNAL_ERROR = "InternalError"
    LOCAL_LIST_CONFLICT = "LocalListConflict"
    NO_ERROR = "NoError"
    OTHER_ERROR = "OtherError"
    OVER_CURRENT_FAILURE = "OverCurrentFailure"
    OVER_VOLTAGE = "OverVoltage"
    POWER_METER_FAILURE = "PowerMeterFailure"
    POWER_SWITCH_FAILURE = "PowerSwitchFailure"
    READER_FAILURE = "ReaderFailure"
    RESET_FAILURE = "ResetFailure"
    UNDER_VOLTAGE = "UnderVoltage"
    WEAK_SIGNAL = "WeakSignal"


class StopReason(StrEnum):
    """Section 7.36; the standard's name is Reason."""

    DE_AUTHORIZED = "DeAuthorized"
    EMERGENCY_STOP = "EmergencyStop"
    EV_DISCONNECTED = "EVDisconnected"
    HARD_RESET = "HardReset"
    LOCAL = "Local"
    OTHER = "Other"
    POWER_LOSS = "PowerLoss"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOFT_RESET = "SoftReset"
    UNLOCK_COMMAND = "UnlockCommand"


class ReadingContext(StrEnum):
    """Section 7.35."""

    INTERRUPTION_BEGIN = "Interruption.Begin"
    INTERRUPTION_END = "Interruption.End"
    OTHER = "Other"
    SAMPLE_CLOCK = "Sample.Clock"
    SAMPLE_PERIODIC = "Sample.Periodic"
    TRANSACTION_BEGIN = "Transaction.Begin"
    TRANSACTION_END = "Transaction.End"
    TRIGGER = "Trigger"


class ValueFormat(StrEnum):
    """Section 7.49."""

    RAW = "Raw"
    SIGNED_DATA = "SignedData"


class Measurand(StrEnum):
    """Section 7.31."""

    CURRENT_EXPORT = "Current.Export"
    CURRENT_IMPORT = "Current.Import"
    CURRENT_OFFERED = "Current.Offered"
    ENERGY_ACTIVE_EXPORT_REGISTER = "Energy.Active.Export.Register"
    ENERGY_ACTIVE_IMPORT_REGISTER = "Energy.Active.Import.Register"
    ENERGY_REACTIVE_EXPORT_REGISTER = "Energy.Reactive.Export.Register"
    ENERGY_REACTIVE_IMPORT_REGISTER = "Energy.Reactive.Import.Register"
    ENERGY_ACTIVE_EXPORT_INTERVAL = "Energy.Active.Export.Interval"
    ENERGY_ACTIVE_IMPORT_INTERVAL = "Energy.Active.Import.Interval"
    ENERGY_REACTIVE_EXPORT_INTERVAL = "Energy.Reactive.Export.Interval"
    ENERGY_REACTIVE_IMPORT_INTERVAL = "Energy.Reactive.Import.Interval"
    FREQUENCY = "Frequency"
    POWER_ACTIVE_EXPORT = "Power.Active.Export"
    POWER_ACTIVE_IMPORT = "Power.Active.Import"
    POWER_FACTOR = "Power.Factor"
    POWER_OFFERED = "Power.Offered"
    POWER_REACTIVE_EXPORT = "Power.Reactive.Export"
    POWER_REACTIVE_IMPORT = "Power.Reactive.Import"
    RPM = "RPM"
    SOC = "SoC"
    TEMPERATURE = "Temperature"
    VOLTAGE = "Voltage"


class Phase(StrEnum):
    """Section 7.34."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    N = "N"
    L1_N = "L1-N"
    L2_N = "L2-N"
    L3_N = "L3-N"
    L1_L2 = "L1-L2"
    L2_L3 = "L2-L3"
    L3_L1 = "L3-L1"


class Location(StrEnum):
    """Section 7.30."""

    BODY = "Body"
    CABLE = "Cable"
    EV = "EV"
    INLET = "Inlet"
    OUTLET = "Outlet"


class UnitOfMeasure(StrEnum):
    """Section 7.45. Accepts the misspelt "Celcius" of the first JSON schema, sends "Celsius"."""

    WH = "Wh"
    KWH = "kWh"
    VARH = "varh"
    KVARH = "kvarh"
    W = "W"
    KW = "kW"
    VA = "VA"
    KVA = "kVA"
    VAR = "var"
    KVAR = "kvar"
    A = "A"
    V = "V"
    CELSIUS = "Celsius"
    FAHRENHEIT = "Fahrenheit"
    K = "K"
    PERCENT = "Percent"
    HERTZ = "Hertz"
    """Only in the later MeterValues schema, not in that of StopTransaction; therefore not sent."""

    @classmethod
    def _missing_(cls, value: object) -> UnitOfMeasure | None:
        return cls.CELSIUS if value == "Celcius" else None


class SampledValue(Message):
    """One measured value (section 7.43); absent fields have the standard's defaults."""

    value: Text
    context: ReadingContext | None = None
    format: ValueFormat | None = None
    measurand: Measurand | None = None
    phase: Phase | None = None
    location: Location | None = None
    unit: UnitOfMeasure | None = None


class MeterValue(Message):
    """Values sampled at one time (section 7.33)."""

    timestamp: DateTime
    sampled_value: tuple[SampledValue, ...]


class KeyValue(Message):
    """A configuration key (section 7.29)."""

    key: CiString50
    readonly: Boolean
    value: CiString500 | None = None


class LongKeyValue(KeyValue):
    """A value longer than the standard permits; only if the operator allows it (D21)."""

    value: str | None = None


class AuthorizeRequest(Request):
    """Section 6.1."""

    id_tag: IdToken


class AuthorizeResponse(Response):
    """Section 6.2."""

    id_tag_info: IdTagInfo


class BootNotificationRequest(Request):
    """Section 6.3."""

    charge_point_vendor: CiString20
    charge_point_model: CiString20
    charge_point_serial_number: CiString25 | None = None
    charge_box_serial_number: CiString25 | None = None
    firmware_version: CiString50 | None = None
    iccid: CiString20 | None = None
    imsi: CiString20 | None = None
    meter_type: CiString25 | None = None
    meter_serial_number: CiString25 | None = None


class BootNotificationResponse(Response):
    """Section 6.4; `interval` in seconds. None if the answer lacks it."""

    status: RegistrationStatus
    current_time: DateTime | None
    interval: Integer | None


class ChangeAvailabilityRequest(Request):
    """Section 6.7."""

    connector_id: ConnectorId
    type: AvailabilityType


class ChangeAvailabilityResponse(Response):
    """Section 6.8."""

    status: AvailabilityStatus


class ChangeConfigurationRequest(Request):
    """Section 6.9."""

    key: CiString50
    value: CiString500


class ChangeConfigurationResponse(Response):
    """Section 6.10."""

    status: ConfigurationStatus


class ClearCacheRequest(Request):
    """Section 6.11."""


class ClearCacheResponse(Response):
    """Section 6.12."""

    status: AcceptedOrRejected


class DataTransferRequest(Request):
    """Section 6.15; both sides may send it."""

    vendor_id: CiString255
    message_id: CiString50 | None = None
    data: Text | None = None


class DataTransferResponse(Response):
    """Section 6.16."""

    status: DataTransferStatus
    data: Text | None = None


class GetConfigurationRequest(Request):
    """Section 6.23; no keys means all."""

    key: tuple[CiString50, ...] | None = None


class GetConfigurationResponse(Response):
    """Section 6.24."""

    configuration_key: tuple[KeyValue, ...] | None = None
    unknown_key: tuple[CiString50, ...] | None = None


class HeartbeatRequest(Request):
    """Section 6.29."""


class HeartbeatResponse(Response):
    """Section 6.30. None if the answer lacks it; it still proves that the backend is alive."""

    current_time: DateTime | None


class MeterValuesRequest(Request):
    """Section 6.31."""

    connector_id: ConnectorId
    transaction_id: Integer | None = None
    meter_value: tuple[MeterValue, ...] = Field(min_length=1)

    @field_validator("meter_value", mode="after")
    @classmethod
    def _each_has_values(cls, value: tuple[MeterValue, ...]) -> Any:
        """Only here, because an empty sample must not invalidate a whole StopTransaction."""
        if any(not item.sampled_value for item in value):
            raise PydanticCustomError("too_short", "sampledValue should have at least 1 item")
        return value


class MeterValuesResponse(Response):
    """Section 6.32."""


class RemoteStartTransactionRequest(Request):
    """Section 6.33."""

    connector_id: ConnectorId | None = None
    id_tag: IdToken
    charging_profile: ChargingProfile | None = None


class RemoteStartTransactionResponse(Response):
    """Section 6.34."""

    status: AcceptedOrRejected


class RemoteStopTransactionRequest(Request):
    """Section 6.35."""

    transaction_id: Integer


class RemoteStopTransactionResponse(Response):
    """Section 6.36."""

    status: AcceptedOrRejected


class ResetRequest(Request):
    """Section 6.39."""

    type: ResetType


class ResetResponse(Response):
    """Section 6.40."""

    status: AcceptedOrRejected


class StartTransactionRequest(Request):
    """Section 6.45; `meter_start` in Wh."""

    connector_id: ConnectorId
    id_tag: IdToken
    meter_start: Integer
    reservation_id: Integer | None = None
    timestamp: DateTime


class StartTransactionResponse(Response):
    """Section 6.46. None if the answer has no information about the card."""

    id_tag_info: IdTagInfo | None
    transaction_id: Integer


class StatusNotificationRequest(Request):
    """Section 6.47."""

    connector_id: ConnectorId
    error_code: ChargePointErrorCode
    info: CiString50 | None = None
    status: ChargePointStatus
    timestamp: DateTime | None = None
    vendor_id: CiString255 | None = None
    vendor_error_code: CiString50 | None = None


class StatusNotificationResponse(Response):
    """Section 6.48."""


class StopTransactionRequest(Request):
    """Section 6.49; `meter_stop` in Wh; no reason means Local."""

    id_tag: IdToken | None = None
    meter_stop: Integer
    timestamp: DateTime
    transaction_id: Integer
    reason: StopReason | None = None
    transaction_data: tuple[MeterValue, ...] | None = None


class StopTransactionResponse(Response):
    """Section 6.50."""

    id_tag_info: IdTagInfo | None = None


class UnlockConnectorRequest(Request):
    """Section 6.53."""

    connector_id: ConnectorId


class UnlockConnectorResponse(Response):
    """Section 6.54."""

    status: UnlockStatus
