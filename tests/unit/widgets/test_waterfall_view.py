from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.stores.traces import TraceTree, build
from tests.helpers.spans import big_trace, span
from widgets.waterfall_view import Outline, Window


def family() -> TraceTree:
    return build(
        [
            span("r", 0, 100),
            span("a", 0, 50, "r"),
            span("a1", 0, 10, "a"),
            span("a2", 20, 30, "a"),
            span("b", 60, 90, "r"),
            span("b1", 60, 70, "b"),
        ]
    )


def test_folding_hides_a_subtree_and_unfolding_brings_it_back() -> None:
    outline = Outline(family())
    assert outline.fold(1)
    assert outline.visible == [0, 1, 4, 5]
    assert not outline.fold(1)
    assert not outline.fold(2), "a leaf has nothing to fold"
    assert outline.unfold(1)
    assert outline.visible == [0, 1, 2, 3, 4, 5]


def test_what_was_folded_within_stays_folded() -> None:
    outline = Outline(family())
    outline.fold(4)
    outline.fold(0)
    assert outline.visible == [0]
    outline.unfold(0)
    assert outline.visible == [0, 1, 2, 3, 4]


def test_fold_all_leaves_the_top_and_its_children() -> None:
    outline = Outline(family())
    outline.fold_all()
    assert outline.visible == [0, 1, 4]
    assert outline.reveal(5) == 3
    assert outline.visible == [0, 1, 4, 5]
    outline.unfold_all()
    assert len(outline.visible) == 6


def test_a_chain_of_80_000_folds_is_opened_in_one_go() -> None:
    count = 80_000
    chain = [span(f"{n:x}", n, 2 * count - n, f"{n - 1:x}" if n else "") for n in range(count)]
    outline = Outline(build(chain))
    outline.fold_all()
    assert len(outline.visible) == 2
    began = time.perf_counter()
    assert outline.reveal(count - 1) == count - 1
    assert time.perf_counter() - began < 1, "a row at a time it would be minutes"


def test_folds_are_carried_to_a_later_state_of_the_trace() -> None:
    before = Outline(family())
    before.fold(1)
    spans = [*family().spans, span("early", -5, 3, "r")]
    after = before.carried_to(build(spans))
    hidden = {each.span_id for each in after.tree.spans} - {
        after.tree.spans[row].span_id for row in after.visible
    }
    assert hidden == {"a1", "a2"}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 120), st.lists(st.tuples(st.sampled_from("fuart"), st.integers(0, 119)), max_size=25))
def test_rows_in_sight_are_those_that_no_fold_hides(count: int, steps: list[tuple[str, int]]) -> None:
    tree = build(big_trace(count, fan=4))
    outline = Outline(tree)
    for step, number in steps:
        row = number % count
        if step == "f":
            outline.fold(row)
        elif step == "u":
            outline.unfold(row)
        elif step == "a":
            outline.fold_all()
        elif step == "r":
            place = outline.reveal(row)
            assert outline.visible[place] == row
        else:
            outline.unfold_all()
        wanted = [r for r in range(count) if not any(a in outline.folded for a in tree.ancestors(r))]
        assert outline.visible == wanted


def test_zooming_keeps_the_moment_where_it_is() -> None:
    window = Window(0, 1_000_000)
    window.zoom(2.0, 250_000)
    assert (window.start, window.end) == (125_000, 625_000)
    window.zoom(0.5, 250_000)
    assert window.whole


def test_panning_stops_at_the_ends() -> None:
    window = Window(0, 1_000_000)
    window.zoom(4.0, 0)
    window.pan(-1)
    assert (window.start, window.end) == (0, 250_000)
    for _ in range(9):
        window.pan(1)
    assert (window.start, window.end) == (750_000, 1_000_000)


@given(
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 62),
    st.lists(st.tuples(st.sampled_from("zps"), st.floats(0.01, 100), st.integers(0, 1 << 62)), max_size=12),
)
def test_no_step_leads_out_of_the_trace(first: int, length: int, steps: list[tuple[str, float, int]]) -> None:
    window = Window(first, first + length)
    for step, number, moment in steps:
        if step == "z":
            window.zoom(number, moment)
        elif step == "p":
            window.pan(number - 50)
        else:
            window.show(moment, moment + int(number))
        assert window.first <= window.start < window.end <= window.last
