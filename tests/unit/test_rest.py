"""A screen in a test is at rest once nothing is left to do, on the loop or in a thread."""

from __future__ import annotations

import asyncio
import threading
import time

from tests.helpers.rest import Rest


def work(seconds: float) -> None:
    """Use a core for so many seconds of its time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_it_waits_for_what_follows_from_what_is_done() -> None:
    done: list[int] = []

    def step(left: int) -> None:
        work(0.002)
        done.append(left)
        if left:
            asyncio.get_running_loop().call_soon(step, left - 1)

    rest = Rest()
    for _ in range(2):
        done.clear()
        asyncio.get_running_loop().call_soon(step, 20)
        await rest.wait(max_sleep=60)
        assert done[-1] == 0


async def test_it_waits_for_a_thread() -> None:
    began, done = threading.Event(), threading.Event()

    def busy() -> None:
        began.set()
        work(0.1)
        done.set()

    thread = threading.Thread(target=busy)
    thread.start()
    began.wait()
    await Rest().wait(max_sleep=60)
    assert done.is_set()
    thread.join()


async def test_it_leaves_it_at_that_in_the_end() -> None:
    turns: list[asyncio.Handle] = []

    def again() -> None:
        turns.append(asyncio.get_running_loop().call_soon(again))

    again()
    await Rest().wait(max_sleep=0.05)
    turns[-1].cancel()
    assert len(turns) > 1
