"""A whole station on a simulated network: virtual time, real WebSockets, real storage.

`simulate` runs a scenario on a fresh `SimLoop`; every machine of it (a station, the central system)
is a host of the simulated network. The simulated world (world, people) belongs to the station's
machine.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from simloop import SimLoop

from borne.adapters.simulation.hardware import Equipment
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import World
from borne.app import Host, HostOptions
from borne.application.ports.storage import Storage
from borne.application.station import Station
from borne.domain.station.board import BoardCapabilities
from tests.support.running_station import store_settings
from tests.support.simulated_world import world_of

BEGIN = datetime(2026, 3, 27, 6, tzinfo=UTC)
"""The third day has a change to summer time."""
WATCHDOG_S = 300.0
"""A patient board: keep-alives every 3 s would be most of the work of a virtual day."""
T = TypeVar("T")


class _Nothing:
    """Drops what simloop would keep for replays, which grows with every step."""

    def record(self, *_: object) -> None:
        """Forget a trace event."""

    def append(self, _: int) -> None:
        """Forget a choice."""


def simulate(scenario: Callable[[SimLoop], Coroutine[Any, Any, T]], seed: int = 0) -> T:
    """Run a scenario on a network of its own."""
    loop = SimLoop(seed)
    loop._recorder = loop._choice_log = cast(Any, _Nothing())
    loop.net.set_defaults(latency=(0.005, 0.1))
    try:
        answer: T = loop.run_until_complete(scenario(loop))
    finally:
        loop.close()
    return answer


def wall(loop: SimLoop) -> datetime:
    """The true date."""
    return BEGIN + timedelta(seconds=loop.time())


class SimulatedStation:
    """A host on one machine of the network, with power switch and simulator."""

    def __init__(
        self,
        loop: SimLoop,
        name: str,
        data: Path,
        seed: int,
        wrap_storage: Callable[[Storage], Storage] = lambda storage: storage,
    ) -> None:
        ids = random.Random(f"{seed}:{name}:ids")
        self.name = name
        self.rtc_error_s = 0.0
        """How far the battery clock is ahead of the truth at the next power-up."""
        self.data = data
        self.loop = loop
        self.machine = loop.net.host(name)
        self.host = Host(
            HostOptions(
                data,
                live=False,
                rng=random.Random(f"{seed}:{name}"),
                new_id=lambda: str(uuid.UUID(int=ids.getrandbits(128), version=4)),
                wall=lambda: wall(loop) + timedelta(seconds=self.rtc_error_s),
                control_socket=False,
                equipment=Equipment(BoardCapabilities(watchdog_s=WATCHDOG_S)),
                wrap_storage=wrap_storage,
            )
        )
        self.simulator = Simulator(world_of(self.host))

    @property
    def world(self) -> World:
        """The simulated world; it outlives power cuts."""
        return world_of(self.host)

    @property
    def station(self) -> Station | None:
        """None while power is cut."""
        return self.host.station


def prepare(data: Path, url: str, **settings: Any) -> None:
    """Set a station up before its first start; an empty URL means no backend."""
    backend = {"ConnectionType": "ethernet", "WebSocketsBackendURL": url} if url else {}
    store_settings(data, {**backend, **{name: str(value) for name, value in settings.items()}})
