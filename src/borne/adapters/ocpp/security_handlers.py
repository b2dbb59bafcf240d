"""Commands of the security whitepaper: certificates, logs, triggers, signed firmware."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from borne.adapters.ocpp.backend_settings import LiveSettings
from borne.adapters.ocpp.charge_point.triggers import Triggers
from borne.application.backend.backend_services import BackendServices
from borne.application.maintenance.firmware_update import ENDED, UpdateOrder, UpdateProgress
from borne.application.maintenance.log_upload import (
    LogKind,
    UploadOrder,
    UploadProgress,
    UploadState,
)
from borne.application.ports.certificates import CertificateHash, HashAlgorithm, RootUse
from borne.protocols.ocpp.messages import Message
from borne.protocols.ocpp.messages import security as wire
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.handlers import Handlers, Reply

Post = Callable[[Message], None]


def register_security(
    handlers: Handlers,
    services: BackendServices,
    triggers: Triggers,
    live: LiveSettings,
    post: Post,
) -> None:
    """Register the commands of the whitepaper."""
    certificates = _Certificates(services, live)
    handlers.register(wire.InstallCertificateRequest, certificates.install)
    handlers.register(wire.GetInstalledCertificateIdsRequest, certificates.ids)
    handlers.register(wire.DeleteCertificateRequest, certificates.delete)
    handlers.register(wire.CertificateSignedRequest, certificates.signed)
    files = _Files(services, post)
    handlers.register(wire.GetLogRequest, files.log)
    handlers.register(wire.SignedUpdateFirmwareRequest, files.update)
    triggered = _Triggered(services, triggers)
    handlers.register(wire.ExtendedTriggerMessageRequest, triggered.handle)


def _hash(wire_hash: wire.CertificateHashData) -> CertificateHash:
    return CertificateHash(
        HashAlgorithm(wire_hash.hash_algorithm.value),
        wire_hash.issuer_name_hash,
        wire_hash.issuer_key_hash,
        wire_hash.serial_number,
    )


def _wire_hash(named: CertificateHash) -> wire.CertificateHashData:
    return wire.CertificateHashData(
        hash_algorithm=wire.HashAlgorithm(named.algorithm.value),
        issuer_name_hash=named.issuer_name,
        issuer_key_hash=named.issuer_key,
        serial_number=named.serial_number,
    )


class _Certificates:
    def __init__(self, services: BackendServices, live: LiveSettings) -> None:
        self._certificates = services.certificates
        self._live = live

    async def install(
        self, request: wire.InstallCertificateRequest
    ) -> wire.InstallCertificateResponse:
        use = RootUse(request.certificate_type.value)
        answer = await self._certificates.install(use, request.certificate)
        return wire.InstallCertificateResponse(status=wire.InstallCertificateStatus(answer))

    async def ids(
        self, request: wire.GetInstalledCertificateIdsRequest
    ) -> wire.GetInstalledCertificateIdsResponse:
        found = await self._certificates.ids(RootUse(request.certificate_type.value))
        if not found:
            status = wire.InstalledCertificateStatus.NOT_FOUND
            return wire.GetInstalledCertificateIdsResponse(status=status)
        return wire.GetInstalledCertificateIdsResponse(
            status=wire.InstalledCertificateStatus.ACCEPTED,
            certificate_hash_data=tuple(map(_wire_hash, found)),
        )

    async def delete(
        self, request: wire.DeleteCertificateRequest
    ) -> wire.DeleteCertificateResponse:
        answer = await self._certificates.delete(_hash(request.certificate_hash_data))
        return wire.DeleteCertificateResponse(status=wire.DeleteCertificateStatus(answer))

    async def signed(
        self, request: wire.CertificateSignedRequest
    ) -> Reply[wire.CertificateSignedResponse]:
        async with self._live.answering():
            accepted = await self._certificates.install_chain(request.certificate_chain)
        answer = wire.CertificateSignedResponse(status=AcceptedOrRejected.of(accepted))
        return Reply(answer, self._live.release)


class _Files:
    def __init__(self, services: BackendServices, post: Post) -> None:
        self._services = services
        self._post = post
        services.logs.progressed.subscribe(self._send_log)
        services.firmware.progressed.subscribe(self._send_firmware)

    async def log(self, request: wire.GetLogRequest) -> wire.GetLogResponse:
        kinds = {
            wire.LogType.DIAGNOSTICS_LOG: LogKind.DIAGNOSTICS,
            wire.LogType.SECURITY_LOG: LogKind.SECURITY,
        }
        name, cancelled = self._services.logs.order(
            UploadOrder(
                kinds[request.log_type],
                request.log.remote_location,
                request.log.oldest_timestamp,
                request.log.latest_timestamp,
                request.retries,
                request.retry_interval,
                request.request_id,
            )
        )
        status = wire.LogStatus.ACCEPTED_CANCELED if cancelled else wire.LogStatus.ACCEPTED
        return wire.GetLogResponse(status=status, filename=name)

    async def update(
        self, request: wire.SignedUpdateFirmwareRequest
    ) -> wire.SignedUpdateFirmwareResponse:
        firmware = request.firmware
        problem = await self._services.certificates.signing_problem(firmware.signing_certificate)
        if problem is not None:
            status = wire.SignedUpdateStatus.INVALID_CERTIFICATE
            return wire.SignedUpdateFirmwareResponse(status=status)
        cancelled = await self._services.firmware.order(
            UpdateOrder(
                location=firmware.location,
                retrieve_at=firmware.retrieve_date_time,
                retries=request.retries,
                retry_interval_s=request.retry_interval,
                request_id=request.request_id,
                install_at=firmware.install_date_time,
                certificate=firmware.signing_certificate,
                signature=firmware.signature,
            )
        )
        accepted, again = (
            wire.SignedUpdateStatus.ACCEPTED,
            wire.SignedUpdateStatus.ACCEPTED_CANCELED,
        )
        return wire.SignedUpdateFirmwareResponse(status=again if cancelled else accepted)

    def _send_log(self, progress: UploadProgress) -> None:
        if progress.request_id is not None:
            self._post(_log_status(progress))

    def _send_firmware(self, progress: UpdateProgress) -> None:
        if progress.request_id is not None:
            self._post(_firmware_status(progress))


class _Triggered:
    """ExtendedTriggerMessage: the messages of TriggerMessage, and those of the whitepaper."""

    def __init__(self, services: BackendServices, triggers: Triggers) -> None:
        self._services = services
        self._triggers = triggers
        triggers.register("SignChargePointCertificate", self._sign)
        triggers.register("LogStatusNotification", self._log)
        triggers.register("SignedFirmwareStatusNotification", self._firmware)

    async def handle(
        self, request: wire.ExtendedTriggerMessageRequest
    ) -> Reply[wire.ExtendedTriggerMessageResponse]:
        name = request.requested_message.value
        if name == "FirmwareStatusNotification":
            name = "SignedFirmwareStatusNotification"
        status, then = await self._triggers.prepare(name, request.connector_id)
        return Reply(wire.ExtendedTriggerMessageResponse(status=status), then)

    async def _firmware(self, _: int | None) -> Sequence[Message]:
        progress = self._services.firmware.current
        if progress.state in ENDED or progress.request_id is None:
            status = wire.SignedFirmwareStatus.IDLE
            return [wire.SignedFirmwareStatusNotificationRequest(status=status)]
        return [_firmware_status(progress)]

    async def _sign(self, _: int | None) -> Sequence[Message]:
        return [wire.SignCertificateRequest(csr=await self._services.certificates.request())]

    async def _log(self, _: int | None) -> Sequence[Message]:
        progress = self._services.logs.current
        if progress.state is not UploadState.UPLOADING:
            return [wire.LogStatusNotificationRequest(status=wire.UploadLogStatus.IDLE)]
        return [_log_status(progress)]


def _log_status(progress: UploadProgress) -> Message:
    return wire.LogStatusNotificationRequest(
        status=wire.UploadLogStatus(progress.state.value), request_id=progress.request_id
    )


def _firmware_status(progress: UpdateProgress) -> Message:
    return wire.SignedFirmwareStatusNotificationRequest(
        status=wire.SignedFirmwareStatus(progress.state.value), request_id=progress.request_id
    )
