"""What a backend receives for every fault (manual 9): its code and text when it comes, its
resolution when it has gone. Causes and clearing are those of `test_every_fault`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from borne.application.ports.backend import (
    BackendUnreachable,
    BackendView,
    BootState,
    IdTagInfo,
    LinkState,
    StatusReport,
)
from borne.application.ports.backend_link import Backend
from borne.domain.station.faults import CATALOGUE, FaultScope, vendor_code
from tests.integration.test_every_fault import ROWS, Row, _do, bench, bring_about
from tests.support.virtual_time import run_virtual

INFO = 50
BACKEND = {"ConnectionType": "ethernet", "FreeChargingMode": "status_without_auth"}


class _Backend:
    """Records statuses."""

    online = False

    def __init__(self) -> None:
        self.reports: list[StatusReport] = []

    async def authorize(self, id_token: str) -> IdTagInfo:
        raise BackendUnreachable(id_token)

    def view(self) -> BackendView:
        return BackendView(link=LinkState.CONNECTED, boot=BootState.ACCEPTED, queue=0)

    def report_status(self, status: StatusReport) -> None:
        self.reports.append(status)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.cause}-{row.cleared_by[-1]}")
def test_manual_9_reported_to_the_backend(row: Row, tmp_path: Path) -> None:
    kind = CATALOGUE[row.fault]
    if "restart" in row.cleared_by:
        pytest.skip("a restart makes a new station, which reports its state anew")

    async def scenario() -> list[StatusReport]:
        backend = _Backend()
        async with bench(tmp_path, **{**BACKEND, **row.settings}) as at:
            at.station.link.backend = cast(Backend, cast(Any, backend))
            await bring_about(at, row)
            await asyncio.sleep(10)
            for step in row.cleared_by:
                await _do(at, row, step)
            await asyncio.sleep(1)
        return backend.reports

    reports = run_virtual(scenario())
    connector = 0 if kind.scope is FaultScope.STATION else 1
    mine = [status for status in reports if status.connector == connector]
    wanted = (kind.code_16, kind.activation[:INFO], vendor_code(row.fault))
    came = [i for i, s in enumerate(mine) if (s.error_code, s.info, s.vendor_error_code) == wanted]
    assert came, [(s.status, s.error_code, s.info) for s in mine]
    assert (mine[came[0]].status == "Faulted") is kind.blocks
    later = mine[came[-1] + 1 :]
    assert any(s.error_code == "NoError" and s.info == kind.resolution[:INFO] for s in later), [
        (s.status, s.error_code, s.info) for s in later
    ]
    assert mine[-1].error_code == "NoError"
