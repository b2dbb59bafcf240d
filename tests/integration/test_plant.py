"""A station on a plant that is no simulation: the host does not notice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from borne.app import Host, HostOptions
from borne.application.ports.hardware import EvseHardware, Hardware
from borne.application.refusals import Refused
from borne.domain.settings.snapshot import Settings
from borne.foundation.events import Signal
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import FakeBoard


class Ring:
    """Shows nothing."""

    def show(self, connector: int, pattern: str) -> None:
        pass

    def dim(self, percent: int) -> None:
        pass


class Bench:
    """A plant of one board without a meter, without a mains switch."""

    connectors: Sequence[int] = (1,)
    keeps_time = True
    mains = None
    simulator = None

    def __init__(self) -> None:
        self.link_restored: Signal[None] = Signal()
        self.board = FakeBoard()
        self.closed = False

    def open(self) -> Sequence[str]:
        return ("the bench is dusty",)

    def power_on(self) -> None:
        pass

    def power_up(self, settings: Settings) -> Hardware:
        self.board = FakeBoard()
        return Hardware((EvseHardware(1, self.board, None),), (), Ring())

    async def dial(self, host: str, port: int) -> tuple[str, int]:
        return host, port

    async def close(self) -> None:
        self.closed = True


@virtual_time
async def test_a_station_runs_on_any_plant(tmp_path: Path) -> None:
    bench = Bench()
    options = HostOptions(
        tmp_path, connectors=1, live=False, control_socket=False, make_plant=lambda _: bench
    )
    host = Host(options)
    await host.start()
    services, first = host.services(), bench.board
    assert services is not None
    assert host.health().works
    assert (host.power, host.simulator, services.simulator) == (None, None, None)
    with pytest.raises(Refused):
        await host.cut()
    assert host.services() is services
    await host.stop()
    assert first.stopped
    assert bench.closed
