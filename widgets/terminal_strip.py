"""From a terminal's rows to strips of exactly the screen's width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.term.emulator import PLAIN, Colour, Look, Row, Shape

Mark = tuple[int, int, Style]
"""Cells from one to before another, and what is put over their own style."""
CURSORS = {
    Shape.BLOCK: Style(reverse=True),
    Shape.UNDERLINE: Style(underline=True, bold=True),
    Shape.BAR: Style(underline2=True, bold=True),
}
UNFOCUSED = Style(underline=True)


@lru_cache(maxsize=4096)
def style_of(look: Look, base: Style, reversed_screen: bool = False) -> Style:
    """Return the style of a look, over that of a terminal's plain text."""
    if look is PLAIN and not reversed_screen:
        return base
    foreground, background = _colour(look.foreground), _colour(look.background)
    style = base + Style(
        color=foreground,
        bgcolor=background,
        bold=look.bold or None,
        dim=look.dim or None,
        italic=look.italic or None,
        underline=look.underline or None,
        blink=look.blink or None,
        strike=look.strike or None,
        reverse=(look.reverse != reversed_screen) or None,
        link=look.link or None,
    )
    if look.conceal:
        style += Style(color=style.bgcolor)
    return style


def _colour(colour: Colour) -> Color | None:
    if colour is None:
        return None
    return Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)


def strip_of(
    row: Row, width: int, base: Style, *, marks: Sequence[Mark] = (), reversed_screen: bool = False
) -> Strip:
    """Return a row as a strip.

    Args:
        row: The row.
        width: Cells of the strip.
        base: How plain text looks.
        marks: What is put over it, such as the cursor and what is selected.
        reversed_screen: Whether the program reversed the whole screen.
    """
    segments: list[Segment] = []
    cells = 0
    for run in row.runs:
        text = run.text
        if not text.isascii() and cell_len(text) != run.cells:
            text = set_cell_size(
                text, run.cells
            )  # widths are a matter of opinion; the columns after it are not
        segments.append(Segment(text, style_of(run.look, base, reversed_screen)))
        cells += run.cells
    if cells < width:
        segments.append(Segment(" " * (width - cells), style_of(PLAIN, base, reversed_screen)))
        cells = width
    strip = Strip(segments, cells)
    if cells > width:
        strip = strip.crop(0, width)
    for start, end, style in marks:
        strip = marked(strip, start, end, style)
    return strip


def marked(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """Return a strip with a style put over some of its cells."""
    start, end = max(0, start), min(strip.cell_length, end)
    if start >= end:
        return strip
    before, within, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end)
    over = [Segment(text, (own or Style.null()) + style) for text, own, _ in within]
    return Strip([*before, *over, *after], strip.cell_length)
