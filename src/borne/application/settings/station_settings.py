"""Typed groups of settings for the services, read from an immutable snapshot.

Next to each function are the keys that it reads, for `RunningSettings.on_change`.
"""

from __future__ import annotations

from borne.domain.authorization.decision import Policy
from borne.domain.authorization.free_charging import RULES
from borne.domain.settings.choices import (
    ConnectionType,
    FreeChargingMode,
    IfInDoubt,
    LetterCase,
    PhasesConnected,
    WeldCheck,
)
from borne.domain.settings.snapshot import Settings
from borne.domain.station.board import BoardCapabilities
from borne.domain.station.connector_state import ConnectorConfig
from borne.domain.station.modes import StopMode, WakeUp
from borne.domain.station.sampling import SamplingSettings

FREE_KEYS = frozenset({"FreeCharging", "FreeChargingMode"})


def has_backend(settings: Settings) -> bool:
    """True if a backend is configured (manual 4, connection type)."""
    return settings.choice("ConnectionType", ConnectionType) is not ConnectionType.NO_BACKEND


def free_mode(settings: Settings) -> FreeChargingMode | None:
    """The mode of free charging; None if free charging is off."""
    if not settings.flag("FreeCharging"):
        return None
    return settings.choice("FreeChargingMode", FreeChargingMode)


CONNECTOR_KEYS = frozenset(
    {
        "ConnectionTimeOut",
        "DLMAllowEVWakeup",
        "EVWakeupMethod",
        "LockActuatorOnlyIfAuthorized",
        "StopTransactionMode",
        "UnlockConnectorOnEVSideDisconnect",
        "VentilationAvailable",
        "WeldCheck",
    }
)


def connector_config(settings: Settings, board: BoardCapabilities) -> ConnectorConfig:
    """The configuration of a connector's state machine."""
    return ConnectorConfig(
        stop_mode=settings.choice("StopTransactionMode", StopMode),
        lock_only_if_authorized=settings.flag("LockActuatorOnlyIfAuthorized"),
        unlock_on_vehicle_disconnect=settings.flag("UnlockConnectorOnEVSideDisconnect"),
        connection_timeout_s=float(settings.integer("ConnectionTimeOut")),
        ventilation=settings.flag("VentilationAvailable"),
        wake_up=_wake_up(settings, board),
        has_lock=board.has_lock,
        tethered=board.tethered_cable_a is not None,
        weld_check=_weld_check(settings, board),
        diode_check=board.has_diode_check,
        has_state_f=board.has_state_f,
        watchdog_s=board.watchdog_s,
    )


def _weld_check(settings: Settings, board: BoardCapabilities) -> bool:
    """Whether a welded contactor can be detected (decision 0117)."""
    wired = settings.choice("WeldCheck", WeldCheck) is not WeldCheck.DISABLE
    return wired and board.has_contactor_feedback


def _wake_up(settings: Settings, board: BoardCapabilities) -> WakeUp | None:
    """How to wake a vehicle, as far as the board supports it (decision D7)."""
    if not settings.flag("DLMAllowEVWakeup"):
        return None
    method = settings.choice("EVWakeupMethod", WakeUp)
    if method is WakeUp.PILOT_INTERRUPTION and not board.has_pilot_interrupt:
        method = WakeUp.STATE_F
    if method is WakeUp.STATE_F and not board.has_state_f:
        return None
    return method


POLICY_KEYS = FREE_KEYS | {
    "AuthorizationCacheEnabled",
    "ConnectionType",
    "EnforceSecureRFID",
    "FLLEnable",
    "FreeChargingRfidTag",
    "IfInDoubtAllowCharging",
    "LocalAuthListEnabled",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "SendAuthorizeForStop",
    "StopTransactionMode",
}


def authorization_policy(settings: Settings) -> Policy:
    """The settings that decide about cards."""
    return Policy(
        free=free_mode(settings),
        fixed_tag=settings.text("FreeChargingRfidTag"),
        has_backend=has_backend(settings),
        whitelist_enabled=settings.flag("FLLEnable"),
        local_list_enabled=settings.flag("LocalAuthListEnabled"),
        cache_enabled=settings.flag("AuthorizationCacheEnabled"),
        pre_authorize=settings.flag("LocalPreAuthorize"),
        authorize_offline=settings.flag("LocalAuthorizeOffline"),
        in_doubt=settings.choice("IfInDoubtAllowCharging", IfInDoubt),
        secure_only=settings.flag("EnforceSecureRFID"),
        authorize_for_stop=settings.flag("SendAuthorizeForStop"),
        stop_mode=settings.choice("StopTransactionMode", StopMode),
    )


def letter_case(settings: Settings) -> LetterCase:
    """The spelling of card numbers in lists, on pages and for the backend."""
    return settings.choice("RFIDTagLetterCase", LetterCase)


SAMPLING_KEYS = FREE_KEYS | {
    "ClockAlignedDataInterval",
    "ConnectionType",
    "MeterValueSampleInterval",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "StopTxnAlignedData",
    "StopTxnSampledData",
}


def sampling(settings: Settings) -> SamplingSettings:
    """What is sent to the backend during a transaction and at clock-aligned times. The free
    charging modes without transactions send nothing (manual 5.2)."""
    free = free_mode(settings)
    reported = free is None or RULES[free].reports_transactions
    return SamplingSettings(
        backend=has_backend(settings),
        interval_s=float(settings.integer("MeterValueSampleInterval")),
        sampled=settings.items("MeterValuesSampledData"),
        stop_sampled=settings.items("StopTxnSampledData"),
        aligned_s=float(settings.integer("ClockAlignedDataInterval")) if reported else 0.0,
        aligned=settings.items("MeterValuesAlignedData"),
        stop_aligned=settings.items("StopTxnAlignedData"),
    )


def phases_connected(settings: Settings, connector: int) -> int:
    """Number of phases wired to the connector: 1 or 3."""
    wired = settings.choice("PhasesConnected", PhasesConnected, connector)
    return 3 if wired is PhasesConnected.THREE else 1
