"""Every reason names the source of the limit that really binds, in the same words everywhere."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from borne.adapters.web.i18n import Words
from borne.adapters.web.load_json import load_json
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.reason_text import reason_text
from borne.domain.settings.choices import DlmInput1, DlmRole
from borne.domain.settings.entry import Amps
from borne.foundation.units import PerPhase
from tests.support.virtual_time import virtual_time
from tests.unit.application.load_management.group_doubles import GroupStation
from tests.unit.application.load_management.test_site_limits import METER, Bench, Inputs

BOARD = "the EVSE sub-distribution"
LOW = Amps(20, 20, 20)


@dataclass(frozen=True)
class Case:
    """Settings under which one source leaves 20 A, and how its line is named."""

    source: LimitCause
    line: str
    settings: dict[str, Any]
    building_a: float | None = None
    input_on: bool = False
    manager_a: float | None = None
    backend_a: float | None = None


CASES = [
    Case(LimitCause.SUB_DISTRIBUTION, BOARD, {"DLMEVSESubDistributionLimit": LOW}),
    Case(
        LimitCause.OPERATOR,
        f"{BOARD} (limit: Operator)",
        {"DLMOperatorEVSESubDistributionLimit": LOW},
    ),
    Case(
        LimitCause.SCHEDULER,
        f"{BOARD} (limit: Scheduler)",
        {"DLMMaxCurrentScheduler": True, "DLMMaxCurrentSchedule": ("00:00;24:00;20,20,20",)},
    ),
    Case(
        LimitCause.EXTERNAL_INPUT,
        f"{BOARD} (limit: Digital input)",
        {"DLMExternalInput1Config": DlmInput1.OPTO_1, "DLMExternalInput1Limit": LOW},
        input_on=True,
    ),
    Case(LimitCause.ENERGY_MANAGER, f"{BOARD} (limit: Energy manager)", {}, manager_a=20.0),
    Case(
        LimitCause.OCPP_STATION,
        f"{BOARD} (limit: Backend profile, station)",
        {"DLMBackendLimitIsGroup": True},
        backend_a=20.0,
    ),
    Case(
        LimitCause.EXTERNAL_LOAD,
        "the main distribution less the building",
        METER,
        building_a=80.0,
    ),
    Case(
        LimitCause.EXTERNAL_LOAD_FALLBACK,
        "the main distribution, building not measured",
        {**METER, "DLMExternalLoadFallback": Amps(80, 80, 80)},
    ),
]


async def started(case: Case) -> GroupStation:
    inputs = Inputs()
    inputs.levels[1] = case.input_on
    bench = Bench(inputs=inputs, **case.settings)
    if case.building_a is not None:
        bench.meter.show(case.building_a)
    if case.manager_a is not None:
        bench.limits.put_manager("the HEMS", PerPhase.same(case.manager_a))
    bench.limits.put_backend(case.backend_a)
    bench.limits.abort()  # the master starts it
    station = await GroupStation(site=bench.limits, DLMRole=DlmRole.MASTER).start()
    await station.sockets.charge(1, 2)
    await asyncio.sleep(5.0)
    return station


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source.value)
@virtual_time
async def test_page_api_and_log_name_the_source_that_binds(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    station = await started(case)
    assert station.offers() == [10.0, 10.0]
    sentence = f"fair share among 2 on N1 of {case.line}"
    assert str(reason_text(station.row("alpha/1").reason)) == sentence
    answer = load_json(station.status, (), None, Words("en"))
    reason = answer["participants"][0]["reason"]
    assert (reason["text"], reason["limited_by"]) == (sentence, case.source.value)
    assert sentence in caplog.text
    share = station.sockets.offer(1).binding
    assert share is not None
    assert share.source == sources.LOAD_MANAGEMENT
    own = Reason(share.cause, share.link, source=share.limited_by)
    assert str(reason_text(own)) == f"fair share on N1 of {case.line}"
    station.group.abort()


@virtual_time
async def test_the_phase_concerned_decides() -> None:
    """The operator limits N2 only, where the first car needs most."""
    settings = {
        "DLMEVSESubDistributionLimit": Amps(30, 30, 30),
        "DLMOperatorEVSESubDistributionLimit": Amps(30, 20, 30),
    }
    station = await started(Case(LimitCause.OPERATOR, "", settings))
    text = str(reason_text(station.row("alpha/1").reason))
    assert text == f"fair share among 2 on N2 of {BOARD} (limit: Operator)"
    station.group.abort()
