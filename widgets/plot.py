"""A plot over time, drawn by plotext once a size and once a change, then only copied to the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from cockpit.signals import Series
from widgets.text import clock, quantity, safe

MOST_SERIES = 8
"""Lines drawn at most; more can't be told apart."""
MOST_POINTS = 2_000
"""Points drawn a line: braille has two columns a cell, and no screen shows more."""
COLOURS = ("cyan+", "orange+", "green+", "magenta+", "blue+", "red+", "white", "gray+")


class Plot(Widget):
    """Lines over time, with a mark at the time cursor and one at each threshold."""

    DEFAULT_CSS = "Plot { height: 1fr; min-height: 6; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.series: Sequence[Series] = ()
        self.thresholds: Sequence[float] = ()
        self.cursor: int | None = None
        self.note = "no points"
        self._drawn: tuple[tuple[int, int], list[Strip]] | None = None

    def show(
        self,
        series: Sequence[Series],
        *,
        thresholds: Sequence[float] = (),
        cursor: int | None = None,
        note: str = "no points",
    ) -> None:
        """Draw other lines.

        Args:
            series: The lines; their unit is the first one's.
            thresholds: Values to mark.
            cursor: A moment to mark, in nanoseconds.
            note: What to say where there is nothing to draw.
        """
        self.series, self.thresholds, self.cursor, self.note = series, thresholds, cursor, note
        self._drawn = None
        self.refresh()

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self._drawn = None

    def render_line(self, y: int) -> Strip:
        """Copy one line of the drawing."""
        size = (self.size.width, self.size.height)
        if self._drawn is None or self._drawn[0] != size:
            self._drawn = (size, self._draw(*size))
        lines = self._drawn[1]
        return lines[y] if y < len(lines) else Strip.blank(self.size.width, self.rich_style)

    def _draw(self, width: int, height: int) -> list[Strip]:
        lines = [_thin(_finite(each)) for each in self.series[:MOST_SERIES]]
        if not any(lines) or width < 20 or height < 4:
            return [Strip([Segment(safe(f" {self.note}", width), self.rich_style)])]
        text = Text.from_ansi(self._build(lines, width, height))
        base = self.rich_style
        strips = []
        for line in text.split("\n", allow_blank=True):
            segments = [
                Segment(segment.text, base + segment.style if segment.style else base)
                for segment in line.render(self.app.console)
            ]
            strips.append(Strip(segments).adjust_cell_length(width, base))
        return strips

    def _build(self, lines: Sequence[Sequence[tuple[int, float]]], width: int, height: int) -> str:
        import plotext as plt  # 60 ms, so only when a plot is opened

        unit = self.series[0].unit
        starts = min(points[0][0] for points in lines if points)
        ends = max(points[-1][0] for points in lines if points)
        plt.clear_figure()
        plt.plotsize(width, height)
        for colour in (plt.canvas_color, plt.axes_color, plt.ticks_color):
            colour("default")
        for number, points in enumerate(lines):
            if points:
                label = safe(_label(self.series[number]), width // 2) if len(lines) > 1 else None
                xs, ys = [(at - starts) / 1e9 for at, _ in points], [value for _, value in points]
                plt.plot(xs, ys, marker="braille", color=COLOURS[number % len(COLOURS)], label=label)
        values = [value for points in lines for _, value in points]
        low, high = min([*values, *self.thresholds]), max([*values, *self.thresholds])
        for threshold in self.thresholds:
            plt.hline(threshold, "red+")
        if self.cursor is not None and starts <= self.cursor <= ends:
            plt.vline((self.cursor - starts) / 1e9, "white")
        pad = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        floor = 0.0 if low >= 0 and low < (high - low) else low - pad
        plt.ylim(floor, high + pad)
        steps = max(2, min(6, height // 3))
        ticks = [floor + (high + pad - floor) * step / (steps - 1) for step in range(steps)]
        plt.yticks(ticks, [quantity(tick, unit) for tick in ticks])
        span = max(1.0, (ends - starts) / 1e9)
        plt.xlim(0, span)
        marks = [span * step / 4 for step in range(5)]
        plt.xticks(marks, [clock(starts + int(mark * 1e9)) for mark in marks])
        built: str = plt.build()
        plt.clear_figure()
        return built


def _finite(series: Series) -> list[tuple[int, float]]:
    return [(at, value) for at, value in series.points if math.isfinite(value)]


def _thin(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Keep the least and the greatest of each bucket, so that a spike survives."""
    if len(points) <= MOST_POINTS:
        return points
    size = math.ceil(len(points) / (MOST_POINTS // 2))
    kept: list[tuple[int, float]] = []
    for start in range(0, len(points), size):
        bucket = points[start : start + size]
        ends = {min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])}
        kept.extend(sorted(ends))
    return kept


def _label(series: Series) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in series.labels.items() if name != "__name__")
    return labels or series.name
