"""TriggerMessage: first the answer, then the requested messages.

Source: OCPP 1.6 edition 2 section 5.17; errata 3.35 for BootNotification. Triggered messages are
the only ones that may be sent before acceptance (section 4.2).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from borne.adapters.ocpp.charge_point.boot import Boot
from borne.adapters.ocpp.charge_point.heartbeat import Heartbeats
from borne.adapters.ocpp.charge_point.statuses import Statuses
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.protocols.ocpp.messages import Message, action_of, response_model
from borne.protocols.ocpp.messages.remote_trigger import (
    MessageTrigger,
    TriggerMessageRequest,
    TriggerMessageResponse,
)
from borne.protocols.ocpp.messages.types import TriggerMessageStatus
from borne.protocols.ocpp.rpc.errors import CallFailed
from borne.protocols.ocpp.rpc.handlers import FollowUp, Reply

TriggerSource = Callable[[int | None], Awaitable[Sequence[Message]]]
"""Creates the messages for a connector (None = all); empty if there is none."""

MAX_WAITING: Final = 20
"""Triggers whose messages are not answered yet."""

_Answer = tuple[TriggerMessageStatus, FollowUp | None]
_log = logging.getLogger(__name__)


class Triggers:
    """The sources of triggered messages. Names are those of OCPP, for both trigger actions."""

    def __init__(
        self, uplink: Uplink, boot: Boot, statuses: Statuses, heartbeats: Heartbeats
    ) -> None:
        self.connectors: Sequence[int] = ()
        self._uplink = uplink
        self._boot = boot
        self._statuses = statuses
        self._heartbeats = heartbeats
        self._sources: dict[str, TriggerSource] = {}
        self._waiting = 0

    def register(self, name: str, source: TriggerSource) -> None:
        """Let `source` create the messages named `name`."""
        if name in self._sources:
            raise ValueError(f"{name} has a source already")
        self._sources[name] = source

    async def handle(self, request: TriggerMessageRequest) -> Reply[TriggerMessageResponse]:
        status, then = await self.prepare(request.requested_message, request.connector_id)
        return Reply(TriggerMessageResponse(status=status), then)

    async def prepare(self, name: str, connector_id: int | None) -> _Answer:
        """The status of the answer, and the messages to send afterwards. A backend that does not
        answer triggered messages is refused, so that they do not accumulate."""
        if self._waiting >= MAX_WAITING:
            return TriggerMessageStatus.REJECTED, None
        status, then = await self._prepare(name, connector_id)
        return status, None if then is None else self._counted(then)

    def _counted(self, then: FollowUp) -> FollowUp:
        self._waiting += 1

        async def send() -> None:
            try:
                await then()
            finally:
                self._waiting -= 1

        return send

    async def _prepare(self, name: str, connector_id: int | None) -> _Answer:
        if connector_id is not None and connector_id not in (0, *self.connectors):
            return TriggerMessageStatus.REJECTED, None
        match name:
            case MessageTrigger.BOOT_NOTIFICATION:
                return TriggerMessageStatus.ACCEPTED, self._send_boot
            case MessageTrigger.HEARTBEAT:
                return TriggerMessageStatus.ACCEPTED, self._send_heartbeat
            case MessageTrigger.STATUS_NOTIFICATION:
                return self._statuses.triggered(connector_id)
        source = self._sources.get(name)
        if source is None:
            return TriggerMessageStatus.NOT_IMPLEMENTED, None
        return self._after(await source(connector_id))

    def _after(self, messages: Iterable[Message]) -> _Answer:
        ready = tuple(messages)
        if not ready:
            return TriggerMessageStatus.REJECTED, None

        async def send() -> None:
            for message in ready:
                answer = response_model(action_of(type(message)))
                try:
                    await self._uplink.call_unaccepted(message, answer)
                except CallFailed as error:
                    _log.warning("a triggered message failed: %s", error)

        return TriggerMessageStatus.ACCEPTED, send

    async def _send_boot(self) -> None:
        self._boot.trigger()

    async def _send_heartbeat(self) -> None:
        try:
            await self._heartbeats.beat(triggered=True)
        except CallFailed as error:
            _log.warning("a triggered Heartbeat failed: %s", error)
