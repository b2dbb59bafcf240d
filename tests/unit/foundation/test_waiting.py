"""Flags: waited for by many, forgotten by those who give up."""

from __future__ import annotations

import asyncio

import pytest

from borne.foundation.waiting import Flag


async def test_all_waiters_continue_in_order() -> None:
    flag, went_on = Flag(), list[int]()

    async def wait(number: int) -> None:
        await flag.wait()
        went_on.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    flag.set()
    flag.clear()
    await asyncio.gather(*tasks)
    assert went_on == [0, 1, 2]
    assert not flag.is_set()


async def test_waiting_for_a_set_flag_returns_at_once() -> None:
    flag = Flag()
    flag.set()
    await flag.wait()
    assert await flag.wait(0.0)


async def test_a_cancelled_waiter_is_not_woken() -> None:
    flag = Flag()
    gave_up = asyncio.create_task(flag.wait())
    waits = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    gave_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gave_up
    flag.set()
    await waits


async def test_a_timeout_is_reported() -> None:
    assert not await Flag().wait(0.0)
