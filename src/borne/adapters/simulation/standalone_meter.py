"""A simulated energy meter without a station: steady values or a curve, and registers that count.

For trying an energy manager, or the load management of another make.
"""

from __future__ import annotations

import asyncio
import math
import signal
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from borne.adapters.simulation.meter_servers import make_meter
from borne.adapters.simulation.meter_setup import MeterSetup
from borne.adapters.simulation.meter_types import SIMULATED
from borne.adapters.simulation.register import ROUNDING_WH, WS_PER_WH
from borne.adapters.simulation.world_measurement import grid_frequency_hz
from borne.domain.meters.measurement import Measurement
from borne.foundation.units import PerPhase

SERIAL_NUMBER = "SIM90000003"
COLUMNS = ("time_s", "l1_a", "l2_a", "l3_a")
MAX_ROWS = 100_000
LARGEST_BYTES = 10_000_000
LARGEST_A, LONGEST_S = 10_000.0, 366 * 86_400.0


class WrongCurve(ValueError):
    """The file is no curve; the message says in which line and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """A current from a time of the curve on, until the next step."""

    from_s: float
    current_a: PerPhase


Flow = tuple[float, float]
"""Imported and exported, over all phases together."""


@dataclass(frozen=True)
class Curve:
    """Steps in order, the first at 0. They repeat after `period_s`; 0: one step without end."""

    steps: tuple[Step, ...]
    period_s: float = 0.0

    def at(self, elapsed_s: float) -> PerPhase:
        """The current at a time since the begin."""
        return self.steps[
            self._place(elapsed_s % self.period_s if self.period_s else 0.0)
        ].current_a

    def charge_as(self, elapsed_s: float) -> Flow:
        """Ampere-seconds since the begin."""
        periods, rest_s = divmod(elapsed_s, self.period_s) if self.period_s else (0.0, elapsed_s)
        place = self._place(rest_s)
        step, before, whole = self.steps[place], self._sums_as[place], self._sums_as[-1]
        now = _split(step.current_a.total * (rest_s - step.from_s))
        return periods * whole[0] + before[0] + now[0], periods * whole[1] + before[1] + now[1]

    def _place(self, rest_s: float) -> int:
        return bisect_right(self._starts_s, rest_s) - 1

    @cached_property
    def _starts_s(self) -> list[float]:
        return [step.from_s for step in self.steps]

    @cached_property
    def _sums_as(self) -> list[Flow]:
        """Until the begin of each step, and until the end of the last."""
        sums = [(0.0, 0.0)]
        for step, end_s in zip(self.steps, [*self._starts_s[1:], self.period_s], strict=True):
            flow = _split(step.current_a.total * (end_s - step.from_s))
            sums.append((sums[-1][0] + flow[0], sums[-1][1] + flow[1]))
        return sums


def _split(flow: float) -> Flow:
    return max(flow, 0.0), max(-flow, 0.0)


def read_curve(path: Path) -> Curve:
    """A curve from a CSV file with the columns time_s, l1_a, l2_a, l3_a. A row holds until the next
    one; the last row holds as long as the one before it, then the curve begins again. Raises
    WrongCurve, OSError."""
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise WrongCurve(f"it is larger than {LARGEST_BYTES // 1_000_000} MB")
    lines = text.split("\n", MAX_ROWS + 2)
    if tuple(name.strip() for name in lines[0].split(",")) != COLUMNS:
        raise WrongCurve(f"line 1: the columns must be {','.join(COLUMNS)}")
    rows = enumerate((row.strip() for row in lines[1:]), 2)
    steps = tuple(_step(f"line {line}: ", row.split(",")) for line, row in rows if row)
    if not 1 <= len(steps) <= MAX_ROWS:
        raise WrongCurve(f"it must have 1 to {MAX_ROWS} rows")
    for line, (first, second) in enumerate(pairwise(steps), 3):
        if second.from_s <= first.from_s:
            raise WrongCurve(f"line {line}: the times must rise")
    if steps[0].from_s != 0:
        raise WrongCurve("line 2: the first time must be 0")
    if len(steps) == 1:
        return Curve(steps)
    last_s = steps[-1].from_s
    return Curve(steps, 2 * last_s - steps[-2].from_s)


def steady(text: str) -> Curve:
    """Steady currents, written as "10,8,-3" or as one number for all phases. Raises WrongCurve."""
    cells = text.split(",")
    if len(cells) not in {1, 3}:
        raise WrongCurve("a number is needed for each phase, such as 10,8,-3")
    return Curve((_step("", ["0", *(cells * 3 if len(cells) == 1 else cells)]),))


def _step(line: str, row: list[str]) -> Step:
    try:
        time_s, *amps = (float(cell) for cell in row)
        current_a = PerPhase(*amps)
    except (ValueError, TypeError):
        raise WrongCurve(f"{line}a number is needed in each column") from None
    if not 0 <= time_s <= LONGEST_S or not all(abs(a) <= LARGEST_A for a in current_a):
        raise WrongCurve(f"{line}a number is out of range")
    return Step(time_s, current_a)


class CurveSource:
    """Measures a curve from its creation on."""

    def __init__(
        self, curve: Curve, voltage_v: float, start_wh: int, now_s: Callable[[], float]
    ) -> None:
        self._curve = curve
        self._voltage_v = voltage_v
        self._start_wh = start_wh
        self._now_s = now_s
        self._began_s = now_s()

    def __call__(self) -> Measurement:
        now_s = self._now_s()
        elapsed_s = now_s - self._began_s
        current_a = self._curve.at(elapsed_s)
        voltage_v = PerPhase.same(self._voltage_v)
        power_w = current_a.times(voltage_v)
        imported_as, exported_as = self._curve.charge_as(elapsed_s)
        return Measurement(
            at_s=now_s,
            voltage_v=voltage_v,
            current_a=current_a,
            power_w=power_w,
            power_total_w=power_w.total,
            import_wh=self._start_wh + self._whole_wh(imported_as),
            export_wh=self._whole_wh(exported_as),
            frequency_hz=grid_frequency_hz(now_s) if self._voltage_v else None,
            serial_number=SERIAL_NUMBER,
        )

    def _whole_wh(self, charge_as: float) -> int:
        return math.floor(charge_as * self._voltage_v / WS_PER_WH + ROUNDING_WH)


async def serve(
    setup: MeterSetup,
    curve: Curve,
    voltage_v: float,
    start_wh: int,
    announce: Callable[[str], None],
) -> None:
    """Serve a meter until SIGINT or SIGTERM. Raises CannotServe."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    meter = make_meter(setup, CurveSource(curve, voltage_v, start_wh, loop.time))
    await meter.start()
    try:
        unit = f", unit {meter.unit}" if meter.unit else ""
        announce(f"{SIMULATED[setup.type]}: {meter.address}{unit}")
        await ended.wait()
    finally:
        await meter.stop()
