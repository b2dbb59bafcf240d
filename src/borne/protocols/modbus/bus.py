"""The owner of one Modbus port: everybody who shares a TCP connection or serial line asks it.

One task has the port: one request on the wire at a time, by priority. Decisions 0204, 0205.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from borne.foundation.waiting import Flag
from borne.protocols.modbus.connection import Connection, Opener
from borne.protocols.modbus.devices import LATE_S, Devices
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.exchange import Exchange, RtuExchange, TcpExchange
from borne.protocols.modbus.failures import (
    ExceptionAnswer,
    ExceptionCode,
    ModbusFailure,
    NoAnswer,
    Unreachable,
)
from borne.protocols.modbus.job_queue import Job, JobQueue, Priority, RetryPolicy
from borne.protocols.modbus.pdu import (
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Read,
    Request,
    Write,
)
from borne.protocols.modbus.transports import Link, LinkLost, open_link

__all__ = ["ModbusBus", "Priority", "RetryPolicy"]

BROADCAST: Final = 0
CLOCK_STEP_S: Final = 1e-9
"""A timer may end a step of the clock early; to wait for the rest could take many turns."""
RESTART_S: Final = 1.0
USED_S: Final = 5.0
"""A port that was asked something else than a scan within this time is in use."""
SCAN_PAUSE: Final = 2.0
"""After each request on a port in use, a scan leaves it this many times as long to the others."""
BUSY_S: Final = 0.2
"""A device that says it is busy is left alone for so long."""
DEFAULT_RETRY: Final = RetryPolicy()
_NO_PATH: Final = (
    ExceptionCode.GATEWAY_PATH_UNAVAILABLE,
    ExceptionCode.GATEWAY_TARGET_SILENT,
)
_BUSY: Final = (ExceptionCode.ACKNOWLEDGE, ExceptionCode.DEVICE_BUSY)
_log = logging.getLogger(__name__)


class ModbusBus:
    """One port. Its task begins with the first request; it connects only while requests wait."""

    def __init__(self, endpoint: Endpoint, opener: Opener = open_link) -> None:
        self.endpoint = endpoint
        self._rtu = not (isinstance(endpoint, TcpEndpoint) and endpoint.framing is Framing.TCP)
        self._gap_s = 0.0
        character_s = 0.0
        if isinstance(endpoint, SerialEndpoint):
            character_s = endpoint.character_s
            self._gap_s = RtuExchange.gap_s(endpoint.baud, character_s)
        self._exchange: Exchange = RtuExchange(character_s) if self._rtu else TcpExchange()
        self._queue = JobQueue()
        self._devices = Devices()
        self._wake = Flag()
        self._connection = Connection(endpoint, opener, self._exchange.attach, self._wake.set)
        self._owner: asyncio.Task[None] | None = None
        self._closed = False
        self._line_free_s = float("-inf")
        self._used_s = float("-inf")
        self._scan_from_s = float("-inf")

    async def read(
        self,
        unit: int,
        function: int,
        address: int,
        count: int,
        *,
        priority: Priority = Priority.READ,
        retry: RetryPolicy = DEFAULT_RETRY,
    ) -> tuple[int, ...]:
        """16-bit words; for functions 1 and 2 bits. Raises ModbusFailure, and ValueError for a
        request that cannot be sent."""
        return await self._ask(unit, Read(function, address, count), priority, retry)

    async def write(
        self,
        unit: int,
        address: int,
        values: Sequence[int],
        *,
        function: int | None = None,
        priority: Priority = Priority.COMMAND,
        retry: RetryPolicy = DEFAULT_RETRY,
    ) -> None:
        """Write registers by function 6 if it is one, else 16; `function` selects another one.

        Raises as `read`. After NoAnswer the device may have executed it.
        """
        if function is None:
            function = WRITE_REGISTER if len(values) == 1 else WRITE_REGISTERS
        await self._ask(unit, Write(function, address, tuple(values)), priority, retry)

    def age_s(self, unit: int) -> float | None:
        """Seconds since the last good answer of a unit; None if there was none."""
        return self._devices.age_s(unit, asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Close the port; callers that wait get Unreachable."""
        await asyncio.gather(*self.abort(), return_exceptions=True)

    def abort(self) -> list[asyncio.Task[None] | asyncio.Task[Link]]:
        """Close the port without waiting, as by a power cut; returns the tasks that end."""
        self._closed = True
        tasks: list[asyncio.Task[None] | asyncio.Task[Link]] = [*self._connection.abort()]
        if self._owner is not None:
            self._owner.cancel()
            tasks.append(self._owner)
        for job in self._queue:
            self._queue.remove(job)
            job.fail(self._closed_failure())
        return tasks

    async def _ask(
        self, unit: int, request: Request, priority: Priority, retry: RetryPolicy
    ) -> tuple[int, ...]:
        if not 0 <= unit <= 255:
            raise ValueError(f"there is no unit {unit}")
        if unit == BROADCAST and self._rtu:
            raise NoAnswer("Nobody answers as unit 0: on a serial line it addresses all units.")
        if self._closed:
            raise self._closed_failure()
        loop = asyncio.get_running_loop()
        job = Job(unit, request, priority, retry, loop.time(), loop.create_future())
        self._queue.add(job)
        if self._owner is None:
            self._owner = loop.create_task(self._own_port(), name=f"modbus {self.endpoint}")
        self._wake.set()
        try:
            return await job.result
        finally:
            self._queue.remove(job)

    def _closed_failure(self) -> Unreachable:
        return Unreachable(f"The connection to {self.endpoint} is closed.")

    async def _own_port(self) -> None:
        while True:
            try:
                await self._work()
            except Exception:
                _log.exception("the bus at %s has failed", self.endpoint)
                await asyncio.sleep(RESTART_S)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now_s = loop.time() + CLOCK_STEP_S
            if self._connection.is_open:
                job, until_s = self._choose(now_s)
                if job is not None:
                    await self._serve(job)
                    continue
            else:
                until_s = self._connect(now_s)
            await self._wake.wait(None if until_s is None else max(0.0, until_s - now_s))

    def _connect(self, now_s: float) -> float | None:
        """Connect if something waits for it; returns when to look again."""
        self._connection.drop(now_s)
        for job in self._queue.expire(now_s, self._expiry_s):
            job.fail(self._connection.failure())
        if not self._queue:
            return None
        due_s = self._connection.open(now_s)
        expiry_s = min(self._expiry_s(job) for job in self._queue)
        return expiry_s if due_s is None else min(due_s, expiry_s)

    def _expiry_s(self, job: Job) -> float:
        return max(job.queued_s, self._connection.down_since_s) + job.retry.timeout_s

    def _choose(self, now_s: float) -> tuple[Job | None, float | None]:
        """The request to send now, or when to look again."""
        ready: list[float] = []
        passed_over: set[int] = set()
        for job in self._queue:
            if self._is_held(job, now_s):
                self._queue.remove(job)
                job.fail(self._held_failure(job, now_s))
                continue
            if job.unit in passed_over:
                continue
            at_s = self._ready_s(job)
            if at_s <= now_s:
                self._queue.remove(job)
                return job, None
            # A unit's own requests keep their order, or an early one might wait without end.
            passed_over.add(job.unit)
            ready.append(at_s)
        return None, min(ready, default=None)

    def _is_held(self, job: Job, now_s: float) -> bool:
        """A unit without answer must not take the line from the others; commands always go."""
        if (
            job.retry.asks_silent
            or job.priority < Priority.READ
            or now_s >= self._devices[job.unit].held_until_s
        ):
            return False
        return self._devices.shares_line(job.unit, now_s)

    def _held_failure(self, job: Job, now_s: float) -> NoAnswer:
        pause_s = self._devices[job.unit].held_until_s - now_s
        return NoAnswer(
            f"Unit {job.unit} at {self.endpoint} does not answer; "
            f"it is asked again in {pause_s:.0f} s."
        )

    def _ready_s(self, job: Job) -> float:
        device = self._devices[job.unit]
        at_s = max(self._line_free_s, device.asked_s + job.retry.pause_s)
        if job.priority is Priority.SCAN:
            at_s = max(at_s, self._scan_from_s)
        return max(at_s, device.distinct_from_s(job.request)) if self._rtu else at_s

    def _in_use(self, now_s: float) -> bool:
        return now_s - self._used_s < USED_S

    async def _serve(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._attempt(job)
        except asyncio.CancelledError:
            job.fail(self._closed_failure())
            raise
        except Exception:
            _log.exception("a request to %s failed", self.endpoint)
            job.fail(ModbusFailure(f"The request to {self.endpoint} failed by an internal error."))
        now_s = loop.time()
        self._line_free_s = now_s + self._gap_s
        if job.priority is not Priority.SCAN:
            self._used_s = now_s
        elif self._in_use(now_s):
            self._scan_from_s = now_s + SCAN_PAUSE * (now_s - job.asked_s)

    async def _attempt(self, job: Job) -> None:
        """What must be tried again waits in the queue at its old place, so that a stop comes
        between two attempts."""
        job.asked_s = asyncio.get_running_loop().time()
        try:
            values = await self._exchange.ask(
                job.unit, job.request, job.retry.timeout_s, again=job.attempts > 0
            )
        except LinkLost:
            self._on_lost(job)
        except ExceptionAnswer as refusal:
            self._on_refused(job, refusal)
        except ModbusFailure as failure:
            self._on_failure(job, failure)
        else:
            self._on_answer(job)
            job.finish(values)

    @property
    def _late_until_s(self) -> float:
        """Until when an answer to the last request may come."""
        return self._exchange.awaited_until_s + LATE_S

    def _on_answer(self, job: Job) -> None:
        self._connection.on_answer()
        now_s = asyncio.get_running_loop().time()
        self._devices[job.unit].on_answer(job.request, now_s, self._late_until_s)

    def _on_refused(self, job: Job, refusal: ExceptionAnswer) -> None:
        now_s = asyncio.get_running_loop().time()
        self._devices[job.unit].on_exception(job.request, now_s, self._late_until_s)
        if refusal.code in _NO_PATH:
            self._on_no_answer(job, now_s)
        else:
            self._on_answer(job)
        if refusal.code in _BUSY and job.attempts + 1 < self._attempts(job, now_s):
            job.attempts += 1
            self._devices[job.unit].asked_s = now_s + BUSY_S
            self._queue.put_back(job)
            return
        job.fail(refusal)

    def _on_lost(self, job: Job) -> None:
        """The device closed the connection, perhaps long ago: try once on a new one."""
        if not job.sent_again:
            job.sent_again = True
            self._queue.put_back(job)
            return
        self._connection.on_failure(
            f"{self.endpoint} closes the connection: perhaps another program is connected to it."
        )
        self._again_or_fail(job, self._connection.failure())

    def _on_failure(self, job: Job, failure: ModbusFailure) -> None:
        now_s = asyncio.get_running_loop().time()
        device = self._devices[job.unit]
        device.asked_s = now_s
        device.expect_late(job.request, now_s, self._late_until_s)
        self._again_or_fail(job, failure)

    def _again_or_fail(self, job: Job, failure: ModbusFailure) -> None:
        job.attempts += 1
        now_s = asyncio.get_running_loop().time()
        if job.attempts < self._attempts(job, now_s) and not job.result.done():
            self._queue.put_back(job)
            return
        disturbs = job.priority is Priority.SCAN and self._in_use(now_s)
        if (
            isinstance(failure, NoAnswer)
            and isinstance(self.endpoint, TcpEndpoint)
            and not disturbs
        ):
            # Perhaps only the connection is dead: the device restarted, a router forgot it.
            self._connection.drop(now_s)
        if not isinstance(failure, Unreachable):
            self._on_no_answer(job, now_s)
        job.fail(failure)

    def _attempts(self, job: Job, now_s: float) -> int:
        """A silent unit costs the others one time-out, no more, and so does a scan."""
        if job.priority is Priority.SCAN and self._in_use(now_s):
            return 1
        silent = job.priority >= Priority.READ and self._devices[job.unit].failures
        if silent and self._devices.shares_line(job.unit, now_s):
            return 1
        return job.retry.attempts

    def _on_no_answer(self, job: Job, now_s: float) -> None:
        """A scan asks for registers that a unit may ignore: it does not show that the unit is
        silent to others."""
        if job.priority is not Priority.SCAN and not job.retry.may_be_ignored:
            self._devices[job.unit].on_no_answer(now_s)
