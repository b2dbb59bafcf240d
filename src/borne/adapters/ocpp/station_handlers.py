"""Maps commands of the backend to functions of the station (OCPP 1.6 chapter 5)."""

from __future__ import annotations

from borne.adapters.ocpp.backend_settings import LiveSettings
from borne.adapters.ocpp.smart_charging_handlers import charging_profile
from borne.application.backend.backend_commands import BackendCommands
from borne.domain.settings.ocpp_view import MAX_VALUE, ConfigurationKey
from borne.protocols.ocpp.messages.core import (
    AvailabilityStatus,
    AvailabilityType,
    ChangeAvailabilityRequest,
    ChangeAvailabilityResponse,
    ChangeConfigurationRequest,
    ChangeConfigurationResponse,
    ClearCacheRequest,
    ClearCacheResponse,
    ConfigurationStatus,
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatus,
    GetConfigurationRequest,
    GetConfigurationResponse,
    KeyValue,
    LongKeyValue,
    RemoteStartTransactionRequest,
    RemoteStartTransactionResponse,
    RemoteStopTransactionRequest,
    RemoteStopTransactionResponse,
    ResetRequest,
    ResetResponse,
    ResetType,
    UnlockConnectorRequest,
    UnlockConnectorResponse,
    UnlockStatus,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.errors import ErrorCode, RpcError
from borne.protocols.ocpp.rpc.handlers import Handlers, Reply


def register_core(handlers: Handlers, commands: BackendCommands, live: LiveSettings) -> None:
    """Register the commands of the core profile."""
    core = _Core(commands, live)
    handlers.register(RemoteStartTransactionRequest, core.remote_start)
    handlers.register(RemoteStopTransactionRequest, core.remote_stop)
    handlers.register(ChangeAvailabilityRequest, core.change_availability)
    handlers.register(ChangeConfigurationRequest, core.change_configuration)
    handlers.register(GetConfigurationRequest, core.get_configuration)
    handlers.register(ClearCacheRequest, core.clear_cache)
    handlers.register(UnlockConnectorRequest, core.unlock)
    handlers.register(ResetRequest, core.reset)
    handlers.register(DataTransferRequest, core.data_transfer)


def _key_value(found: ConfigurationKey) -> KeyValue:
    longer = found.value is not None and len(found.value) > MAX_VALUE
    kind = LongKeyValue if longer else KeyValue
    return kind(key=found.key, readonly=found.readonly, value=found.value)


class _Core:
    def __init__(self, commands: BackendCommands, live: LiveSettings) -> None:
        self._commands = commands
        self._live = live

    async def remote_start(
        self, request: RemoteStartTransactionRequest
    ) -> RemoteStartTransactionResponse:
        profile = request.charging_profile
        accepted = await self._commands.remote_start(
            request.connector_id, request.id_tag, charging_profile(profile) if profile else None
        )
        return RemoteStartTransactionResponse(status=AcceptedOrRejected.of(accepted))

    async def remote_stop(
        self, request: RemoteStopTransactionRequest
    ) -> RemoteStopTransactionResponse:
        accepted = await self._commands.remote_stop(request.transaction_id)
        return RemoteStopTransactionResponse(status=AcceptedOrRejected.of(accepted))

    async def change_availability(
        self, request: ChangeAvailabilityRequest
    ) -> ChangeAvailabilityResponse:
        answer = await self._commands.change_availability(
            request.connector_id, operative=request.type is AvailabilityType.OPERATIVE
        )
        return ChangeAvailabilityResponse(status=AvailabilityStatus(answer))

    async def change_configuration(
        self, request: ChangeConfigurationRequest
    ) -> Reply[ChangeConfigurationResponse]:
        async with self._live.answering():
            answer = await self._commands.change_setting(request.key, request.value)
        response = ChangeConfigurationResponse(status=ConfigurationStatus(answer))
        return Reply(response, self._live.release)

    async def get_configuration(self, request: GetConfigurationRequest) -> GetConfigurationResponse:
        names, most = request.key or (), self._commands.settings.integer("GetConfigurationMaxKeys")
        if len(names) > most:
            raise RpcError(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, f"at most {most} keys")
        found, unknown = self._commands.read_settings(names)
        known = tuple(map(_key_value, found))
        return GetConfigurationResponse(configuration_key=known, unknown_key=tuple(unknown) or None)

    async def clear_cache(self, _: ClearCacheRequest) -> ClearCacheResponse:
        return ClearCacheResponse(status=AcceptedOrRejected.of(await self._commands.clear_cache()))

    async def unlock(self, request: UnlockConnectorRequest) -> UnlockConnectorResponse:
        answer = await self._commands.unlock(request.connector_id)
        return UnlockConnectorResponse(status=UnlockStatus(answer))

    async def reset(self, request: ResetRequest) -> Reply[ResetResponse]:
        async def restart() -> None:
            await self._commands.reset(hard=request.type is ResetType.HARD)

        return Reply(ResetResponse(status=AcceptedOrRejected.ACCEPTED), restart)

    async def data_transfer(self, _: DataTransferRequest) -> DataTransferResponse:
        return DataTransferResponse(status=DataTransferStatus.UNKNOWN_VENDOR_ID)
