"""A meter that answers as a test wants, in place of a live test on a bus."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from borne.application.meters.meter_trial import TrialResult
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Finding, FindingCode
from borne.domain.meters.measurement import Measurement
from borne.foundation.messages import Message

BUILDING = Measurement(
    at_s=10.0,
    voltage_v=(230.1, 229.8, 231.0),
    current_a=(12.34, 8.1, -3.04),
    power_w=(2839.0, 1861.0, -702.0),
    power_total_w=3998.0,
    import_wh=12_345_678,
    export_wh=4_321,
    frequency_hz=50.02,
    serial_number="LQN 0815",
)
IN_DOUBT = Finding(FindingCode.WRONG_WORD_ORDER, Message("50 Hz reads as 0: wrong word order."))


class FakeMeter:
    """Answers every test at once with `measurement`, or not at all with `error`. `asked` are the
    addresses; with `held` set, answers wait for the event."""

    def __init__(self) -> None:
        self.asked: list[MeterAddress] = []
        self.measurement: Measurement = BUILDING
        self.findings: Sequence[Finding] = ()
        self.error = ""
        self.held: asyncio.Event | None = None
        self.broken = False
        self.cancelled = 0

    async def __call__(self, address: MeterAddress) -> TrialResult:
        self.asked.append(address)
        try:
            if self.held is not None:
                await self.held.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.broken:
            raise RuntimeError("a bug")
        if self.error:
            return TrialResult((), (), Message(self.error), None, 2.0)
        # Every answer is a new one.
        newest = replace(self.measurement, at_s=self.measurement.at_s + len(self.asked))
        return TrialResult((newest,), self.findings, None, 0.0, 0.1)
