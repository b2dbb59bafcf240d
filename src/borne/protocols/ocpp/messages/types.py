"""Structures and enumerations used by several OCPP 1.6 profiles (edition 2, section 7)."""

from __future__ import annotations

from enum import StrEnum

from borne.protocols.ocpp.messages.base import (
    CiString20,
    DateTime,
    Decimal1,
    Integer,
    Message,
    NonNegative,
)


class AuthorizationStatus(StrEnum):
    """Section 7.2."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


class AcceptedOrRejected(StrEnum):
    """The two-valued status of many answers."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"

    @classmethod
    def of(cls, accepted: bool) -> AcceptedOrRejected:
        """Accepted if true."""
        return cls.ACCEPTED if accepted else cls.REJECTED


class TriggerMessageStatus(StrEnum):
    """Section 7.44; also the security whitepaper's ExtendedTriggerMessage."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_IMPLEMENTED = "NotImplemented"


class ChargingProfilePurpose(StrEnum):
    """Section 7.10."""

    CHARGE_POINT_MAX_PROFILE = "ChargePointMaxProfile"
    TX_DEFAULT_PROFILE = "TxDefaultProfile"
    TX_PROFILE = "TxProfile"


class ChargingProfileKind(StrEnum):
    """Section 7.9."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class RecurrencyKind(StrEnum):
    """Section 7.37."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class ChargingRateUnit(StrEnum):
    """Section 7.12."""

    AMPERE = "A"
    WATT = "W"


class IdTagInfo(Message):
    """The central system's information about an idTag (section 7.27)."""

    expiry_date: DateTime | None = None
    parent_id_tag: CiString20 | None = None
    status: AuthorizationStatus


class ChargingSchedulePeriod(Message):
    """A limit from `start_period` seconds on (section 7.14)."""

    start_period: Integer
    limit: Decimal1
    """In the schedule's unit."""
    number_phases: Integer | None = None


class ChargingSchedule(Message):
    """Section 7.13; `duration` in seconds."""

    duration: Integer | None = None
    start_schedule: DateTime | None = None
    charging_rate_unit: ChargingRateUnit
    charging_schedule_period: tuple[ChargingSchedulePeriod, ...]
    min_charging_rate: Decimal1 | None = None


class ChargingProfile(Message):
    """Section 7.8."""

    charging_profile_id: Integer
    transaction_id: Integer | None = None
    stack_level: NonNegative
    charging_profile_purpose: ChargingProfilePurpose
    charging_profile_kind: ChargingProfileKind
    recurrency_kind: RecurrencyKind | None = None
    valid_from: DateTime | None = None
    valid_to: DateTime | None = None
    charging_schedule: ChargingSchedule
