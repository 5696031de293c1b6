"""Reading by pages loses and repeats no record, however many share a moment and wherever a page ends."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.signals import LogRecord
from sources.support.http_errors import TooLong
from sources.support.log_pages import Page, Row, newest, walk

TIMES = st.lists(st.integers(0, 6), max_size=60)


class Held:
    """An engine without an order among records of one moment, whose full page says that there may be more."""

    def __init__(self, times: list[int], *, seed: int = 0, alike: bool = False) -> None:
        self.rows = [
            Row(at, 0 if alike else place, LogRecord(at=at, body=f"{at} {place}"))
            for place, at in enumerate(times)
        ]
        self.random = random.Random(seed)
        self.asked = 0

    async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
        self.asked += 1
        found = [row for row in self.rows if start <= row.at <= end]
        self.random.shuffle(found)
        found.sort(key=lambda row: row.at, reverse=newest)
        return Page(found[:size], full=len(found) >= size)

    async def moment(self, at: int) -> Page:
        self.asked += 1
        return Page([row for row in self.rows if row.at == at])


@given(TIMES, st.integers(1, 9), st.booleans(), st.booleans(), st.integers(0, 99))
async def test_every_record_comes_once_in_the_order_of_time(
    times: list[int], size: int, from_newest: bool, alike: bool, seed: int
) -> None:
    held = Held(times, seed=seed, alike=alike)
    found = [row async for page in walk(held, 0, 6, size, newest=from_newest) for row in page.rows]
    assert Counter((row.at, row.identity) for row in found) == Counter(
        (row.at, row.identity) for row in held.rows
    )
    assert [row.at for row in found] == sorted(times, reverse=from_newest)


@given(TIMES, st.integers(1, 9), st.integers(0, 70), st.integers(0, 99))
async def test_the_newest_that_pass_a_test_are_found(
    times: list[int], size: int, limit: int, seed: int
) -> None:
    held = Held(times, seed=seed)
    gathered = await newest(held, 0, 6, limit, size=size, test=lambda record: record.at % 2 == 0)
    passing = sorted(at for at in times if at % 2 == 0)
    assert [record.at for record in gathered.records] == passing[max(0, len(passing) - limit) :]
    assert len({record.body for record in gathered.records}) == len(gathered.records)


async def test_thousands_of_one_moment_are_asked_for_once() -> None:
    count = 5_000
    held = Held([1] * 3 + [2] * count + [3] * 3)
    found = [row async for page in walk(held, 0, 9, 100, newest=True) for row in page.rows]
    assert len({row.identity for row in found}) == len(found) == count + 6
    assert held.asked < 6


async def test_a_search_gives_up_and_says_so_where_the_engine_can_test_little() -> None:
    held = Held(list(range(1000)))
    gathered = await newest(held, 0, 2000, 5, size=100, test=lambda record: record.at < 10, most=300)
    assert gathered.records == []
    assert gathered.note == "looked through the newest 397 records of it alone"


async def test_an_answer_that_is_too_long_is_asked_for_in_smaller_pages() -> None:
    class Wordy(Held):
        async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
            if size > 7:
                raise TooLong("too long")
            return await super().page(start, end, size, newest=newest)

    held = Wordy([1, 2, 2, 3] * 9)
    found = [row async for page in walk(held, 0, 9, 1000, newest=False) for row in page.rows]
    assert len({row.identity for row in found}) == len(found) == 36

    class Endless(Held):
        async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
            raise TooLong("too long")

    with pytest.raises(TooLong):
        [page async for page in walk(Endless([1]), 0, 9, 1000, newest=False)]


@pytest.mark.parametrize("from_newest", [False, True])
async def test_an_engine_that_ignores_the_time_is_left(from_newest: bool) -> None:
    class Deaf(Held):
        async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
            return Page((await super().page(0, 1000, 1000, newest=newest)).rows, full=True)

        async def moment(self, at: int) -> Page:
            return Page(self.rows, full=True)

    deaf = Deaf([*range(20)])
    async with asyncio.timeout(5):
        found = [row.at async for page in walk(deaf, 5, 9, 3, newest=from_newest) for row in page.rows]
    assert sorted(found) == [5, 6, 7, 8, 9]
