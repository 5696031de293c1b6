"""A strip of bars over time: how many records came when, and the worst level among them.

The bars grow with the count, by its square root, so that a few records are seen beside 10,000; they take the
colour of errors or warnings where those are a fifth of the column. The line below marks every column that holds
as much as one warning (▲) or error (◆), and the moment of the time cursor (┃).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.stores.logs.histogram import ERROR_BAND, WARN_BAND
from widgets.text import age, clock, fit

BARS = " ▁▂▃▄▅▆▇█"
SHARE = 5
"""A bar takes the colour of a level that more than one in so many of its records have."""


class HistogramStrip(Widget):
    """Level-coloured bars over a window, with marks and times below."""

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
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"histogram--{name}" for name in ("calm", "warn", "error", "muted", "cursor")
    }

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
        """Draw the bars, or the marks under them."""
        width = self.size.width
        segments = self._bars(self.size.height - 1, y) if y < self.size.height - 1 else self._marks(width)
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Say which moment was clicked."""
        start, end = self.window
        if self.columns and end > start and event.x < len(self.columns):
            event.stop()
            self.post_message(self.Picked(start + (end - start) * (event.x + 1) // len(self.columns)))

    def _bars(self, height: int, y: int) -> list[Segment]:
        totals = [sum(column) for column in self.columns]
        top = max(totals, default=0)
        segments = []
        for column, total in zip(self.columns, totals, strict=True):
            eighths = max(1, round(sqrt(total / top) * 8 * height)) if total else 0
            filled = min(8, max(0, eighths - 8 * (height - 1 - y)))
            segments.append(
                Segment(BARS[filled], self.get_component_rich_style(_style(column, total // SHARE)))
            )
        return segments

    def _marks(self, width: int) -> list[Segment]:
        muted = self.get_component_rich_style("histogram--muted")
        cells = [Segment(cell, muted) for cell in self._labels(width)]
        for place, column in enumerate(self.columns[:width]):
            style = _style(column)
            if style != "histogram--calm":
                mark = "◆" if style == "histogram--error" else "▲"
                cells[place] = Segment(mark, self.get_component_rich_style(style))
        start, end = self.window
        if self.cursor is not None and start <= self.cursor <= end and end > start:
            place = min(width - 1, (self.cursor - start) * len(self.columns) // (end - start))
            cells[max(0, place)] = Segment("┃", self.get_component_rich_style("histogram--cursor"))
        return cells

    def _labels(self, width: int) -> str:
        """Return the times at both ends, and what the tallest bar counts."""
        start, end = self.window
        if end <= start:
            return " " * width
        left = clock(start)
        right = "now" if abs(end - self.now) < (end - start) // max(1, width) * 2 else clock(end)
        top = max((sum(column) for column in self.columns), default=0)
        middle = f"top {top:,} in {age((end - start) // max(1, len(self.columns)))}" if top else "no records"
        room = width - len(left) - len(right)
        if room < len(middle) + 2:
            return fit(left, width - len(right)) + right if room > 0 else " " * width
        return left + middle.center(room) + right


def _style(column: Sequence[int], least: int = 0) -> str:
    """Return the style of the worst level that a column has more than `least` records of, or worse ones."""
    errors = sum(column[ERROR_BAND:])
    if errors > least:
        return "histogram--error"
    return "histogram--warn" if errors + column[WARN_BAND] > least else "histogram--calm"
