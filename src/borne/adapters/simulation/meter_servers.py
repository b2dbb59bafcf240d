"""The energy meters of the simulated world as real devices, which any program can read.

They belong to the world: a power cut of the station and its failing links leave them on. A meter
computes its values only when it is asked; nothing runs while none is set up (decision 0211).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol, cast

from borne.adapters.simulation.meter_setup import (
    MAX_METERS,
    CannotServe,
    MeterFault,
    MeterSetup,
)
from borne.adapters.simulation.world import World
from borne.adapters.simulation.world_measurement import world_measurement
from borne.application.ports.simulator import MeterValues, ServedMeterView
from borne.domain.meters.measurement import Measurement, Phases
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.foundation.messages import N_, Message

_log = logging.getLogger(__name__)


class Served(Protocol):
    """A running meter."""

    address: str
    """As shown to users."""
    port: int
    """0 without one."""
    unit: int
    requests: int
    last_client: str
    fault: MeterFault | None

    async def start(self) -> None:
        """Raises CannotServe."""

    async def stop(self) -> None: ...


Make = Callable[[MeterSetup, Callable[[], Measurement]], Served]


def make_meter(setup: MeterSetup, measure: Callable[[], Measurement]) -> Served:
    """A meter of the type of `setup`, not started. Raises CannotServe."""
    # Not needed by a station without such meters.
    from borne.adapters.simulation.modbus_meter import ModbusMeterServer, profile_of
    from borne.adapters.simulation.speedwire_sender import SpeedwireSender
    from borne.protocols.meter_profiles import Transport

    profile = profile_of(setup.type)
    if profile.transport is Transport.SPEEDWIRE:
        return SpeedwireSender(setup, measure)
    return ModbusMeterServer(setup, profile, measure)


class MeasuredPlace:
    """Measures at the place of a meter, or repeats the values at the begin of a fault. Raises
    CannotServe if the world has no such place."""

    def __init__(self, world: World, setup: MeterSetup) -> None:
        self._world = world
        self._source = setup.source
        self._frozen: Measurement | None = None
        try:
            world_measurement(world, setup.source)
        except KeyError:
            message = N_("There is nothing to measure at {source}.")
            raise CannotServe(Message(message, {"source": setup.source})) from None
        self.freeze(setup.fault is MeterFault.FROZEN)

    def freeze(self, frozen: bool) -> None:
        """Keep the present values, or follow the world again."""
        if not frozen:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = world_measurement(self._world, self._source)

    def __call__(self) -> Measurement:
        return self._frozen or world_measurement(self._world, self._source)


@dataclass(frozen=True, slots=True)
class _Running:
    """A meter that is served."""

    served: Served
    place: MeasuredPlace

    def fail(self, fault: MeterFault | None) -> None:
        """Begin a fault, or end it."""
        self.place.freeze(fault is MeterFault.FROZEN)
        self.served.fault = fault


class MeterServers:
    """Serves the meters of `world.meters`."""

    def __init__(self, world: World, make: Make = make_meter) -> None:
        self._world = world
        self._make = make
        self._running: dict[str, _Running] = {}
        self._failures: dict[str, str] = {}
        """Why a meter is not served."""
        self._changing = asyncio.Lock()
        self._restoring: asyncio.Task[None] | None = None

    def restore(self) -> None:
        """Start the meters of a stored world, in the background; a failure is shown and logged."""
        if self._world.meters:
            self._restoring = self._world.loop.create_task(self._restore())

    async def restored(self) -> None:
        """Return when each stored meter is served or has failed."""
        if self._restoring is not None:
            await self._restoring

    async def set(self, setup: MeterSetup) -> None:
        """Serve a new meter, or another one in the place of one. A change of the fault alone leaves
        its connections open. Raises CannotServe; then the previous meter goes on."""
        async with self._changing:
            before, running = self._world.meters.get(setup.id), self._running.get(setup.id)
            if before is None and len(self._world.meters) >= MAX_METERS:
                message = N_("There are {number} simulated meters, no more can be added.")
                raise CannotServe(Message(message, {"number": MAX_METERS}))
            if running is not None and before == replace(setup, fault=running.served.fault):
                running.fail(setup.fault)
            else:
                setup = await self._exchange(before, setup)
            self._world.meters[setup.id] = setup
        self._world.touch()

    async def remove(self, meter: str) -> bool:
        """Stop a meter and forget it; False if there is none."""
        async with self._changing:
            if self._world.meters.pop(meter, None) is None:
                return False
            await self._stop(meter)
        self._world.touch()
        return True

    async def close(self) -> None:
        """Stop all meters; they stay in the world."""
        # Not cancelled: a server that is just being started would be left open.
        await self.restored()
        async with self._changing:
            for meter in tuple(self._running):
                await self._stop(meter)

    def views(self) -> Sequence[ServedMeterView]:
        """All meters with their present values."""
        return [self._view(setup) for setup in self._world.meters.values()]

    async def _restore(self) -> None:
        for setup in tuple(self._world.meters.values()):
            async with self._changing:
                # A change by a user comes first.
                if self._world.meters.get(setup.id) is setup and setup.id not in self._running:
                    await self._start_if_possible(setup)
        self._world.touch()

    async def _exchange(self, before: MeterSetup | None, setup: MeterSetup) -> MeterSetup:
        """Stop the meter before the next one starts, which may need its port."""
        await self._stop(setup.id)
        try:
            return await self._start(setup)
        except CannotServe:
            if before is not None:
                await self._start_if_possible(before)
            raise

    async def _start_if_possible(self, setup: MeterSetup) -> None:
        try:
            self._world.meters[setup.id] = await self._start(setup)
        except CannotServe as error:
            self._failures[setup.id] = str(error)
            _log.warning("simulated meter %s: %s", setup.id, error)

    async def _start(self, setup: MeterSetup) -> MeterSetup:
        """Returns the setup with the port and unit that it got. Raises CannotServe."""
        place = MeasuredPlace(self._world, setup)
        served = self._make(setup, place)
        await served.start()
        self._running[setup.id] = _Running(served, place)
        self._failures.pop(setup.id, None)
        return replace(setup, port=served.port, unit=served.unit)

    async def _stop(self, meter: str) -> None:
        self._failures.pop(meter, None)
        running = self._running.pop(meter, None)
        if running is not None:
            await running.served.stop()

    def _view(self, setup: MeterSetup) -> ServedMeterView:
        running, failure = self._running.get(setup.id), self._failures.get(setup.id, "")
        profile = PROFILES.get(setup.type)
        served = running.served if running else None
        view = asdict(setup) | {
            "label": profile.label if profile else setup.type,
            "state": "serving" if served else "failed" if failure else "starting",
            "note": failure,
            "address": served.address if served else "",
            "requests": served.requests if served else 0,
            "last_client": served.last_client if served else "",
            "values": _values(running.place()) if running else None,
        }
        return cast("ServedMeterView", view)


def _values(measured: Measurement) -> MeterValues:
    return {
        "voltage_v": _rounded(measured.voltage_v),
        "current_a": _rounded(measured.current_a),
        "power_w": _rounded(measured.power_w),
        "power_total_w": _round(measured.power_total_w),
        "import_wh": measured.import_wh,
        "export_wh": measured.export_wh,
        "frequency_hz": measured.frequency_hz,
        "serial_number": measured.serial_number,
    }


def _rounded(values: Phases) -> list[float | None]:
    return [_round(value) for value in values]


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
