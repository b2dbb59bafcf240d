"""What the live test of a meter finds: `wrong-word-order`, `no-voltage`, `implausible`,
`sign-unsure`, `phase-order`."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from borne.domain.meters.findings import Capabilities, Surroundings, findings
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.plausibility import HIGH_HZ, HIGH_V, LOW_HZ, LOW_V
from borne.foundation.units import PerPhase

GOOD = Measurement(
    at_s=100.0,
    voltage_v=(231.2, 229.8, 230.4),
    current_a=(16.0, 4.0, 1.0),
    power_w=(3690.0, 900.0, 200.0),
    power_total_w=4790.0,
    import_wh=1_234_567,
    export_wh=0,
    frequency_hz=50.01,
    serial_number="7",
)
PLAIN = Capabilities()


def swapped_float(value: float) -> float:
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return float(struct.unpack(">f", struct.pack(">HH", low, high))[0])


def swapped_count(value: float, scale: float) -> float:
    high, low = divmod(round(value / scale), 0x10000)
    return (low * 0x10000 + high) * scale


def codes(measurements: Sequence[Measurement], around: Surroundings | None = None) -> list[str]:
    return sorted({found.code.value for found in findings(measurements, around)})


VALUES: Sequence[tuple[str, Measurement, list[str]]] = [
    ("good", GOOD, []),
    ("float-hz", replace(GOOD, frequency_hz=swapped_float(50.0)), ["wrong-word-order"]),
    ("count-hz", replace(GOOD, frequency_hz=swapped_count(50.0, 0.001)), ["wrong-word-order"]),
    (
        "float-volts",
        replace(GOOD, voltage_v=(swapped_float(231.2), 0.0, 0.0), frequency_hz=None),
        ["wrong-word-order"],
    ),
    ("hz", replace(GOOD, frequency_hz=23.0), ["implausible"]),
    ("dead", replace(GOOD, voltage_v=(0.0, 0.0, 0.0)), ["no-voltage"]),
    ("no-volts", replace(GOOD, voltage_v=(None, None, None)), ["no-voltage"]),
    ("between-phases", replace(GOOD, voltage_v=(400.0, 398.0, 401.0)), ["implausible"]),
    ("apart", replace(GOOD, voltage_v=(231.0, 90.0, 230.0)), ["implausible"]),
    ("nan", replace(GOOD, power_total_w=math.nan), ["implausible"]),
    ("infinite", replace(GOOD, voltage_v=(math.inf, 230.0, 230.0)), ["implausible"]),
    ("kilowatts", replace(GOOD, power_w=(3.69, 0.9, 0.2), power_total_w=4.79), ["implausible"]),
    ("total", replace(GOOD, power_total_w=9000.0), ["implausible"]),
    ("total-only", replace(GOOD, power_w=(None,) * 3, power_total_w=9000.0), ["implausible"]),
    ("amps", replace(GOOD, current_a=(16.0, 4.0, 3000.0)), ["implausible"]),
    ("register", replace(GOOD, import_wh=1 << 62), ["implausible"]),
    ("empty", Measurement(at_s=1.0), ["no-voltage"]),
    ("no-energy", replace(GOOD, import_wh=None), ["implausible"]),
    ("no-current", replace(GOOD, current_a=(None,) * 3), ["implausible"]),
    (
        "exports",
        replace(GOOD, current_a=(16.0, -4.0, 1.0), power_w=(3690, -900, 200), power_total_w=2990),
        ["sign-unsure"],
    ),
    ("opposed", replace(GOOD, current_a=(16.0, -4.0, 1.0)), ["sign-unsure"]),
    (
        "one-phase",
        replace(
            GOOD,
            voltage_v=(231.0, None, None),
            current_a=(16.0, None, None),
            power_w=(3690.0, None, None),
            power_total_w=3690.0,
        ),
        [],
    ),
]


@pytest.mark.parametrize(
    ("measurement", "expected"), [v[1:] for v in VALUES], ids=[v[0] for v in VALUES]
)
def test_one_poll(measurement: Measurement, expected: list[str]) -> None:
    assert codes([measurement], Surroundings(capabilities=PLAIN)) == expected


def test_the_sentences_name_what_reads_as_what() -> None:
    (found,) = findings([replace(GOOD, frequency_hz=swapped_float(50.0))])
    assert str(found.text) == "50 Hz reads as 0: wrong word order."
    (found,) = findings([VALUES[-3][1]])
    assert str(found.text) == (
        "L2 exports while the building surely imports: is the transformer turned round? "
        "With photovoltaics on this phase it can be right."
    )


@pytest.mark.parametrize(
    ("power_w", "energy_wh", "expected"),
    [(4790.0, 12, []), (0.0, 12, []), (0.0, 0, ["implausible"]), (-8e20, 12, ["implausible"])],
)
def test_a_meter_of_totals(power_w: float, energy_wh: int, expected: list[str]) -> None:
    totals = Capabilities(
        has_phase_voltage=False,
        has_phase_currents=False,
        has_phase_power=False,
        has_frequency=False,
    )
    measurement = Measurement(1.0, power_total_w=power_w, import_wh=energy_wh)
    assert codes([measurement], Surroundings(capabilities=totals)) == expected


def test_a_main_limit_narrows_the_currents() -> None:
    measurement = replace(
        GOOD, current_a=(120.0, 4.0, 1.0), power_w=(None,) * 3, power_total_w=None
    )
    assert codes([measurement]) == []
    assert codes([measurement], Surroundings(main_limit_a=PerPhase.same(20.0))) == ["implausible"]


@pytest.mark.parametrize(
    ("grown_wh", "expected"), [(-1, ["implausible"]), (1, []), (100, []), (50_000, ["implausible"])]
)
def test_energy_between_polls(grown_wh: int, expected: list[str]) -> None:
    after = replace(GOOD, at_s=101.0, import_wh=1_234_567 + grown_wh)
    assert codes([GOOD, after]) == expected


def test_the_same_bits_again_and_again_are_not_a_measurement() -> None:
    polls = [replace(GOOD, at_s=100.0 + second) for second in range(5)]
    assert codes(polls) == ["implausible"]
    assert codes(polls[:3]) == []
    assert codes([*polls[:4], replace(GOOD, import_wh=1_234_568)]) == []
    idle = [
        replace(each, current_a=(0.0,) * 3, power_w=(0.0,) * 3, power_total_w=0.0) for each in polls
    ]
    assert codes(idle) == []


def test_currents_without_a_sign_hide_export_only_where_the_total_is_too_small() -> None:
    unsigned = Capabilities(signed_current=False, has_phase_power=False)
    around = Surroundings(capabilities=unsigned)
    measurement = replace(GOOD, power_w=(None,) * 3)
    assert codes([measurement], around) == []
    assert codes([replace(measurement, power_total_w=-4790.0)], around) == ["sign-unsure"]


def with_currents(*amps: float) -> Measurement:
    powers = tuple(230.0 * each for each in amps)
    return replace(
        GOOD,
        voltage_v=(230.0,) * 3,
        current_a=amps,  # type: ignore[arg-type]  # three of them
        power_w=powers,  # type: ignore[arg-type]  # three of them
        power_total_w=sum(powers),
    )


OWN: Sequence[tuple[str, list[Measurement], list[PerPhase], list[str]]] = [
    ("right", [with_currents(17, 2, 2)], [PerPhase(16, 0, 0)], []),
    ("other-phase", [with_currents(2, 17, 2)], [PerPhase(16, 0, 0)], ["phase-order"]),
    ("mirrored", [with_currents(-16, 2, 2)], [PerPhase(16, 0, 0)], ["sign-unsure"]),
    ("sun", [with_currents(3, 2, 2)], [PerPhase(16, 0, 0)], []),
    (
        "moved-elsewhere",
        [with_currents(20, 10, 5), with_currents(20, 26, 5)],
        [PerPhase(0, 0, 0), PerPhase(16, 0, 0)],
        ["phase-order"],
    ),
    (
        "moved-down",
        [with_currents(20, 10, 5), with_currents(4.5, 10, 5)],
        [PerPhase(0, 0, 0), PerPhase(16, 0, 0)],
        ["sign-unsure"],
    ),
    (
        "moved",
        [with_currents(20, 10, 5), with_currents(35, 10, 5)],
        [PerPhase(0, 0, 0), PerPhase(16, 0, 0)],
        [],
    ),
]


@pytest.mark.parametrize(
    ("polls", "own_a", "expected"), [v[1:] for v in OWN], ids=[v[0] for v in OWN]
)
def test_own_sockets(polls: list[Measurement], own_a: list[PerPhase], expected: list[str]) -> None:
    around = Surroundings(own_current_a=own_a, includes_sockets=True)
    assert codes(polls, around) == expected
    assert codes(polls, replace(around, includes_sockets=False)) == []


VOLTS = st.floats(207, 253)
AMPS = st.floats(0, 63)


@given(
    volts=st.tuples(VOLTS, VOLTS, VOLTS), amps=st.tuples(AMPS, AMPS, AMPS), factor=st.floats(0.5, 1)
)
@settings(max_examples=50)
def test_a_good_meter_is_not_blamed(
    volts: tuple[float, float, float], amps: tuple[float, float, float], factor: float
) -> None:
    powers = [v * a * factor for v, a in zip(volts, amps, strict=True)]
    measurement = replace(
        GOOD,
        voltage_v=volts,
        current_a=amps,
        power_w=(powers[0], powers[1], powers[2]),
        power_total_w=sum(powers),
    )
    assert codes([measurement], Surroundings(capabilities=PLAIN)) == []


@given(hertz=st.floats(46, 64), volts=VOLTS)
@settings(max_examples=50)
def test_a_wrong_word_order_is_recognised(hertz: float, volts: float) -> None:
    read_hz, read_v = swapped_float(hertz), swapped_count(volts, 0.001)
    assume(
        math.isfinite(read_hz)
        and not LOW_HZ <= read_hz <= HIGH_HZ
        and not LOW_V <= read_v <= HIGH_V
    )
    swapped = replace(GOOD, frequency_hz=read_hz)
    assert codes([swapped]) == ["wrong-word-order"]
    counted = replace(GOOD, voltage_v=(read_v,) * 3, frequency_hz=None)
    assert codes([counted]) == ["wrong-word-order"]


ANY = st.one_of(st.none(), st.floats())


@given(values=st.lists(ANY, min_size=11, max_size=11), energy=st.one_of(st.none(), st.integers()))
@settings(max_examples=50)
def test_no_values_raise(values: list[float | None], energy: int | None) -> None:
    a, b, c, d, e, f, g, h, i, total, hertz = values
    polls = [
        Measurement(1.0, (a, b, c), (d, e, f), (g, h, i), total, energy, energy, hertz),
        Measurement(2.0, (c, b, a), (f, d, e), (g, i, h), hertz, None, energy, total),
    ]
    own_a = [PerPhase(1, 2, 30), PerPhase(16, 2, 3)]
    for found in findings(polls, Surroundings(own_a, includes_sockets=True)):
        assert str(found.text)
