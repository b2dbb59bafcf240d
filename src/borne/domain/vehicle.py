"""Identity and demand of a vehicle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from borne.foundation.units import PerPhase


class IdentityKind(StrEnum):
    """Source of an identity."""

    RFID = "RFID"
    MAC = "MAC"
    EMAID = "EMAID"
    REMOTE = "REMOTE"
    FREE = "FREE"
    LOCAL = "LOCAL"
    """A start from the web page or by an energy manager, without a token."""


VISIBLE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Identity:
    """Who charges. `id_token` is the idTag for the backend (at most 20 characters in OCPP 1.6)."""

    kind: IdentityKind
    id_token: str = ""
    group_id: str | None = None

    @property
    def masked(self) -> str:
        """The end of the token, for logs and pages."""
        if not self.id_token or self.kind in (IdentityKind.FREE, IdentityKind.LOCAL):
            return self.id_token
        hidden = max(1, min(len(self.id_token) - 2, len(self.id_token) - VISIBLE_DIGITS))
        return "..." + self.id_token[max(hidden, 0) :]


class DemandSource(StrEnum):
    """Source of a demand."""

    SIMULATOR = "simulator"
    ISO15118 = "iso15118"
    API = "api"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class VehicleDemand:
    """The demand of a vehicle, as far as it is known."""

    source: DemandSource
    max_a: PerPhase | None = None
    energy_wh: int | None = None
    departure: datetime | None = None
    state_of_charge: float | None = None
    """0 to 1."""
