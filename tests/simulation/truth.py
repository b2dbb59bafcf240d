"""What really happened at one station: its commits, its currents, its offers.

Watches the world and the storage, never the machine of a connector. What must never happen is
found at the moment it happens and kept in `violations`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.register import WS_PER_WH
from borne.adapters.simulation.wire import Drive
from borne.application.ports.storage import QueuedMessage, Storage
from borne.application.station import Station
from borne.domain.station import pilot, timing
from tests.support.simulated_network import SimulatedStation, wall

OBEY_S = 1.0
"""A lower limit is obeyed at once; the event loop may have other things to do before."""
TOLERANCE_A = 0.1


@dataclass(slots=True)
class Metered:
    """A session as the simulated world saw it."""

    connector: int
    began: datetime
    from_ws: float
    ended: datetime | None = None
    until_ws: float | None = None


class _Room:
    """A part of the storage whose commits are watched."""

    def __init__(self, inner: Any, **after: Callable[..., None]) -> None:
        self._inner = inner
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        notify = self._after.get(name)
        if notify is None:
            return found

        async def watched(*arguments: Any, **options: Any) -> Any:
            answer = await found(*arguments, **options)
            notify(answer, *arguments)
            return answer

        return watched


class Truth:
    """Follows one station through all its power-ups."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.metered: dict[str, Metered] = {}
        self.order: dict[str, int] = {}
        """Place in the queue of each message id."""
        self.storage: Storage | None = None
        self.power_ups = 0
        self._open: dict[int, str] = {}
        self._limit_a: dict[int, float] = {}
        self._limited_s: dict[int, float] = {}
        self._simulated: SimulatedStation | None = None

    def follow(self, simulated: SimulatedStation) -> None:
        """Begin; before the first start."""
        self._simulated = simulated
        for socket in simulated.world.sockets.values():
            socket.changed.subscribe(self._look)
        simulated.host.station_changed.subscribe(self._on_station)

    def wrap(self, storage: Storage) -> Storage:
        """The storage of a power-up, watched."""
        self.storage = storage
        journal = _Room(storage.journal, open=self._opened, close=self._closed)
        outbox = _Room(storage.outbox, next=self._queued)
        journal_view: Any = journal
        outbox_view: Any = outbox
        return replace(storage, journal=journal_view, outbox=outbox_view)

    async def settle(self) -> None:
        """A power cut may come between a commit and its watcher: read what was committed."""
        assert self.storage is not None
        records = await self.storage.journal.open_sessions()
        still = {record.session_id for record in records}
        for connector, session_id in tuple(self._open.items()):
            if session_id not in still:
                self._close(connector, session_id)
        for record in records:
            self._open_one(record.start.connector, record.session_id)

    # Commits --------------------------------------------------------------------------------

    def _opened(self, _: None, start: Any, *__: Any) -> None:
        if start.connector in self._open:
            self._violate(f"connector {start.connector} has two sessions")
        self._open_one(start.connector, start.session_id)

    def _closed(self, _: None, session_id: str, *__: Any) -> None:
        metered = self.metered.get(session_id)
        if metered is not None and metered.until_ws is None:
            self._close(metered.connector, session_id)

    def _queued(self, message: QueuedMessage | None) -> None:
        if message is not None:
            known = self.order.setdefault(message.message_id, message.seq)
            if known != message.seq:
                self._violate(f"message id {message.message_id} stands for two messages")

    def _open_one(self, connector: int, session_id: str) -> None:
        if session_id not in self.metered:
            self._open[connector] = session_id
            self.metered[session_id] = Metered(connector, self._now(), self._energy_ws(connector))

    def _close(self, connector: int, session_id: str) -> None:
        self._open.pop(connector, None)
        socket = self._socket(connector)
        if socket.current_a.total > 0 and not socket.contactor.welded:
            self._violate(f"connector {connector}: a session is closed while current flows")
        metered = self.metered[session_id]
        metered.ended, metered.until_ws = self._now(), self._energy_ws(connector)

    # Physics --------------------------------------------------------------------------------

    def _look(self, socket: Socket) -> None:
        number = socket.number
        welded = socket.contactor.welded
        if socket.current_a.total > 0 and number not in self._open and not welded:
            self._violate(f"connector {number}: {socket.current_a} A flow without a session")
        offered_a = _offered_a(socket)
        if offered_a:
            self._read_limits()
        limit_a = self._limit_a.get(number, 0.0)
        since_s = self._loop_s() - self._limited_s.get(number, float("-inf"))
        if offered_a > limit_a + TOLERANCE_A and since_s > OBEY_S:
            self._violate(f"connector {number}: {offered_a} A offered, the limit is {limit_a} A")

    def _on_station(self, station: Station | None) -> None:
        if station is None:
            return
        assert self._simulated is not None
        self.power_ups += 1
        self._simulated.host.settings.subscribe(lambda _: self._read_limits())
        self._read_limits()

    def _read_limits(self) -> None:
        assert self._simulated is not None
        settings = self._simulated.host.settings.settings
        for number, socket in self._simulated.world.sockets.items():
            limit_a = float(settings.integer("OperatorCurrentLimit", number))
            if limit_a < timing.MINIMUM_A:
                limit_a = 0.0
            if limit_a != self._limit_a.get(number):
                self._limit_a[number] = limit_a
                self._limited_s[number] = self._loop_s()
                self._simulated.loop.call_later(OBEY_S + 0.1, self._look, socket)

    def _socket(self, connector: int) -> Socket:
        assert self._simulated is not None
        return self._simulated.world.sockets[connector]

    def _energy_ws(self, connector: int) -> float:
        return self._socket(connector).register.energy_ws(self._loop_s())

    def _loop_s(self) -> float:
        assert self._simulated is not None
        return float(self._simulated.loop.time())

    def _now(self) -> datetime:
        assert self._simulated is not None
        return wall(self._simulated.loop)

    def _violate(self, what: str) -> None:
        self.violations.append(f"{self._loop_s():.3f} s: {what}")

    def billed_wh(self, session_id: str) -> float:
        """The energy that really flowed in a closed session."""
        metered = self.metered[session_id]
        assert metered.until_ws is not None
        return (metered.until_ws - metered.from_ws) / WS_PER_WH


def _offered_a(socket: Socket) -> float:
    generator = socket.generator
    if generator.drive is not Drive.PWM or socket.vehicle is None:
        return 0.0
    return pilot.offer_of_duty(generator.duty_percent).current_a
