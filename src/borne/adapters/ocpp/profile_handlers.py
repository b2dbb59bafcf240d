"""Commands of the smaller profiles: the local list of cards, and reservations (OCPP 1.6)."""

from __future__ import annotations

from borne.adapters.ocpp.charge_point.payloads import id_tag_info
from borne.application.authorization.local_list import LocalList
from borne.application.authorization.reservations import Reservations
from borne.application.backend.backend_services import BackendServices
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


def register_profiles(handlers: Handlers, services: BackendServices) -> None:
    """Register the commands of these profiles."""
    cards = _Cards(services.local_list)
    handlers.register(GetLocalListVersionRequest, cards.version)
    handlers.register(SendLocalListRequest, cards.update)
    reservations = _Reservations(services.reservations)
    handlers.register(ReserveNowRequest, reservations.reserve)
    handlers.register(CancelReservationRequest, reservations.cancel)


class _Cards:
    def __init__(self, local_list: LocalList) -> None:
        self._list = local_list

    async def version(self, _: GetLocalListVersionRequest) -> GetLocalListVersionResponse:
        return GetLocalListVersionResponse(list_version=await self._list.version())

    async def update(self, request: SendLocalListRequest) -> SendLocalListResponse:
        entries = [
            (entry.id_tag, id_tag_info(entry.id_tag_info) if entry.id_tag_info else None)
            for entry in request.local_authorization_list or ()
        ]
        full = request.update_type is UpdateType.FULL
        answer = await self._list.update(request.list_version, entries, full=full)
        return SendLocalListResponse(status=UpdateStatus(answer))


class _Reservations:
    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations

    async def reserve(self, request: ReserveNowRequest) -> ReserveNowResponse:
        asked = Reservation(
            reservation_id=request.reservation_id,
            connector=request.connector_id,
            id_token=request.id_tag,
            expires_at=request.expiry_date,
            parent=request.parent_id_tag,
        )
        return ReserveNowResponse(status=ReservationStatus(await self._reservations.reserve(asked)))

    async def cancel(self, request: CancelReservationRequest) -> CancelReservationResponse:
        cancelled = await self._reservations.cancel(request.reservation_id)
        return CancelReservationResponse(status=AcceptedOrRejected.of(cancelled))
