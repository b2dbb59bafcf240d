"""A meter that answers as a test wants, in place of a live test on a bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from borne.application.meters.meter_search import FoundMeter, SearchProgress, SearchRequest
from borne.application.meters.meter_trial import TrialResult
from borne.application.meters.site_meter_service import SiteMeterService
from borne.application.refusals import Refused, require
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Finding, FindingCode
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.principals import Principal, Role
from borne.foundation.events import Signal
from borne.foundation.messages import Message
from borne.foundation.units import PerPhase

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
        self.is_other_type = False
        self.was_asked = True
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
            error = Message(self.error)
            return TrialResult((), (), error, None, 2.0, "", self.is_other_type, self.was_asked)
        # Every answer is a new one.
        newest = replace(self.measurement, at_s=self.measurement.at_s + len(self.asked))
        return TrialResult((newest,), self.findings, None, 0.0, 0.1)


NO_SITE_METER = SiteMeterStatus(SiteMeterState.ABSENT, PerPhase.same(9999.0))
SITE_METER = SiteMeterStatus(
    SiteMeterState.OK,
    PerPhase.same(9999.0),
    model="Siemens PAC2200",
    serial_number="LQN 0815",
    current_a=PerPhase(12.34, 8.1, -3.04),
    measurement=BUILDING,
    age_s=0.4,
)
OTHER_METER = replace(
    SITE_METER,
    state=SiteMeterState.SILENT,
    serial_number="LQN 4711",
    current_a=None,
    age_s=75.0,
    reason=Message("Another meter answers: serial number LQN 4711 instead of LQN 0815."),
    accepted_serial_number="LQN 0815",
)


class FakeSiteMeter(SiteMeterService):
    """The second meter as a status that tests set."""

    def __init__(self) -> None:
        self.changed: Signal[SiteMeterStatus] = Signal()
        self.shown = NO_SITE_METER
        self.accepted_by: list[str] = []

    @property
    def status(self) -> SiteMeterStatus:
        return self.shown

    def show(self, status: SiteMeterStatus) -> None:
        """Change the status."""
        self.shown = status
        self.changed.emit(status)

    async def accept(self, principal: Principal) -> None:
        require(principal, Role.OPERATOR)
        if not self.shown.accepted_serial_number:
            raise Refused("nothing_to_accept", "No other meter answers.")
        self.accepted_by.append(principal.name)
        self.show(SITE_METER)


class FakeSearch:
    """Finds what `found` says; with `held` set, it waits
    before the end."""

    def __init__(self) -> None:
        self.requests: list[SearchRequest] = []
        self.found: list[FoundMeter] = []
        self.held: asyncio.Event | None = None
        self.error: Exception | None = None
        self.closed = 0

    async def __call__(
        self, request: SearchRequest
    ) -> AsyncGenerator[SearchProgress | FoundMeter, None]:
        self.requests.append(request)
        try:
            if self.error is not None:
                raise self.error
            yield SearchProgress(1, 2, "192.0.2.50:502 unit 1")
            for found in self.found:
                yield found
            if self.held is not None:
                await self.held.wait()
        finally:
            self.closed += 1
