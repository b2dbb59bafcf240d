"""Commands of the firmware management profile (OCPP 1.6 sections 5.9, 5.19; 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from borne.adapters.ocpp.charge_point.notices import Notices
from borne.application.backend.backend_services import BackendServices
from borne.application.maintenance.firmware_update import (
    ENDED,
    FirmwareUpdates,
    UpdateOrder,
    UpdateProgress,
    UpdateState,
)
from borne.application.maintenance.log_upload import (
    LogKind,
    LogUploads,
    UploadOrder,
    UploadProgress,
    UploadState,
)
from borne.protocols.ocpp.messages import Message
from borne.protocols.ocpp.messages.firmware import (
    DiagnosticsStatus,
    DiagnosticsStatusNotificationRequest,
    FirmwareStatus,
    FirmwareStatusNotificationRequest,
    GetDiagnosticsRequest,
    GetDiagnosticsResponse,
    UpdateFirmwareRequest,
    UpdateFirmwareResponse,
)
from borne.protocols.ocpp.rpc.errors import ErrorCode, RpcError
from borne.protocols.ocpp.rpc.handlers import Handlers

Post = Callable[[Message], None]

_FIRMWARE = {
    UpdateState.DOWNLOADING: FirmwareStatus.DOWNLOADING,
    UpdateState.DOWNLOADED: FirmwareStatus.DOWNLOADED,
    UpdateState.DOWNLOAD_FAILED: FirmwareStatus.DOWNLOAD_FAILED,
    UpdateState.INSTALLING: FirmwareStatus.INSTALLING,
    UpdateState.INSTALLED: FirmwareStatus.INSTALLED,
    UpdateState.INSTALLATION_FAILED: FirmwareStatus.INSTALLATION_FAILED,
}


def register_maintenance(
    handlers: Handlers, services: BackendServices, notices: Notices
) -> MaintenanceSide:
    """Register the commands of this profile, and report progress."""
    side = MaintenanceSide(
        services.firmware, services.logs, notices.post, lambda: services.commands.secure
    )
    services.firmware.before_restart = notices.flush
    handlers.register(UpdateFirmwareRequest, side.update)
    handlers.register(GetDiagnosticsRequest, side.diagnostics)
    return side


class MaintenanceSide:
    """Firmware updates and log uploads in terms of OCPP 1.6."""

    def __init__(
        self,
        firmware: FirmwareUpdates,
        logs: LogUploads,
        post: Post,
        secure: Callable[[], bool],
    ) -> None:
        self._secure = secure
        self._firmware = firmware
        self._logs = logs
        self._post = post
        firmware.progressed.subscribe(self._send_firmware)
        logs.progressed.subscribe(self._send_logs)

    async def update(self, request: UpdateFirmwareRequest) -> UpdateFirmwareResponse:
        """UpdateFirmware: the answer is empty, the statuses report progress. With a security
        profile only signed firmware is accepted (whitepaper L01.FR.20)."""
        if self._secure():
            raise RpcError(ErrorCode.NOT_SUPPORTED, "use SignedUpdateFirmware")
        await self._firmware.order(
            UpdateOrder(
                request.location, request.retrieve_date, request.retries, request.retry_interval
            )
        )
        return UpdateFirmwareResponse()

    async def diagnostics(self, request: GetDiagnosticsRequest) -> GetDiagnosticsResponse:
        """GetDiagnostics: returns the name of the future file."""
        name, _ = self._logs.order(
            UploadOrder(
                LogKind.DIAGNOSTICS,
                request.location,
                request.start_time,
                request.stop_time,
                request.retries,
                request.retry_interval,
            )
        )
        return GetDiagnosticsResponse(file_name=name)

    async def firmware_status(self, _: int | None) -> Sequence[Message]:
        """For TriggerMessage: Idle unless an update is in progress."""
        state = self._firmware.current.state
        status = (
            FirmwareStatus.IDLE if state in ENDED else _FIRMWARE.get(state, FirmwareStatus.IDLE)
        )
        return [FirmwareStatusNotificationRequest(status=status)]

    async def diagnostics_status(self, _: int | None) -> Sequence[Message]:
        """For TriggerMessage: Idle unless an upload is in progress."""
        busy = self._logs.current.state is UploadState.UPLOADING
        status = DiagnosticsStatus.UPLOADING if busy else DiagnosticsStatus.IDLE
        return [DiagnosticsStatusNotificationRequest(status=status)]

    def _send_firmware(self, progress: UpdateProgress) -> None:
        status = _FIRMWARE.get(progress.state)
        if progress.request_id is None and status is not None:
            self._post(FirmwareStatusNotificationRequest(status=status))

    def _send_logs(self, progress: UploadProgress) -> None:
        if progress.request_id is not None:
            return
        match progress.state:
            case UploadState.UPLOADING:
                status = DiagnosticsStatus.UPLOADING
            case UploadState.UPLOADED:
                status = DiagnosticsStatus.UPLOADED
            case _:
                status = DiagnosticsStatus.UPLOAD_FAILED
        self._post(DiagnosticsStatusNotificationRequest(status=status))
