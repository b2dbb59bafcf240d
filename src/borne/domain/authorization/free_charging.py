"""Free charging: six modes (manual 5.2, decision D29), as a table."""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.settings.choices import FreeChargingMode


@dataclass(frozen=True, slots=True)
class FreeRule:
    """What a mode asks of people and tells the backend."""

    needs_card: bool
    reports_status: bool
    reports_transactions: bool
    fixed_tag: bool
    """The configured idTag stands for everybody."""


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
