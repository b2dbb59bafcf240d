"""Tables of IEC 61851-1 (2017): duty cycle, voltages, proximity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.station.board import DiodeCheck, PilotState, Plug, PlugKind
from borne.domain.station.pilot import (
    BANDS,
    CABLE_OHM,
    NO_OFFER,
    Offer,
    OfferKind,
    diode_of_voltage,
    duty_for_current,
    loaded_v,
    offer_of_duty,
    plug_of_resistance,
    state_of_voltage,
    vehicle_ohm,
)

A, B, C, D, E, F = PilotState
NONE, DIGITAL, CURRENT = OfferKind.NONE, OfferKind.DIGITAL, OfferKind.CURRENT


@pytest.mark.parametrize(
    ("current_a", "duty_percent"),
    [
        (6, 10.0),
        (8, 13.3),
        (10, 16.7),
        (13, 21.7),
        (16, 26.7),
        (20, 33.3),
        (25, 41.7),
        (32, 53.3),
        (51, 85.0),
        (63, 89.2),
        (80, 96.0),
    ],
)
def test_table_a7_duty_cycle_of_a_current(current_a: float, duty_percent: float) -> None:
    assert duty_for_current(current_a) == pytest.approx(duty_percent, abs=0.05)


@pytest.mark.parametrize("current_a", [0, 5.99, 80.01, float("nan")])
def test_no_duty_cycle_offers_less_than_6_or_more_than_80_a(current_a: float) -> None:
    with pytest.raises(ValueError, match="6 to 80"):
        duty_for_current(current_a)


@pytest.mark.parametrize(
    ("duty_percent", "offer"),
    [
        (0, NO_OFFER),
        (2.99, NO_OFFER),
        (3, Offer(DIGITAL, 0)),
        (5, Offer(DIGITAL, 0)),
        (7, Offer(DIGITAL, 0)),
        (7.01, NO_OFFER),
        (7.99, NO_OFFER),
        (8, Offer(CURRENT, 6)),
        (9.99, Offer(CURRENT, 6)),
        (10, Offer(CURRENT, 6)),
        (16, Offer(CURRENT, 9.6)),
        (85, Offer(CURRENT, 51)),
        (85.01, Offer(CURRENT, 52.525)),
        (90, Offer(CURRENT, 65)),
        (96, Offer(CURRENT, 80)),
        (96.01, Offer(CURRENT, 80)),
        (97, Offer(CURRENT, 80)),
        (97.01, NO_OFFER),
        (100, NO_OFFER),
    ],
)
def test_table_a8_what_a_vehicle_reads(duty_percent: float, offer: Offer) -> None:
    assert offer_of_duty(duty_percent) == offer


@given(st.one_of(st.floats(6, 51), st.floats(52.51, 80)))
def test_a_vehicle_reads_what_was_offered(current_a: float) -> None:
    read = offer_of_duty(duty_for_current(current_a))
    assert read.current_a == pytest.approx(current_a, abs=0.001)


@given(st.floats(51, 52.51))
def test_between_the_tables_a_vehicle_reads_less(current_a: float) -> None:
    """Table A.7 changes its slope at 51 A, Table A.8 at 85 % (52.5 A)."""
    read = offer_of_duty(duty_for_current(current_a))
    assert current_a - 1.6 <= read.current_a <= current_a + 0.001


@pytest.mark.parametrize(("state", "high_v"), [(A, 12.0), (B, 8.98), (C, 6.0), (D, 2.93)])
def test_voltage_of_a_vehicle(state: PilotState, high_v: float) -> None:
    measured_v = loaded_v(12.0, vehicle_ohm(state))
    assert measured_v == pytest.approx(high_v, abs=0.01)
    assert state_of_voltage(measured_v, None) is state


@pytest.mark.parametrize(
    ("high_v", "state"),
    [
        (13, A),
        (11, A),
        (10, B),
        (8, B),
        (7, C),
        (5, C),
        (4, D),
        (2.01, D),
        (1.9, E),
        (-1, E),
        (-11, F),
        (-13, F),
    ],
)
def test_bands_of_table_a2(high_v: float, state: PilotState) -> None:
    assert state_of_voltage(high_v, None) is state


@pytest.mark.parametrize(
    ("high_v", "neighbours"), [(10.5, (A, B)), (7.5, (B, C)), (4.5, (C, D)), (-6, (E, F))]
)
def test_between_two_bands_the_old_state_holds(
    high_v: float, neighbours: tuple[PilotState, PilotState]
) -> None:
    for previous in neighbours:
        assert state_of_voltage(high_v, previous) is previous


@given(st.floats(-14, 14))
def test_without_an_old_state_the_nearest_band_counts(high_v: float) -> None:
    state = state_of_voltage(high_v, None)
    distances = {band.state: max(band.low_v - high_v, high_v - band.high_v, 0.0) for band in BANDS}
    assert distances[state] == min(distances.values())


@pytest.mark.parametrize(
    ("state", "pwm", "diode", "check"),
    [
        (A, True, True, DiodeCheck.UNKNOWN),
        (B, False, False, DiodeCheck.UNKNOWN),
        (B, True, True, DiodeCheck.GOOD),
        (B, True, False, DiodeCheck.FAILED),
        (C, True, True, DiodeCheck.GOOD),
        (C, True, False, DiodeCheck.FAILED),
        (D, True, True, DiodeCheck.GOOD),
        (D, True, False, DiodeCheck.FAILED),
    ],
)
def test_the_negative_half_shows_the_diode_while_pwm_runs(
    state: PilotState, pwm: bool, diode: bool, check: DiodeCheck
) -> None:
    low_v = loaded_v(-12.0, vehicle_ohm(state), diode=diode)
    assert diode_of_voltage(low_v, state, pwm=pwm) is check


@pytest.mark.parametrize(
    ("ohm", "plug"),
    [
        (0, Plug(PlugKind.SHORT)),
        (49.9, Plug(PlugKind.SHORT)),
        (50, Plug(PlugKind.VALID, 63)),
        (149.9, Plug(PlugKind.VALID, 63)),
        (150, Plug(PlugKind.VALID, 32)),
        (330, Plug(PlugKind.VALID, 20)),
        (1000, Plug(PlugKind.VALID, 13)),
        (2699, Plug(PlugKind.VALID, 13)),
        (2700, Plug(PlugKind.AMBIGUOUS)),
        (4499, Plug(PlugKind.AMBIGUOUS)),
        (4500, Plug(PlugKind.NONE)),
        (float("inf"), Plug(PlugKind.NONE)),
    ],
)
def test_table_b2_bands_of_the_proximity_resistor(ohm: float, plug: Plug) -> None:
    assert plug_of_resistance(ohm) == plug


@pytest.mark.parametrize("tolerance", [0.97, 1.0, 1.03])
def test_nominal_resistors_within_their_tolerance_are_read(tolerance: float) -> None:
    for capacity_a, ohm in CABLE_OHM.items():
        assert plug_of_resistance(ohm * tolerance) == Plug(PlugKind.VALID, capacity_a)
