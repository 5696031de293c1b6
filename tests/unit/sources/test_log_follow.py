"""A follower hands over each record once, however late and disordered they come in."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import SECOND
from sources.support.log_follow import Follower, Given
from sources.support.log_pages import Row
from tests.unit.sources.test_log_pages import Held

START = 1_000_000 * SECOND
LATE = 20


class Arriving(Held):
    """An engine in which records show up some time after their own time."""

    def __init__(self, records: list[tuple[int, int]]) -> None:
        super().__init__([START + at * SECOND for at, _ in records])
        self.all = self.rows
        self.arrive = [START + (at + delay) * SECOND for at, delay in records]
        self.rows = []

    def now(self, moment: int) -> None:
        self.rows = [row for row, at in zip(self.all, self.arrive, strict=True) if at <= moment]


async def follow(arriving: Arriving, follower: Follower, *, until: int, every: int = 1) -> list[Row]:
    found = []
    for second in range(0, until, every):
        moment = START + second * SECOND
        arriving.now(moment)
        async for rows in follower.look(lambda: arriving, moment):
            found += rows
    return found


RECORDS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, LATE // 2 - 3)), max_size=80)


@settings(max_examples=60)
@given(RECORDS, st.integers(1, 30), st.integers(5, 50), st.integers(1, 4))
async def test_each_record_is_handed_over_once(
    records: list[tuple[int, int]], size: int, most: int, every: int
) -> None:
    arriving = Arriving(records)
    follower = Follower(late=LATE * SECOND, size=size, most=most)
    follower.begin([], START, cut=False)
    found = await follow(arriving, follower, until=120, every=every)
    assert Counter(row.identity for row in found) == Counter(row.identity for row in arriving.all)


async def test_what_the_start_found_is_not_repeated_and_what_it_left_out_stays_out() -> None:
    arriving = Arriving([(1, 0), (2, 0), (3, 0), (4, 0)])
    arriving.now(START + 5 * SECOND)
    follower = Follower(late=LATE * SECOND, size=10, most=100)
    follower.begin(arriving.rows[2:], START + 5 * SECOND, cut=True)
    assert await follow(arriving, follower, until=60) == []


async def test_more_than_a_look_may_take_comes_with_the_next_and_is_told() -> None:
    arriving = Arriving([(1, 0)] * 30 + [(2, 0)] * 30)
    follower = Follower(late=0, size=10, most=30)
    follower.begin([], START, cut=False)
    arriving.now(START + 3 * SECOND)
    first = [row async for rows in follower.look(lambda: arriving, START + 3 * SECOND) for row in rows]
    assert follower.behind
    assert len(first) == 30
    rest = [row async for rows in follower.look(lambda: arriving, START + 3 * SECOND) for row in rows]
    rest += [row async for rows in follower.look(lambda: arriving, START + 3 * SECOND) for row in rows]
    assert not follower.behind
    assert sorted(row.identity for row in first + rest) == list(range(60))


async def test_records_alike_are_told_apart_by_their_number() -> None:
    arriving = Arriving([(1, 0), (1, 0), (1, 4), (5, 0)])
    arriving.all = [Row(row.at, 7, row.record) for row in arriving.all]
    follower = Follower(late=LATE * SECOND, size=10, most=100)
    follower.begin([], START, cut=False)
    assert len(await follow(arriving, follower, until=60)) == 4


def test_what_is_skipped_after_an_outage_is_told() -> None:
    follower = Follower(late=0, size=10, most=100)
    follower.begin([], START, cut=False)
    assert follower.skip(START - SECOND) == 0
    assert follower.skip(START + 5 * SECOND) == 5 * SECOND
    assert follower.frontier == START + 5 * SECOND


def test_memory_is_bounded(monkeypatch: object) -> None:
    given_out = Given()
    for second in range(100):
        for place in range(5_000):
            given_out.add(Row(second * SECOND, place, None))  # type: ignore[arg-type]
        given_out.forget(0)
    assert given_out._size <= 300_000
    assert given_out.floor == 40 * SECOND
