from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import Span
from cockpit.stores.traces import TraceTree, build
from tests.helpers.examples import examples
from tests.helpers.spans import big_trace, soups, span


def stretches(tree: TraceTree) -> dict[str, list[tuple[int, int]]]:
    return {tree.spans[row].span_id: parts for row, parts in tree.path.items()}


def test_a_lone_span_is_its_own_path() -> None:
    assert stretches(build([span("r", 5, 100)])) == {"r": [(5, 100)]}


def test_one_after_the_other() -> None:
    tree = build([span("r", 0, 100), span("a", 10, 30, "r"), span("b", 40, 90, "r")])
    assert stretches(tree) == {"r": [(0, 10), (30, 40), (90, 100)], "a": [(10, 30)], "b": [(40, 90)]}


def test_of_two_at_once_the_one_that_finished_last_counts() -> None:
    tree = build([span("r", 0, 100), span("fast", 10, 40, "r"), span("slow", 10, 80, "r")])
    assert stretches(tree) == {"r": [(0, 10), (80, 100)], "slow": [(10, 80)]}


def test_before_the_last_child_started_comes_the_one_that_had_finished_by_then() -> None:
    tree = build(
        [
            span("r", 0, 100),
            span("first", 0, 45, "r"),
            span("overlaps", 20, 60, "r"),
            span("last", 50, 100, "r"),
        ]
    )
    assert stretches(tree) == {"first": [(0, 45)], "r": [(45, 50)], "last": [(50, 100)]}


def test_the_path_goes_down_into_what_the_child_waited_for() -> None:
    tree = build([span("r", 0, 100), span("a", 10, 90, "r"), span("b", 20, 80, "a"), span("c", 30, 70, "b")])
    assert stretches(tree) == {
        "r": [(0, 10), (90, 100)],
        "a": [(10, 20), (80, 90)],
        "b": [(20, 30), (70, 80)],
        "c": [(30, 70)],
    }


def test_a_child_that_outlives_its_parent_counts_up_to_the_parents_end() -> None:
    tree = build([span("r", 0, 100), span("task", 60, 500, "r")])
    assert stretches(tree) == {"r": [(0, 60)], "task": [(60, 100)]}


def test_a_child_that_starts_after_its_parent_ended_is_not_on_the_path() -> None:
    tree = build([span("r", 0, 100), span("later", 200, 300, "r")])
    assert stretches(tree) == {"r": [(0, 100)]}


def covers_the_root(tree: TraceTree) -> None:
    parts = sorted(part for row in tree.path.values() for part in row)
    if tree.end[tree.root] == tree.start[tree.root]:
        assert not parts
        return
    assert parts[0][0] == tree.start[tree.root]
    assert parts[-1][1] == tree.end[tree.root]
    for (_, end), (start, _) in pairwise(parts):
        assert end == start, "stretches lie end to end: no gap, no overlap"
    assert all(start < end for start, end in parts)


@settings(max_examples=examples(60), deadline=None)
@given(soups().filter(bool))
def test_the_path_of_any_soup_makes_up_the_roots_duration_exactly(spans: list[Span]) -> None:
    tree = build(spans)
    covers_the_root(tree)
    for row, parts in tree.path.items():
        assert all(tree.start[row] <= start and end <= tree.end[row] for start, end in parts)
        assert parts == sorted(parts)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.integers(1, 12), st.integers(0, 99))
def test_the_path_of_nested_spans_makes_up_the_traces_duration(count: int, fan: int, seed: int) -> None:
    tree = build(big_trace(count, fan=fan, seed=seed))
    covers_the_root(tree)
    assert sum(tree.critical_time(row) for row in tree.path) == tree.end[tree.root] - tree.start[tree.root]
