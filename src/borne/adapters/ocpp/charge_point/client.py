"""The client of one central system: connects, boots, reports, delivers and executes commands,
without end.

Sources: OCPP 1.6 edition 2 sections 4 and 5, OCPP-J 1.6, manual section 4. A cancelled `run`, or
`abort`, simulates a power failure: sockets are dropped without waiting.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from borne.adapters.ocpp.charge_point.boot import Boot
from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed, ConnectionSteps
from borne.adapters.ocpp.charge_point.contract import StationSide
from borne.adapters.ocpp.charge_point.drain import Drain
from borne.adapters.ocpp.charge_point.heartbeat import Heartbeats
from borne.adapters.ocpp.charge_point.link import JsonLink, LinkFactory, OcppLink
from borne.adapters.ocpp.charge_point.notices import Notices
from borne.adapters.ocpp.charge_point.payloads import id_tag_info
from borne.adapters.ocpp.charge_point.reconnect import STABLE_AFTER_S, Backoff, Pause
from borne.adapters.ocpp.charge_point.statuses import Statuses
from borne.adapters.ocpp.charge_point.triggers import Triggers
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.application.ports.backend import (
    BackendView,
    BootState,
    ConnectionStep,
    IdTagInfo,
    LinkState,
    StatusReport,
)
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from borne.protocols.ocpp.messages import Action, Message
from borne.protocols.ocpp.messages.core import (
    AuthorizeRequest,
    AuthorizeResponse,
    BootNotificationResponse,
    RemoteStartTransactionResponse,
    RemoteStopTransactionResponse,
)
from borne.protocols.ocpp.messages.remote_trigger import TriggerMessageRequest
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.errors import NoAnswer
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import Reply

_REFUSED_BEFORE_ACCEPTANCE: Final[dict[Action, Message]] = {
    Action.REMOTE_START_TRANSACTION: RemoteStartTransactionResponse(
        status=AcceptedOrRejected.REJECTED
    ),
    Action.REMOTE_STOP_TRANSACTION: RemoteStopTransactionResponse(
        status=AcceptedOrRejected.REJECTED
    ),
}
"""Answers to these calls while the registration is pending (OCPP 1.6 section 4.2)."""

LONGEST_CALL_S: Final = 2.0
"""Longest time for which a running call may delay a reconnection."""
_log = logging.getLogger(__name__)
Res = TypeVar("Res", bound=Message)


class ChargePointClient:
    """The client of one station. `run` can be called once."""

    def __init__(
        self,
        config: BackendConfig,
        station: StationSide,
        *,
        clock: Clock,
        rng: random.Random,
        log: FrameLog | None = None,
        make_link: LinkFactory = JsonLink,
    ) -> None:
        self.changed: Signal[BackendView] = Signal()
        self.failed: Signal[ConnectFailed] = Signal()
        """Emitted for each failed attempt to connect."""
        self.log = log or FrameLog(clock.now)
        self._config = config
        self._handlers = station.handlers
        self._outbox = station.outbox
        self._make_link = make_link
        self._tasks = Supervisor("ocpp")
        self._steps = ConnectionSteps(clock.now)
        self._uplink = Uplink()
        self.online_changed = self._uplink.online_changed
        listener = station.listener
        self._boot = Boot(self._uplink, station.boot_content, listener, self._steps, rng)
        self._statuses = Statuses(self._uplink, clock, station.outbox.end_waits)
        self._heartbeats = Heartbeats(self._uplink, listener, self._steps, config)
        self._drain = Drain(station.outbox, self._uplink, self._statuses, listener, clock, config)
        self.queue_moved = self._drain.moved
        """A transaction message was delivered or given up (True), or not accepted (False)."""
        self.notices = Notices(self._uplink, self._tasks)
        self.triggers = Triggers(self._uplink, self._boot, self._statuses, self._heartbeats)
        self.triggers.connectors = config.connectors
        station.handlers.register(TriggerMessageRequest, self.triggers.handle)
        self._backoff = Backoff(rng, longest_s=config.longest_reconnect_pause_s)
        self._pause = Pause()
        self._link: OcppLink | None = None
        self._link_state = LinkState.OFF
        self._opening: asyncio.Task[None] | None = None
        self._connections = 0
        self._stopping = False
        self._redial = False
        self._uplink.online_changed.notify(self._emit_view)
        self._boot.answered.subscribe(self._booted)
        self._steps.changed.notify(self._emit_view)

    # For the application ---------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while a connection is established."""
        return self._link_state is LinkState.CONNECTED

    @property
    def online(self) -> bool:
        return self._uplink.online

    @property
    def config(self) -> BackendConfig:
        """The configuration in force."""
        return self._config

    @property
    def uplink(self) -> Uplink:
        """The connection for other services that send calls."""
        return self._uplink

    @property
    def tasks(self) -> Supervisor:
        """Tasks that end with the client."""
        return self._tasks

    def report_status(self, report: StatusReport) -> None:
        """Set the status of a connector; while offline only the newest is kept."""
        self._statuses.report(report)

    def ask_statuses(self, settle: Callable[[int | None], None]) -> None:
        """Call `settle` before sending present statuses; it reports those that were held back."""
        self._statuses.settle = settle

    async def authorize(self, id_tag: str) -> IdTagInfo:
        """Send Authorize; raises CallFailed (Unreachable if there was no answer)."""
        answer = await self._uplink.call(AuthorizeRequest(id_tag=id_tag), AuthorizeResponse)
        return id_tag_info(answer.id_tag_info)

    async def call(self, request: Message, response_type: type[Res]) -> Res:
        """Send any other request that need not be repeated after a failure; raises CallFailed."""
        return await self._uplink.call(request, response_type)

    def configure(self, config: BackendConfig) -> None:
        """Apply a new configuration; reconnects only if necessary."""
        old, self._config = self._config, config
        self._heartbeats.apply(config)
        self._drain.config = config
        self.triggers.connectors = config.connectors
        self._backoff.longest_s = config.longest_reconnect_pause_s
        if self._link is not None:
            self._link.apply(config)
        new, before = config.connection, old.connection
        if (new.url, new.identity) != (before.url, before.identity):
            self._boot.forget()
        roots = before.tls.trusted_roots_pem
        # New root certificates count from the next connection on.
        if replace(new, tls=replace(new.tls, trusted_roots_pem=roots)) != before:
            self.reconnect()

    def reconnect(self) -> None:
        """Close the connection in an orderly way and reconnect at once."""
        if self._link_state is LinkState.CONNECTED and self._link is not None:
            self._redial = True
            self._backoff.reset()
            self._tasks.start("hang up", self._hang_up(self._link))
        else:
            self.retry_now()

    async def _hang_up(self, link: OcppLink) -> None:
        """Close between calls, because some backends lose messages that follow an answer they
        cannot send."""
        async with self._uplink.between_calls(LONGEST_CALL_S):
            await link.close()

    def retry_now(self) -> None:
        """Connect now with a reset back-off; a running attempt is restarted."""
        self._backoff.reset()
        self._drain.retry_now()
        self._pause.wake()
        if self._opening is not None:
            self._opening.cancel()

    def view(self) -> BackendView:
        """The state of the connection."""
        failure = self._steps.first_failure()
        return BackendView(
            link=self._link_state,
            boot=self._boot.state,
            queue=self._outbox.waiting,
            next_heartbeat_s=self._heartbeats.next_s,
            next_attempt_s=self._pause.remaining_s,
            last_error=f"{failure.step}: {failure.detail}" if failure else "",
            connections=self._connections,
            steps=self._steps.results(),
        )

    # Life ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay connected until `stop`; cancelling simulates a power failure."""
        self._tasks.keep("statuses", self._statuses.run)
        self._tasks.keep("queue", self._drain.run)
        self._tasks.keep("heartbeats", self._heartbeats.run)
        try:
            while not self._stopping:
                if await self._one_connection() or self._stopping:
                    continue
                self._set_link_state(LinkState.WAITING)
                await self._pause.sleep(self._backoff.next_pause_s())
        finally:
            self.abort()

    async def stop(self) -> None:
        """Stop in an orderly way; `run` returns."""
        self._stopping = True
        self._pause.wake()
        if self._opening is not None:
            self._opening.cancel()
        if self._link is not None:
            await self._link.close()

    def abort(self) -> None:
        """Stop at once, without a closing handshake."""
        self._stopping = True
        self._pause.wake()
        if self._opening is not None:
            self._opening.cancel()
        if self._link is not None:
            self._link.abort()
        self._uplink.detach()
        self._tasks.abort()
        self._set_link_state(LinkState.OFF)

    async def _one_connection(self) -> bool:
        """Connect and serve; True if the next attempt need not wait."""
        link = self._make_link(self._config, self._handle, self._tasks, self.log)
        self._steps.restart()
        self._set_link_state(LinkState.CONNECTING)
        self._opening = asyncio.ensure_future(link.open(self._steps))
        try:
            await self._opening
        except ConnectFailed as error:
            _log.info("no connection: %s", error)
            self._steps.failed(error.step, error.reason, error.http_status)
            self.failed.emit(error)
            return False
        except asyncio.CancelledError:
            link.abort()
            if _cancelled_from_outside():
                raise
            return True
        finally:
            self._opening.cancel()
            self._opening = None
        return await self._serve(link)

    async def _serve(self, link: OcppLink) -> bool:
        """Serve a connection; True if it was closed on purpose."""
        began_s = _loop_time()
        self._link = link
        self._redial = False
        self._connections += 1
        self._uplink.attach(link)
        self._set_link_state(LinkState.CONNECTED)
        boot = self._tasks.start("boot", self._keep_accepted(link))
        try:
            await link.run()
        finally:
            if boot is not None:
                boot.cancel()
            self._link = None
            link.abort()
            self._uplink.detach()
        self._steps.failed(ConnectionStep.WEBSOCKET, "the connection was lost")
        if _loop_time() - began_s >= STABLE_AFTER_S:
            self._backoff.reset()
        return self._redial

    async def _keep_accepted(self, link: OcppLink) -> None:
        """Keep the registration; if booting fails, the connection is closed and retried later."""
        try:
            await self._boot.keep_accepted()
        except Exception as error:
            self._steps.failed(ConnectionStep.BOOT, f"cannot be sent: {error}")
            raise
        finally:
            link.abort()

    async def _handle(self, action: Action, request: Message) -> Message | Reply[Any]:
        """Answer a call, depending on whether the central system has accepted the station."""
        if self._boot.state is BootState.REJECTED:
            raise NoAnswer(f"{action} before acceptance")
        if self._boot.state is not BootState.ACCEPTED and action in _REFUSED_BEFORE_ACCEPTANCE:
            return _REFUSED_BEFORE_ACCEPTANCE[action]
        return await self._handlers(action, request)

    def _booted(self, answer: BootNotificationResponse) -> None:
        if self._boot.state is BootState.ACCEPTED:
            if answer.interval is not None and answer.interval > 0:
                self._heartbeats.set_interval(answer.interval)
            if answer.current_time is not None:
                self._heartbeats.time_known(self._boot.round_trip_s)
            self._statuses.forget_known()
        self._emit_view()

    def _set_link_state(self, state: LinkState) -> None:
        if state is not self._link_state:
            self._link_state = state
            self._emit_view()

    def _emit_view(self) -> None:
        self.changed.emit(self.view())


def _cancelled_from_outside() -> bool:
    """True if this task itself is being cancelled, not one that it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
