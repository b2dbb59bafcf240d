"""What the web interface needs from the program around it.

The host owns the HTTP listener and outlives the station: while power is cut there is no station,
and every route of the station answers 503 (`no_power`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from borne.application.ports.simulator import SimulatorPort
from borne.application.services import Power, StationServices


@dataclass(frozen=True, slots=True)
class Readiness:
    """True if the station can work: settings valid, boards armed."""

    ready: bool
    reasons: tuple[str, ...] = ()
    works: bool = True
    """False: it cannot serve yet. True for a station that only waits for a confirmation, as that is
    made on its page."""
    """Why it is not ready."""


class WebHost(Protocol):
    """The program around the station."""

    @property
    def version(self) -> str:
        """Version of the software."""

    @property
    def power(self) -> Power | None:
        """The mains switch; None with real hardware."""

    @property
    def remote_simulator(self) -> bool:
        """True if other machines may use the simulator, not only this one."""

    @property
    def own_names(self) -> tuple[str, ...]:
        """Names of the listener, in addition to those of the machine."""

    @property
    def simulator(self) -> SimulatorPort | None:
        """The simulated world, with or without power; None with real hardware."""

    def services(self) -> StationServices | None:
        """The running station; None while power is cut."""

    def health(self) -> Readiness:
        """Readiness for `/readyz`."""

    async def metrics(self) -> str:
        """The text of `/metrics` (Prometheus exposition format)."""
