"""Work that several wait for."""

from __future__ import annotations

import asyncio

import pytest

from cockpit.ssh.shared import Shared


async def test_all_get_the_result_though_one_leaves() -> None:
    going = asyncio.Event()

    async def work() -> int:
        await going.wait()
        return 7

    shared = Shared(work())
    waiting = [asyncio.ensure_future(shared.result()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    going.set()
    assert [await each for each in waiting[1:]] == [7, 7]
    assert waiting[0].cancelled() and not shared.open


async def test_it_ends_when_the_last_one_leaves_and_is_not_joined_any_more() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    shared = Shared(work())
    waiting = asyncio.ensure_future(shared.result())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not shared.open
    await ended.wait()


async def test_an_error_reaches_all_and_is_no_worry_where_nobody_waits() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    shared = Shared(work())
    results = await asyncio.gather(shared.result(), shared.result(), return_exceptions=True)
    assert [str(each) for each in results] == ["no", "no"]
    unwanted = Shared(work())
    await asyncio.sleep(0.01)
    assert not unwanted.open


async def test_cancelled_for_all_it_says_so() -> None:
    shared = Shared(asyncio.sleep(60))
    waiting = asyncio.ensure_future(shared.result())
    await asyncio.sleep(0)
    await shared.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert shared.cancelled
