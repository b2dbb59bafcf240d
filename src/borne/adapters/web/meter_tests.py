"""Live tests of meters for the pages: one at a time for each meter, bounded in time and number.

A test goes on only while its panel renews it, every second, and for a minute at most. Because the
address is whatever was typed, the number of tests is limited for the whole station: a page is no
port scanner (docs/threat-model.md).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass

from borne.application.meters.meter_trial import MeterTrial, TrialResult
from borne.application.refusals import Refused
from borne.domain.meters.address import MeterAddress
from borne.foundation.messages import N_, Message

TEST_S = 60.0
LEASE_S = 5.0
"""A test ends this long after its panel was closed."""
PERIOD_S = 1.0
"""From the start of a trial to the next one at least; a trial polls the meter a few times."""
STORED_TESTS = 10
"""Tests that may be started one after the other."""
ONE_MORE_S = 20.0
"""Time after which one more test may be started."""
MAX_SHOWN = 16
"""Tests whose result is kept."""
_log = logging.getLogger(__name__)


def loop_time_s() -> float:
    """The time of the running loop, by which tests are timed, in seconds."""
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class MeterTest:
    """A test of one meter. `result` is replaced with every poll."""

    lease: str
    meter: str
    """Which meter it is for, by the caller's key."""
    owner: str
    address: MeterAddress
    ends_s: float
    result: TrialResult | None = None
    result_at_s: float = 0.0
    failed: bool = False
    """The test itself failed, for a reason of the program."""
    is_over: bool = False


class MeterTests:
    """The tests of a station."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], MeterTest] = {}
        """By meter and owner, the newest last."""
        self._running: dict[str, tuple[MeterTest, asyncio.Task[None]]] = {}
        """By meter."""
        self._lease: dict[str, asyncio.TimerHandle] = {}
        self._stored = float(STORED_TESTS)
        self._counted_s: float | None = None

    def start(self, meter: str, owner: str, address: MeterAddress, trial: MeterTrial) -> MeterTest:
        """Start a test; one of the same owner is replaced. Raises Refused."""
        running = self._running.get(meter)
        if running is not None and running[0].owner != owner:
            raise Refused("busy", N_("Somebody else tests this meter; try again in a minute."))
        self._count()
        self._end(meter)
        test = MeterTest(secrets.token_urlsafe(12), meter, owner, address, loop_time_s() + TEST_S)
        self._shown.pop((meter, owner), None)
        self._shown[meter, owner] = test
        while len(self._shown) > MAX_SHOWN:
            del self._shown[next(iter(self._shown))]
        task = asyncio.get_running_loop().create_task(self._run(test, trial), name="meter test")
        self._running[meter] = test, task
        self._renew(test)
        return test

    def renew(self, meter: str, owner: str, lease: str) -> MeterTest | None:
        """The state of a test, and keep it alive; None if there is none with that lease."""
        test = self._shown.get((meter, owner))
        if test is None or test.lease != lease:
            return None
        if not test.is_over:
            self._renew(test)
        return test

    def end(self, meter: str, owner: str) -> None:
        """End a test and forget its result."""
        test = self._shown.pop((meter, owner), None)
        if test is not None and not test.is_over:
            self._end(meter)

    def shown(self, meter: str, owner: str) -> MeterTest | None:
        """The newest test of an owner, running or over."""
        return self._shown.get((meter, owner))

    def drop(self, owner: str) -> None:
        """End and forget all tests of a login that ended."""
        for meter, by in list(self._shown):
            if by == owner:
                self.end(meter, by)

    def close(self) -> None:
        """End all tests."""
        for meter in list(self._running):
            self._end(meter)

    def _count(self) -> None:
        now_s = loop_time_s()
        more = 0.0 if self._counted_s is None else (now_s - self._counted_s) / ONE_MORE_S
        self._stored = min(float(STORED_TESTS), self._stored + more)
        self._counted_s = now_s
        if self._stored < 1:
            wait_s = max(1, round((1 - self._stored) * ONE_MORE_S))
            sentence = N_("Too many tests of meters; try again in {seconds} s.")
            raise Refused("too_many_tests", Message(sentence, {"seconds": wait_s}))
        self._stored -= 1

    def _renew(self, test: MeterTest) -> None:
        loop = asyncio.get_running_loop()
        if old := self._lease.pop(test.meter, None):
            old.cancel()
        left_s = min(LEASE_S, max(0.0, test.ends_s - loop_time_s()))
        self._lease[test.meter] = loop.call_later(left_s, self._end, test.meter)

    def _end(self, meter: str) -> None:
        if timer := self._lease.pop(meter, None):
            timer.cancel()
        if running := self._running.pop(meter, None):
            test, task = running
            test.is_over = True
            task.cancel()

    async def _run(self, test: MeterTest, trial: MeterTrial) -> None:
        try:
            while True:
                next_s = loop_time_s() + PERIOD_S
                test.result = await trial(test.address)
                test.result_at_s = loop_time_s()
                await asyncio.sleep(max(0.0, next_s - test.result_at_s))
        except Exception:
            _log.exception("the test of a meter failed")
            test.failed = True
            self._end(test.meter)
