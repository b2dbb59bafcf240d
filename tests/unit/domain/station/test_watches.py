"""Watches that judge by time: over-current, supply, heat, residual trips, reclosing devices."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.station.over_current import OverCurrent, tolerated_a
from borne.domain.station.persistence import Persisting
from borne.domain.station.reclosing import Reclosing
from borne.domain.station.residual import ResidualTrip
from borne.domain.station.supply import Supply
from borne.domain.station.temperature import Heat
from borne.foundation.units import ZERO, PerPhase


class TestPersisting:
    @pytest.mark.parametrize(
        ("seen", "present"),
        [
            ([(0, True), (2.9, True)], False),
            ([(0, True), (3, True)], True),
            ([(0, True), (2, False), (3, True), (5, True)], False),
            ([(0, True), (3, True), (4, False), (8.9, False)], True),
            ([(0, True), (3, True), (4, False), (9, False)], False),
            ([(0, True), (3, True), (4, False), (5, True), (9, False)], True),
        ],
    )
    def test_three_seconds_to_begin_five_to_end(
        self, seen: list[tuple[float, bool]], present: bool
    ) -> None:
        watch = Persisting(raise_s=3.0, clear_s=5.0)
        for at_s, condition in seen:
            watch = watch.update(condition, at_s)
        assert watch.present is present

    def test_the_next_deadline_is_known(self) -> None:
        watch = Persisting(raise_s=3.0, clear_s=5.0).update(True, 10.0)
        assert watch.due_s == 13.0
        watch = watch.update(True, 13.0)
        assert (watch.present, watch.due_s) == (True, None)
        assert watch.update(False, 20.0).due_s == 25.0

    def test_without_a_delay_it_counts_at_once(self) -> None:
        assert Persisting(0.0, 0.0).update(True, 1.0).present


class TestOverCurrent:
    """(signalled + 0.5 A) * 1.10 for 7 s."""

    @pytest.mark.parametrize(
        ("offered_a", "limit_a"), [(0, 0.55), (6, 7.15), (13, 14.85), (16, 18.15), (32, 35.75)]
    )
    def test_what_is_tolerated(self, offered_a: float, limit_a: float) -> None:
        assert tolerated_a(offered_a) == pytest.approx(limit_a)

    def _update(
        self, samples: Iterable[tuple[float, float, float]], state: OverCurrent | None = None
    ) -> OverCurrent:
        state = state or OverCurrent()
        for at_s, drawn_a, offered_a in samples:
            state = state.update(PerPhase.same(drawn_a), offered_a, at_s, closed=True)
        return state

    @pytest.mark.parametrize(
        ("samples", "faulty"),
        [
            ([(0, 18.1, 16), (60, 18.1, 16)], False),
            ([(0, 18.2, 16), (6.9, 18.2, 16)], False),
            ([(0, 18.2, 16), (7, 18.2, 16)], True),
            ([(0, 16, 16), (10, 16, 6), (15, 6, 6), (60, 6, 6)], False),
            ([(0, 16, 16), (10, 16, 6), (16.9, 16, 6)], False),
            ([(0, 16, 16), (10, 16, 6), (17, 16, 6)], True),
            ([(0, 20, 16), (5, 16, 16), (6, 20, 16), (12, 20, 16)], False),
            ([(0, 16, 0), (6, 0, 0), (60, 0, 0)], False),
        ],
        ids=[
            "within the tolerance",
            "not yet 7 s",
            "7 s",
            "follows a lower offer in 5 s",
            "does not follow it, not yet 7 s",
            "does not follow it",
            "keeps to it in between",
            "is cut off after a stop",
        ],
    )
    def test_by_time(self, samples: list[tuple[float, float, float]], faulty: bool) -> None:
        assert self._update(samples).faulty is faulty

    def _pulses(
        self, high: tuple[float, float], low: tuple[float, float], offered_a: float, until_s: float
    ) -> float | None:
        """When pulses of (amps, seconds) trip; None: not until then."""
        state, now_s, turn = OverCurrent(), 0.0, 0
        while now_s < until_s:
            drawn_a, lasts_s = (high, low)[turn % 2]
            end_s, turn = now_s + lasts_s, turn + 1
            while now_s < end_s:
                state = state.update(PerPhase.same(drawn_a), offered_a, now_s, closed=True)
                if state.faulty:
                    return now_s
                due_s = state.due_s
                now_s = min(end_s, end_s if due_s is None else due_s)
        return None

    @pytest.mark.parametrize(
        ("high", "low", "offered_a", "within_s"),
        [
            ((30, 6.5), (6, 0.5), 6, 20),
            ((30, 6.5), (0, 0.5), 6, 20),
            ((40, 3), (16, 3), 16, 60),
            ((20, 6.9), (16, 0.1), 16, 20),
            ((30, 1), (0, 5), 6, 120),
        ],
        ids=["long pulses", "with pauses", "even", "nearly without a pause", "short and high"],
    )
    def test_pulses_heat_the_line_too(
        self,
        high: tuple[float, float],
        low: tuple[float, float],
        offered_a: float,
        within_s: float,
    ) -> None:
        tripped_s = self._pulses(high, low, offered_a, 3600)
        assert tripped_s is not None
        assert tripped_s <= within_s

    @pytest.mark.parametrize(
        ("high", "low", "offered_a"),
        [((7.1, 60), (6, 1), 6), ((20, 0.5), (6, 15), 6), ((20, 1), (12, 60), 16)],
        ids=["within the tolerance", "inrush", "now and then"],
    )
    def test_pulses_with_pauses_to_cool_are_tolerated(
        self, high: tuple[float, float], low: tuple[float, float], offered_a: float
    ) -> None:
        assert self._pulses(high, low, offered_a, 3600) is None

    def test_a_car_that_follows_within_5_s_is_tolerated(self) -> None:
        """Each offer is followed 4.9 s after it was made."""
        state, offers_a = OverCurrent(), [32.0 - 2 * n for n in range(14)]
        for number, offered_a in enumerate(offers_a):
            before_a = offers_a[max(0, number - 1)]
            state = self._update(
                [(6.0 * number, before_a, offered_a), (6.0 * number + 4.9, offered_a, offered_a)],
                state,
            )
            assert not state.faulty
            assert state.heat_a2s == 0

    def test_one_phase_is_enough(self) -> None:
        state = OverCurrent().update(PerPhase(0, 40, 0), 16, 0, closed=True)
        assert state.update(PerPhase(0, 40, 0), 16, 7, closed=True).faulty

    def test_with_an_open_contactor_there_is_no_over_current(self) -> None:
        state = OverCurrent().update(PerPhase.same(40), 16, 0, closed=False)
        assert state == OverCurrent()

    def test_three_pauses_then_for_good(self) -> None:
        state, now_s, pauses = OverCurrent(), 0.0, []
        while not state.latched:
            state = self._update([(now_s, 40, 16), (now_s + 7, 40, 16)], state)
            assert state.faulty
            if state.until_s is not None and not state.latched:
                pauses.append(state.until_s - now_s - 7)
                now_s = state.until_s
        assert pauses == [30, 120, 600]
        assert self._update([(now_s + 10**6, 0, 16)], state).faulty
        assert state.due_s is None

    @given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 80), st.floats(0, 32)), max_size=30))
    def test_a_deadline_is_never_in_the_past(
        self, samples: list[tuple[float, float, float]]
    ) -> None:
        state, now_s = OverCurrent(), 0.0
        for pause_s, drawn_a, offered_a in samples:
            now_s += pause_s
            state = self._update([(now_s, drawn_a, offered_a)], state)
            assert state.due_s is None or state.due_s > now_s


V230 = PerPhase.same(230.0)


class TestSupply:
    def _update(self, samples: list[tuple[float, PerPhase]], phases: int = 3) -> Supply:
        supply = Supply().update(V230, -100.0, phases)
        for at_s, voltage_v in samples:
            supply = supply.update(voltage_v, at_s, phases)
        return supply

    @pytest.mark.parametrize(
        ("voltage_v", "low", "high", "dark"),
        [
            (V230, False, False, False),
            (PerPhase(230, 0, 230), True, False, False),
            (PerPhase(230, 230, 183), True, False, False),
            (PerPhase(230, 230, 185), False, False, False),
            (PerPhase(230, 252, 230), False, False, False),
            (PerPhase(230, 254, 230), False, True, False),
            (PerPhase(300, 150, 240), True, True, False),
            (ZERO, False, False, True),
        ],
        ids=["good", "missing", "low", "low but allowed", "high but allowed", "high",
             "neutral broken", "dark"],
    )  # fmt: skip
    def test_after_three_seconds(
        self, voltage_v: PerPhase, low: bool, high: bool, dark: bool
    ) -> None:
        early = self._update([(0, voltage_v), (2.9, voltage_v)])
        assert [watch.present for watch in (early.low, early.high, early.dark)] == [False] * 3
        supply = self._update([(0, voltage_v), (3, voltage_v)])
        assert (supply.low.present, supply.high.present, supply.dark.present) == (low, high, dark)

    def test_hysteresis(self) -> None:
        low, almost, well = PerPhase.same(180), PerPhase.same(186), PerPhase.same(190)
        supply = self._update([(0, low), (3, low), (4, almost), (60, almost)])
        assert supply.low.present
        supply = supply.update(well, 61).update(well, 64)
        assert not supply.low.present

    def test_one_phase_stations_have_one_phase(self) -> None:
        lonely = PerPhase(230, 0, 0)
        assert not self._update([(0, lonely), (10, lonely)], phases=1).low.present
        assert self._update([(0, lonely), (10, lonely)], phases=3).low.present

    def test_a_meter_without_voltages_is_ignored(self) -> None:
        supply = Supply().update(ZERO, 0).update(ZERO, 100)
        assert not supply.dark.present
        assert not supply.low.present


class TestHeat:
    @pytest.mark.parametrize(
        ("board_c", "limit_a"),
        [(-20, None), (59.9, None), (60, 32), (62.5, 27.67), (67.5, 19), (75, 6), (79, 6)],
    )
    def test_linear_from_60_to_75(self, board_c: float, limit_a: float | None) -> None:
        assert Heat().update(board_c).limit_a(32) == (
            None if limit_a is None else pytest.approx(limit_a, abs=0.01)
        )

    @pytest.mark.parametrize(
        ("samples", "off"),
        [
            ([79.9], False),
            ([80], True),
            ([80, 75.1], True),
            ([80, 74.9], False),
            ([90, 80, 74.9], False),
            ([79.9, 76, 79.9], False),
        ],
    )
    def test_off_at_80_on_below_75(self, samples: list[float], off: bool) -> None:
        heat = Heat()
        for board_c in samples:
            heat = heat.update(board_c)
        assert heat.too_hot is off

    def test_the_limit_has_hysteresis(self) -> None:
        heat = Heat().update(70)
        limits_a = {heat.limit_a(32)}
        for board_c in (68, 69.5, 66, 69.9, 65.1):
            heat = heat.update(board_c)
            limits_a.add(heat.limit_a(32))
        assert len(limits_a) == 1

    @given(st.lists(st.floats(-40, 150), min_size=1))
    def test_never_more_than_the_temperature_allows(self, samples: list[float]) -> None:
        heat = Heat()
        for board_c in samples:
            heat = heat.update(board_c)
        fresh = Heat().update(samples[-1])
        assert heat.too_hot or not fresh.too_hot
        limit_a, allowed_a = heat.limit_a(32), fresh.limit_a(32)
        assert allowed_a is None or (limit_a is not None and limit_a <= allowed_a)


class TestResidualTrip:
    """Manual 9: at unplugging, else 10 s (old sensors 15 min) after the vehicle left."""

    @pytest.mark.parametrize("reset_s", [10.0, 900.0])
    @pytest.mark.parametrize(
        ("cable", "pause"), [(False, 0.0), (True, 1.0)], ids=["unplugged", "left"]
    )
    def test_rearm_times(self, reset_s: float, cable: bool, pause: float) -> None:
        trip = ResidualTrip().update(0, reset_s, tripped=True, vehicle=True, cable=True)
        trip = trip.update(100, reset_s, tripped=True, vehicle=True, cable=True)
        assert not trip.due(100)
        trip = trip.update(200, reset_s, tripped=True, vehicle=False, cable=cable)
        assert trip.rearm_at_s == 200 + pause * reset_s

    def test_rearming_counts_from_the_departure(self) -> None:
        trip = ResidualTrip().update(0, 10, tripped=True, vehicle=True, cable=True)
        trip = trip.update(100, 10, tripped=True, vehicle=False, cable=True)
        trip = trip.update(103, 10, tripped=True, vehicle=False, cable=False)
        assert trip.due(103)

    def test_a_vehicle_that_returns_keeps_it(self) -> None:
        trip = ResidualTrip().update(0, 10, tripped=True, vehicle=True, cable=True)
        trip = trip.update(1, 10, tripped=True, vehicle=False, cable=True)
        trip = trip.update(5, 10, tripped=True, vehicle=True, cable=True)
        assert not trip.due(100)

    def test_without_a_vehicle_the_delay_doubles(self) -> None:
        trip, now_s, pauses = ResidualTrip(), 0.0, []
        for _ in range(10):
            trip = trip.update(now_s, 10, tripped=True, vehicle=False, cable=False)
            assert trip.rearm_at_s is not None
            pauses.append(trip.rearm_at_s - now_s)
            now_s = trip.rearm_at_s
            trip = trip.update(now_s, 10, tripped=False, vehicle=False, cable=False)
        assert pauses == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900]

    def test_a_trip_that_is_gone_is_forgotten(self) -> None:
        trip = ResidualTrip().update(0, 10, tripped=True, vehicle=True, cable=True)
        trip = trip.update(1, 10, tripped=False, vehicle=True, cable=True)
        assert trip == ResidualTrip()


class TestReclosing:
    """Manual 9: "up to a certain point this is corrected automatically"."""

    def _trip(self, device: Reclosing, at_s: float) -> Reclosing:
        device = device.update(True, at_s).update(False, at_s + 10)
        assert device.faulty
        assert device.due_s in (at_s + 15, None)
        return device.update(False, at_s + 15)

    def test_the_fourth_trip_of_a_day_latches(self) -> None:
        device = Reclosing()
        for number in range(3):
            device = self._trip(device, number * 1000.0)
            assert not device.faulty
        device = self._trip(device, 4000.0)
        assert device.faulty
        assert device.update(False, 10**6).faulty

    def test_trips_of_yesterday_do_not_count(self) -> None:
        device = Reclosing()
        for number in range(12):
            device = self._trip(device, number * 9 * 3600.0)
            assert not device.faulty

    def test_a_chattering_contact_is_one_trip(self) -> None:
        device = Reclosing()
        for at_s in range(10):
            device = device.update(at_s % 2 == 0, at_s)
        assert (device.faulty, len(device.trips_s)) == (True, 1)
