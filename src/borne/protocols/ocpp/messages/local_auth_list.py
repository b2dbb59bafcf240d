"""Local authorization list management profile (OCPP 1.6 edition 2 sections 5.10, 5.15)."""

from __future__ import annotations

from enum import StrEnum

from borne.protocols.ocpp.messages.base import IdToken, Integer, Message, Request, Response
from borne.protocols.ocpp.messages.types import IdTagInfo


class UpdateType(StrEnum):
    """Section 7.48."""

    DIFFERENTIAL = "Differential"
    FULL = "Full"


class UpdateStatus(StrEnum):
    """Section 7.47."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    NOT_SUPPORTED = "NotSupported"
    VERSION_MISMATCH = "VersionMismatch"


class AuthorizationData(Message):
    """A list entry (section 7.1); without information it removes the tag (differential)."""

    id_tag: IdToken
    id_tag_info: IdTagInfo | None = None


class GetLocalListVersionRequest(Request):
    """Section 6.27."""


class GetLocalListVersionResponse(Response):
    """Section 6.28; 0 is an empty list, -1 no support."""

    list_version: Integer


class SendLocalListRequest(Request):
    """Section 6.41."""

    list_version: Integer
    local_authorization_list: tuple[AuthorizationData, ...] | None = None
    update_type: UpdateType


class SendLocalListResponse(Response):
    """Section 6.42."""

    status: UpdateStatus
