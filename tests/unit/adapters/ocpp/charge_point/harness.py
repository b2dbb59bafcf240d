"""A client on a central system made of plain functions, on virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig, ConnectionConfig
from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed, ConnectionSteps
from borne.adapters.ocpp.charge_point.contract import StationSide
from borne.application.ports.backend import ConnectionStep, IdTagInfo, StatusReport
from borne.application.ports.storage import LostMessage, QueuedMessage
from borne.domain.station import measurands
from borne.domain.station.measurands import MeterValue, SampledValue
from borne.domain.station.session import StopReason
from borne.domain.station.status import BackendStatus
from borne.domain.station.transaction_messages import (
    MessageKind,
    MeterValuesMessage,
    TransactionMessage,
)
from borne.domain.station.transaction_messages import StartMessage as Start
from borne.domain.station.transaction_messages import StopMessage as Stop
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from borne.protocols.ocpp.messages import Action, Message, action_of
from borne.protocols.ocpp.messages.core import (
    BootNotificationRequest,
    BootNotificationResponse,
    HeartbeatResponse,
    MeterValuesResponse,
    RegistrationStatus,
    StartTransactionResponse,
    StatusNotificationResponse,
    StopTransactionResponse,
)
from borne.protocols.ocpp.messages.types import AuthorizationStatus
from borne.protocols.ocpp.messages.types import IdTagInfo as WireIdTagInfo
from borne.protocols.ocpp.rpc.errors import CallTimeout, ConnectionLost
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import CallHandler, Handlers, Reply

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Res = TypeVar("Res", bound=Message)
Answer = Message | Exception | None
"""None: the central system does not answer at all."""


def boot_answer(status: str = "Accepted", interval: int = 300) -> BootNotificationResponse:
    return BootNotificationResponse(
        status=RegistrationStatus(status), current_time=NOW, interval=interval
    )


@dataclass
class ReceivedMessage:
    """A message that reached the central system."""

    at_s: float
    action: Action
    request: Message
    message_id: str | None

    @property
    def wire(self) -> dict[str, Any]:
        return self.request.to_wire()


class CentralSystem:
    """Accepts everything; `script` replaces answers, `reachable` and `alive` simulate failures."""

    def __init__(self) -> None:
        self.round_trip_s = 0.01
        self.reachable = True
        self.alive = True
        """False: a black hole behind an open connection."""
        self.received: list[ReceivedMessage] = []
        self.links: list[FakeLink] = []
        self.dials: list[float] = []
        self.script: dict[Action, deque[Answer]] = {}
        self.defaults: dict[Action, Message] = {
            Action.BOOT_NOTIFICATION: boot_answer(),
            Action.HEARTBEAT: HeartbeatResponse(current_time=NOW),
            Action.STATUS_NOTIFICATION: StatusNotificationResponse(),
            Action.START_TRANSACTION: StartTransactionResponse(
                transaction_id=42, id_tag_info=WireIdTagInfo(status=AuthorizationStatus.ACCEPTED)
            ),
            Action.STOP_TRANSACTION: StopTransactionResponse(),
            Action.METER_VALUES: MeterValuesResponse(),
        }

    def then(self, action: Action, *answers: Answer) -> None:
        """The next answers to that action, before the usual ones."""
        self.script.setdefault(action, deque()).extend(answers)

    def link(
        self, config: BackendConfig, handler: CallHandler, tasks: Supervisor, log: FrameLog
    ) -> FakeLink:
        return FakeLink(self, handler, config)

    def answer(self, action: Action) -> Answer:
        scripted = self.script.get(action)
        return scripted.popleft() if scripted else self.defaults[action]

    @property
    def current(self) -> FakeLink:
        return self.links[-1]

    def actions(self) -> list[str]:
        return [str(received.action) for received in self.received]

    def times(self, action: Action) -> list[float]:
        return [received.at_s for received in self.received if received.action is action]


class FakeLink:
    """A `Link` without a network."""

    def __init__(self, central: CentralSystem, handler: CallHandler, config: BackendConfig) -> None:
        self.central = central
        self.config = config
        self.handler = handler
        self.ended = asyncio.Event()
        self.politely = False
        self._busy = False

    async def open(self, steps: ConnectionSteps) -> None:
        self.central.dials.append(now_s())
        if not self.central.alive:
            await asyncio.sleep(self.config.connection.connect_timeout_s)
        if not (self.central.reachable and self.central.alive):
            raise ConnectFailed(ConnectionStep.TCP, "Connection refused")
        steps.ok(ConnectionStep.WEBSOCKET, "ocpp1.6", 101)
        self.central.links.append(self)

    async def run(self) -> None:
        await self.ended.wait()

    async def call(
        self,
        request: Message,
        response_type: type[Res],
        *,
        message_id: str | None = None,
    ) -> Res:
        assert not self._busy, "one call after the other"
        self._busy = True
        try:
            return cast("Res", await self._exchange(request, message_id))
        finally:
            self._busy = False

    async def _exchange(self, request: Message, message_id: str | None) -> Message:
        action = action_of(type(request))
        if self.ended.is_set():
            raise ConnectionLost("closed")
        answer: Answer = None
        if self.central.alive:
            self.central.received.append(ReceivedMessage(now_s(), action, request, message_id))
            answer = self.central.answer(action)
        if answer is None:
            ended = asyncio.create_task(self.ended.wait())
            await asyncio.wait([ended], timeout=self.config.call_timeout_s)
            ended.cancel()
            raise ConnectionLost("closed") if self.ended.is_set() else CallTimeout("no answer")
        await asyncio.sleep(self.central.round_trip_s)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def is_alive(self, since_s: float) -> bool:
        return self.central.alive and not self.ended.is_set()

    def apply(self, config: BackendConfig) -> None:
        self.config = config

    async def close(self) -> None:
        self.politely = not self.ended.is_set()
        self.ended.set()

    def abort(self) -> None:
        self.ended.set()

    async def ask(self, request: Message) -> Message | Reply[Any]:
        """Send a call of the central system; actions after the answer run as well."""
        reply = await self.handler(action_of(type(request)), request)
        if isinstance(reply, Reply):
            if reply.then is not None:
                await reply.then()
            return cast("Message", reply.response)
        return reply


BEFORE = Moment("", 0.0, NOW - timedelta(hours=1))


def start(session_id: str = "s1", at: Moment = BEFORE, *, token: str = "A", wh: int = 100) -> Start:
    return Start(session_id, 1, token, wh, at)


def meter(
    session_id: str | None = "s1", at: Moment = BEFORE, *, connector: int = 1, value: str = "150"
) -> MeterValuesMessage:
    sampled = SampledValue(value, "Wh", measurands.REGISTER, measurands.PERIODIC)
    return MeterValuesMessage(session_id, connector, (MeterValue(at, (sampled,)),))


def stop(session_id: str = "s1", at: Moment = BEFORE, *, token: str | None = "A") -> Stop:
    return Stop(session_id, 1, 200, at, StopReason.LOCAL, token)


@dataclass
class MemoryOutbox:
    """A queue in memory."""

    queue: deque[QueuedMessage] = field(default_factory=deque)
    answers: list[tuple[int, int | None]] = field(default_factory=list)
    """Number of each message answered, and the transaction id that came with it."""
    attempts: dict[int, int] = field(default_factory=dict)
    discarded: list[int] = field(default_factory=list)
    transactions: dict[str | None, int] = field(default_factory=dict)
    work: asyncio.Event = field(default_factory=asyncio.Event)
    committed: Signal[int] = field(default_factory=Signal)
    _seq: int = 0

    def put(self, *messages: TransactionMessage) -> None:
        for message in messages:
            self._seq += 1
            queued = QueuedMessage(self._seq, f"msg-{self._seq}", message, None, 0, BEFORE)
            self.queue.append(queued)
        self.work.set()

    @property
    def waiting(self) -> int:
        return len(self.queue)

    async def next(self) -> QueuedMessage | None:
        if not self.queue:
            self.work.clear()
            return None
        head = self.queue[0]
        number = self.transactions.get(head.message.session_id)
        return replace(head, transaction_id=number, attempts=self.attempts.get(head.seq, 0))

    async def end_waits(self, connector: int) -> bool:
        return any(
            isinstance(queued.message, Stop)
            and queued.message.connector == connector
            and queued.seq not in self.attempts
            for queued in self.queue
        )

    async def answered(
        self,
        seq: int,
        *,
        transaction_id: int | None = None,
        id_status: str | None = None,
        group_id: str | None = None,
    ) -> None:
        head = self.queue.popleft()
        assert head.seq == seq
        self.answers.append((seq, transaction_id))
        if transaction_id is not None:
            self.transactions[head.message.session_id] = transaction_id
        self.committed.emit(seq)

    async def failed(self, seq: int) -> int:
        self.attempts[seq] = self.attempts.get(seq, 0) + 1
        return self.attempts[seq]

    async def discard(self, seq: int, reason: str) -> None:
        head = self.queue.popleft()
        assert head.seq == seq
        self.discarded.append(seq)
        if isinstance(head.message, Start):
            self.transactions[head.message.session_id] = -1

    async def length(self) -> int:
        return self.waiting

    async def content(self, limit: int = 100) -> list[QueuedMessage]:
        return list(self.queue)[:limit]

    async def kinds(self) -> dict[MessageKind, int]:
        return dict(Counter(queued.message.kind for queued in self.queue))

    async def lost(self, limit: int = 100) -> list[LostMessage]:
        return []

    async def wait_for_work(self) -> None:
        await self.work.wait()


@dataclass
class RecordingListener:
    """What the application received."""

    times: list[datetime] = field(default_factory=list)
    intervals: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    starts: list[tuple[str, int, IdTagInfo | None]] = field(default_factory=list)
    stops: list[tuple[str, IdTagInfo]] = field(default_factory=list)

    def on_time(self, at: datetime, round_trip_s: float) -> None:
        self.times.append(at)

    def on_heartbeat_interval(self, interval_s: int) -> None:
        self.intervals.append(interval_s)

    async def date_moments(self) -> None:
        """It has the date of the clock only."""

    async def on_start_answered(
        self, message: Start, transaction_id: int, info: IdTagInfo | None
    ) -> None:
        self.starts.append((message.session_id, transaction_id, info))

    async def on_stop_answered(self, message: Stop, info: IdTagInfo) -> None:
        self.stops.append((message.session_id, info))

    def on_message_lost(self, message: QueuedMessage, reason: str) -> None:
        self.lost.append(message.message_id)


class Bench:
    """A client with everything around it."""

    def __init__(self, *, clock_is_known: bool = True, **settings: Any) -> None:
        self.central = CentralSystem()
        self.outbox = MemoryOutbox()
        self.listener = RecordingListener()
        self.handlers = Handlers()
        self.content: BootNotificationRequest | None = BootNotificationRequest(
            charge_point_vendor="V", charge_point_model="M", firmware_version="1"
        )
        self.clock = Clock(now_s, NOW, ClockTrust.RTC) if clock_is_known else Clock(now_s)
        self.config = BackendConfig(ConnectionConfig("ws://backend/ocpp", "station"), **settings)
        self.client = ChargePointClient(
            self.config,
            StationSide(self.boot_content, self.handlers, self.outbox, self.listener),
            clock=self.clock,
            rng=random.Random(1),
            make_link=self.central.link,
        )
        self.running: asyncio.Task[None] | None = None

    def boot_content(self) -> BootNotificationRequest:
        if self.content is None:
            raise ValueError("chargePointModel is too long")
        return self.content

    def start(self) -> None:
        self.running = asyncio.create_task(self.client.run())

    async def online(self) -> None:
        """Start, and wait until accepted."""
        self.start()
        await asyncio.sleep(1)
        assert self.client.online

    def status(self, connector: int, status: str, error: str = "") -> None:
        self.client.report_status(
            StatusReport(connector, BackendStatus(status), self.clock.moment(), info=error)
        )

    def messages(self, since: int = 0) -> list[str]:
        """Actions, with connector and status where there is one."""
        words = []
        for message in self.central.received[since:]:
            wire = message.wire
            detail = f" {wire['connectorId']} {wire['status']}" if "status" in wire else ""
            words.append(f"{message.action}{detail}")
        return words

    async def end(self) -> None:
        if self.running is not None:
            await self.client.stop()
            await self.running


def now_s() -> float:
    return asyncio.get_running_loop().time()


def on_a_bench(
    **settings: Any,
) -> Callable[[Callable[[Bench], Any]], Callable[[], None]]:
    """An async test with a bench on virtual time."""
    from tests.support.virtual_time import run_virtual

    def decorate(test: Callable[[Bench], Any]) -> Callable[[], None]:
        def run() -> None:
            async def main() -> None:
                bench = Bench(**settings)
                await test(bench)
                await bench.end()

            run_virtual(main())

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return decorate
