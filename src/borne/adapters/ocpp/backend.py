"""The station's link to a central system over OCPP-J 1.6: between the flows and the client.

Translates words only. What a command does is decided in `application.central_commands`, what is
sent when in `charge_point`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from borne.adapters.ocpp.backend_settings import LiveSettings
from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.contract import OutboxMessage, StationSide, StatusReport
from borne.adapters.ocpp.charge_point.drain import dated
from borne.adapters.ocpp.charge_point.frame_keeper import FrameKeeper, plain
from borne.adapters.ocpp.charge_point.link import JsonLink, LinkFactory
from borne.adapters.ocpp.charge_point.security_notices import SecurityNotices
from borne.adapters.ocpp.maintenance_handlers import register_maintenance
from borne.adapters.ocpp.profile_handlers import id_tag_info, register_profiles
from borne.adapters.ocpp.security_events import ConnectionEvents
from borne.adapters.ocpp.security_handlers import register_security
from borne.adapters.ocpp.smart_charging_handlers import register_smart_charging
from borne.adapters.ocpp.station_handlers import register_core
from borne.application.backend.backend_flow import BackendFlow
from borne.application.backend.backend_rooms import BackendRooms
from borne.application.ports.backend import (
    BackendUnreachable,
    BackendView,
    ConnectorStatus,
    IdTagInfo,
    NoVerdict,
)
from borne.application.ports.storage import Outbox, Storage
from borne.domain.settings import CATALOGUE
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal, Unsubscribe
from borne.protocols.ocpp.messages import Action, Message
from borne.protocols.ocpp.messages.core import (
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    MeterValuesRequest,
    StartTransactionResponse,
    StopTransactionResponse,
)
from borne.protocols.ocpp.rpc.errors import CallFailed, Unreachable
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import Handlers
from borne.protocols.ocpp.rpc.redaction import Redactor

FAREWELL_S: Final = 5.0
"""For what waits in the queue when the station stops; the rest is told after the next start."""

SECRET_KEYS: Final = tuple(entry.key for entry in CATALOGUE if entry.type.is_secret)
YEARS: Final = range(2025, 2100)
"""Of a time that is believed: other ones are a backend's mistake, and would break the calendar."""

_log = logging.getLogger(__name__)
Learn = Callable[[OutboxMessage, Message], Awaitable[None]]


def best_time(now: datetime | None, told: datetime, round_trip_s: float) -> datetime:
    """What an answer teaches. It was made at some time of its round trip, which may be a minute:
    a clock that shows such a time stays as it is, else the middle is the best guess."""
    if now is not None and told <= now <= told + timedelta(seconds=round_trip_s):
        return now
    return told + timedelta(seconds=round_trip_s / 2)


class StationOutbox:
    """The durable queue as the client reads it; answers take effect before they are committed, so
    that a repeat after a power cut finds nothing half done."""

    def __init__(
        self, outbox: Outbox, learn: Learn, date_moments: Callable[[], Awaitable[None]]
    ) -> None:
        self._outbox = outbox
        self._learn = learn
        self._date_moments = date_moments
        self._current: OutboxMessage | None = None
        self.moved: Signal[bool] = Signal()
        """A message was delivered or given up (True), or not taken (False)."""

    async def next_message(self) -> OutboxMessage | None:
        """The oldest one."""
        queued = await self._outbox.next()
        if queued is not None and _undated(queued.message.payload):
            await self._date_moments()
            queued = await self._outbox.next()
        if queued is None:
            return None
        self._current = OutboxMessage(
            seq=queued.seq,
            message_id=queued.message_id,
            action=Action(queued.message.kind.value),
            session_id=queued.message.session_id,
            payload=queued.message.payload,
            transaction_id=queued.transaction_id,
            attempts=queued.attempts,
        )
        return self._current

    async def end_waits(self, connector: int) -> bool:
        """Whether the end of a session at this connector waits to be told for the first time."""
        return await self._outbox.end_waits(connector)

    async def answered(self, seq: int, answer: Message) -> None:
        """Commit the answer."""
        message = self._current
        if message is not None and message.seq == seq:
            await self._learn(message, answer)
        if isinstance(answer, StartTransactionResponse):
            info = answer.id_tag_info
            await self._outbox.answered(
                seq,
                transaction_id=answer.transaction_id,
                id_status=info.status.value if info else None,
                group_id=info.parent_id_tag if info else None,
            )
        else:
            await self._outbox.answered(seq)
        self.moved.emit(True)

    async def failed(self, seq: int) -> int:
        """Count a failed attempt."""
        attempts = await self._outbox.failed(seq)
        self.moved.emit(False)
        return attempts

    async def discard(self, seq: int, reason: str) -> None:
        """Give a message up."""
        await self._outbox.discard(seq, reason)
        self.moved.emit(True)

    async def wait_for_work(self) -> None:
        """Return when there may be something."""
        await self._outbox.wait_for_work()


class OcppBackend:
    """A BackendPort over OCPP-J 1.6."""

    def __init__(
        self,
        config: BackendConfig,
        rooms: BackendRooms,
        storage: Storage,
        boot_content: Callable[[], Mapping[str, str]],
        flow: BackendFlow,
        clock: Clock,
        rng: random.Random,
        make_link: LinkFactory = JsonLink,
    ) -> None:
        self._flow = flow
        self._clock = clock
        self._outbox = outbox = storage.outbox
        self._rooms = rooms
        handlers = Handlers()
        self._queue = StationOutbox(outbox, self._learn, flow.date_moments)
        station = StationSide(
            boot_content=lambda: BootNotificationRequest(**boot_content()),
            handlers=handlers,
            outbox=self._queue,
            events=self,
        )
        log = FrameLog(clock.now, Redactor(SECRET_KEYS))
        self.client = ChargePointClient(
            config, station, clock=clock, rng=rng, log=log, make_link=make_link
        )
        self._keeper = FrameKeeper(self.client.log, storage.frames)
        self.client.accompany("message log", self._keeper.run)
        base_url = rooms.commands.backend_url or config.connection.url
        self._live = LiveSettings(self.client, rooms.certificates.material, base_url)
        self._security = SecurityNotices(
            self.client.uplink, rooms.events, lambda: rooms.commands.secure
        )
        self._register(handlers)

    def _register(self, handlers: Handlers) -> None:
        rooms, client, triggers = self._rooms, self.client, self.client.triggers
        register_core(handlers, rooms.commands, self._live)
        register_profiles(handlers, rooms)
        register_smart_charging(handlers, rooms)
        maintenance = register_maintenance(handlers, rooms, client.notices)
        register_security(handlers, rooms, triggers, self._live, client.notices.post)
        triggers.register("MeterValues", self._meter_values)
        triggers.register("FirmwareStatusNotification", maintenance.firmware_status)
        triggers.register("DiagnosticsStatusNotification", maintenance.diagnostics_status)
        client.accompany("security events", self._security.run)
        client.failed.subscribe(ConnectionEvents(rooms.events).take_failure)
        rooms.certificates.changed.subscribe(
            lambda material: self._live.take_material(material, rooms.commands.settings)
        )

    # BackendPort -----------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Connected and accepted."""
        return self.client.online

    def subscribe_online(self, listener: Callable[[bool], None]) -> Unsubscribe:
        """True when the backend is connected and has accepted us, False when no longer."""
        return self.client.online_changed.subscribe(listener)

    def subscribe_link(self, listener: Callable[[], None]) -> Unsubscribe:
        """Told when what `view` shows has changed."""
        return self.client.changed.subscribe(lambda _: listener())

    async def authorize(self, id_token: str) -> IdTagInfo:
        """Ask; raises BackendUnreachable, and NoVerdict for an answer that says nothing."""
        try:
            return id_tag_info(await self.client.authorize(id_token))
        except Unreachable as error:
            raise BackendUnreachable(str(error)) from error
        except CallFailed as error:
            raise NoVerdict(str(error)) from error

    def report_status(self, status: ConnectorStatus) -> None:
        """Tell the current status of a connector."""
        self.client.report_status(
            StatusReport(
                connector_id=status.connector,
                status=ChargePointStatus(status.status),
                at=status.at,
                error_code=ChargePointErrorCode(status.error_code),
                info=status.info,
                vendor_error_code=status.vendor_error_code,
                info_is_news=status.info_is_news,
            )
        )

    def ask_statuses(self, settle: Callable[[int | None], None]) -> None:
        """Where to ask for statuses that were held back."""
        self.client.ask_statuses(settle)

    def view(self) -> BackendView:
        """For people."""
        told = self.client.view()
        return BackendView(
            link=told.link.value,
            boot=told.boot.value,
            queue=self._outbox.waiting,
            next_heartbeat_s=told.next_heartbeat_s,
            next_attempt_s=told.next_attempt_s,
            last_error=told.last_error,
            connections=told.connections,
            ladder=tuple(_plain(asdict(result)) for result in told.ladder),
        )

    def message_log(self) -> Sequence[Mapping[str, Any]]:
        """The last messages, secrets redacted."""
        return [plain(record) for record in self.client.log.records()]

    async def message_history(self) -> Sequence[Mapping[str, Any]]:
        """The messages on the disk, secrets redacted."""
        return await self._keeper.history()

    def take_settings(self, settings: Settings) -> None:
        """Follow what takes effect without a restart."""
        self._live.take_settings(settings)
        self._security.reconsider()

    # Life ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay connected."""
        await self._keeper.take_up()
        await self.client.run()

    async def stop(self) -> None:
        """Say goodbye, when the backend has what waited for it: a StopTransaction that a reset
        made is answered before the connection closes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._hand_over()
        await self.client.stop()
        await self._keeper.flush()

    def abort(self) -> None:
        """Power cut."""
        self.client.abort()

    async def _hand_over(self) -> None:
        """Return when nothing waits, or the backend does not take it."""
        moved: asyncio.Queue[bool] = asyncio.Queue()
        ends = (
            self._queue.moved.subscribe(moved.put_nowait),
            self.client.online_changed.subscribe(moved.put_nowait),
        )
        try:
            while self.client.online and self._outbox.waiting:
                if not await moved.get():
                    return
        finally:
            for end in ends:
                end()

    # StationEvents ---------------------------------------------------------------------------

    def backend_time(self, at: datetime, round_trip_s: float) -> None:
        """The backend told the time."""
        if at.year not in YEARS:
            _log.warning("the backend says that it is %s: not believed", at.isoformat())
            return
        trusted = self._clock.trust is not ClockTrust.NONE
        now = self._clock.now() if trusted else None
        self._clock.observe(best_time(now, at, round_trip_s), ClockTrust.BACKEND)

    def heartbeat_interval(self, interval_s: int) -> None:
        """The backend set the interval; it is a setting like any other."""
        self._flow.keep_heartbeat_interval(interval_s)

    def transaction_message_lost(self, message: OutboxMessage, reason: str) -> None:
        """Money may be missing: people must know."""
        self._flow.report_lost(message.action.value, message.session_id or "", reason)

    async def _meter_values(self, connector: int | None) -> list[Message]:
        told = await self._rooms.commands.meter_values(connector)
        return [
            MeterValuesRequest.model_validate(dated(values, self._clock), by_name=True)
            for values in told
        ]

    async def _learn(self, message: OutboxMessage, answer: Message) -> None:
        id_tag = str(message.payload.get("id_tag", ""))
        if isinstance(answer, StartTransactionResponse):
            told = answer.id_tag_info
            info = id_tag_info(told) if told else None
            await self._flow.take_start_answer(
                message.session_id or "", answer.transaction_id, id_tag, info
            )
        elif isinstance(answer, StopTransactionResponse) and answer.id_tag_info and id_tag:
            await self._flow.learn(id_tag, id_tag_info(answer.id_tag_info))


def _undated(value: Any) -> bool:
    match value:
        case str():
            return value.startswith("moment:")
        case Mapping():
            return any(_undated(inner) for inner in value.values())
        case list() | tuple():
            return any(_undated(inner) for inner in value)
    return False


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in record.items()
    }
