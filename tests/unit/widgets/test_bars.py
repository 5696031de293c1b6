from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.bars import LEFT, Ink, bar, strip_of


def text(start: int, end: int, *, width: int = 10, window: tuple[int, int] = (0, 80)) -> str:
    first, cells = bar(start, end, window, width)
    return (" " * first + "".join(glyph for glyph, _ in cells)).ljust(width)


def test_a_bar_is_drawn_to_an_eighth_of_a_cell() -> None:
    assert text(0, 80) == "█" * 10
    assert text(0, 40) == "█████     "
    assert text(0, 43) == "█████▍    "
    assert text(8, 17) == " █▏       "


def test_a_left_edge_within_a_cell_is_drawn_with_the_colours_swapped() -> None:
    first, cells = bar(12, 40, (0, 80), 10)
    assert (first, cells[0], cells[1]) == (1, (LEFT[3], Ink.BACK), ("█", Ink.BAR))


def test_a_span_shorter_than_a_cell_is_a_stroke_at_its_place() -> None:
    assert [text(at, at)[2] for at in (16, 20, 23)] == ["▏", "│", "▕"]


def test_out_of_sight_is_nothing() -> None:
    assert bar(90, 95, (0, 80), 10) == (0, [])
    assert bar(-20, -10, (0, 80), 10) == (0, [])
    assert bar(0, 10, (5, 5), 10) == (0, [])


def test_the_critical_path_has_a_shape_of_its_own() -> None:
    _, cells = bar(0, 80, (0, 80), 10, [(0, 16), (64, 80)])
    assert "".join(glyph for glyph, _ in cells) == "━━██████━━"
    _, cells = bar(0, 80, (0, 80), 10, [(41, 42)])
    assert "".join(glyph for glyph, _ in cells) == "█████━████", "however short the stretch"
    _, cells = bar(20, 21, (0, 80), 10, [(20, 21)])
    assert cells == [("┃", Ink.BAR)]


@given(
    st.integers(-100, 1_000), st.integers(0, 900), st.integers(1, 200), st.integers(0, 200), st.integers(1, 900),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 100))),
)  # fmt: skip
def test_any_bar_stays_within_its_width(
    start: int, length: int, width: int, low: int, span: int, parts: list[tuple[int, int]]
) -> None:
    critical = sorted((begin, begin + more) for begin, more in parts)
    first, cells = bar(start, start + length, (low, low + span), width, critical)
    assert first >= 0
    assert first + len(cells) <= width
    assert all(len(glyph) == 1 for glyph, _ in cells)
    in_sight = start <= low + span and start + length >= low
    assert bool(cells) == in_sight


def test_a_share_of_a_width() -> None:
    assert strip_of(0.5, 4) == "██  "
    assert strip_of(7.0, 2) == "██"
    assert strip_of(0.0, 3) == "   "
