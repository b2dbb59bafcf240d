"""Who may use which connector, as tables (OCPP 1.6 sections 3.10 and 5.13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from borne.domain.reservation import (
    Answer,
    Book,
    Permission,
    Reservation,
    answer,
    kept,
    permission,
)
from borne.domain.station.status import ConnectorStatus as S

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def reservation(number: int, connector: int, parent: str | None = None) -> Reservation:
    return Reservation(number, connector, f"tag{number}", LATER, parent)


def book(*entries: Reservation) -> Book:
    return Book({entry.reservation_id: entry for entry in entries})


ONE, TWO, ANY = reservation(1, 1), reservation(2, 2), reservation(3, 0)
FREE = {1: S.AVAILABLE, 2: S.AVAILABLE}


@pytest.mark.parametrize(
    ("asked", "known", "statuses", "expected"),
    [
        (ONE, (), FREE, Answer.ACCEPTED),
        (ONE, (), {1: S.PREPARING, 2: S.AVAILABLE}, Answer.OCCUPIED),
        (ONE, (), {1: S.CHARGING, 2: S.AVAILABLE}, Answer.OCCUPIED),
        (ONE, (), {1: S.FINISHING, 2: S.AVAILABLE}, Answer.OCCUPIED),
        (ONE, (), {1: S.FAULTED, 2: S.AVAILABLE}, Answer.FAULTED),
        (ONE, (), {1: S.UNAVAILABLE, 2: S.AVAILABLE}, Answer.UNAVAILABLE),
        (reservation(1, 9), (), FREE, Answer.REJECTED),
        (ONE, (ONE,), {1: S.RESERVED, 2: S.AVAILABLE}, Answer.ACCEPTED),
        (ONE, (reservation(9, 1),), {1: S.RESERVED, 2: S.AVAILABLE}, Answer.OCCUPIED),
        (ANY, (), FREE, Answer.ACCEPTED),
        (ANY, (ONE,), {1: S.RESERVED, 2: S.AVAILABLE}, Answer.ACCEPTED),
        (ANY, (ONE, TWO), {1: S.RESERVED, 2: S.RESERVED}, Answer.OCCUPIED),
        (ANY, (), {1: S.CHARGING, 2: S.FAULTED}, Answer.OCCUPIED),
        (ANY, (), {1: S.UNAVAILABLE, 2: S.FAULTED}, Answer.UNAVAILABLE),
        (ANY, (), {1: S.FAULTED, 2: S.FAULTED}, Answer.FAULTED),
        (ONE, (ANY,), {1: S.AVAILABLE, 2: S.CHARGING}, Answer.OCCUPIED),
        (ONE, (ANY,), FREE, Answer.ACCEPTED),
    ],
)
def test_requests(
    asked: Reservation, known: tuple[Reservation, ...], statuses: dict[int, S], expected: Answer
) -> None:
    assert answer(book(*known), asked, statuses, NOW) is expected


def test_an_expired_reservation_is_rejected() -> None:
    assert answer(Book(), ONE, FREE, LATER) is Answer.REJECTED


@pytest.mark.parametrize(
    ("entries", "statuses", "expected"),
    [
        ((), FREE, {}),
        ((ONE,), FREE, {1: 1}),
        ((ANY,), FREE, {}),
        ((ANY,), {1: S.AVAILABLE, 2: S.CHARGING}, {1: 3}),
        ((ANY,), {1: S.PREPARING, 2: S.CHARGING}, {1: 3}),
        ((ANY,), {1: S.PREPARING, 2: S.AVAILABLE}, {}),
        ((ANY,), {1: S.CHARGING, 2: S.CHARGING}, {}),
        ((ONE, ANY), FREE, {1: 1, 2: 3}),
        ((reservation(4, 0), ANY), FREE, {1: 4, 2: 3}),
    ],
)
def test_kept_reservations(
    entries: tuple[Reservation, ...], statuses: dict[int, S], expected: dict[int, int]
) -> None:
    assert kept(book(*entries), statuses) == expected


GROUP = reservation(5, 1, parent="Group")


@pytest.mark.parametrize(
    ("entries", "token", "group", "expected"),
    [
        ((), "x", None, Permission(True)),
        ((ONE,), "TAG1", None, Permission(True, 1)),
        ((ONE,), "x", None, Permission(False)),
        ((ONE,), "x", "group", Permission(False)),
        ((TWO,), "x", None, Permission(True)),
        ((GROUP,), "x", None, Permission(False, ask_for_group=True)),
        ((GROUP,), "x", "gROUP", Permission(True, 5)),
        ((ANY,), "x", None, Permission(True)),
        ((ANY,), "tag3", None, Permission(True, 3)),
        ((ANY, TWO), "x", None, Permission(False)),
        ((ANY, ONE), "tag3", None, Permission(False)),
    ],
)
def test_who_may_use_connector_1(
    entries: tuple[Reservation, ...], token: str, group: str | None, expected: Permission
) -> None:
    assert permission(book(*entries), 1, FREE, token, group) == expected


def test_a_reservation_is_over_in_time_and_with_its_connector() -> None:
    entries = book(ONE, TWO, ANY)
    assert entries.expired(NOW) == []
    assert entries.expired(LATER) == [1, 2, 3]
    assert entries.lost({1: S.FAULTED, 2: S.AVAILABLE}) == [1]
