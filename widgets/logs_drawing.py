"""How the rows of the logs pane are drawn: from the records where they were read, a screen at a time.

Which record stands on which row is told in `widgets.logs_lines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from cockpit.signals import LogRecord
from cockpit.stores.logs import Pattern, View
from widgets.logs_row import RowPainter, columns_for, value_text
from widgets.rows import widest
from widgets.text import fit

STYLES = (
    "critical", "error", "warning", "info", "muted", "accent", "match", "plain", "cursor", "cursor-blur", "thumb",
)  # fmt: skip

_CSS = """
LogDrawing {
    height: 1fr;
    background: $surface;
    & .logs--critical { color: $text-error; text-style: bold reverse; }
    & .logs--error { color: $text-error; text-style: bold; }
    & .logs--warning { color: $text-warning; }
    & .logs--info { color: $text-primary; }
    & .logs--muted { color: $text-muted; }
    & .logs--accent { color: $text-accent; }
    & .logs--plain { color: $text; }
    & .logs--match { background: $warning-muted; color: $text-warning; text-style: bold; }
    & .logs--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    & .logs--cursor-blur { background: $panel; }
    & .logs--thumb { color: $primary; }
}
"""
WIDEST_COLUMN = 24
"""Cells of an attribute's column."""
CACHED = 2_000
"""Records whose strips are kept."""
MARK = "♦"
"""Beside the time of a row that is marked."""
UNREAD = "  …"
"""What a row says that was not read yet."""


class LogDrawing(Widget):
    """Draws log records, a row each, once somebody has placed them."""

    DEFAULT_CSS = _CSS
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"logs--{name}" for name in STYLES}

    def __init__(self, view: View, *, attributes: Sequence[str] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = view
        self.wrap = False
        self.pretty = False
        self.attributes = tuple(attributes)
        """Those that are columns."""
        self.empty = ""
        """What to say where there are no rows."""
        self.marked: frozenset[int] = frozenset()
        """The numbers of the records that are marked."""
        self.drawn = 0
        """Records laid out since the start: the measure of what drawing costs."""
        self._marks: tuple[Pattern, ...] = ()
        self._placed: list[tuple[int, int]] = []
        """For each row on the screen, (absolute number, which of its rows)."""
        self._strips: dict[int, tuple[LogRecord, list[Strip]]] = {}
        self._painter: RowPainter | None = None
        self._dated = False
        self._styles: dict[str, Style] = {}

    @property
    def number(self) -> int | None:
        """The number of the record under the cursor, or None where there are no rows."""
        return None

    @property
    def in_view(self) -> list[LogRecord]:
        """The records on the screen that were read, from the top down."""
        store = self.view.store
        numbers = dict.fromkeys(number for number, _ in self._placed)
        found = (self._record(number) for number in numbers if store.first <= number < store.end)
        return [record for record in found if record is not None]

    def _record(self, number: int) -> LogRecord | None:
        """Return a record, or None where it was not read yet."""
        store = self.view.store
        return store[number] if store.ready((number,)) else None

    def render_line(self, y: int) -> Strip:
        """Draw one row from the cache."""
        width = self.size.width
        base = self._style("")
        if y >= len(self._placed):
            said = f" {self.empty}" if y == 0 and not self._placed else ""
            return Strip([Segment(fit(said, width), self._style("muted"))])
        number, part = self._placed[y]
        rows = self._rows(number) if self.view.store.first <= number < self.view.store.end else ()
        if part >= len(rows):
            return Strip.blank(width, base)
        strip = rows[part]
        if number in self.marked and not part:
            strip = self._with_mark(strip)
        if self.number == number:
            strip = self._under_cursor(strip)
        return Strip([*strip, self._bar(y, base)], width)

    def notify_style_update(self) -> None:
        """Let go of strips in other colours."""
        super().notify_style_update()
        self._styles = {}
        self._forget()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(f"logs--{name}") if name else self.rich_style
            self._styles[name] = style
        return style

    def _with_mark(self, strip: Strip) -> Strip:
        """Put the sign of a mark beside the time."""
        at = 0 if self._painter is None else self._painter.columns.time
        sign = Segment(MARK, self._style("match"))
        return Strip([*strip.crop(0, at), sign, *strip.crop(at + 1)], strip.cell_length)

    def _under_cursor(self, strip: Strip) -> Strip:
        if self.has_focus:
            laid = self._style("cursor")
            return Strip([Segment(segment.text, laid) for segment in strip], strip.cell_length)
        shade = Style(bgcolor=self._style("cursor-blur").bgcolor)
        return Strip(
            [Segment(segment.text, (segment.style or Style()) + shade) for segment in strip],
            strip.cell_length,
        )

    def _bar(self, y: int, base: Style) -> Segment:
        """Draw the scroll bar's cell of a row."""
        top, bottom = self._bar_place()
        return Segment("▐", self._style("thumb")) if top <= y < bottom else Segment(" ", base)

    def _bar_place(self) -> tuple[int, int]:
        """Return the rows where the scroll bar's thumb begins and ends; (0, 0) where all is in sight."""
        count, height = len(self.view), self.size.height
        if count <= height or not self._placed:
            return 0, 0
        size = max(1, height * height // count)
        room = height - size
        top = min(room, self.view.rank(self._placed[0][0]) * room // max(1, count - height))
        return top, top + size

    def _rows(self, number: int) -> list[Strip]:
        """Return a record's strips, from the cache where it is still the same record."""
        if not self.view.store.ready((number,)):
            return [Strip([Segment(fit(UNREAD, max(1, self.size.width - 1)), self._style("muted"))])]
        record = self.view.store[number]
        known = self._strips.get(number)
        if known is not None and known[0] is record:
            return known[1]
        if self._painter is None:
            columns = columns_for(
                max(1, self.size.width - 1), dated=self._dated, attributes=self._column_widths()
            )
            self._painter = RowPainter(
                self._style, columns, marks=self._marks, wrap=self.wrap, pretty=self.pretty
            )
        strips = self._painter.strips(record, self.view.store.placing(number))
        self.drawn += 1
        if len(self._strips) >= CACHED:
            self._strips.clear()
        self._strips[number] = (record, strips)
        return strips

    def _column_widths(self) -> list[tuple[str, int]]:
        """Return the columns that were chosen, as wide as the records in sight ask for."""
        return [
            (name, widest((_text_of(record, name) for record in self.in_view), 4, WIDEST_COLUMN))
            for name in self.attributes
        ]

    def _forget(self) -> None:
        self._strips.clear()
        self._painter = None


def _text_of(record: LogRecord, name: str) -> str:
    return value_text(record.attributes.get(name, record.resource.get(name)))
