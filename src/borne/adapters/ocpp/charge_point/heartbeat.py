"""Heartbeats: proof of life after a pause, and the time of day at least once a day.

Source: OCPP 1.6 edition 2 section 4.6, OCPP-J 1.6 section 5.3; manual 4 ("force heartbeat").
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.connection_steps import ConnectionSteps
from borne.adapters.ocpp.charge_point.reconnect import Pause
from borne.adapters.ocpp.charge_point.uplink import Uplink
from borne.application.ports.backend import BackendListener, ConnectionStep
from borne.protocols.ocpp.messages.core import HeartbeatRequest, HeartbeatResponse
from borne.protocols.ocpp.rpc.errors import CallFailed, ConnectionLost, NotAccepted

LONGEST_INTERVAL_S: Final = 86400.0
"""The time is requested at least once a day (OCPP 1.6 section 4.6)."""
PRECISE_S: Final = 4.0
"""A slower answer gives only an imprecise time."""
AGAIN_S: Final = 60.0
ROUGH_ANSWERS: Final = 3
"""After an imprecise answer the time is requested again soon, at most this often."""
_log = logging.getLogger(__name__)


class Heartbeats:
    """Plans and sends heartbeats."""

    def __init__(
        self,
        uplink: Uplink,
        listener: BackendListener,
        steps: ConnectionSteps,
        config: BackendConfig,
    ) -> None:
        self._uplink = uplink
        self._listener = listener
        self._steps = steps
        self._interval_s = config.heartbeat_interval_s
        self._force = config.force_heartbeat
        self._last_s: float | None = None
        self._rough = 0
        """Number of consecutive imprecise answers."""
        self._pause = Pause()

    @property
    def next_s(self) -> float | None:
        """Seconds to the next one; None while offline."""
        return max(0.0, self._due_s() - _loop_time()) if self._uplink.online else None

    def set_interval(self, interval_s: float) -> None:
        """HeartbeatInterval, effective at once; 0 or less means once a day."""
        self._interval_s = interval_s
        self._pause.wake()

    def apply(self, config: BackendConfig) -> None:
        """Apply a changed configuration."""
        self._force = config.force_heartbeat
        self.set_interval(config.heartbeat_interval_s)

    def time_known(self, round_trip_s: float) -> None:
        """Count a BootNotification answer with the time as a heartbeat."""
        self._note_time(round_trip_s)
        self._pause.wake()

    async def run(self) -> None:
        """Send heartbeats without end."""
        while True:
            await self._uplink.wait_online()
            wait_s = self._due_s() - _loop_time()
            if wait_s > 0:
                await self._pause.sleep(wait_s)
            else:
                await self._beat()

    async def beat(self, *, triggered: bool = False) -> None:
        """Send one Heartbeat now; raises CallFailed."""
        began_s = _loop_time()
        call = self._uplink.call_unaccepted if triggered else self._uplink.call
        answer = await call(HeartbeatRequest(), HeartbeatResponse)
        round_trip_s = _loop_time() - began_s
        self._note_time(round_trip_s)
        self._steps.ok(ConnectionStep.HEARTBEAT)
        if answer.current_time is not None:
            self._listener.on_time(answer.current_time, round_trip_s)

    def _note_time(self, round_trip_s: float) -> None:
        self._last_s = _loop_time()
        self._rough = self._rough + 1 if round_trip_s > PRECISE_S else 0

    async def _beat(self) -> None:
        try:
            await self.beat()
        except (ConnectionLost, NotAccepted):
            return
        except CallFailed as error:
            _log.warning("Heartbeat failed: %s", error)
            self._steps.failed(ConnectionStep.HEARTBEAT, str(error))
            self._last_s = _loop_time()

    def _due_s(self) -> float:
        if self._last_s is not None and 0 < self._rough < ROUGH_ANSWERS:
            return self._last_s + AGAIN_S
        interval_s = self._interval_s if self._interval_s > 0 else LONGEST_INTERVAL_S
        last_s = self._last_s if self._last_s is not None else float("-inf")
        spoke_s = self._uplink.last_answer_s
        quiet_since_s = last_s if self._force or spoke_s is None else max(last_s, spoke_s)
        return min(quiet_since_s + interval_s, last_s + LONGEST_INTERVAL_S)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
