from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import Span, SpanStatus
from cockpit.stores.traces import TraceTree, build, build_steps
from tests.helpers.examples import examples
from tests.helpers.spans import big_trace, soups, span


def shape(tree: TraceTree) -> list[tuple[int, str]]:
    return [(tree.depth[row], each.span_id) for row, each in enumerate(tree.spans)]


def test_children_follow_their_parent_in_the_order_of_their_starts() -> None:
    tree = build(
        [
            span("c2", 50, 60, "r"),
            span("c1", 10, 40, "r"),
            span("r", 0, 100),
            span("g", 20, 30, "c1"),
        ]
    )
    assert shape(tree) == [(0, "r"), (1, "c1"), (2, "g"), (1, "c2")]
    assert tree.size == [4, 2, 1, 1]
    assert list(tree.children(0)) == [1, 3]
    assert list(tree.ancestors(2)) == [1, 0]
    assert tree.parent == [-1, 0, 1, 0]
    assert [tree.is_last_child(row) for row in range(4)] == [True, False, True, True]


def test_own_time_is_what_no_child_covers() -> None:
    tree = build([span("r", 0, 100), span("a", 10, 40, "r"), span("b", 30, 60, "r"), span("c", 80, 120, "r")])
    assert tree.own[0] == 100 - (60 - 10) - (100 - 80)


def test_an_orphan_is_a_top_row_and_marked() -> None:
    tree = build([span("r", 0, 100), span("lost", 20, 300, "gone")])
    assert shape(tree) == [(0, "r"), (0, "lost")]
    assert tree.orphans == {1}
    assert tree.root == 0, "a true root stands for the trace, however long an orphan lasted"


def test_without_a_root_the_longest_top_span_stands_for_the_trace() -> None:
    tree = build([span("a", 0, 10, "x"), span("b", 5, 50, "y")])
    assert tree.spans[tree.root].span_id == "b"


def test_a_circle_of_parents_is_cut_at_its_earliest_span() -> None:
    tree = build([span("b", 20, 30, "a"), span("a", 10, 40, "b"), span("self", 0, 5, "self")])
    assert shape(tree) == [(0, "self"), (0, "a"), (1, "b")]
    assert tree.looped == {0, 1}


def test_a_span_on_another_clock_is_moved_into_the_middle_of_its_parent() -> None:
    tree = build(
        [
            span("client", 1000, 2000, host="h1"),
            span("server", 100, 700, "client", host="h2"),
            span("inner", 200, 300, "server", host="h2"),
        ]
    )
    assert (tree.start[1], tree.end[1]) == (1200, 1800)
    assert (tree.start[2], tree.end[2]) == (1300, 1400), "its subtree on the same clock moves along"
    assert tree.moved == {1: 1100, 2: 1100}
    assert tree.spans[1].start == 100, "the span keeps what it told"


def test_a_span_longer_than_its_parent_is_moved_to_the_parents_start_only() -> None:
    tree = build([span("client", 1000, 2000), span("server", 500, 5000, "client", host="h2")])
    assert (tree.start[1], tree.end[1]) == (1000, 5500)
    late = build([span("client", 1000, 2000), span("server", 1500, 5000, "client", host="h2")])
    assert not late.moved, "it may have outlived a client that gave up"


def test_work_that_goes_on_after_its_parent_ended_stays() -> None:
    tree = build(
        [span("r", 1000, 2000, kind="server"), span("task", 2500, 2600, "r", host="h2", kind="server")]
    )
    assert not tree.moved


def test_a_servers_side_outside_of_the_client_that_waited_for_it_is_moved() -> None:
    tree = build([span("c", 1000, 2000, kind="client"), span("s", 2500, 2900, "c", host="h2", kind="server")])
    assert (tree.start[1], tree.end[1]) == (1300, 1700)


def test_spans_on_the_parents_own_clock_and_consumers_after_it_stay() -> None:
    tree = build(
        [
            span("r", 1000, 2000),
            span("task", 2500, 2600, "r"),
            span("job", 9000, 9100, "r", host="h2", kind="consumer"),
        ]
    )
    assert not tree.moved


def test_moved_children_are_put_in_the_order_in_which_they_are_shown() -> None:
    tree = build(
        [
            span("r", 1000, 2000, kind="client"),
            span("late clock", 5000, 5100, "r", host="h2", kind="server"),
            span("z", 1900, 1950, "r"),
        ]
    )
    assert shape(tree) == [(0, "r"), (1, "late clock"), (1, "z")]
    assert tree.start == [1000, 1450, 1900]


def test_both_sides_of_a_zipkin_call_with_one_identifier() -> None:
    tree = build(
        [
            span("call", 0, 100, kind="client", service="web"),
            span("call", 10, 90, kind="server", service="cart"),
            span("query", 20, 30, "call", service="cart"),
        ]
    )
    assert shape(tree) == [(0, "call"), (1, "call"), (2, "query")]
    assert [each.kind for each in tree.spans] == ["client", "server", "internal"]


def test_what_a_fold_hides_says_how_many_failed() -> None:
    tree = build(
        [
            span("r", 0, 100),
            span("a", 0, 50, "r"),
            span("b", 0, 10, "a", status=SpanStatus.ERROR),
            span("c", 20, 30, "a", status=SpanStatus.ERROR),
        ]
    )
    assert tree.failing == [2, 2, 1, 1]
    assert tree.errors == [2, 3]


def test_the_overview_counts_what_runs_at_each_moment() -> None:
    tree = build([span("r", 0, 256), span("a", 0, 128, "r"), span("b", 64, 128, "r")])
    assert tree.overview[0] == 2
    assert tree.overview[100] == 3
    assert tree.overview[200] == 1
    assert len(tree.overview) == 256


@settings(max_examples=examples(60), deadline=None)
@given(soups())
def test_any_soup_becomes_a_tree_of_exactly_its_spans(spans: list[Span]) -> None:
    tree = build(spans)
    assert Counter(map(id, tree.spans)) == Counter(map(id, spans))
    columns = (tree.depth, tree.parent, tree.size, tree.start, tree.end, tree.own, tree.failing)
    assert {len(column) for column in columns} == {len(spans)}
    for row, parent in enumerate(tree.parent):
        assert parent < row
        assert tree.depth[row] == (tree.depth[parent] + 1 if parent >= 0 else 0)
        if parent >= 0:
            assert row + tree.size[row] <= parent + tree.size[parent]
        assert 0 <= tree.own[row] <= tree.end[row] - tree.start[row]
    assert sum(size for row, size in enumerate(tree.size) if tree.parent[row] < 0) == len(spans)
    assert all(count >= 0 for count in tree.overview)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 400), st.integers(1, 9), st.integers(0, 99))
def test_the_order_in_which_spans_come_changes_nothing(count: int, fan: int, seed: int) -> None:
    told = big_trace(count, fan=fan, seed=seed, shuffled=False)
    mixed = big_trace(count, fan=fan, seed=seed)
    one, other = build(told), build(mixed)
    assert relations(one) == relations(other)


def relations(tree: TraceTree) -> dict[str, tuple[int, int, int, int]]:
    return {
        each.span_id: (tree.depth[row], tree.size[row], tree.start[row], tree.own[row])
        for row, each in enumerate(tree.spans)
    }


def test_a_big_trace_is_built_in_many_small_steps() -> None:
    for spans in (
        big_trace(80_000),
        [span("root", 0, 10**9), *(span(f"{n:016x}", n, n + 5, "root") for n in range(80_000))],
        [span(f"{n:016x}", n, 10**9 - n, f"{n - 1:016x}" if n else "") for n in range(80_000)],
    ):
        steps = sum(1 for _ in build_steps(spans))
        assert steps > 300, "about 80 rows a millisecond: over 300 steps keep each far below 8 ms"
