"""Live tests of meters are bounded: in time, in number, and to one at a time."""

from __future__ import annotations

import asyncio

import pytest

from borne.adapters.web.meter_tests import (
    LEASE_S,
    ONE_MORE_S,
    PERIOD_S,
    STORED_TESTS,
    TEST_S,
    MeterTests,
)
from borne.application.refusals import Refused
from borne.domain.meters.address import MeterAddress
from tests.support.fake_meters import FakeMeter
from tests.support.virtual_time import virtual_time

ADDRESS = MeterAddress("siemens_7km2200", host="192.0.2.50")


@virtual_time
async def test_it_polls_again_and_again_while_its_panel_is_open() -> None:
    tests, meter = MeterTests(), FakeMeter()
    test = tests.start("second", "me", ADDRESS, meter)
    seen = []
    for _ in range(4):
        await asyncio.sleep(PERIOD_S)
        assert tests.renew("second", "me", test.lease) is test
        assert test.result is not None
        seen.append(test.result.measurements[0].at_s)
    assert seen == sorted(set(seen)), "each poll is newer"
    tests.close()


@virtual_time
async def test_it_ends_soon_after_its_panel_was_closed() -> None:
    tests, meter = MeterTests(), FakeMeter()
    test = tests.start("second", "me", ADDRESS, meter)
    await asyncio.sleep(LEASE_S + 0.1)
    asked = len(meter.asked)
    await asyncio.sleep(LEASE_S)
    assert test.is_over
    assert len(meter.asked) == asked
    assert tests.renew("second", "me", test.lease) is test, "its last values can still be seen"
    await asyncio.sleep(LEASE_S)
    assert len(meter.asked) == asked, "but it does not begin again"


@virtual_time
async def test_it_ends_after_a_minute_however_often_it_is_renewed() -> None:
    tests, meter = MeterTests(), FakeMeter()
    test = tests.start("second", "me", ADDRESS, meter)
    for _ in range(int(TEST_S) + 1):
        await asyncio.sleep(1)
        tests.renew("second", "me", test.lease)
    assert test.is_over
    asked = len(meter.asked)
    await asyncio.sleep(5)
    assert len(meter.asked) == asked


@virtual_time
async def test_a_poll_that_hangs_is_cancelled() -> None:
    tests, meter = MeterTests(), FakeMeter()
    meter.held = asyncio.Event()
    tests.start("second", "me", ADDRESS, meter)
    await asyncio.sleep(LEASE_S + 0.1)
    assert meter.cancelled == 1


@virtual_time
async def test_one_at_a_time_for_each_meter() -> None:
    tests, meter = MeterTests(), FakeMeter()
    mine = tests.start("second", "me", ADDRESS, meter)
    with pytest.raises(Refused, match="Somebody else tests this meter"):
        tests.start("second", "you", ADDRESS, meter)
    tests.start("ocpp", "you", ADDRESS, meter)
    again = tests.start("second", "me", ADDRESS, meter)
    assert mine.is_over
    assert not again.is_over
    assert tests.renew("second", "me", mine.lease) is None
    tests.end("second", "me")
    assert not tests.start("second", "you", ADDRESS, meter).is_over
    tests.close()


@virtual_time
async def test_a_page_is_no_port_scanner() -> None:
    tests, meter = MeterTests(), FakeMeter()
    meter.error = "no answer"
    for port in range(STORED_TESTS):
        tests.start("second", "me", MeterAddress("tq_em300", "192.0.2.1", port), meter)
    with pytest.raises(Refused, match="Too many tests of meters; try again in 20 s"):
        tests.start("second", "me", ADDRESS, meter)
    with pytest.raises(Refused, match="Too many"):
        tests.start("ocpp", "you", ADDRESS, meter)
    await asyncio.sleep(ONE_MORE_S)
    tests.start("second", "me", ADDRESS, meter)
    with pytest.raises(Refused, match="Too many"):
        tests.start("second", "me", ADDRESS, meter)
    tests.close()


@virtual_time
async def test_a_refused_test_costs_nothing() -> None:
    tests, meter = MeterTests(), FakeMeter()
    tests.start("second", "me", ADDRESS, meter)
    for _ in range(2 * STORED_TESTS):
        with pytest.raises(Refused, match="Somebody else"):
            tests.start("second", "you", ADDRESS, meter)
    tests.start("second", "me", ADDRESS, meter)
    tests.close()


@virtual_time
async def test_it_ends_with_its_login() -> None:
    tests, meter = MeterTests(), FakeMeter()
    mine = tests.start("second", "me", ADDRESS, meter)
    yours = tests.start("ocpp", "you", ADDRESS, meter)
    tests.drop("me")
    assert (mine.is_over, yours.is_over) == (True, False)
    assert tests.shown("second", "me") is None
    tests.close()


@virtual_time
async def test_an_error_of_the_program_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    tests, meter = MeterTests(), FakeMeter()
    meter.broken = True
    test = tests.start("second", "me", ADDRESS, meter)
    await asyncio.sleep(PERIOD_S)
    assert test.is_over
    assert test.failed
    assert "the test of a meter failed" in caplog.text
