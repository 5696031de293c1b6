from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import SECOND, LogRecord
from cockpit.stores.logs import Histogram, LogStore, Placing
from cockpit.stores.logs.histogram import keys_of
from tests.helpers.log_records import T0, numbered, record

LATER = T0 + 40 * 86_400 * SECOND


def store(*, capacity: int = 1_000, memory: int = 1 << 30, reorder: int = 1_000) -> LogStore:
    return LogStore(capacity=capacity, memory=memory, reorder=reorder, clock=lambda: LATER)


def noise(size: int) -> str:
    return random.randbytes(size // 2).hex()


def bodies(kept: LogStore) -> list[str]:
    return [each.body for each in kept.records(kept.first, kept.end)]


def test_batches_of_several_sources_are_merged_by_time() -> None:
    kept = store()
    kept.append(numbered([0, 2, 4]))
    kept.append(numbered([5, 1, 3]))
    assert bodies(kept) == [f"line {n}" for n in range(6)]
    assert (kept.first, kept.end, kept.late) == (0, 6, 0)


def test_records_of_one_moment_stay_in_the_order_they_came() -> None:
    kept = store()
    kept.append([record("a"), record("b")])
    kept.append([record("c"), record("d", -1)])
    assert bodies(kept) == ["d", "a", "b", "c"]


def test_what_comes_after_the_window_is_put_last_and_marked_late() -> None:
    kept = store(reorder=3)
    kept.append(numbered(range(10)))
    kept.append([record("just in time", 7.5), record("too late", 2.5)])
    assert bodies(kept)[-4:] == ["just in time", "line 8", "line 9", "too late"]
    assert kept.late == 1
    assert kept.placing(kept.end - 1) is Placing.LATE
    assert kept.placing(kept.end - 2) is Placing.TIMELY


def test_a_record_from_the_future_pins_nothing() -> None:
    now = [T0 + 5 * SECOND]
    kept = LogStore(clock=lambda: now[0])
    kept.append([record("tomorrow", 86_400)])
    now[0] += 3 * SECOND
    kept.append([record("next", 7)])
    assert bodies(kept) == ["tomorrow", "next"]
    assert kept.placing(0) is Placing.AHEAD
    assert kept.placing(1) is Placing.TIMELY
    assert kept.number_at(T0 + 6 * SECOND) == 1
    counted = kept.histogram.columns(T0, T0 + 10 * SECOND, 10)
    assert [sum(column) for column in counted] == [0, 0, 0, 0, 0, 1, 0, 1, 0, 0]


def test_a_record_without_a_time_stands_where_it_came() -> None:
    kept = store()
    kept.append(numbered([0]))
    kept.append([LogRecord(at=0, body="undated")])
    assert bodies(kept) == ["line 0", "undated"]
    assert kept.placing(1) is Placing.UNDATED


def test_the_count_is_bounded_and_numbers_go_on() -> None:
    kept = store(capacity=100)
    for start in range(0, 1_000, 50):
        kept.append(numbered(range(start, start + 50)))
        assert len(kept) <= 103
    assert kept.end == 1_000
    assert kept[kept.end - 1].body == "line 999"
    assert kept[kept.first].body == f"line {kept.first}"
    assert len(kept.histogram) == len(kept)


def test_memory_is_bounded_whatever_the_records_carry() -> None:
    kept = store(capacity=100_000, memory=4_000_000)
    heavy = [
        record(noise(60_000), n, attributes={f"a{k}": noise(4_000) for k in range(10)}) for n in range(200)
    ]
    kept.append(heavy)
    assert 30 < len(kept) < 100
    assert kept.bytes <= 4_000_000
    kept.append([record("light", 300)])
    assert bodies(kept) == [*(each.body for each in heavy[-len(kept) + 1 :]), "light"]


def test_it_answers_as_of_a_moment() -> None:
    kept = store()
    kept.append(numbered(range(10)))
    assert kept.number_at(T0 + 4 * SECOND) == 5
    assert kept.number_at(T0 + 4 * SECOND - 1) == 4
    assert kept.number_from(T0 + 4 * SECOND) == 4
    assert kept.number_at(T0 - 1) == 0
    assert kept.number_at(LATER) == 10


def test_it_says_what_moved_and_where_to() -> None:
    kept = store()
    kept.append(numbered([0, 10, 20]))
    seen = kept.version
    ten = kept[1]
    kept.append(numbered([30]))
    assert kept.moved_since(seen) is None
    kept.append(numbered([5]))
    assert kept.moved_since(seen) == 1
    assert kept.locate(ten) == 2
    assert kept.locate(record("gone")) is None
    late = record("late", -5)
    few = store(reorder=2)
    few.append(numbered(range(5)))
    few.append([late])
    assert few.locate(late) == 5
    assert kept.moved_since(kept.version) is None


BATCHES = st.lists(
    st.lists(st.tuples(st.integers(-50, 50), st.sampled_from([0, 1, 9, 13, 17, 24])), max_size=40),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(BATCHES, st.sampled_from([5, 30, 1_000]), st.sampled_from([3, 20, 1_000]))
def test_any_batches_leave_it_ordered_counted_and_bounded(
    batches: list[list[tuple[int, int]]], capacity: int, reorder: int
) -> None:
    kept = store(capacity=capacity, reorder=reorder)
    given_bodies: set[str] = set()
    for number, batch in enumerate(batches):
        records = [record(f"{number}.{n}", at, level=level) for n, (at, level) in enumerate(batch)]
        given_bodies |= {each.body for each in records}
        kept.append(records)
    times = kept.times(kept.first, kept.end)
    assert times == sorted(times)
    assert len(kept) <= capacity + max(1, capacity // 32)
    assert kept.end == sum(map(len, batches))
    assert len(set(bodies(kept))) == len(kept)
    assert set(bodies(kept)) <= given_bodies
    again = Histogram()
    again.add(keys_of(times, kept.records(kept.first, kept.end)))
    assert kept.histogram.totals == again.totals
    window = (T0 - 60 * SECOND, T0 + 60 * SECOND)
    assert kept.histogram.columns(*window, 7) == again.columns(*window, 7)


def test_a_long_window_is_counted_from_few_buckets() -> None:
    kept = store(capacity=10_000)
    kept.append([record("x", day * 86_400 / 24, level=17) for day in range(24 * 30)])
    columns = Histogram.columns(kept.histogram, T0 - SECOND, T0 + 30 * 86_400 * SECOND, 30)
    assert sum(map(sum, columns)) == len(kept)
    assert sum(column[5] for column in columns) == len(kept)
