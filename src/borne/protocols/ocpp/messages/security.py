"""Messages of the security whitepaper for OCPP 1.6 (edition 2 section 5, edition 3 schemas)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from borne.protocols.ocpp.messages.base import (
    CiString50,
    CiString255,
    ConnectorId,
    DateTime,
    Integer,
    Message,
    Request,
    Response,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected, TriggerMessageStatus

SerialNumber = Annotated[str, StringConstraints(strict=True, max_length=40)]
HashText = Annotated[str, StringConstraints(strict=True, max_length=128)]
Url = Annotated[str, StringConstraints(strict=True, max_length=512)]
Signature = Annotated[str, StringConstraints(strict=True, max_length=800)]
Pem = Annotated[str, StringConstraints(strict=True, max_length=5500)]
PemChain = Annotated[str, StringConstraints(strict=True, max_length=10000)]


class HashAlgorithm(StrEnum):
    """Hash algorithm of certificate hashes."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class CertificateUse(StrEnum):
    """Purpose of an installed root certificate."""

    CENTRAL_SYSTEM_ROOT_CERTIFICATE = "CentralSystemRootCertificate"
    MANUFACTURER_ROOT_CERTIFICATE = "ManufacturerRootCertificate"


class DeleteCertificateStatus(StrEnum):
    """Answer to DeleteCertificate."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    NOT_FOUND = "NotFound"


class InstalledCertificateStatus(StrEnum):
    """Answer to GetInstalledCertificateIds."""

    ACCEPTED = "Accepted"
    NOT_FOUND = "NotFound"


class InstallCertificateStatus(StrEnum):
    """Answer to InstallCertificate."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    REJECTED = "Rejected"


class LogType(StrEnum):
    """Kind of log for GetLog."""

    DIAGNOSTICS_LOG = "DiagnosticsLog"
    SECURITY_LOG = "SecurityLog"


class LogStatus(StrEnum):
    """Answer to GetLog."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    ACCEPTED_CANCELED = "AcceptedCanceled"


class UploadLogStatus(StrEnum):
    """Progress of a log upload; the schema has UploadFailure, the text UploadFailed."""

    BAD_MESSAGE = "BadMessage"
    IDLE = "Idle"
    NOT_SUPPORTED_OPERATION = "NotSupportedOperation"
    PERMISSION_DENIED = "PermissionDenied"
    UPLOADED = "Uploaded"
    UPLOAD_FAILURE = "UploadFailure"
    UPLOADING = "Uploading"


class SignedFirmwareStatus(StrEnum):
    """Progress of a signed update."""

    DOWNLOADED = "Downloaded"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADING = "Downloading"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOAD_PAUSED = "DownloadPaused"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLING = "Installing"
    INSTALLED = "Installed"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALL_VERIFICATION_FAILED = "InstallVerificationFailed"
    INVALID_SIGNATURE = "InvalidSignature"
    SIGNATURE_VERIFIED = "SignatureVerified"


class SignedUpdateStatus(StrEnum):
    """Answer to SignedUpdateFirmware."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    ACCEPTED_CANCELED = "AcceptedCanceled"
    INVALID_CERTIFICATE = "InvalidCertificate"
    REVOKED_CERTIFICATE = "RevokedCertificate"


class ExtendedMessageTrigger(StrEnum):
    """Messages for ExtendedTriggerMessage."""

    BOOT_NOTIFICATION = "BootNotification"
    LOG_STATUS_NOTIFICATION = "LogStatusNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    METER_VALUES = "MeterValues"
    SIGN_CHARGE_POINT_CERTIFICATE = "SignChargePointCertificate"
    STATUS_NOTIFICATION = "StatusNotification"


class CertificateHashData(Message):
    """Identifies a certificate."""

    hash_algorithm: HashAlgorithm
    issuer_name_hash: HashText
    issuer_key_hash: HashText
    serial_number: SerialNumber


class LogParameters(Message):
    """Destination and period of a log."""

    remote_location: Url
    oldest_timestamp: DateTime | None = None
    latest_timestamp: DateTime | None = None


class Firmware(Message):
    """A signed image."""

    location: Url
    retrieve_date_time: DateTime
    install_date_time: DateTime | None = None
    signing_certificate: Pem
    signature: Signature


class CertificateSignedRequest(Request):
    """The signed client certificate with its chain."""

    certificate_chain: PemChain


class CertificateSignedResponse(Response):
    """Whether the certificate is accepted."""

    status: AcceptedOrRejected


class DeleteCertificateRequest(Request):
    """Remove an installed certificate."""

    certificate_hash_data: CertificateHashData


class DeleteCertificateResponse(Response):
    """What became of it."""

    status: DeleteCertificateStatus


class ExtendedTriggerMessageRequest(Request):
    """TriggerMessage with the messages of the whitepaper."""

    requested_message: ExtendedMessageTrigger
    connector_id: ConnectorId | None = None


class ExtendedTriggerMessageResponse(Response):
    """Whether the message follows."""

    status: TriggerMessageStatus


class GetInstalledCertificateIdsRequest(Request):
    """Request the installed certificates of one use."""

    certificate_type: CertificateUse


class GetInstalledCertificateIdsResponse(Response):
    """Their hashes."""

    certificate_hash_data: tuple[CertificateHashData, ...] | None = Field(
        default=None, min_length=1
    )
    status: InstalledCertificateStatus


class GetLogRequest(Request):
    """Upload a log; `retry_interval` in seconds."""

    log: LogParameters
    log_type: LogType
    request_id: Integer
    retries: Integer | None = None
    retry_interval: Integer | None = None


class GetLogResponse(Response):
    """Whether an upload follows, and the name of its file."""

    status: LogStatus
    filename: CiString255 | None = None


class InstallCertificateRequest(Request):
    """Install a root certificate."""

    certificate_type: CertificateUse
    certificate: Pem


class InstallCertificateResponse(Response):
    """What became of it."""

    status: InstallCertificateStatus


class LogStatusNotificationRequest(Request):
    """Progress of a log upload."""

    status: UploadLogStatus
    request_id: Integer | None = None


class LogStatusNotificationResponse(Response):
    """Empty."""


class SecurityEventNotificationRequest(Request):
    """A security event."""

    type: CiString50
    timestamp: DateTime
    tech_info: CiString255 | None = None


class SecurityEventNotificationResponse(Response):
    """Empty."""


class SignCertificateRequest(Request):
    """A certificate signing request in PEM."""

    csr: Pem


class SignCertificateResponse(Response):
    """Whether the request was accepted."""

    status: AcceptedOrRejected


class SignedFirmwareStatusNotificationRequest(Request):
    """Progress of a signed update."""

    status: SignedFirmwareStatus
    request_id: Integer | None = None


class SignedFirmwareStatusNotificationResponse(Response):
    """Empty."""


class SignedUpdateFirmwareRequest(Request):
    """Install a signed image; `retry_interval` in seconds."""

    retries: Integer | None = None
    retry_interval: Integer | None = None
    request_id: Integer
    firmware: Firmware


class SignedUpdateFirmwareResponse(Response):
    """Whether the update will be done."""

    status: SignedUpdateStatus
