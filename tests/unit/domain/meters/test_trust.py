"""What is believed of the meter of the site: more load at once, less after two polls, and at least
what the own sockets draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.meters.identity import KnownMeter, is_other_meter, meter_at
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_reading import SiteReading
from borne.domain.meters.trust import JUMP_A, Trust
from borne.foundation.units import PerPhase


def reading(at_s: float, *amps: float) -> SiteReading:
    shown_a = PerPhase(*amps) if len(amps) == 3 else PerPhase.same(amps[0])
    return SiteReading(shown_a, at_s, Measurement(at_s))


def polls(shown_a: Iterable[float], own_a: Iterable[float] | None = None) -> list[Trust]:
    """A poll each second, the same on every phase."""
    shown = list(shown_a)
    own = [None] * len(shown) if own_a is None else [PerPhase.same(each) for each in own_a]
    trusts, trust = [], Trust()
    for second, (amps, drawn) in enumerate(zip(shown, own, strict=True)):
        trust = trust.after(reading(float(second), amps), drawn)
        trusts.append(trust)
    return trusts


def believed(trusts: Iterable[Trust]) -> list[float | None]:
    return [None if each.current_a is None else round(each.current_a.l1, 6) for each in trusts]


JUMPS: Sequence[tuple[str, list[float], list[float | None]]] = [
    ("start", [20, 20], [None, 20]),
    ("start-higher-of-two", [20, 10, 10], [None, 20, 10]),
    ("more-at-once", [10, 10, 50], [None, 10, 50]),
    ("less-after-two", [50, 50, 10, 10], [None, 50, 50, 10]),
    ("glitch", [50, 50, -200, 50], [None, 50, 50, 50]),
    ("small-fall-at-once", [50, 50, 48], [None, 50, 48]),
    ("still-falling", [50, 50, 30, 10, 10], [None, 50, 50, 30, 10]),
    ("export", [5, 5, -20, -20], [None, 5, 5, -20]),
]


@pytest.mark.parametrize(("shown_a", "expected"), [j[1:] for j in JUMPS], ids=[j[0] for j in JUMPS])
def test_jumps(shown_a: list[float], expected: list[float | None]) -> None:
    assert believed(polls(shown_a)) == expected


def test_phases_are_judged_one_by_one() -> None:
    trust = Trust().after(reading(0, 50, 10, 5), None).after(reading(1, 50, 10, 5), None)
    trust = trust.after(reading(2, 10, 40, 5), None)
    assert trust.current_a == PerPhase(50, 40, 5)
    assert not trust.settled
    trust = trust.after(reading(3, 10, 40, 5), None)
    assert trust.current_a == PerPhase(10, 40, 5)
    assert trust.settled


def test_two_answers_of_one_poll_do_not_confirm_each_other() -> None:
    trust = Trust().after(reading(0, 50), None).after(reading(1, 50), None)
    trust = trust.after(reading(2, 10), None).after(reading(2.01, 10), None)
    assert trust.current_a == PerPhase.same(50)
    assert Trust().after(reading(0, 5), None).after(reading(0, 5), None).current_a is None
    higher = trust.after(reading(2.02, 60), None)
    assert higher.current_a == PerPhase.same(60)


def test_less_than_the_own_sockets_draw_is_replaced_by_it() -> None:
    trusts = polls([5, 5, 5, 5, 5, 5], [0, 16, 16, 16, 16, 16])
    assert believed(trusts) == [None, 5, 5, 5, 16, 16]
    assert trusts[-1].doubted == (True, True, True)


def test_a_meter_that_follows_is_not_doubted() -> None:
    """The cars draw 16 A, of which photovoltaics behind the meter delivers 12 A."""
    trusts = polls([-12, -12, 4, 4, 4, 4, 4], [0, 0, 16, 16, 16, 16, 16])
    assert not any(any(each.doubted) for each in trusts)
    assert believed(trusts)[-1] == 16


def test_export_alone_is_no_doubt() -> None:
    """The cars charge as before, and the sun comes out: nobody can tell."""
    trusts = polls([20, 20, 20, 20, -10, -10, -10, -10], [16] * 8)
    assert not any(any(each.doubted) for each in trusts)
    assert believed(trusts)[-1] == 16


def test_a_doubt_ends_when_the_meter_follows_again() -> None:
    own = [0, 0, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 16, 16, 16, 16, 16]
    shown = [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 21, 21, 21, 21, 21]
    trusts = polls(shown, own)
    assert trusts[6].doubted == (True, True, True)
    assert not any(trusts[-1].doubted)
    assert believed(trusts)[-1] == 21


def test_a_late_poll_of_the_own_meter_is_no_doubt() -> None:
    trusts = polls([2, 2, 2, 18, 18, 18], [0, 0, 16, 16, 16, 16])
    assert not any(any(each.doubted) or any(each.short) for each in trusts)


def test_a_meter_without_the_sockets_may_show_less() -> None:
    assert believed(polls([2, 2, 2, 2], None))[-1] == 2


AMPS = st.floats(-100, 100)


@given(shown_a=st.lists(AMPS, min_size=2, max_size=12), own_a=st.floats(0, 32))
@settings(max_examples=60)
def test_load_is_never_hidden(shown_a: list[float], own_a: float) -> None:
    values = believed(polls(shown_a, [own_a] * len(shown_a)))
    for second in range(1, len(shown_a)):
        value = values[second]
        assert value is not None
        assert value >= shown_a[second] - 1e-5
        if own_a >= 4 and second >= 4:
            assert value >= own_a * 0.9 - 1.001


@given(shown_a=st.lists(AMPS, min_size=2, max_size=12))
@settings(max_examples=60)
def test_one_poll_alone_raises_nobody_by_a_jump(shown_a: list[float]) -> None:
    values = believed(polls(shown_a))
    for (before, after), two in zip(pairwise(values[1:]), pairwise(shown_a[1:]), strict=True):
        assert before is not None
        assert after is not None
        assert after >= min(before - JUMP_A, max(two)) - 1e-5


ADDRESS = MeterAddress("siemens_7km2200", host="192.168.1.2")
KNOWN = meter_at(ADDRESS, "123")

IDENTITIES: Sequence[tuple[str, KnownMeter | None, KnownMeter, bool]] = [
    ("first", None, KNOWN, False),
    ("same", KNOWN, meter_at(ADDRESS, " 123 "), False),
    ("other", KNOWN, meter_at(ADDRESS, "124"), True),
    ("hidden", KNOWN, meter_at(ADDRESS, ""), True),
    ("never-told", meter_at(ADDRESS, ""), meter_at(ADDRESS, "5"), False),
    ("other-address", KNOWN, meter_at(MeterAddress(ADDRESS.slug, host="10.0.0.1"), "9"), False),
    ("other-unit", KNOWN, meter_at(MeterAddress(ADDRESS.slug, ADDRESS.host, 502, 2), "9"), False),
    ("other-type", KNOWN, meter_at(MeterAddress("tq_em300", ADDRESS.host), "9"), False),
]


@pytest.mark.parametrize(
    ("known", "seen", "other"), [i[1:] for i in IDENTITIES], ids=[i[0] for i in IDENTITIES]
)
def test_identity(known: KnownMeter | None, seen: KnownMeter, other: bool) -> None:
    assert is_other_meter(known, seen) is other


def test_baud_rate_and_parity_are_no_identity() -> None:
    first = MeterAddress("saia_ale3", device="/dev/ttyUSB0", baud=9600)
    second = MeterAddress("saia_ale3", device="/dev/ttyUSB0", baud=19200, parity=Parity.EVEN)
    assert meter_at(first, "1") == meter_at(second, "1")
