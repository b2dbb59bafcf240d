"""A station in a process of its own, which is killed at a commit point.

Usage: python -m tests.integration.crash.child DATA URL [POINT] With POINT (a number) the process
kills itself there. The simulated world (register of the meter, plugged car) outlives it in
`DATA/world.json`. Writes the register to standard output at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

from borne.app import Host, HostOptions
from tests.integration.crash.commit_points import watch
from tests.integration.crash.scenario import SETTINGS, begin, end
from tests.support.running_station import RunningStation, store_settings
from tests.support.simulated_world import world_of


class Child:
    """Run the process."""

    def __init__(self, data: Path, point: int | None) -> None:
        self._point = point
        self._kept = data / "world.json"
        self._count = 0
        self._started = False
        """What is committed while a station starts is no point of a session."""
        self._host = Host(
            HostOptions(
                data,
                rng=random.Random(1),
                live=False,
                control_socket=False,
                world_file=self._kept,
                wrap_storage=lambda storage: watch(storage, self._at),
            )
        )

    async def play(self) -> None:
        """The scenario, from its start or from where it was interrupted."""
        socket = world_of(self._host).sockets[1]
        first = not self._kept.exists()
        rig = RunningStation(self._host)
        await self._host.start()
        self._started = True
        if first or socket.vehicle is not None:
            await begin(rig)
        await end(rig)
        sys.stdout.write(json.dumps({"register_wh": socket.register_wh}))
        await self._host.stop()

    async def _at(self, _: str) -> None:
        if not self._started:
            return
        self._count += 1
        if self._count == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    """Read the arguments and run the scenario."""
    data, url, *point = sys.argv[1:]
    store_settings(Path(data), {**SETTINGS, "WebSocketsBackendURL": url})
    await Child(Path(data), int(point[0]) if point else None).play()


if __name__ == "__main__":
    asyncio.run(main())
