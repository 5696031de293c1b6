"""A strip of bars over time: how many records came when, and the worst level among them.

The bars grow with the count, by its square root, so that a few records are seen beside 10,000; they take the
colour of errors or warnings where those are a fifth of the column. The line below marks every column that holds
as much as one warning (▲) or error (◆), and the moment of the time cursor (┃). The times of both ends, what the
tallest bar counts and how long a bar is stand beside them, in cells of their own; a narrow strip has no labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from cockpit.signals import SECOND
from cockpit.stores.logs.histogram import ERROR_BAND, WARN_BAND
from widgets.parts import Parts
from widgets.text import age, clock, fit

BARS = " ▁▂▃▄▅▆▇█"
LEFT, RIGHT = 10, 9
"""Cells for the labels on both sides, with a blank between them and the bars."""
LABELLED = 40
"""The width from which there is room for labels."""
SHARE = 5
"""A bar takes the colour of a level that more than one in so many of its records have."""


class HistogramStrip(Parts):
    """Level-coloured bars over a window, with marks below and labels beside them."""

    DEFAULT_CSS = """
    HistogramStrip {
        height: 2;
        background: $surface;
        & .histogram--calm { color: $text-primary; }
        & .histogram--warn { color: $text-warning; }
        & .histogram--error { color: $text-error; text-style: bold; }
        & .histogram--muted { color: $text-muted; }
        & .histogram--cursor { color: $text-accent; text-style: bold; }
    }
    """

    class Picked(Message):
        """A moment on the strip was clicked."""

        def __init__(self, moment: int) -> None:
            super().__init__()
            self.moment = moment

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns: Sequence[Sequence[int]] = ()
        """Counts by band, a column a cell."""
        self.window = (0, 0)
        self.cursor: int | None = None
        self.now = 0

    @property
    def room(self) -> int:
        """How many columns there is room for."""
        width = self.size.width
        return width - LEFT - RIGHT if width >= LABELLED else width

    def show(
        self, columns: Sequence[Sequence[int]], window: tuple[int, int], *, cursor: int | None, now: int
    ) -> None:
        """Draw other counts.

        Args:
            columns: Counts by level band for each cell, from left to right.
            window: The times, in nanoseconds, where the first column begins and the last one ends.
            cursor: The moment to mark, or None.
            now: The time now, which the labels are relative to.
        """
        if (columns, window, cursor) == (self.columns, self.window, self.cursor):
            return
        self.columns, self.window, self.cursor, self.now = columns, window, cursor, now
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of bars, or the marks under them, between the labels."""
        height, room = self.size.height, self.room
        columns = self.columns[:room]
        cells = self._bars(columns, height - 1, y) if y < height - 1 else self._marks(columns)
        plot = Strip(cells).adjust_cell_length(room, self.rich_style)
        if room == self.size.width:
            return plot
        muted = self.get_component_rich_style("histogram--muted")
        left, right = self._labels(y)
        return Strip(
            [Segment(fit(left, LEFT), muted), *plot, Segment(fit(right, RIGHT, right=True), muted)],
            self.size.width,
        )

    def on_click(self, event: events.Click) -> None:
        """Say which moment was clicked."""
        start, end = self.window
        place = event.x - (LEFT if self.room < self.size.width else 0)
        if end > start and 0 <= place < len(self.columns):
            event.stop()
            self.post_message(self.Picked(start + (end - start) * (place + 1) // len(self.columns)))

    def _bars(self, columns: Sequence[Sequence[int]], height: int, y: int) -> list[Segment]:
        totals = [sum(column) for column in columns]
        top = max(totals, default=0)
        segments = []
        for column, total in zip(columns, totals, strict=True):
            eighths = max(1, round(sqrt(total / top) * 8 * height)) if total else 0
            filled = min(8, max(0, eighths - 8 * (height - 1 - y)))
            segments.append(
                Segment(BARS[filled], self.get_component_rich_style(_style(column, total // SHARE)))
            )
        return segments

    def _marks(self, columns: Sequence[Sequence[int]]) -> list[Segment]:
        blank = Segment(" ", self.rich_style)
        cells = [blank] * len(columns)
        for place, column in enumerate(columns):
            style = _style(column)
            if style != "histogram--calm":
                mark = "◆" if style == "histogram--error" else "▲"
                cells[place] = Segment(mark, self.get_component_rich_style(style))
        start, end = self.window
        if cells and self.cursor is not None and start <= self.cursor <= end and end > start:
            place = min(len(cells) - 1, (self.cursor - start) * len(self.columns) // (end - start))
            cells[place] = Segment("┃", self.get_component_rich_style("histogram--cursor"))
        return cells

    def _labels(self, y: int) -> tuple[str, str]:
        """Return what stands left and right of a line: the times at both ends, the tallest bar and a bar's time."""
        start, end = self.window
        if end <= start or not self.columns:
            return "", ""
        cell = (end - start) // len(self.columns)
        if y == 0:
            return clock(start), "now" if abs(end - self.now) < cell * 2 else clock(end)
        if y < self.size.height - 1:
            return "", ""
        top = max(sum(column) for column in self.columns)
        return f"top {_short(top)}" if top else "", f"{age(cell)} each" if cell >= SECOND else ""


def _short(count: int) -> str:
    """Return a count in at most five characters."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= max(size, 10_000):
            return f"{count // size}{unit}"
    return f"{count:,}"


def _style(column: Sequence[int], least: int = 0) -> str:
    """Return the style of the worst level that a column has more than `least` records of, or worse ones."""
    errors = sum(column[ERROR_BAND:])
    if errors > least:
        return "histogram--error"
    return "histogram--warn" if errors + column[WARN_BAND] > least else "histogram--calm"
