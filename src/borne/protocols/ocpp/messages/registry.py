"""All OCPP 1.6 actions: profile, initiator, and the two models, imported when needed.

Sources: OCPP 1.6 edition 2 sections 3.1 (profiles), 4 and 5 (who initiates), security whitepaper.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from borne.protocols.ocpp.messages.base import Message


class Initiator(Enum):
    """Who may send the request."""

    CHARGE_POINT = "charge point"
    CENTRAL_SYSTEM = "central system"
    BOTH = "both"


class FeatureProfile(StrEnum):
    """Section 3.1; spelt as in SupportedFeatureProfiles. Security is not a feature profile."""

    CORE = "Core"
    FIRMWARE_MANAGEMENT = "FirmwareManagement"
    LOCAL_AUTH_LIST_MANAGEMENT = "LocalAuthListManagement"
    RESERVATION = "Reservation"
    SMART_CHARGING = "SmartCharging"
    REMOTE_TRIGGER = "RemoteTrigger"
    SECURITY = "Security"


class Action(StrEnum):
    """Names on the wire."""

    AUTHORIZE = "Authorize"
    BOOT_NOTIFICATION = "BootNotification"
    CHANGE_AVAILABILITY = "ChangeAvailability"
    CHANGE_CONFIGURATION = "ChangeConfiguration"
    CLEAR_CACHE = "ClearCache"
    DATA_TRANSFER = "DataTransfer"
    GET_CONFIGURATION = "GetConfiguration"
    HEARTBEAT = "Heartbeat"
    METER_VALUES = "MeterValues"
    REMOTE_START_TRANSACTION = "RemoteStartTransaction"
    REMOTE_STOP_TRANSACTION = "RemoteStopTransaction"
    RESET = "Reset"
    START_TRANSACTION = "StartTransaction"
    STATUS_NOTIFICATION = "StatusNotification"
    STOP_TRANSACTION = "StopTransaction"
    UNLOCK_CONNECTOR = "UnlockConnector"
    DIAGNOSTICS_STATUS_NOTIFICATION = "DiagnosticsStatusNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    GET_DIAGNOSTICS = "GetDiagnostics"
    UPDATE_FIRMWARE = "UpdateFirmware"
    GET_LOCAL_LIST_VERSION = "GetLocalListVersion"
    SEND_LOCAL_LIST = "SendLocalList"
    CANCEL_RESERVATION = "CancelReservation"
    RESERVE_NOW = "ReserveNow"
    CLEAR_CHARGING_PROFILE = "ClearChargingProfile"
    GET_COMPOSITE_SCHEDULE = "GetCompositeSchedule"
    SET_CHARGING_PROFILE = "SetChargingProfile"
    TRIGGER_MESSAGE = "TriggerMessage"
    CERTIFICATE_SIGNED = "CertificateSigned"
    DELETE_CERTIFICATE = "DeleteCertificate"
    EXTENDED_TRIGGER_MESSAGE = "ExtendedTriggerMessage"
    GET_INSTALLED_CERTIFICATE_IDS = "GetInstalledCertificateIds"
    GET_LOG = "GetLog"
    INSTALL_CERTIFICATE = "InstallCertificate"
    LOG_STATUS_NOTIFICATION = "LogStatusNotification"
    SECURITY_EVENT_NOTIFICATION = "SecurityEventNotification"
    SIGN_CERTIFICATE = "SignCertificate"
    SIGNED_FIRMWARE_STATUS_NOTIFICATION = "SignedFirmwareStatusNotification"
    SIGNED_UPDATE_FIRMWARE = "SignedUpdateFirmware"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Static properties of an action."""

    action: Action
    profile: FeatureProfile
    initiator: Initiator


_MODULES = {
    FeatureProfile.CORE: "core",
    FeatureProfile.FIRMWARE_MANAGEMENT: "firmware",
    FeatureProfile.LOCAL_AUTH_LIST_MANAGEMENT: "local_auth_list",
    FeatureProfile.RESERVATION: "reservation",
    FeatureProfile.SMART_CHARGING: "smart_charging",
    FeatureProfile.REMOTE_TRIGGER: "remote_trigger",
    FeatureProfile.SECURITY: "security",
}

_FROM_CHARGE_POINT: dict[FeatureProfile, tuple[Action, ...]] = {
    FeatureProfile.CORE: (
        Action.AUTHORIZE,
        Action.BOOT_NOTIFICATION,
        Action.HEARTBEAT,
        Action.METER_VALUES,
        Action.START_TRANSACTION,
        Action.STATUS_NOTIFICATION,
        Action.STOP_TRANSACTION,
    ),
    FeatureProfile.FIRMWARE_MANAGEMENT: (
        Action.DIAGNOSTICS_STATUS_NOTIFICATION,
        Action.FIRMWARE_STATUS_NOTIFICATION,
    ),
    FeatureProfile.SECURITY: (
        Action.LOG_STATUS_NOTIFICATION,
        Action.SECURITY_EVENT_NOTIFICATION,
        Action.SIGN_CERTIFICATE,
        Action.SIGNED_FIRMWARE_STATUS_NOTIFICATION,
    ),
}

_FROM_CENTRAL_SYSTEM: dict[FeatureProfile, tuple[Action, ...]] = {
    FeatureProfile.CORE: (
        Action.CHANGE_AVAILABILITY,
        Action.CHANGE_CONFIGURATION,
        Action.CLEAR_CACHE,
        Action.GET_CONFIGURATION,
        Action.REMOTE_START_TRANSACTION,
        Action.REMOTE_STOP_TRANSACTION,
        Action.RESET,
        Action.UNLOCK_CONNECTOR,
    ),
    FeatureProfile.FIRMWARE_MANAGEMENT: (Action.GET_DIAGNOSTICS, Action.UPDATE_FIRMWARE),
    FeatureProfile.LOCAL_AUTH_LIST_MANAGEMENT: (
        Action.GET_LOCAL_LIST_VERSION,
        Action.SEND_LOCAL_LIST,
    ),
    FeatureProfile.RESERVATION: (Action.CANCEL_RESERVATION, Action.RESERVE_NOW),
    FeatureProfile.SMART_CHARGING: (
        Action.CLEAR_CHARGING_PROFILE,
        Action.GET_COMPOSITE_SCHEDULE,
        Action.SET_CHARGING_PROFILE,
    ),
    FeatureProfile.REMOTE_TRIGGER: (Action.TRIGGER_MESSAGE,),
    FeatureProfile.SECURITY: (
        Action.CERTIFICATE_SIGNED,
        Action.DELETE_CERTIFICATE,
        Action.EXTENDED_TRIGGER_MESSAGE,
        Action.GET_INSTALLED_CERTIFICATE_IDS,
        Action.GET_LOG,
        Action.INSTALL_CERTIFICATE,
        Action.SIGNED_UPDATE_FIRMWARE,
    ),
}


def _specs() -> dict[Action, ActionSpec]:
    specs = {
        Action.DATA_TRANSFER: ActionSpec(Action.DATA_TRANSFER, FeatureProfile.CORE, Initiator.BOTH)
    }
    for initiator, table in (
        (Initiator.CHARGE_POINT, _FROM_CHARGE_POINT),
        (Initiator.CENTRAL_SYSTEM, _FROM_CENTRAL_SYSTEM),
    ):
        for profile, actions in table.items():
            specs |= {action: ActionSpec(action, profile, initiator) for action in actions}
    return specs


_SPECS = _specs()


def spec_of(action: Action) -> ActionSpec:
    """Profile and initiator of an action."""
    return _SPECS[action]


@cache
def _model(action: Action, suffix: str) -> type[Message]:
    module = import_module(f"borne.protocols.ocpp.messages.{_MODULES[_SPECS[action].profile]}")
    model: type[Message] = getattr(module, f"{action}{suffix}")
    return model


def request_model(action: Action) -> type[Message]:
    """The model of the CALL's payload."""
    return _model(action, "Request")


def response_model(action: Action) -> type[Message]:
    """The model of the CALLRESULT's payload."""
    return _model(action, "Response")


@cache
def action_of(model: type[Message]) -> Action:
    """The action that a request or response model belongs to; raises ValueError."""
    return Action(model.__name__.removesuffix("Request").removesuffix("Response"))
