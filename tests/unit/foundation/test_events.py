"""Signals: synchronous, in order of subscription, whatever a listener does."""

from __future__ import annotations

import pytest

from borne.foundation.events import Signal


def test_listeners_are_called_in_order_of_subscription() -> None:
    signal, called = Signal[int](), list[str]()
    signal.subscribe(lambda value: called.append(f"first {value}"))
    signal.notify(lambda: called.append("second"))
    signal.emit(7)
    assert called == ["first 7", "second"]


def test_an_unsubscribed_listener_is_not_called() -> None:
    signal, called = Signal[int](), list[int]()
    unsubscribe = signal.subscribe(called.append)
    forget = signal.notify(lambda: called.append(-1))
    unsubscribe()
    unsubscribe()
    signal.emit(1)
    forget()
    signal.emit(2)
    assert called == [-1]


def test_a_listener_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    signal, called = Signal[int](), list[int]()

    def fail(_: int) -> None:
        raise ValueError("no")

    signal.subscribe(fail)
    signal.subscribe(called.append)
    signal.emit(1)
    assert called == [1]
    assert "a listener failed" in caplog.text


def test_changes_while_a_value_is_emitted_count_from_the_next_value_on() -> None:
    signal, called = Signal[int](), list[str]()

    def once(value: int) -> None:
        called.append(f"once {value}")
        unsubscribe()
        signal.subscribe(lambda value: called.append(f"later {value}"))

    unsubscribe = signal.subscribe(once)
    signal.subscribe(lambda value: called.append(f"second {value}"))
    signal.emit(1)
    assert called == ["once 1", "second 1"]
    signal.emit(2)
    assert called[2:] == ["second 2", "later 2"]
