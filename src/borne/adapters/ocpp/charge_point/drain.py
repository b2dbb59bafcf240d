"""Delivers the durable queue of transaction messages, in order, each until it is answered.

Source: OCPP 1.6 edition 2 section 3.7 and 3.7.1, errata 3.18. After attempt n without success it
waits n x TransactionMessageRetryInterval; after TransactionMessageAttempts the message is given up,
which is shown to users. While offline, no attempts are counted.
"""

from __future__ import annotations

import asyncio
import logging

from pydantic import ValidationError

from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.payloads import id_tag_info, request_of
from borne.adapters.ocpp.charge_point.reconnect import Pause
from borne.adapters.ocpp.charge_point.statuses import Statuses
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.application.ports.backend import BackendListener
from borne.application.ports.storage import Outbox, QueuedMessage
from borne.domain.station.transaction_messages import StartMessage, StopMessage
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.protocols.ocpp.messages import Message, action_of, response_model
from borne.protocols.ocpp.messages.core import StartTransactionResponse, StopTransactionResponse
from borne.protocols.ocpp.rpc.errors import CallFailed, ConnectionLost, NotAccepted

_log = logging.getLogger(__name__)


class Drain:
    """Sends one message at a time, without end."""

    def __init__(
        self,
        outbox: Outbox,
        uplink: Uplink,
        statuses: Statuses,
        listener: BackendListener,
        clock: Clock,
        config: BackendConfig,
    ) -> None:
        self.config = config
        self.moved: Signal[bool] = Signal()
        """A message was delivered or given up (True), or not accepted (False)."""
        self._outbox = outbox
        self._uplink = uplink
        self._statuses = statuses
        self._listener = listener
        self._clock = clock
        self._pause = Pause()

    def retry_now(self) -> None:
        """End the wait for the next attempt."""
        self._pause.wake()

    async def run(self) -> None:
        while True:
            await self._uplink.wait_online()
            await self._statuses.caught_up()
            message = await self._next()
            if message is None:
                await self._outbox.wait_for_work()
            elif self._uplink.online:
                await self._deliver(message)
                self._statuses.reconsider()
                await asyncio.sleep(self.config.drain_pause_s)

    async def _next(self) -> QueuedMessage | None:
        queued = await self._outbox.next()
        if queued is not None and any(at.wall is None for at in queued.message.moments):
            await self._listener.date_moments()
            queued = await self._outbox.next()
        return queued

    async def _deliver(self, queued: QueuedMessage) -> None:
        try:
            request = request_of(queued.message, queued.transaction_id, self._clock)
        except ValidationError as error:
            await self._give_up(queued, f"not a valid message: {error.error_count()} faults")
            return
        answer_type = response_model(action_of(type(request)))
        try:
            answer = await self._uplink.call(request, answer_type, message_id=queued.message_id)
        except (ConnectionLost, NotAccepted):
            return
        except CallFailed as error:
            await self._failed(queued, error)
            return
        await self._commit(queued, answer)
        self.moved.emit(True)

    async def _commit(self, queued: QueuedMessage, answer: Message) -> None:
        """Process the answer before the message is removed, so that a repetition after a power
        failure is complete."""
        match queued.message, answer:
            case StartMessage() as start, StartTransactionResponse(transaction_id=number):
                info = id_tag_info(answer.id_tag_info) if answer.id_tag_info else None
                await self._listener.on_start_answered(start, number, info)
                await self._outbox.answered(
                    queued.seq,
                    transaction_id=number,
                    id_status=info.status if info else None,
                    group_id=info.parent if info else None,
                )
                return
            case StopMessage() as stop, StopTransactionResponse(id_tag_info=judged) if judged:
                await self._listener.on_stop_answered(stop, id_tag_info(judged))
        await self._outbox.answered(queued.seq)

    async def _failed(self, queued: QueuedMessage, error: CallFailed) -> None:
        attempts = await self._outbox.failed(queued.seq)
        self._statuses.reconsider()
        self.moved.emit(False)
        _log.warning("%s failed, attempt %d: %s", queued.message.kind, attempts, error)
        if attempts >= max(1, self.config.transaction_message_attempts):
            await self._give_up(queued, str(error))
        else:
            interval_s = max(0.0, self.config.transaction_message_retry_interval_s)
            await self._pause.sleep(attempts * interval_s)

    async def _give_up(self, queued: QueuedMessage, reason: str) -> None:
        await self._outbox.discard(queued.seq, reason)
        _log.error("%s %s is given up: %s", queued.message.kind, queued.message_id, reason)
        self._listener.on_message_lost(queued, reason)
        self.moved.emit(True)
