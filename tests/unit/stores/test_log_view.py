from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import SECOND
from cockpit.stores.logs import Criteria, LogStore, LogView, parse_filter
from cockpit.stores.logs.histogram import BANDS
from tests.helpers.log_records import T0, numbered, record

LATER = T0 + 86_400 * SECOND
ERRORS = Criteria(floor=17)
EVERYTHING = (T0 - 3600 * SECOND, T0 + 3600 * SECOND)


def store(*, capacity: int = 1_000, reorder: int = 1_000) -> LogStore:
    return LogStore(capacity=capacity, reorder=reorder, clock=lambda: LATER)


def seen(view: LogView) -> list[str]:
    return [view.store[view.number(rank)].body for rank in range(len(view))]


def test_without_criteria_it_is_the_store() -> None:
    kept = store()
    view = LogView(kept)
    kept.append(numbered(range(5)))
    assert view.advance()
    assert seen(view) == [f"line {n}" for n in range(5)]
    assert (view.rank(2), view.rank(99), view.searched) == (2, 5, 5)


def test_new_records_extend_the_index_and_nothing_is_looked_at_twice() -> None:
    kept = store(capacity=100_000)
    looked: list[str] = []
    view = LogView(kept)

    def test(each: object) -> bool:
        looked.append("")
        return True

    view.look(Criteria(filter=parse_filter("line")))
    view._tests = (test,)
    for start in range(0, 5_000, 500):
        kept.append(numbered(range(start, start + 500)))
        view.advance(1.0)
    assert len(looked) == 5_000
    assert len(view) == 5_000


def test_the_newest_are_found_first_and_progress_is_told() -> None:
    kept = store(capacity=100_000)
    kept.append(numbered(range(20_000)))
    view = LogView(kept)
    view.look(Criteria(filter=parse_filter("line")))
    while not len(view):
        view.advance(0.000_1)
    assert not view.complete
    assert 0 < view.searched < 20_000
    assert view.number(len(view) - 1) == 19_999
    until = 0
    while not view.advance(0.001):
        until += 1
    assert view.searched == 20_000
    assert len(view) == 20_000


def test_a_window_bounds_it() -> None:
    kept = store()
    kept.append(numbered(range(10)))
    view = LogView(kept)
    view.look(Criteria(filter=parse_filter("line")), start=T0 + 3 * SECOND, end=T0 + 5 * SECOND)
    view.advance(1.0)
    assert seen(view) == ["line 3", "line 4", "line 5"]
    assert view.rank(0) == 0
    assert view.number(0) == 3


def test_it_never_points_to_what_is_evicted() -> None:
    kept = store(capacity=50)
    view = LogView(kept)
    view.look(ERRORS)
    for start in range(0, 500, 10):
        kept.append(numbered(range(start, start + 10), level=17))
        assert all(view.number(rank) >= kept.first for rank in range(len(view)))
        view.advance(1.0)
        assert view.searched == len(kept)


STEP = st.tuples(
    st.lists(st.tuples(st.integers(-30, 30), st.sampled_from([9, 17])), max_size=30),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(STEP, max_size=12), st.sampled_from([10, 40, 1_000]), st.sampled_from([4, 1_000]))
def test_it_always_ends_up_with_what_a_plain_search_finds(
    steps: list[tuple[list[tuple[int, int]], bool, bool]], capacity: int, reorder: int
) -> None:
    kept = store(capacity=capacity, reorder=reorder)
    view = LogView(kept)
    view.look(ERRORS)
    for number, (batch, looks, restarts) in enumerate(steps):
        kept.append([record(f"{number}.{n}", at, level=level) for n, (at, level) in enumerate(batch)])
        if restarts:
            view.look(Criteria(floor=17, filter=parse_filter("." if number % 2 else "")))
        if looks:
            view.advance(0.000_05)
    view.look(ERRORS)
    while not view.advance(1.0):
        pass
    expected = [n for n in range(kept.first, kept.end) if kept[n].level >= 17]
    assert [view.number(rank) for rank in range(len(view))] == expected
    assert view.histogram.totals[5] == len(expected)
    columns = view.histogram.columns(*EVERYTHING, 5)
    assert sum(map(sum, columns)) == len(expected)
    assert len(columns[0]) == BANDS
    for rank, absolute in enumerate(expected):
        assert view.rank(absolute) == rank
