"""Which profiles a station takes, replaces and clears (OCPP 1.6 sections 5.5, 5.16, 7.8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from borne.domain.smart_charging.profiles import (
    Capacity,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Selection,
    install,
    problem,
)
from tests.unit.domain.smart_charging.builders import NOW, after, installed, profile

MAX, DEFAULT, TX = Purpose.STATION, Purpose.DEFAULT, Purpose.TRANSACTION
CAPACITY = Capacity(frozenset({1, 2}), stack_level=3, periods=4, profiles=3)
RECURRING: dict[str, Any] = {"kind": ProfileKind.RECURRING, "recurrency": Recurrency.DAILY}


@pytest.mark.parametrize(
    ("taken", "connector", "words"),
    [
        (profile(MAX, {0: 10.0}), 0, None),
        (profile(MAX, {0: 10.0}), 1, "connector 0"),
        (profile(MAX, {0: 10.0}, kind=ProfileKind.RELATIVE), 0, None),
        (profile(TX, {0: 10.0}), 1, None),
        (profile(TX, {0: 10.0}), 0, "one connector"),
        (profile(DEFAULT, {0: 10.0}), 0, None),
        (profile(DEFAULT, {0: 10.0}), 3, "no connector 3"),
        (profile(DEFAULT, {0: 10.0}, level=3), 1, None),
        (profile(DEFAULT, {0: 10.0}, level=4), 1, "stack levels"),
        (profile(DEFAULT, {0: 10.0}, level=-1), 1, "stack levels"),
        (profile(DEFAULT, {}), 1, "periods"),
        (profile(DEFAULT, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}), 1, None),
        (profile(DEFAULT, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0, 4: 5.0}), 1, "periods"),
        (profile(DEFAULT, {5: 10.0}), 1, "first period"),
        (profile(DEFAULT, {0: 10.0, 60: 1.0, 30: 2.0}), 1, "one after the other"),
        (profile(DEFAULT, {0: -1.0}), 1, "limit"),
        (profile(DEFAULT, {0: 10.0}, phases=4), 1, "phases"),
        (profile(DEFAULT, {0: 10.0}, duration=0), 1, "duration"),
        (profile(DEFAULT, {0: 10.0, 2**62: 1.0}), 1, "ten years"),
        (profile(DEFAULT, {0: 10.0}, start=datetime(9999, 1, 1, tzinfo=UTC)), 1, "starts"),
        (profile(DEFAULT, {0: 10.0}, **RECURRING), 1, None),
        (profile(DEFAULT, {0: 10.0}, start=None, **RECURRING), 1, "recurring"),
        (profile(DEFAULT, {0: 10.0}, kind=ProfileKind.RECURRING), 1, "recurring"),
        (profile(DEFAULT, {0: 10.0}, start=None), 1, None),
        (profile(DEFAULT, {0: 10.0}, valid_from=after(hours=1), valid_to=NOW), 1, "never valid"),
    ],
)
def test_accepted_profiles(taken: Any, connector: int, words: str | None) -> None:
    found = problem(taken, connector, CAPACITY)
    assert found is None if words is None else (found is not None and words in found)


THREE_AND_ONE = replace(CAPACITY, phases={1: 3, 2: 1})


@pytest.mark.parametrize(
    ("purpose", "connector", "unit", "phases", "taken"),
    [
        (DEFAULT, 1, RateUnit.AMPERE, 1, False),
        (DEFAULT, 1, RateUnit.AMPERE, 2, False),
        (DEFAULT, 1, RateUnit.AMPERE, 3, True),
        (DEFAULT, 1, RateUnit.AMPERE, None, True),
        (DEFAULT, 1, RateUnit.WATT, 1, True),
        (DEFAULT, 2, RateUnit.AMPERE, 1, True),
        (TX, 1, RateUnit.AMPERE, 1, False),
        (DEFAULT, 0, RateUnit.AMPERE, 1, False),
        (MAX, 0, RateUnit.AMPERE, 1, False),
    ],
)
def test_amperes_on_fewer_phases_than_are_connected_are_refused(
    purpose: Purpose, connector: int, unit: RateUnit, phases: int | None, taken: bool
) -> None:
    """Three phases would go on: nothing here switches them one by one."""
    asked = profile(purpose, {0: 10.0}, unit=unit, phases=phases)
    assert (problem(asked, connector, THREE_AND_ONE) is None) is taken


def test_a_relative_schedule_has_no_start() -> None:
    wrong = profile(TX, {0: 10.0})
    relative = type(wrong)(1, 0, TX, ProfileKind.RELATIVE, wrong.schedule)
    assert problem(relative, 1, CAPACITY) is not None


def numbers(book: Any) -> list[int]:
    return [entry.profile.profile_id for entry in book]


def test_the_same_stack_level_or_the_same_id_replaces() -> None:
    first = installed(profile(DEFAULT, {0: 10.0}, number=1))
    book = install([], first, CAPACITY) or []
    same_slot = installed(profile(DEFAULT, {0: 12.0}, number=2))
    book = install(book, same_slot, CAPACITY) or []
    assert numbers(book) == [2]
    same_id = installed(profile(DEFAULT, {0: 12.0}, number=2, level=1))
    book = install(book, same_id, CAPACITY) or []
    assert [entry.profile.stack_level for entry in book] == [1]
    other_connector = installed(profile(DEFAULT, {0: 12.0}, number=3, level=1), connector=2)
    assert numbers(install(book, other_connector, CAPACITY)) == [2, 3]


def test_when_full_only_replacements_are_accepted() -> None:
    book = [installed(profile(DEFAULT, {0: 10.0}, number=n, level=n)) for n in range(3)]
    assert install(book, installed(profile(DEFAULT, {0: 9.0}, number=9)), CAPACITY) is not None
    more = installed(profile(DEFAULT, {0: 9.0}, number=9, level=3))
    assert install(book, more, CAPACITY) is None


BOOK = [
    installed(profile(MAX, {0: 10.0}, number=1, level=0), connector=0),
    installed(profile(DEFAULT, {0: 10.0}, number=2, level=0), connector=0),
    installed(profile(DEFAULT, {0: 10.0}, number=3, level=1), connector=1),
    installed(profile(TX, {0: 10.0}, number=4, level=1), connector=1),
]


@pytest.mark.parametrize(
    ("selection", "cleared"),
    [
        (Selection(), [1, 2, 3, 4]),
        (Selection(profile_id=3), [3]),
        (Selection(profile_id=3, connector=2, purpose=MAX, stack_level=9), [3]),
        (Selection(profile_id=9), []),
        (Selection(connector=0), [1, 2]),
        (Selection(purpose=DEFAULT), [2, 3]),
        (Selection(stack_level=1), [3, 4]),
        (Selection(connector=1, purpose=DEFAULT, stack_level=1), [3]),
        (Selection(connector=1, purpose=DEFAULT, stack_level=0), []),
    ],
)
def test_cleared_profiles(selection: Selection, cleared: list[int]) -> None:
    assert numbers(entry for entry in BOOK if selection.fits(entry)) == cleared
