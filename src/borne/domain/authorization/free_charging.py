"""The six modes of free charging as a table (manual 5.2, decision D29)."""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.settings.choices import FreeChargingMode


@dataclass(frozen=True, slots=True)
class FreeRule:
    """What a mode requires of the user and sends to the backend."""

    needs_card: bool
    reports_status: bool
    reports_transactions: bool
    fixed_tag: bool
    """All sessions use the configured idTag."""


RULES = {
    FreeChargingMode.NO_OCPP: FreeRule(
        needs_card=False, reports_status=False, reports_transactions=False, fixed_tag=False
    ),
    FreeChargingMode.STATUS_WITHOUT_AUTH: FreeRule(
        needs_card=False, reports_status=True, reports_transactions=False, fixed_tag=False
    ),
    FreeChargingMode.STATUS_WITH_AUTH: FreeRule(
        needs_card=True, reports_status=True, reports_transactions=False, fixed_tag=False
    ),
    FreeChargingMode.FULL_FIXED_WITH_AUTH: FreeRule(
        needs_card=True, reports_status=True, reports_transactions=True, fixed_tag=True
    ),
    FreeChargingMode.FULL_FIXED_WITHOUT_AUTH: FreeRule(
        needs_card=False, reports_status=True, reports_transactions=True, fixed_tag=True
    ),
    FreeChargingMode.FULL_ANY_RFID: FreeRule(
        needs_card=True, reports_status=True, reports_transactions=True, fixed_tag=False
    ),
}
