"""A station in a process of its own, which is killed at a commit point.

Usage: python -m tests.integration.crash.child DATA URL [POINT]
With POINT (a number) the process kills itself there. What outlives a power cut in the street (the
meter's register, the plugged car) is kept in `DATA/world`. Writes the register to
standard output when the story is over.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

from borne.adapters.simulation.simulator import Simulator
from borne.app import Host, HostOptions
from tests.integration.crash.commit_points import watch
from tests.integration.crash.story import CAR, SETTINGS, begin, end
from tests.support.street import Street, store_settings


class Child:
    """The process."""

    def __init__(self, data: Path, point: int | None) -> None:
        self._point = point
        self._kept = data / "world"
        self._count = 0
        self._host = Host(
            HostOptions(
                data,
                rng=random.Random(1),
                live=False,
                control_socket=False,
                wrap_storage=lambda storage: watch(storage, self._at),
            )
        )

    async def play(self) -> None:
        """The story, from its begin or from where it was interrupted."""
        socket = self._host.world.sockets[1]
        if self._kept.exists():
            kept = json.loads(self._kept.read_text())
            socket.register.show(kept["register_wh"], asyncio.get_running_loop().time())
            if kept["plugged"]:
                await Simulator(self._host.world).plug(1, CAR)
        street = Street(self._host)
        await self._host.start()
        if not self._kept.exists() or json.loads(self._kept.read_text())["plugged"]:
            await begin(street)
        await end(street)
        sys.stdout.write(json.dumps({"register_wh": socket.register_wh}))
        await self._host.stop()

    async def _at(self, name: str) -> None:
        self._count += 1
        if self._count == self._point:
            socket = self._host.world.sockets[1]
            plugged = socket.vehicle is not None
            kept = {"register_wh": socket.register_wh, "plugged": plugged, "at": name}
            self._kept.write_text(json.dumps(kept))
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    """Read the arguments and play."""
    data, url, *point = sys.argv[1:]
    store_settings(Path(data), {**SETTINGS, "WebSocketsBackendURL": url})
    await Child(Path(data), int(point[0]) if point else None).play()


if __name__ == "__main__":
    asyncio.run(main())
