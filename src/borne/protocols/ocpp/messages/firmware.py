"""Firmware management profile (OCPP 1.6 edition 2 sections 4.4, 4.5, 5.9, 5.19)."""

from __future__ import annotations

from enum import StrEnum

from borne.protocols.ocpp.messages.base import (
    CiString255,
    DateTime,
    Integer,
    Request,
    Response,
    Text,
)


class DiagnosticsStatus(StrEnum):
    """Section 7.24."""

    IDLE = "Idle"
    UPLOADED = "Uploaded"
    UPLOAD_FAILED = "UploadFailed"
    UPLOADING = "Uploading"


class FirmwareStatus(StrEnum):
    """Section 7.25."""

    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADING = "Downloading"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLING = "Installing"
    INSTALLED = "Installed"


class DiagnosticsStatusNotificationRequest(Request):
    """Section 6.17."""

    status: DiagnosticsStatus


class DiagnosticsStatusNotificationResponse(Response):
    """Section 6.18."""


class FirmwareStatusNotificationRequest(Request):
    """Section 6.19."""

    status: FirmwareStatus


class FirmwareStatusNotificationResponse(Response):
    """Section 6.20."""


class GetDiagnosticsRequest(Request):
    """Section 6.25; `retry_interval` in seconds."""

    location: Text
    retries: Integer | None = None
    retry_interval: Integer | None = None
    start_time: DateTime | None = None
    stop_time: DateTime | None = None


class GetDiagnosticsResponse(Response):
    """Section 6.26; no name when there is nothing to upload."""

    file_name: CiString255 | None = None


class UpdateFirmwareRequest(Request):
    """Section 6.55; `retry_interval` in seconds."""

    location: Text
    retries: Integer | None = None
    retrieve_date: DateTime
    retry_interval: Integer | None = None


class UpdateFirmwareResponse(Response):
    """Section 6.56."""
