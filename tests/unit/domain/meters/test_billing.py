"""What a meter of the field says, as the reading of a billing meter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from borne.domain.meters.billing import billing_reading
from borne.domain.meters.measurement import NO_PHASES, Measurement
from borne.domain.station.reading import UnusableReading, usable
from borne.foundation.units import PerPhase

GOOD = Measurement(
    at_s=100.0,
    voltage_v=(231.0, 230.0, 229.0),
    current_a=(16.0, -4.0, 0.0),
    power_w=(3696.0, -920.0, 0.0),
    power_total_w=2776.0,
    import_wh=12_345,
    serial_number="7",
)
PLAIN = replace(GOOD, current_a=NO_PHASES, power_w=NO_PHASES)

CURRENTS: Sequence[tuple[str, Measurement, tuple[int, ...], PerPhase]] = [
    ("without-sign", GOOD, (0, 1, 2), PerPhase(16, 4, 0)),
    ("divided", replace(PLAIN, power_total_w=6900.0), (0, 1, 2), PerPhase(10, 10, 10)),
    (
        "one-phase",
        replace(PLAIN, power_total_w=2300.0, voltage_v=(230.0, None, None)),
        (0,),
        PerPhase(10, 0, 0),
    ),
    (
        "nominal-voltage",
        replace(PLAIN, power_total_w=2300.0, voltage_v=NO_PHASES),
        (0,),
        PerPhase(10, 0, 0),
    ),
    ("one-connected", replace(GOOD, current_a=(9.0, None, None)), (0,), PerPhase(9, 0, 0)),
]


@pytest.mark.parametrize(
    ("measurement", "phases", "current_a"), [c[1:] for c in CURRENTS], ids=[c[0] for c in CURRENTS]
)
def test_currents(measurement: Measurement, phases: tuple[int, ...], current_a: PerPhase) -> None:
    reading = usable(billing_reading(measurement, phases=phases), 100.0)
    assert reading.current_a == pytest.approx(current_a)
    assert (reading.register_wh, reading.serial_number) == (12_345, "7")


def test_an_unknown_voltage_is_nominal_and_an_unknown_power_is_computed() -> None:
    unknown = replace(GOOD, voltage_v=NO_PHASES, power_w=NO_PHASES, power_total_w=None)
    reading = billing_reading(unknown, phases=(0, 1), nominal_v=240.0)
    assert reading.voltage_v == PerPhase(240, 240, 0)
    assert math.isnan(reading.power_w)
    assert usable(reading, 100.0).power_w == 20 * 240


def test_a_power_of_phases_is_added() -> None:
    assert billing_reading(replace(GOOD, power_total_w=None)).power_w == 2776.0


UNUSABLE: Sequence[tuple[str, Measurement, str]] = [
    ("no-register", replace(GOOD, import_wh=None), "register"),
    ("no-current-no-power", replace(PLAIN, power_total_w=None), "neither currents nor power"),
    ("gap", replace(GOOD, current_a=(1.0, None, 2.0)), "every connected phase"),
    ("no-voltage", replace(PLAIN, voltage_v=(0.0, 0.0, 0.0)), "no voltage"),
]


@pytest.mark.parametrize(
    ("measurement", "why"), [u[1:] for u in UNUSABLE], ids=[u[0] for u in UNUSABLE]
)
def test_nothing_is_made_up(measurement: Measurement, why: str) -> None:
    with pytest.raises(UnusableReading, match=why):
        billing_reading(measurement)
