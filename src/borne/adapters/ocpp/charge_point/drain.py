"""Delivers the durable queue of transaction messages, in order, each until it is answered.

Source: OCPP 1.6 edition 2 section 3.7 and 3.7.1, errata 3.18. Attempt n that meets an error or no
answer waits n x TransactionMessageRetryInterval; after TransactionMessageAttempts the message is
given up and that is told. Being offline is no attempt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.contract import Outbox, OutboxMessage, StationEvents
from borne.adapters.ocpp.charge_point.reconnect import Pause
from borne.adapters.ocpp.charge_point.statuses import Statuses
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.foundation.clock import Clock, Moment, format_utc
from borne.protocols.ocpp.messages import Action, Message, request_model, response_model
from borne.protocols.ocpp.rpc.errors import CallFailed, ConnectionLost, NotAccepted

UNKNOWN_TRANSACTION: Final = -1
"""Errata 3.18: its StartTransaction could not be delivered."""
_WITH_TRANSACTION: Final = frozenset({Action.STOP_TRANSACTION, Action.METER_VALUES})
_log = logging.getLogger(__name__)


class Drain:
    """One message at a time, for ever."""

    def __init__(
        self,
        outbox: Outbox,
        uplink: Uplink,
        statuses: Statuses,
        events: StationEvents,
        clock: Clock,
        config: BackendConfig,
    ) -> None:
        self.config = config
        self._outbox = outbox
        self._uplink = uplink
        self._statuses = statuses
        self._events = events
        self._clock = clock
        self._pause = Pause()

    def retry_now(self) -> None:
        """Cut the wait for the next attempt short."""
        self._pause.wake()

    async def run(self) -> None:
        """Deliver whatever comes."""
        while True:
            await self._uplink.wait_online()
            await self._statuses.caught_up()
            message = await self._outbox.next_message()
            if message is None:
                await self._outbox.wait_for_work()
            elif self._uplink.online:
                await self._deliver(message)
                self._statuses.reconsider()
                await asyncio.sleep(self.config.drain_pause_s)

    async def _deliver(self, message: OutboxMessage) -> None:
        try:
            request = self._request(message)
        except ValidationError as error:
            await self._give_up(message, f"not a valid message: {error.error_count()} faults")
            return
        try:
            answer = await self._uplink.call(
                request, response_model(message.action), message_id=message.message_id
            )
        except (ConnectionLost, NotAccepted):
            return
        except CallFailed as error:
            await self._failed(message, error)
            return
        await self._outbox.answered(message.seq, answer)

    async def _failed(self, message: OutboxMessage, error: CallFailed) -> None:
        attempts = await self._outbox.failed(message.seq)
        self._statuses.reconsider()
        _log.warning("%s failed, attempt %d: %s", message.action, attempts, error)
        if attempts >= max(1, self.config.transaction_message_attempts):
            await self._give_up(message, str(error))
        else:
            interval_s = max(0.0, self.config.transaction_message_retry_interval_s)
            await self._pause.sleep(attempts * interval_s)

    async def _give_up(self, message: OutboxMessage, reason: str) -> None:
        await self._outbox.discard(message.seq, reason)
        _log.error("%s %s is given up: %s", message.action, message.message_id, reason)
        self._events.transaction_message_lost(message, reason)

    def _request(self, message: OutboxMessage) -> Message:
        fields = dated(message.payload, self._clock)
        if message.action in _WITH_TRANSACTION and message.transaction_id is not None:
            fields["transaction_id"] = message.transaction_id
        elif message.action is Action.STOP_TRANSACTION:
            fields["transaction_id"] = UNKNOWN_TRANSACTION
        return request_model(message.action).model_validate(fields, by_name=True)


def dated(payload: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """The payload with every undated moment replaced by its date (or now, if nobody knows)."""
    return {name: _dated_value(name, value, clock) for name, value in payload.items()}


def _dated_value(name: str, value: Any, clock: Clock) -> Any:
    match value:
        case str() if name == "timestamp" and value.startswith("moment:"):
            return format_utc(clock.date(Moment.from_text(value)) or clock.now())
        case list() | tuple():
            return [_dated_value(name, item, clock) for item in value]
        case Mapping():
            return dated(value, clock)
    return value
