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
    """Whether the station can do its work: settings valid, boards armed."""

    ready: bool
    reasons: tuple[str, ...] = ()
    works: bool = True
    """False: it cannot serve yet. A station that only waits for a person works: its page is where
    the person is needed."""
    """Why not, in words."""


class WebHost(Protocol):
    """The program around the station."""

    @property
    def version(self) -> str:
        """Of the software."""

    @property
    def power(self) -> Power | None:
        """The mains switch; None when the hardware is real."""

    @property
    def remote_simulator(self) -> bool:
        """Whether other machines may use the simulator (else this machine only)."""

    @property
    def own_names(self) -> tuple[str, ...]:
        """Names under which it was told to listen, beside those of the machine."""

    @property
    def simulator(self) -> SimulatorPort | None:
        """The simulated world, with or without power; None when the hardware is real."""

    def services(self) -> StationServices | None:
        """The running station; None while power is cut."""

    def health(self) -> Readiness:
        """For `/readyz`."""

    async def metrics(self) -> str:
        """The text of `/metrics` (Prometheus exposition format)."""
