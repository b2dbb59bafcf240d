"""Modbus ports in memory, for drivers of meters: no sockets, so that they run on virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from borne.domain.meters.measurement import Measurement
from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Endpoint
from borne.protocols.modbus.failures import ExceptionAnswer, NoAnswer, Unreachable
from borne.protocols.modbus.job_queue import Priority, RetryPolicy
from tests.support.meter_bank import MeterBank

HOUSE = Measurement(
    at_s=0.0,
    voltage_v=(230.0, 231.0, 232.0),
    current_a=(10.0, -2.0, 1.0),
    power_w=(2300.0, -462.0, 232.0),
    power_total_w=2070.0,
    import_wh=123_000,
    export_wh=7_000,
    frequency_hz=50.0,
)


class Device(Protocol):
    """One unit; raises ModbusFailure."""

    def __call__(self, function: int, address: int, count: int) -> Sequence[int]: ...


def shown_by(measurement: Measurement) -> dict[str, float]:
    """What the registers of a meter show: magnitudes of currents, and power in each direction."""
    values: dict[str, float] = {
        "energy_import": measurement.import_wh or 0,
        "energy_export": measurement.export_wh or 0,
        "frequency": measurement.frequency_hz or 0.0,
        "digital_input": int(measurement.digital_input or 0),
    }
    powers = {"": measurement.power_total_w}
    for index, phase in enumerate(("_l1", "_l2", "_l3")):
        powers[phase] = measurement.power_w[index]
        values[f"voltage{phase}"] = measurement.voltage_v[index] or 0.0
        values[f"current{phase}"] = abs(measurement.current_a[index] or 0.0)
    for phase, power in powers.items():
        watts = power or 0.0
        values |= {
            f"power{phase}": watts,
            f"power_import{phase}": max(watts, 0.0),
            f"power_export{phase}": max(-watts, 0.0),
        }
    return values


def meter(slug: str, measurement: Measurement = HOUSE) -> MeterBank:
    """A strict meter of a type, from its description alone."""
    return MeterBank(slug, shown_by(measurement))


def lenient(bank: MeterBank) -> Device:
    """The same meter, if it answers 0 for registers that it does not have."""
    even = bank.meter.get("even", False)

    def read(function: int, address: int, count: int) -> Sequence[int]:
        if count > bank.max_words or (even and (address % 2 or count % 2)):
            raise ExceptionAnswer(1, 3)
        return [bank.words.get((function, address + place), 0) for place in range(count)]

    return read


class FakeBus:
    """One port; `units` are the devices there, None for a port that nothing answers at."""

    def __init__(self, endpoint: Endpoint, units: dict[int, Device] | None) -> None:
        self.endpoint = endpoint
        self.units = units
        self.asked: Counter[tuple[int, int, int]] = Counter()
        """Requests by unit, function and address."""
        self.priorities: set[Priority] = set()
        self.retries: list[RetryPolicy] = []
        self.delay_s = 0.0
        self.reading = asyncio.Event()

    async def read(
        self,
        unit: int,
        function: int,
        address: int,
        count: int,
        *,
        priority: Priority = Priority.READ,
        retry: RetryPolicy,
    ) -> tuple[int, ...]:
        self.asked[unit, function, address] += 1
        self.priorities.add(priority)
        self.retries.append(retry)
        self.reading.set()
        if self.units is None:
            raise Unreachable("refused")
        if unit not in self.units:
            await asyncio.sleep(retry.timeout_s * retry.attempts)
            raise NoAnswer("late")
        await asyncio.sleep(self.delay_s)
        return tuple(self.units[unit](function, address, count))


class FakeBuses(Buses):
    """Leases fake buses. `conflict` is the answer while a line is in use with other settings."""

    def __init__(self, ports: dict[Endpoint, dict[int, Device]]) -> None:
        super().__init__()
        self._ports = ports
        self.buses: dict[Endpoint, FakeBus] = {}
        self.leases = 0
        self.conflict = ""

    def bus(self, endpoint: Endpoint) -> FakeBus:
        """The bus of a port, leased or not."""
        return self.buses.setdefault(endpoint, FakeBus(endpoint, self._ports.get(endpoint)))

    def lease(self, endpoint: Endpoint) -> ModbusBus:
        if self.conflict:
            raise ValueError(self.conflict)
        self.leases += 1
        return self.bus(endpoint)  # type: ignore[return-value]  # what a driver uses of it

    async def release(self, endpoint: Endpoint) -> None:
        assert endpoint in self.buses
        self.leases -= 1
