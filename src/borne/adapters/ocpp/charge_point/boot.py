"""BootNotification: until the central system accepts the station, no other message is sent.

Source: OCPP 1.6 edition 2 section 4.2, OCPP-J 1.6 section 5.4 (no BootNotification after a mere
reconnection), errata 3.22 and 3.35.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from borne.adapters.ocpp.charge_point.connection_steps import ConnectionSteps
from borne.adapters.ocpp.charge_point.reconnect import Backoff, Pause
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.application.ports.backend import BackendListener, BootState, ConnectionStep
from borne.foundation.events import Signal
from borne.protocols.ocpp.messages.core import (
    BootNotificationRequest,
    BootNotificationResponse,
    RegistrationStatus,
)
from borne.protocols.ocpp.rpc.errors import CallFailed, ConnectionLost

FIRST_RETRY_S: Final = 30.0
LONGEST_RETRY_S: Final = 900.0
"""Our own interval if the backend gives none, an error, or no answer."""
LONGEST_INTERVAL_S: Final = 86400
"""Upper bound for the interval that a backend may demand."""

_STATES: Final = {
    RegistrationStatus.ACCEPTED: BootState.ACCEPTED,
    RegistrationStatus.PENDING: BootState.PENDING,
    RegistrationStatus.REJECTED: BootState.REJECTED,
}
_log = logging.getLogger(__name__)


class Boot:
    """Keeps the charge point accepted, across the connections of one process."""

    def __init__(
        self,
        uplink: Uplink,
        content: Callable[[], BootNotificationRequest],
        listener: BackendListener,
        steps: ConnectionSteps,
        rng: random.Random,
    ) -> None:
        self.state = BootState.NONE
        self.answered: Signal[BootNotificationResponse] = Signal()
        """Emitted for each answer, before it has any effect."""
        self.round_trip_s = 0.0
        """Round trip time of the last answer."""
        self._uplink = uplink
        self._content = content
        self._listener = listener
        self._steps = steps
        self._accepted_content: BootNotificationRequest | None = None
        self._unanswered = False
        """The last request was not answered, so the backend's decision is unknown."""
        self._wanted = False
        self._not_before_s = 0.0
        self._pause = Pause()
        self._backoff = Backoff(rng, first_s=FIRST_RETRY_S, longest_s=LONGEST_RETRY_S)

    def trigger(self) -> None:
        """Send a BootNotification now, regardless of the interval; repeated triggers before it is
        sent count as one.

        The errata recommend to refuse this after acceptance, but evcc and Home Assistant trigger it
        and wait for it, and it does no harm.
        """
        self._wanted = True
        self._not_before_s = 0.0
        self._pause.wake()

    def forget(self) -> None:
        """Reset everything, for another central system or identity."""
        self.state = BootState.NONE
        self._accepted_content = None
        self._unanswered = False
        self._not_before_s = 0.0
        self._backoff.reset()

    async def keep_accepted(self) -> None:
        """Run during one connection: boot if necessary, repeat on request, and permit ordinary
        calls."""
        self._wanted = False
        try:
            while True:
                if not self._needed():
                    self._uplink.set_accepted(True)
                    await self._pause.sleep(LONGEST_RETRY_S)
                    continue
                wait_s = self._not_before_s - _loop_time()
                if wait_s > 0:
                    await self._pause.sleep(wait_s)
                    continue
                await self._boot()
        except ConnectionLost:
            return

    def _needed(self) -> bool:
        return (
            self._wanted
            or self._unanswered
            or self.state is not BootState.ACCEPTED
            or self._content() != self._accepted_content
        )

    async def _boot(self) -> None:
        content = self._content()
        self._wanted = False
        self._unanswered = True
        self._steps.running(ConnectionStep.BOOT)
        began_s = _loop_time()
        try:
            answer = await self._uplink.call_unaccepted(content, BootNotificationResponse)
        except ConnectionLost:
            raise
        except CallFailed as error:
            pause_s = self._backoff.next_pause_s()
            _log.warning("BootNotification failed (%s), again in %.0f s", error, pause_s)
            self._steps.failed(ConnectionStep.BOOT, str(error))
            self._not_before_s = _loop_time() + pause_s
            # The lost answer may have revoked an earlier acceptance.
            self._uplink.set_accepted(False)
            return
        self._unanswered = False
        self._on_answer(answer, content, _loop_time() - began_s)

    def _on_answer(
        self,
        answer: BootNotificationResponse,
        content: BootNotificationRequest,
        round_trip_s: float,
    ) -> None:
        self.state = _STATES[answer.status]
        self.round_trip_s = round_trip_s
        interval_s = _interval_s(answer)
        if answer.current_time is not None:
            self._listener.on_time(answer.current_time, round_trip_s)
        if self.state is BootState.ACCEPTED:
            self._accepted_content = content
            self._not_before_s = 0.0
            self._backoff.reset()
            self._steps.ok(ConnectionStep.BOOT, f"{answer.status}, interval {interval_s} s")
            if interval_s > 0:
                self._listener.on_heartbeat_interval(interval_s)
        else:
            pause_s = interval_s if interval_s > 0 else self._backoff.next_pause_s()
            self._not_before_s = _loop_time() + pause_s
            self._steps.failed(ConnectionStep.BOOT, f"{answer.status}, again in {pause_s:.0f} s")
            self._uplink.set_accepted(False)
        self.answered.emit(answer)


def _interval_s(answer: BootNotificationResponse) -> int:
    """The interval of the answer; 0 if it leaves the choice to us."""
    return max(0, min(answer.interval or 0, LONGEST_INTERVAL_S))


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
