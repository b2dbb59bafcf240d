"""What a vehicle asks for and who pays for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from borne.foundation.units import PerPhase


class IdentityKind(StrEnum):
    """Where an identity comes from."""

    RFID = "RFID"
    MAC = "MAC"
    EMAID = "EMAID"
    REMOTE = "REMOTE"
    FREE = "FREE"
    LOCAL = "LOCAL"
    """Somebody at the web page or an energy manager; no token."""


VISIBLE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Identity:
    """Who charges. `id_token` is what a backend knows (at most 20 characters in OCPP 1.6)."""

    kind: IdentityKind
    id_token: str = ""
    group_id: str | None = None

    @property
    def masked(self) -> str:
        """For logs and pages: the end of the token only."""
        if not self.id_token or self.kind in (IdentityKind.FREE, IdentityKind.LOCAL):
            return self.id_token
        hidden = max(1, min(len(self.id_token) - 2, len(self.id_token) - VISIBLE_DIGITS))
        return "..." + self.id_token[max(hidden, 0) :]


class DemandSource(StrEnum):
    """Who told the demand."""

    SIMULATOR = "simulator"
    ISO15118 = "iso15118"
    API = "api"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class VehicleDemand:
    """What a vehicle wants, as far as it is known."""

    source: DemandSource
    max_a: PerPhase | None = None
    energy_wh: int | None = None
    departure: datetime | None = None
    state_of_charge: float | None = None
    """0 to 1."""
