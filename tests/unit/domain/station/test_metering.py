"""The account of a meter: nothing invented, nothing negative, nothing forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from borne.domain.station.metering import Account, Verdict, opened
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Moment
from borne.foundation.units import ZERO, PerPhase

MAX_W = 24_288.0
"""32 A, three phases."""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGUN_WH = 1_000_000


def moment(at_s: float, boot: str = "one", *, dated: bool = True) -> Moment:
    return Moment(boot, at_s, NOON + timedelta(seconds=at_s) if dated else None)


def reading(register_wh: int, at_s: float, power_w: float = 0.0, serial: str = "A") -> MeterReading:
    return MeterReading(register_wh, ZERO, PerPhase.same(230.0), power_w, at_s, serial)


def begun(serial: str = "A") -> Account:
    account = opened(reading(BEGUN_WH, 0.0, serial=serial), moment(0.0))
    return account.begin("s1", moment(0.0))


def seen(account: Account, *readings: MeterReading) -> tuple[Account, Verdict]:
    verdict = Verdict.GOOD
    for each in readings:
        account, verdict = account.update(each, moment(each.at_s), MAX_W)
    return account, verdict


def charging(account: Account, power_w: float, seconds: int, factor: float = 1.0) -> Account:
    """A good meter (or one that counts `factor` times), once a second."""
    begin_wh, begin_s = account.register_wh, account.at.monotonic_s
    for second in range(1, seconds + 1):
        counted_wh = int(power_w * second * factor / 3600)
        each = reading(begin_wh + counted_wh, begin_s + second, power_w)
        account, _ = account.update(each, moment(each.at_s), MAX_W)
    return account


@pytest.mark.parametrize(
    ("gained_wh", "elapsed_s", "verdict"),
    [
        (0, 60, Verdict.GOOD),
        (183, 30, Verdict.GOOD),
        (-1, 60, Verdict.BACKWARDS),
        (-5_000_000, 60, Verdict.BACKWARDS),
        (20, 0, Verdict.GOOD),
        (21, 0, Verdict.JUMP),
        (22_000, 3600, Verdict.GOOD),
        (60_740, 3600, Verdict.GOOD),
        (60_741, 3600, Verdict.JUMP),
        (1000, 10, Verdict.JUMP),
    ],
)
def test_verdicts_on_a_new_register(gained_wh: int, elapsed_s: float, verdict: Verdict) -> None:
    each = reading(BEGUN_WH + gained_wh, elapsed_s)
    account, found = begun().update(each, moment(elapsed_s), MAX_W, watched=False)
    assert found is verdict
    assert account.line_wh == BEGUN_WH + (gained_wh if verdict is Verdict.GOOD else 0)
    assert account.doubts == ({verdict} - {Verdict.GOOD})


@pytest.mark.parametrize("step_wh", [-5, -999_999, 5_000_000])
def test_after_a_step_counting_restarts_with_the_believed_energy(step_wh: int) -> None:
    account = charging(begun(), 11_000.0, 120)
    assert account.line_wh == BEGUN_WH + 366
    account, _ = seen(account, reading(account.register_wh + step_wh, 121.0, 11_000.0))
    assert account.line_wh == BEGUN_WH + 366
    assert charging(account, 11_000.0, 60).line_wh == BEGUN_WH + 366 + 183


def test_another_serial_number_is_another_meter() -> None:
    account = charging(begun(), 11_000.0, 60)
    account, verdict = seen(account, reading(account.register_wh + 3, 61.0, 11_000.0, "B"))
    assert verdict is Verdict.EXCHANGED
    assert account.line_wh == BEGUN_WH + 183


def test_an_unknown_serial_number_is_learnt() -> None:
    account, verdict = seen(begun(""), reading(BEGUN_WH + 3, 1.0, serial="B"))
    assert (account.serial_number, verdict) == ("B", Verdict.GOOD)
    account, verdict = seen(account, reading(BEGUN_WH + 4, 2.0, serial=""))
    assert (account.serial_number, verdict) == ("B", Verdict.GOOD)


class TestContradiction:
    @pytest.mark.parametrize("power_w", [1_400.0, 11_000.0, 22_000.0, 43_000.0])
    def test_a_good_meter_has_no_doubts(self, power_w: float) -> None:
        account = charging(begun(), power_w, 3600)
        assert account.doubts == frozenset()
        assert account.line_wh - BEGUN_WH == int(power_w)

    @pytest.mark.parametrize("resolution_wh", [1, 10])
    @pytest.mark.parametrize("delay_s", [0, 8])
    def test_a_coarse_and_late_meter_has_no_doubts(self, resolution_wh: int, delay_s: int) -> None:
        account, power_w = begun(), 11_000.0
        for second in range(1, 1800):
            counted_wh = power_w * max(0, second - delay_s) / 3600
            shown_wh = BEGUN_WH + int(counted_wh / resolution_wh) * resolution_wh
            account, verdict = seen(account, reading(shown_wh, float(second), power_w))
            assert verdict is Verdict.GOOD

    def test_pulses_of_a_car_raise_no_doubts(self) -> None:
        account, counted_ws = begun(), 0.0
        for second in range(1, 1800):
            power_w = 20_000.0 if second % 7 < 3 else 0.0
            counted_ws += power_w
            shown_wh = BEGUN_WH + int(counted_ws / 3600)
            account, verdict = seen(account, reading(shown_wh, float(second), power_w))
            assert verdict is Verdict.GOOD

    @pytest.mark.parametrize("power_w", [1_400.0, 3_700.0, 11_000.0, 22_000.0])
    def test_a_frozen_register_while_power_flows(self, power_w: float) -> None:
        seconds = next(n for n in range(1, 200) if charging(begun(), power_w, n, factor=0).doubts)
        assert power_w * seconds / 3600 < 100, "reported before much has flowed"
        assert seconds > 10, "the register may be late"
        account = charging(begun(), power_w, 200, factor=0)
        assert account.doubts == {Verdict.TOO_SLOW}
        assert account.line_wh == BEGUN_WH

    @pytest.mark.parametrize("factor", [1.5, 3, 10])
    def test_one_that_counts_too_much_is_not_believed_beyond_its_power(self, factor: float) -> None:
        account = charging(begun(), 11_000.0, 600, factor)
        assert Verdict.TOO_FAST in account.doubts
        flowed_wh = 11_000.0 * 600 / 3600
        assert flowed_wh * 0.99 <= account.line_wh - BEGUN_WH <= flowed_wh * 1.12 + 20

    def test_a_small_step_within_the_tolerance_of_time(self) -> None:
        account = charging(begun(), 11_000.0, 60)
        account, verdict = seen(account, reading(account.register_wh + 60, 65.0, 11_000.0))
        assert verdict is Verdict.TOO_FAST
        assert account.line_wh - BEGUN_WH <= 183 + 15 * 1.2 + 20

    def test_an_unwatched_time_is_no_contradiction(self) -> None:
        account = charging(begun(), 11_000.0, 60)
        later = reading(account.register_wh + 10, 3660.0, 11_000.0)
        account, verdict = account.update(later, moment(3660.0), MAX_W, watched=False)
        assert verdict is Verdict.GOOD


class TestGap:
    """The station was off; the meter counts on."""

    @pytest.mark.parametrize(
        ("gained_wh", "gap_s", "verdict"),
        [
            (0, 60, Verdict.GOOD),
            (400, 60, Verdict.GOOD),
            (425, 60, Verdict.JUMP),
            (20_000, 3600, Verdict.GOOD),
            (5_000, 3, Verdict.JUMP),
            (500_000, 3600, Verdict.JUMP),
            (-1, 3600, Verdict.BACKWARDS),
            (5, -86_400, Verdict.GOOD),
            (100, -86_400, Verdict.JUMP),
        ],
    )
    def test_energy_in_a_gap_is_believed_up_to_the_possible_maximum(
        self, gained_wh: int, gap_s: float, verdict: Verdict
    ) -> None:
        account = charging(begun(), 11_000.0, 60)
        at = Moment("two", 5.0, NOON + timedelta(seconds=60 + gap_s))
        after, found = account.update(reading(account.register_wh + gained_wh, 5.0), at, MAX_W)
        assert found is verdict
        believed_wh = gained_wh if verdict is Verdict.GOOD else 0
        assert after.line_wh == account.line_wh + believed_wh

    @pytest.mark.parametrize("unknown", ["date", "serial number"])
    def test_without_clock_or_serial_number_a_gap_counts_as_a_quarter_of_an_hour(
        self, unknown: str
    ) -> None:
        account = charging(begun("" if unknown == "serial number" else "A"), 11_000.0, 60)
        serial = "" if unknown == "serial number" else "A"
        account = replace(account, serial_number=serial)
        at = Moment("two", 5.0, None if unknown == "date" else NOON + timedelta(days=3))
        for gained_wh, verdict in ((6_000, Verdict.GOOD), (6_200, Verdict.JUMP)):
            each = reading(account.register_wh + gained_wh, 5.0, serial=serial)
            assert account.update(each, at, MAX_W)[1] is verdict

    def test_an_exchange_while_it_was_off(self) -> None:
        account = charging(begun(), 11_000.0, 60)
        at = Moment("two", 5.0, NOON + timedelta(days=1))
        after, verdict = account.update(reading(account.register_wh + 5, 5.0, 0.0, "B"), at, MAX_W)
        assert verdict is Verdict.EXCHANGED
        assert after.line_wh == account.line_wh


class TestBetweenSessions:
    def test_between_sessions_the_register_is_the_reference(self) -> None:
        account = begun().closed()
        for register_wh in (BEGUN_WH + 5_000_000, 7, 8):
            account, _ = seen(account, reading(register_wh, 10.0))
            assert account.line_wh == register_wh
            assert account.doubts == frozenset()

    def test_a_step_is_reported_unless_the_meter_was_exchanged_while_off(self) -> None:
        account = begun().closed()
        assert seen(account, reading(7, 1.0))[1] is Verdict.BACKWARDS
        rebooted = Moment("two", 1.0, NOON)
        assert account.update(reading(7, 1.0, serial="B"), rebooted, MAX_W)[1] is Verdict.GOOD

    def test_a_new_session_begins_without_the_doubts_of_the_last(self) -> None:
        account = charging(begun(), 11_000.0, 200, factor=0)
        again = account.closed().begin("s2", moment(300.0))
        assert (again.doubts, again.deficit_wh, again.line_wh) == (frozenset(), 0.0, BEGUN_WH)
