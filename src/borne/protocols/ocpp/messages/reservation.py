"""Reservation profile (OCPP 1.6 edition 2 sections 5.1, 5.13)."""

from __future__ import annotations

from enum import StrEnum

from borne.protocols.ocpp.messages.base import (
    CiString20,
    ConnectorId,
    DateTime,
    IdToken,
    Integer,
    Request,
    Response,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected


class ReservationStatus(StrEnum):
    """Section 7.40."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


class CancelReservationRequest(Request):
    """Section 6.5."""

    reservation_id: Integer


class CancelReservationResponse(Response):
    """Section 6.6."""

    status: AcceptedOrRejected


class ReserveNowRequest(Request):
    """Section 6.37."""

    connector_id: ConnectorId
    expiry_date: DateTime
    id_tag: IdToken
    parent_id_tag: CiString20 | None = None
    reservation_id: Integer


class ReserveNowResponse(Response):
    """Section 6.38."""

    status: ReservationStatus
