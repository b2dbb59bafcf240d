"""A loop over many cases names those that fail, and cannot pass without any."""

from __future__ import annotations

import pytest

from tests.support.cases import every_case


def test_all_cases_are_checked_and_those_that_fail_are_named() -> None:
    checked = []

    def check() -> None:
        with every_case() as case:
            for number in range(5):
                with case(f"number {number}"):
                    checked.append(number)
                    assert number not in {1, 3}
                    assert 1 / (number - 4)

    with pytest.raises(AssertionError) as failed:
        check()
    assert checked == [0, 1, 2, 3, 4]
    first, *lines = [line for line in str(failed.value).splitlines() if line.startswith(("3", "-"))]
    assert first == "3 of 5 cases fail:"
    assert [line.split(":")[:2] for line in lines] == [
        ["- number 1", " AssertionError"],
        ["- number 3", " AssertionError"],
        ["- number 4", " ZeroDivisionError"],
    ]
    assert "assert 1 / (number - 4))" in lines[2]


def test_passing_cases_print_nothing() -> None:
    with every_case() as case, case("one"):
        assert True


def test_a_loop_without_cases_fails() -> None:
    with pytest.raises(AssertionError, match="there is no case"), every_case():
        pass


def test_an_error_outside_the_cases_is_raised() -> None:
    def check() -> None:
        with every_case() as case:
            with case("one"):
                assert True
            raise KeyError

    with pytest.raises(KeyError):
        check()


def test_exceptions_that_end_the_test_are_not_collected() -> None:
    with pytest.raises(pytest.fail.Exception), every_case() as case, case("one"):
        pytest.fail("ends the test")
