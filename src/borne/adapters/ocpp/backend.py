"""The connection to a central system over OCPP-J 1.6, between the application and the client.

Only translates. `application.backend` decides what a command does, `charge_point` when messages are
sent.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from borne.adapters.ocpp.backend_settings import LiveSettings
from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.contract import StationSide
from borne.adapters.ocpp.charge_point.frame_keeper import FrameKeeper
from borne.adapters.ocpp.charge_point.link import JsonLink, LinkFactory
from borne.adapters.ocpp.charge_point.payloads import meter_values_request
from borne.adapters.ocpp.charge_point.security_notices import SecurityNotices
from borne.adapters.ocpp.maintenance_handlers import register_maintenance
from borne.adapters.ocpp.profile_handlers import register_profiles
from borne.adapters.ocpp.security_events import ConnectionEvents
from borne.adapters.ocpp.security_handlers import register_security
from borne.adapters.ocpp.smart_charging_handlers import register_smart_charging
from borne.adapters.ocpp.station_handlers import register_core
from borne.application.backend.backend_services import BackendServices
from borne.application.ports.backend import (
    BackendListener,
    BackendUnreachable,
    BackendView,
    IdTagInfo,
    NoVerdict,
    StatusReport,
)
from borne.application.ports.storage import Storage
from borne.domain.frames import FrameRecord
from borne.domain.settings import CATALOGUE
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock
from borne.foundation.events import Unsubscribe
from borne.protocols.ocpp.messages import Message
from borne.protocols.ocpp.messages.core import BootNotificationRequest
from borne.protocols.ocpp.rpc.errors import CallFailed, Unreachable
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import Handlers
from borne.protocols.ocpp.rpc.redaction import Redactor

SHUTDOWN_TIMEOUT_S: Final = 5.0
"""Time to deliver the queue when the station stops; the rest is sent after the next start."""

SECRET_KEYS: Final = tuple(entry.key for entry in CATALOGUE if entry.type.is_secret)


class OcppBackend:
    """A BackendPort over OCPP-J 1.6."""

    def __init__(
        self,
        config: BackendConfig,
        services: BackendServices,
        storage: Storage,
        boot_content: Callable[[], Mapping[str, str]],
        listener: BackendListener,
        clock: Clock,
        rng: random.Random,
        make_link: LinkFactory = JsonLink,
    ) -> None:
        self._clock = clock
        self._outbox = outbox = storage.outbox
        self._services = services
        handlers = Handlers()
        station = StationSide(
            boot_content=lambda: BootNotificationRequest(**boot_content()),
            handlers=handlers,
            outbox=outbox,
            listener=listener,
        )
        log = FrameLog(clock.now, Redactor(SECRET_KEYS))
        self.client = ChargePointClient(
            config, station, clock=clock, rng=rng, log=log, make_link=make_link
        )
        self._keeper = FrameKeeper(self.client.log, storage.frames, self.client.tasks)
        base_url = services.commands.backend_url or config.connection.url
        self._live = LiveSettings(self.client, services.certificates.material, base_url)
        self._security = SecurityNotices(
            self.client.uplink,
            services.events,
            lambda: services.commands.secure,
            self.client.tasks,
        )
        self._register(handlers)

    def _register(self, handlers: Handlers) -> None:
        services, client, triggers = self._services, self.client, self.client.triggers
        register_core(handlers, services.commands, self._live)
        register_profiles(handlers, services)
        register_smart_charging(handlers, services)
        maintenance = register_maintenance(handlers, services, client.notices)
        register_security(handlers, services, triggers, self._live, client.notices.post)
        triggers.register("MeterValues", self._meter_values)
        triggers.register("FirmwareStatusNotification", maintenance.firmware_status)
        triggers.register("DiagnosticsStatusNotification", maintenance.diagnostics_status)
        client.failed.subscribe(ConnectionEvents(services.events).on_connect_failed)
        services.certificates.changed.subscribe(
            lambda material: self._live.on_material_changed(material, services.commands.settings)
        )

    # BackendPort -----------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        return self.client.online

    @property
    def connected(self) -> bool:
        """The link is up, whether or not the backend has accepted us."""
        return self.client.connected

    def subscribe_online(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """Calls `listener` with True when the backend has accepted the station, False when that
        ends."""
        return self.client.online_changed.subscribe(listener)

    def subscribe_link(self, listener: Callable[[], None]) -> Unsubscribe:
        """Calls `listener` when the content of `view` has changed."""
        return self.client.changed.notify(listener)

    async def authorize(self, id_token: str) -> IdTagInfo:
        """Send Authorize; raises BackendUnreachable, and NoVerdict for an answer without a
        status."""
        try:
            return await self.client.authorize(id_token)
        except Unreachable as error:
            raise BackendUnreachable(str(error)) from error
        except CallFailed as error:
            raise NoVerdict(str(error)) from error

    def report_status(self, report: StatusReport) -> None:
        """The current status of a connector."""
        self.client.report_status(report)

    def ask_statuses(self, settle: Callable[[int | None], None]) -> None:
        """Set the function that reports statuses that were held back."""
        self.client.ask_statuses(settle)

    def view(self) -> BackendView:
        return self.client.view()

    def message_log(self) -> Sequence[FrameRecord]:
        """The last messages, secrets redacted."""
        return self.client.log.records()

    async def message_history(self) -> Sequence[FrameRecord]:
        """The messages on the disk, secrets redacted."""
        return await self._keeper.history()

    def on_settings_changed(self, settings: Settings) -> None:
        """Apply the settings that take effect without a restart."""
        self._live.on_settings_changed(settings)
        self._security.reconsider()

    # Life ------------------------------------------------------------------------------------

    async def run(self) -> None:
        await self._keeper.restore()
        self._security.start()
        await self.client.run()

    async def stop(self) -> None:
        """Close the connection after the queue was delivered, so that a StopTransaction caused by a
        reset is still answered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_TIMEOUT_S):
                await self._hand_over()
        await self.client.stop()
        await self._keeper.flush()

    def abort(self) -> None:
        self._keeper.abort()
        self.client.abort()

    async def _hand_over(self) -> None:
        """Return once the queue is empty, or the backend does not accept its messages."""
        moved: asyncio.Queue[bool] = asyncio.Queue()
        ends = (
            self.client.queue_moved.subscribe(moved.put_nowait),
            self.client.online_changed.subscribe(moved.put_nowait),
        )
        try:
            while self.client.online and self._outbox.waiting:
                if not await moved.get():
                    return
        finally:
            for end in ends:
                end()

    async def _meter_values(self, connector: int | None) -> list[Message]:
        values = await self._services.commands.meter_values(connector)
        return [meter_values_request(message, number, self._clock) for message, number in values]
