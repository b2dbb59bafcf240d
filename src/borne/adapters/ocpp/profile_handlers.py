"""Commands of the smaller profiles: the local list of cards, and reservations (OCPP 1.6)."""

from __future__ import annotations

from borne.adapters.ocpp.charge_point.payloads import id_tag_info
from borne.application.authorization.local_list import LocalList
from borne.application.authorization.reservations import Reservations
from borne.application.backend.backend_rooms import BackendRooms
from borne.domain.reservation import Reservation
from borne.protocols.ocpp.messages.local_auth_list import (
    GetLocalListVersionRequest,
    GetLocalListVersionResponse,
    SendLocalListRequest,
    SendLocalListResponse,
    UpdateStatus,
    UpdateType,
)
from borne.protocols.ocpp.messages.reservation import (
    CancelReservationRequest,
    CancelReservationResponse,
    ReservationStatus,
    ReserveNowRequest,
    ReserveNowResponse,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.handlers import Handlers


def register_profiles(handlers: Handlers, rooms: BackendRooms) -> None:
    """Add what these profiles know."""
    cards = _Cards(rooms.local_list)
    handlers.register(GetLocalListVersionRequest, cards.version)
    handlers.register(SendLocalListRequest, cards.update)
    reservations = _Reservations(rooms.reservations)
    handlers.register(ReserveNowRequest, reservations.reserve)
    handlers.register(CancelReservationRequest, reservations.cancel)


class _Cards:
    def __init__(self, room: LocalList) -> None:
        self._room = room

    async def version(self, _: GetLocalListVersionRequest) -> GetLocalListVersionResponse:
        return GetLocalListVersionResponse(list_version=await self._room.version())

    async def update(self, request: SendLocalListRequest) -> SendLocalListResponse:
        entries = [
            (entry.id_tag, id_tag_info(entry.id_tag_info) if entry.id_tag_info else None)
            for entry in request.local_authorization_list or ()
        ]
        full = request.update_type is UpdateType.FULL
        answer = await self._room.update(request.list_version, entries, full=full)
        return SendLocalListResponse(status=UpdateStatus(answer))


class _Reservations:
    def __init__(self, room: Reservations) -> None:
        self._room = room

    async def reserve(self, request: ReserveNowRequest) -> ReserveNowResponse:
        asked = Reservation(
            reservation_id=request.reservation_id,
            connector=request.connector_id,
            id_token=request.id_tag,
            expires_at=request.expiry_date,
            parent=request.parent_id_tag,
        )
        return ReserveNowResponse(status=ReservationStatus(await self._room.reserve(asked)))

    async def cancel(self, request: CancelReservationRequest) -> CancelReservationResponse:
        cancelled = await self._room.cancel(request.reservation_id)
        return CancelReservationResponse(status=AcceptedOrRejected.of(cancelled))
